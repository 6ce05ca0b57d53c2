"""Workers that can be killed at any instant, a few hundredths of a second after they were asked for.

A process that has imported torch, and computed nothing with it, forks each worker: `python -m
faults.nursery`, one line of JSON in, one out. A worker counts the instants at which it touches its folder (a
file is opened to be written, made durable, renamed, removed), and may be told to die at one of them.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent.parent
WRITES = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT


class End(NamedTuple):
    """How a worker ended: by signal 9 ("killed"), by itself ("done"), or by an error ("failed"), which is
    said in `words`; and how many instants it had."""

    how: str
    instants: int
    words: str


class Nursery:
    """The process that forks; a context."""

    def __enter__(self) -> Nursery:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, sys.path)])}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "faults.nursery"], cwd=HERE, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, where: TracebackType | None) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()

    def run(
        self,
        task: str,
        folder: Path,
        *,
        at: int | None = None,
        after: float | None = None,
        fault: str = "",
        sent: str = "SIGKILL",
        limit: int | None = None,
    ) -> End:
        """Let a worker do `task` on the run in `folder`. Before its instant number `at`, or after so many
        seconds, it is `sent` a signal; or the instant fails with the `fault`, a name of `errno`. No file of
        it can grow beyond `limit` bytes."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        order = {
            "task": task, "folder": str(folder), "at": at, "after": after, "fault": fault, "sent": sent,
            "limit": limit,
        }  # fmt: skip
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return End(**json.loads(self.process.stdout.readline()))


# The process that forks.


def main() -> None:
    from genlab.experiment import (
        measured,  # noqa: F401
        runner,  # noqa: F401  (torch and all that a worker needs)
    )

    for line in sys.stdin:
        print(json.dumps(obey(json.loads(line))._asdict()), flush=True)


def obey(order: dict[str, Any]) -> End:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        child(order, writer)
    os.close(writer)
    status = waited(pid, order["after"], getattr(signal, order["sent"]))
    with os.fdopen(reader, "rb") as said:
        words = said.read().decode()
    if os.WIFSIGNALED(status):
        return End("killed", 0, "")
    told = json.loads(words)
    return End(told["how"], told["instants"], told["words"])


def waited(pid: int, after: float | None, number: int) -> int:
    """The status of the child, to which the signal `number` goes after so many seconds, if it is not done
    before."""
    deadline = None if after is None else time.monotonic() + after
    while True:
        found, status = os.waitpid(pid, os.WNOHANG if deadline else 0)
        if found:
            return status
        if deadline and time.monotonic() >= deadline:
            os.kill(pid, number)
            deadline = None
        else:
            time.sleep(0.0005)


# The worker.


class Instants:
    """Counts them, and at the one that is meant lets happen what is to happen."""

    def __init__(self, folder: str, at: int | None, happens: Callable[[], None]) -> None:
        self.folder, self.at, self.happens = folder, at, happens
        self.count = 0
        self.inside = False

    def meet(self) -> None:
        self.count += 1
        if self.count == self.at:
            self.happens()

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """An audit hook of Python's: it is called before the thing is done."""
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & WRITES and self.ours(path):
                self.meet()
        elif event in ("os.rename", "os.remove", "os.mkdir") and self.ours(arguments[0]):
            self.meet()

    def ours(self, path: object) -> bool:
        return isinstance(path, str | bytes | os.PathLike) and os.fsdecode(path).startswith(self.folder)


def child(order: dict[str, Any], writer: int) -> None:
    def happens() -> None:
        if not order["fault"]:
            os.kill(os.getpid(), getattr(signal, order["sent"]))
            return
        import errno

        code = getattr(errno, order["fault"])
        raise OSError(code, os.strerror(code), order["folder"])

    if order["limit"] is not None:
        import resource

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write that would go beyond fails then
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["limit"], resource.RLIM_INFINITY))
    instants = Instants(order["folder"], order["at"], happens)
    durable = os.fsync

    def fsync(descriptor: int) -> None:
        instants.meet()
        durable(descriptor)

    os.fsync = fsync  # type: ignore[assignment]
    sys.addaudithook(instants.hear)
    try:
        TASKS[order["task"]](Path(order["folder"]))
        how, words = "done", ""
    except BaseException as error:
        how = "failed"
        words = str(error) if type(error).__name__ in ("UserError", "OSError") else traceback.format_exc()
    with os.fdopen(writer, "wb") as said:
        said.write(json.dumps({"how": how, "instants": instants.count, "words": words}).encode())
    os._exit(0)


def train(folder: Path) -> None:
    from genlab.experiment.runner import work
    from genlab.runs.store import Run

    for _ in work(Run(folder)):
        pass


def validated(folder: Path) -> None:
    """The same, validated by what is a function of the weights, as any validation is, and cheap."""
    from genlab.experiment import validation

    class Cheap:
        suffix = ""

        def __init__(self, *_: object) -> None: ...

        def __call__(self, model: Any) -> dict[str, float]:
            return {"fid": 1000 * float(sum(each.double().sum() for each in model.parameters())) % 10}

    validation.Validator = Cheap  # type: ignore[assignment, misc]
    train(folder)


def report(folder: Path) -> None:
    """What `genlab evaluate` writes in the end, over and over."""
    from genlab.runs.files import read_json, write_json
    from genlab.runs.store import Run

    path = Run(folder).report
    for number in range(20):
        found = read_json(path)
        write_json(path, {**found, "number": number, "values": [random.random() for _ in range(5000)]})


TASKS = {"train": train, "validated": validated, "report": report}

if __name__ == "__main__":
    main()
