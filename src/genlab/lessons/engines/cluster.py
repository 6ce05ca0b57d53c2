"""Tasks done on a Ray cluster: on the one that RAY_ADDRESS names, else on one that is started here.

The machines need no common disk: a task's folder travels as an archive, to the tasks that need it and back.
"""

from __future__ import annotations

import io
import os
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from genlab.errors import UserError
from genlab.lessons.engines.news import Began, Done, News
from genlab.lessons.tasks import Shelf, Task
from genlab.lessons.work import work_called


def packed(folder: Path) -> bytes:
    """Everything in a folder."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                file.write(path, path.relative_to(folder).as_posix())
    return archive.getvalue()


def unpacked(archive: bytes, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        file.extractall(folder)  # it was packed by `packed`, above, on a machine of the same cluster
    return folder


def perform(work: str, given: dict[str, Any], *needs: bytes) -> tuple[dict[str, Any], bytes, float]:
    """One task, on whichever machine: what it found, its folder, and the seconds that it took."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "task"
        folder.mkdir()
        before = [unpacked(each, Path(place) / f"needed-{index}") for index, each in enumerate(needs)]
        found = work_called(work)(given, folder, before, lambda share: None)
        return found, packed(folder), time.monotonic() - began


def cluster(tasks: Sequence[Task], shelf: Shelf, workers: int) -> Iterator[News]:
    """Raises UserError where Ray is not installed or a task failed."""
    ray = imported()
    address = os.environ.get("RAY_ADDRESS")
    settings: dict[str, Any] = {"address": address} if address else {"num_cpus": workers}
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    ray.init(include_dashboard=False, log_to_driver=False, runtime_env={"env_vars": one_thread}, **settings)
    try:
        remote = ray.remote(num_cpus=1, max_retries=0)(perform)
        waiting = list(tasks)
        running: dict[Any, Task] = {}
        while waiting or running:
            for task in [task for task in waiting if all(shelf.done(each) for each in task.needs)]:
                waiting.remove(task)
                shelf.begin(task)
                needs = [packed(shelf.folder(each)) for each in task.needs]
                running[remote.remote(task.work, dict(task.given), *needs)] = task
                yield Began(task)
            (ready, *_), _ = ray.wait(list(running))
            task = running.pop(ready)
            try:
                found, folder, seconds = ray.get(ready)
            except ray.exceptions.RayTaskError as error:
                if isinstance(error.cause, UserError):
                    raise UserError(f"{task.name}: {error.cause}") from error
                raise
            unpacked(folder, shelf.folder(task))
            shelf.finish(task, found, seconds)
            yield Done(task, seconds)
    finally:
        ray.shutdown()


def imported() -> Any:
    try:
        import ray
    except ImportError as error:
        raise UserError(
            "--engine ray needs Ray: install it with `pip install 'genlab[ray]'`, or take --engine local"
        ) from error
    return ray
