"""The process that waits until those ahead of it have trained, and then trains itself.

    python -m genlab.app.turn TURN AFTER COMMAND…

It becomes COMMAND, so that whoever knows its pid still knows it; Windows can't do that, and there it waits
for COMMAND to end. Loads neither torch nor Streamlit: it is small, and looks up twice a second.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

from genlab.app import launches
from genlab.runs.store import Run

LOOK = 0.5  # seconds between two looks at those ahead


def main(arguments: list[str]) -> NoReturn:
    turn, after, *command = arguments
    waiting = launches.ahead(int(turn))
    while waiting:
        time.sleep(LOOK)
        waiting = [launch for launch in waiting if launch.alive()]
    if after and not trained(Run(Path(after))):
        sys.exit(
            f"genlab: {Path(after).name}, which this one starts from, ended before it had a checkpoint; "
            "train that one, then start this one again"
        )
    become(command)


def trained(run: Run) -> bool:
    """Whether it has a whole checkpoint, which is one with its note."""
    return any(run.checkpoints.glob("step-*.json"))


def become(command: list[str]) -> NoReturn:
    if sys.platform == "win32":
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stdout, stderr=sys.stderr)
        sys.exit(done.returncode)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
