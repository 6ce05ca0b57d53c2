"""Evaluations as a process of its own, one run after the other: `genlab evaluate` does the work.

    runs/.evaluation.json   which runs, by whom, since when
    runs/.evaluation.log    what was said

As a program, `python -m genlab.app.evaluating RUN RUN …`, it is that process: a page that is closed, or a
server that is stopped, takes nothing along. Imports no torch and no Streamlit.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from genlab.app import processes
from genlab.errors import UserError
from genlab.runs.files import read_json, write_json
from genlab.runs.store import runs_root
from genlab.runs.worker import living

USUAL = 30.0  # seconds that a run of MNIST takes on two cores; where features must be learned first, minutes
TURN = re.compile(r"(\d+) of (\d+): (.+)")


@dataclass(frozen=True)
class Evaluation:
    """`runs` are references as `genlab evaluate` takes them; `pid` and `created` tell the process from
    another of that number; `began` is in seconds since the epoch."""

    runs: tuple[str, ...]
    pid: int
    created: float
    began: float

    def alive(self) -> bool:
        return living(self.pid, self.created) is not None


@dataclass(frozen=True)
class Standing:
    """Run number `turn` (from 1) of `of`, called `run`, is measured; `doing` is what it is at, or empty."""

    turn: int
    of: int
    run: str
    doing: str


def note() -> Path:
    return runs_root() / ".evaluation.json"


def log() -> Path:
    return runs_root() / ".evaluation.log"


def current() -> Evaluation | None:
    """The evaluation that is at work, or was the last one."""
    try:
        found = read_json(note())
        return Evaluation(tuple(found["runs"]), found["pid"], found["created"], found["began"])
    except (UserError, KeyError, TypeError):
        return None


def begin(runs: Sequence[str]) -> Evaluation:
    """Start to measure `runs`. Raises UserError while others are being measured."""
    before = current()
    if before is not None and before.alive():
        raise UserError("other runs are being evaluated: wait until they are done, or cancel that first")
    runs_root().mkdir(parents=True, exist_ok=True)
    began = time.time()
    pid, created = processes.start([sys.executable, "-m", "genlab.app.evaluating", *runs], log())
    evaluation = Evaluation(tuple(runs), pid, created, began)
    write_json(note(), asdict(evaluation))
    return evaluation


def cancel(evaluation: Evaluation) -> None:
    """End it and what it has started; runs that were measured stay measured."""
    processes.end(evaluation.pid, evaluation.created)
    forget()


def forget() -> None:
    note().unlink(missing_ok=True)
    log().unlink(missing_ok=True)


def lines() -> list[str]:
    try:
        return log().read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return []


def standing() -> Standing | None:
    """Where it stands; None before the first run."""
    found: Standing | None = None
    for line in lines():
        if turn := TURN.fullmatch(line):
            found = Standing(int(turn[1]), int(turn[2]), turn[3], "")
        elif found and line.strip():
            found = Standing(found.turn, found.of, found.run, line.strip())
    return found


def complaints() -> list[str]:
    """What could not be measured and why, one sentence a run."""
    found, run = [], ""
    for line in lines():
        if turn := TURN.fullmatch(line):
            run = turn[3]
        elif line.startswith("genlab: "):
            found.append(f"{run}: {line.removeprefix('genlab: ')}")
    return found


def main(runs: Sequence[str]) -> None:
    for turn, run in enumerate(runs, start=1):
        print(f"{turn} of {len(runs)}: {run}", flush=True)
        subprocess.run(
            [sys.executable, "-m", "genlab.cli", "evaluate", run], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, check=False,
        )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
