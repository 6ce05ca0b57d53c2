"""Checking a reader's file: in a process of its own, with limits, never in this one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genlab.lessons.exercises.catalogue import Exercise
from genlab.lessons.exercises.reading import Answer, answer

SECONDS = 60.0
START = 120.0  # seconds that a process may take until it runs the file
SHOWN = 4000  # characters of what the file prints


@dataclass(frozen=True)
class Checked:
    """What a check found. `wrong` is empty where the answer is right, and `unusable` where the file could be
    judged; `printed` is what the file said itself."""

    exercise: Exercise
    wrong: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    learned: str = ""
    unusable: str = ""
    printed: str = ""

    @property
    def right(self) -> bool:
        return not self.wrong and not self.unusable


def check(path: Path, seconds: float = SECONDS) -> Checked:
    """Raises UserError where the file is no answer to any exercise."""
    told = answer(path)
    folder = Path(tempfile.mkdtemp(prefix="genlab-exercise-"))
    try:
        ended = perform(told, folder, seconds)
        return concluded(told.exercise, news(folder / "answers.jsonl"), printed(folder), ended)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def perform(told: Answer, folder: Path, seconds: float) -> str:
    """Run the process to its end, or end it and all that it has started; what is to be said of its end."""
    code, answers = folder / f"{told.exercise.function}.py", folder / "answers.jsonl"
    code.write_text(told.code, "utf-8")
    command = [
        sys.executable,
        "-m",
        "genlab.lessons.exercises.child",
        str(code),
        told.exercise.name,
        str(answers),
    ]
    with (folder / "printed.txt").open("wb") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=folder,
            env=environment(), start_new_session=True,
        )  # fmt: skip
        try:
            status = waited(process, answers, seconds)
        finally:
            end(process)
    if status is None:
        return f"it did not end within {seconds:g} seconds, while {{stage}}: is there a loop without an end?"
    return f"its process ended without an answer, while {{stage}} ({named(status)})"


def waited(process: subprocess.Popen[bytes], answers: Path, seconds: float) -> int | None:
    """Its exit status, or None where it did not end in time, which counts from its first answer on."""
    began, running = time.monotonic(), False
    while time.monotonic() - began < (seconds if running else START):
        with suppress(subprocess.TimeoutExpired):
            return process.wait(0.1)
        if not running and answers.exists():
            began, running = time.monotonic(), True
    return None


def environment() -> dict[str, str]:
    own = {"OMP_NUM_THREADS": "1", "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **own}


def end(process: subprocess.Popen[bytes]) -> None:
    """End the process, and what it started."""
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()
    process.wait()


def named(status: int) -> str:
    if status >= 0:
        return f"exit code {status}"
    with suppress(ValueError):
        return signal.Signals(-status).name
    return f"signal {-status}"


def news(path: Path) -> list[dict[str, Any]]:
    """The answers, as far as they are whole."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text("utf-8", errors="replace").splitlines():
        with suppress(ValueError):
            value = json.loads(line)
            if isinstance(value, dict):
                found.append(value)
    return found


def concluded(exercise: Exercise, told: list[dict[str, Any]], said: str, ended: str) -> Checked:
    found: dict[str, Any] = {}
    for each in told:
        found |= each
    if "unusable" in found:
        return Checked(exercise, unusable=plain(found["unusable"]), printed=said)
    if "done" not in found:
        stage = plain(found.get("stage", "starting"))
        return Checked(exercise, unusable=ended.format(stage=stage), printed=said)
    wrong, passed = (tuple(map(plain, found.get(key, ()))) for key in ("wrong", "passed"))
    return Checked(exercise, wrong, passed, plain(found.get("learned", "")), printed=said)


def printed(folder: Path) -> str:
    with (folder / "printed.txt").open("rb") as file:
        text = file.read(4 * SHOWN).decode("utf-8", errors="replace")
    return plain(text, lines=True)[:SHOWN].rstrip()


def plain(text: object, *, lines: bool = False) -> str:
    """Text that moves no cursor and rings no bell."""
    kept = "\n\t" if lines else ""
    return "".join(c if c.isprintable() or c in kept else "�" for c in str(text))
