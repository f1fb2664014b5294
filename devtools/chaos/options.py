"""The options of the command line."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .crash_injector.crash_points import CrashPoint
from .load import DUPLICATES

# Calls that are reserved for each later kill: some crash points need a new message, and up to so many of the next
# calls may have the same key, and thus be one message.
RESERVE: Final = DUPLICATES


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What can be chosen about a run."""

    messages: int
    seed: int
    kills: int
    share: float
    timeout: float
    keep: Path | None


def parse_options(description: str | None) -> Options:
    """Parse the command line; exit if it is wrong."""
    points = len(CrashPoint)
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=description)
    parser.add_argument("--messages", type=int, default=300, help="number of messages (300)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random choices (1)")
    parser.add_argument("--kills", type=int, default=15, help=f"number of kills (15), at least {points}: one per point")
    parser.add_argument("--share", type=float, default=0.2, help="share of the requests with a fault (0.2)")
    parser.add_argument("--timeout", type=float, default=900.0, help="seconds until the run is aborted (900)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep Home Assistant's files in this folder")
    found = parser.parse_args()
    if found.kills < points:
        parser.error(f"--kills: each of the {points} crash points needs one")
    if found.messages < RESERVE * found.kills:
        parser.error(f"--messages: each kill needs {RESERVE}")
    if not 0 <= found.share <= 1:
        parser.error("--share: from 0 to 1")
    return Options(**vars(found))
