"""A worker: a process that does tasks as it is told on standard input, a line of JSON for each.

It answers on standard output, a line for each thing that happens: {"share": 0.5}, {"found": {…}, "seconds":
1.2}, {"stopped": true}, {"failed": "a sentence"}. Where its input ends, it ends; so it does not outlive the
process that started it by more than the task at hand.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from genlab.errors import UserError
from genlab.lessons.work import Interrupted, work_called

EVERY = 0.5  # seconds between two shares that are told


def main() -> None:
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what anything else prints is no answer
    for line in sys.stdin:
        answer = perform(json.loads(line), answers)
        tell(answers, answer)
        if "stopped" in answer:
            return


def perform(asked: dict[str, Any], answers: TextIO) -> dict[str, Any]:
    began = last = time.monotonic()

    def said(share: float) -> None:
        nonlocal last
        if time.monotonic() - last > EVERY:
            last = time.monotonic()
            tell(answers, {"share": share})

    try:
        work = work_called(asked["work"])
        found = work(asked["given"], Path(asked["folder"]), [Path(each) for each in asked["needs"]], said)
    except (Interrupted, KeyboardInterrupt):
        return {"stopped": True}
    except UserError as error:
        return {"failed": str(error)}
    return {"found": found, "seconds": time.monotonic() - began}


def tell(answers: TextIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer, ensure_ascii=False, allow_nan=False) + "\n")
    answers.flush()


if __name__ == "__main__":
    try:
        main()
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(130)
