"""Runs a module as a program that exits when its parent process is gone, even if that was killed.

    python -P devtools/exit_with_parent.py MODULE [ARGUMENT…]

Standard input is a pipe to which the parent writes nothing: end of file means that the parent is gone. So a test that
is killed leaves no Home Assistant behind.
"""

import os
from pathlib import Path
import runpy
import signal
import sys
import threading
import time

# Seconds. Home Assistant saves its files within two; a process that runs longer than this is stuck.
STOP_TIMEOUT = 15.0


def _exit_with_parent() -> None:
    # Not through sys.stdin: its lock, held by this thread, would make the interpreter's own shutdown fail.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_TIMEOUT)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_exit_with_parent, name="exit with parent", daemon=True).start()
    # Last on the path, so that an installed package takes precedence over its fake.
    sys.path.append(str(Path(__file__).with_name("fake_modules")))
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
