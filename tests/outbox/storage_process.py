"""A process with a storage: it can be killed, and the kernel can refuse its thread system calls from some commit on.

No other fault of a disk is as real without being root: the refusal comes from a filter of the kernel (seccomp).
"""

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
import ctypes
import errno
import itertools
import os
from pathlib import Path
import platform
import struct
import sys
from typing import Final

from homeassistant.core import HomeAssistant

from custom_components.gosms.outbox.storage import Changes, SqliteStorage, StorageError

NAME: Final = "gosms.the_account.outbox"

# The numbers of the system calls that the kernel can refuse.
CALLS: Final = {
    "x86_64": {"fdatasync": 75, "fsync": 74, "openat": 257, "pread64": 17, "truncate": 76},
    "aarch64": {"fdatasync": 83, "fsync": 82, "openat": 56, "pread64": 67, "truncate": 45},
}.get(platform.machine() if sys.platform == "linux" else "", {})

# From linux/prctl.h, linux/seccomp.h and linux/filter.h.
_NO_NEW_PRIVILEGES: Final = 38
_SET_SECCOMP: Final = 22
_MODE_FILTER: Final = 2
_LOAD_NUMBER: Final = struct.pack("HBBI", 0x20, 0, 0, 0)
_ALLOW: Final = struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000)


def changes(number: int) -> Changes:
    """What commit number `number` stores."""
    return Changes(messages={f"message {number}": {"number": number}}, meta={"count": {"commits": number + 1}})


def refuse(calls: Iterable[str], error: int) -> None:
    """Have the kernel refuse system calls of this thread from now on."""
    program = _LOAD_NUMBER
    for call in calls:
        # The next instruction is passed over if it is another call.
        program += struct.pack("HBBI", 0x15, 0, 1, CALLS[call]) + struct.pack("HBBI", 0x06, 0, 0, 0x00050000 | error)
    program += _ALLOW
    instructions = ctypes.create_string_buffer(program)
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(instructions))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((_NO_NEW_PRIVILEGES, 1, 0, 0, 0), (_SET_SECCOMP, _MODE_FILTER, header, 0, 0)):
        if libc.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "prctl")


async def main(folder: str, first: int, error: str, *calls: str) -> None:
    """Load, refuse from commit `first` on, and commit until killed; `first` 0 refuses already when loading."""
    # One thread does all the work, so that all of it is refused.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    hass = HomeAssistant(folder)
    storage = SqliteStorage(hass, NAME)
    for number in itertools.count():
        if number == first:
            await hass.async_add_executor_job(refuse, calls, getattr(errno, error))
        try:
            if number == 0:
                contents = await storage.async_load(lambda _meta: 0)
                print("loaded", len(contents.messages), flush=True)  # noqa: T201  # Read by the test.
            await storage.async_commit(changes(number))
        except StorageError:
            print("failed", number, flush=True)  # noqa: T201  # Likewise.
        else:
            print("stored", number, flush=True)  # noqa: T201  # Likewise.


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(exist_ok=True)
    os.nice(5)
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))
