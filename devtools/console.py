"""Progress output of the tools: timed steps, and a table that is updated in place."""

from collections.abc import Mapping
import shutil
import sys
import time
from typing import Final, TextIO

from custom_components.gosms.outbox import State

UP: Final = "\x1b[{}A"
CLEAR_TO_END: Final = "\x1b[J"
BOLD: Final = "\x1b[1m"
GREEN: Final = "\x1b[32m"
RED: Final = "\x1b[31m"
RESET: Final = "\x1b[0m"

COLORS: Final = {state.value: RED for state in State if state.is_final} | {State.DELIVERED.value: GREEN}


class Console:
    """A terminal, or a file that gets plain lines."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._is_terminal = self._stream.isatty()
        self._started = time.monotonic()
        self._table_height = 0
        self._shown: dict[str, str] = {}
        self._since: dict[str, str] = {}

    def step(self, text: str) -> None:
        """Print what happens now, with the time; a table above is left as it is."""
        self.print(f"{self._elapsed()}  {text}")

    def print(self, text: str) -> None:
        """Print a text as it is."""
        self._table_height = 0
        self._write(text)

    def success(self, text: str) -> None:
        """Print that something succeeded."""
        self.step(self._colored(text, BOLD + GREEN))

    def error(self, text: str) -> None:
        """Print that something failed."""
        self.step(self._colored(text, BOLD + RED))

    def table(self, rows: Mapping[str, str]) -> None:
        """Show sensors and their states; without a terminal, print each change as a line."""
        for name, state in rows.items():
            if self._shown.get(name) != state:
                self._shown[name] = state
                self._since[name] = self._elapsed()
                if not self._is_terminal:
                    self.step(f"{name}: {state}")
        if self._is_terminal:
            self._redraw(rows)

    def _redraw(self, rows: Mapping[str, str]) -> None:
        left = max(map(len, rows))
        right = min(40, max(10, shutil.get_terminal_size().columns - left - 16))
        rule = f"  {'─' * left}  {'─' * right}  {'─' * 8}"
        lines = [rule, f"  {'Sensor':<{left}}  {'State':<{right}}  {'Since':>8}", rule]
        for name, state in rows.items():
            text = state if len(state) <= right else f"{state[: right - 1]}…"
            lines.append(
                f"  {name:<{left}}  {self._colored(f'{text:<{right}}', COLORS.get(state, ''))}  {self._since[name]}"
            )
        lines.append(rule)
        self._stream.write((UP.format(self._table_height) + "\r" if self._table_height else "") + CLEAR_TO_END)
        self._write("\n".join(lines))
        self._table_height = len(lines)

    def _elapsed(self) -> str:
        return f"{time.monotonic() - self._started:6.1f} s"

    def _colored(self, text: str, color: str) -> str:
        return f"{color}{text}{RESET}" if self._is_terminal and color else text

    def _write(self, text: str) -> None:
        print(text, file=self._stream, flush=True)
