"""The card in a browser: the size of its file, and how long it takes to show its list."""

import gzip
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

from devtools.browser import Browser, find
from devtools.hass_client import Json
from devtools.process import ROOT

from .environment import Account
from .results import Result
from .scenarios import Scale

FILE: Final = ROOT / "custom_components/gosms/frontend/gosms-card.js"

# Dashboards with one card each, and what it shows at the end.
_CARD: Final = ("benchmark-card", "gosms-card li")
_BASELINE: Final = ("benchmark-markdown", "hui-markdown-card ha-markdown h2")

_KIB: Final = 1024
_MAX_SIZE: Final = 64


async def measure_card(account: Account, scale: Scale) -> list[Result]:
    """Measure the card on a dashboard of its own, against Home Assistant's card for text."""
    results = [_size(FILE)]
    name = "Card in a browser: until its first list"
    if not scale.browser or find() is None:
        return [*results, Result(name=name, integration="without a browser", value=0, unit="ms")]
    await _add_dashboard(account, _CARD[0], {"type": "custom:gosms-card", "config_entry_id": account.entry.entry_id})
    await _add_dashboard(account, _BASELINE[0], {"type": "markdown", "content": "## Messages"})
    times: dict[str, list[float]] = {_CARD[0]: [], _BASELINE[0]: []}
    async with Browser.open() as browser:
        for _ in range(scale.rounds):
            for path, shown in (_CARD, _BASELINE):
                times[path].append(await _time_until(browser, account, path, shown))
    card, baseline = median(times[_CARD[0]]), median(times[_BASELINE[0]])
    result = Result(
        name=name,
        integration=f"{card:,.0f} ms",
        baseline=f"Markdown card: {baseline:,.0f} ms",
        value=card / baseline,
    )
    return [*results, result]


def _size(file: Path) -> Result:
    """Return the size of a file."""
    content = file.read_bytes()
    return Result(
        name="Card: size of its file",
        integration=f"{len(content):,} bytes, {len(gzip.compress(content)):,} compressed",
        value=len(content) / _KIB,
        unit="KiB",
        maximum=_MAX_SIZE,
    )


async def _add_dashboard(account: Account, path: str, card: Json) -> None:
    """Add a dashboard with one card."""
    client = account.hass.client
    await client.command("lovelace/dashboards/create", url_path=path, title=path, mode="storage")
    await client.command("lovelace/config/save", url_path=path, config={"views": [{"title": path, "cards": [card]}]})


async def _time_until(browser: Browser, account: Account, path: str, shown: str) -> float:
    """Return the milliseconds from opening a dashboard, with nothing cached, until an element is visible."""
    start = perf_counter()
    page = await browser.open_page(account.hass, f"/{path}/0")
    try:
        await page.locator(shown).first.wait_for()
        return (perf_counter() - start) * 1000
    finally:
        await page.context.close()
