"""Runs a module as a program that ends when the process that started it ends, however that one went.

    python -P workshop/tether.py MODULE [ARGUMENT…]

Standard input is a pipe that nobody writes to: its end means that the starter is gone. So a test that is killed leaves
no Home Assistant behind.
"""

import os
from pathlib import Path
import runpy
import signal
import sys
import threading
import time

# Home Assistant saves its files within a second or two; what still runs after this long is stuck.
GRACE = 15.0


def _leave_with_the_starter() -> None:
    # Not through sys.stdin: its lock, held by this thread, would make the interpreter's own shutdown fail.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_leave_with_the_starter, name="tether", daemon=True).start()
    # Last on the path: a package that is installed comes before its stand-in.
    sys.path.append(str(Path(__file__).with_name("stand_ins")))
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
