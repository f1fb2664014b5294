"""What the demo tells: steps with their times, and a table that changes in place."""

from collections.abc import Mapping
import shutil
import sys
import time
from typing import TextIO

UP = "\x1b[{}A"
CLEAR_TO_END = "\x1b[J"
BOLD = "\x1b[1m"
GREEN = "\x1b[32m"
RED = "\x1b[31m"
PLAIN = "\x1b[0m"

# States that are worth a colour.
COLOURS = {"delivered": GREEN, "send_failed": RED, "delivery_failed": RED, "refused": RED, "expired": RED}


class Screen:
    """A terminal, or a file that gets plain lines."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._live = self._stream.isatty()
        self._began = time.monotonic()
        self._height = 0
        self._shown: dict[str, str] = {}
        self._since: dict[str, str] = {}

    def step(self, text: str) -> None:
        """Tell what happens now; a table above stays as it is."""
        self._height = 0
        self._print(f"{self._clock()}  {text}")

    def say(self, text: str) -> None:
        """Print a text as it stands."""
        self._height = 0
        self._print(text)

    def good(self, text: str) -> None:
        """Tell a good end."""
        self.step(self._paint(text, BOLD + GREEN))

    def bad(self, text: str) -> None:
        """Tell a bad end."""
        self.step(self._paint(text, BOLD + RED))

    def table(self, rows: Mapping[str, str]) -> None:
        """Show sensors and their states; without a terminal, only what has changed, line by line."""
        for name, state in rows.items():
            if self._shown.get(name) != state:
                self._shown[name] = state
                self._since[name] = self._clock()
                if not self._live:
                    self.step(f"{name}: {state}")
        if self._live:
            self._redraw(rows)

    def _redraw(self, rows: Mapping[str, str]) -> None:
        left = max(map(len, rows))
        right = min(40, max(10, shutil.get_terminal_size().columns - left - 16))
        rule = f"  {'─' * left}  {'─' * right}  {'─' * 8}"
        lines = [rule, f"  {'Sensor':<{left}}  {'State':<{right}}  {'Since':>8}", rule]
        for name, state in rows.items():
            text = state if len(state) <= right else f"{state[: right - 1]}…"
            lines.append(
                f"  {name:<{left}}  {self._paint(f'{text:<{right}}', COLOURS.get(state, ''))}  {self._since[name]}"
            )
        lines.append(rule)
        self._stream.write((UP.format(self._height) + "\r" if self._height else "") + CLEAR_TO_END)
        self._print("\n".join(lines))
        self._height = len(lines)

    def _clock(self) -> str:
        return f"{time.monotonic() - self._began:6.1f} s"

    def _paint(self, text: str, colour: str) -> str:
        return f"{colour}{text}{PLAIN}" if self._live and colour else text

    def _print(self, text: str) -> None:
        print(text, file=self._stream, flush=True)
