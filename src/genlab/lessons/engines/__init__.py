"""Who does a lesson's tasks: processes on this machine, or a Ray cluster, with the same results to the bit.

An engine is a generator: it is given tasks that are still to be done, after those that they need, finishes
each on the shelf, and yields what happens.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

from genlab.errors import UserError
from genlab.lessons.engines.news import News
from genlab.lessons.tasks import Shelf, Task

Engine = Callable[[Sequence[Task], Shelf, int], Iterator[News]]

MOST_WORKERS = 8
MEMORY = 1.2 * 2**30  # bytes that a worker may come to need


def engine_called(name: str) -> Engine:
    """Raises UserError for a name that is none."""
    if name == "local":
        from genlab.lessons.engines.local import local

        return local
    if name == "ray":
        from genlab.lessons.engines.cluster import cluster

        return cluster
    raise UserError(
        f"no engine is called {name!r}: --engine local runs on this machine, --engine ray on a cluster"
    )


def usual_workers() -> int:
    """A worker for each core that this process may use, as far as memory reaches."""
    import psutil

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, MOST_WORKERS, int(psutil.virtual_memory().available // MEMORY)))
