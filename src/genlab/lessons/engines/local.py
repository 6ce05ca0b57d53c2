"""Tasks done by processes on this machine, each on a thread of its own."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from genlab.errors import UserError
from genlab.lessons.engines.news import Advanced, Began, Done, News
from genlab.lessons.tasks import Shelf, Task

PATIENCE = 20.0  # seconds that a worker has to keep what it has, after it was asked to stop


class Worker:
    """A process of `engines.worker`, with the task that it has in hand."""

    def __init__(self, heard: queue.Queue[tuple[Worker, dict[str, Any]]]) -> None:
        self.task: Task | None = None
        self.process = subprocess.Popen(
            [sys.executable, "-m", "genlab.lessons.engines.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(), encoding="utf-8",
            start_new_session=True,  # a terminal's Ctrl-C reaches it once, from here
        )  # fmt: skip
        self.ear = threading.Thread(target=self.listen, args=(heard,), daemon=True)
        self.ear.start()

    def listen(self, heard: queue.Queue[tuple[Worker, dict[str, Any]]]) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            heard.put((self, json.loads(line)))
        heard.put((self, {"ended": self.process.wait()}))

    def take(self, task: Task, shelf: Shelf) -> None:
        assert self.process.stdin is not None
        self.task = task
        asked = {
            "work": task.work, "given": dict(task.given), "folder": str(shelf.begin(task)),
            "needs": [str(shelf.folder(each)) for each in task.needs],
        }  # fmt: skip
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()

    def stop(self) -> None:
        """Ask it to keep what it has and to end; a task in hand that can be stopped goes on another time."""
        with suppress(OSError, ValueError):
            assert self.process.stdin is not None
            self.process.stdin.close()
        if self.task is not None and self.process.poll() is None:
            with suppress(OSError):
                self.process.terminate() if os.name == "nt" else self.process.send_signal(signal.SIGINT)

    def end(self) -> None:
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.ear.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


def environment() -> dict[str, str]:
    """One thread each, on any core: as many workers as cores then keep them all busy, and what is computed
    does not depend on how many they are. Idle threads sleep."""
    kept = {name: value for name, value in os.environ.items() if name != "OMP_PROC_BIND"}
    return kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1"}


def local(tasks: Sequence[Task], shelf: Shelf, workers: int) -> Iterator[News]:
    """Raises UserError with the sentence of a task that failed, after the others were asked to stop."""
    waiting, left = list(tasks), {task.key for task in tasks}
    heard: queue.Queue[tuple[Worker, dict[str, Any]]] = queue.Queue()
    crew = [Worker(heard) for _ in range(min(workers, len(tasks)))]
    idle = list(crew)
    try:
        while left:
            for task in [task for task in waiting if all(shelf.done(each) for each in task.needs)]:
                if not idle:
                    break
                waiting.remove(task)
                idle.pop(0).take(task, shelf)
                yield Began(task)
            worker, answer = heard.get()
            done = worker.task
            if "share" in answer and done is not None:
                yield Advanced(done, float(answer["share"]))
                continue
            if "found" not in answer or done is None:
                raise UserError(failure(done, answer))
            shelf.finish(done, answer["found"], float(answer["seconds"]))
            left.discard(done.key)
            worker.task = None
            idle.append(worker)
            yield Done(done, float(answer["seconds"]))
    finally:
        for worker in crew:
            worker.stop()
        for worker in crew:
            worker.end()


def failure(task: Task | None, answer: dict[str, Any]) -> str:
    name = task.name if task else "a worker"
    if "failed" in answer:
        return f"{name}: {answer['failed']}"
    if "stopped" in answer:
        return f"{name} was stopped; start the lesson again to go on"
    return (
        f"{name} ended without an answer (exit code {answer.get('ended')}); start the lesson again to go on"
    )
