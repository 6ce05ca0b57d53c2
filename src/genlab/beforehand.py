"""What has to stand before torch is loaded: where its threads sit, and what becomes of freed memory.

Both are settings of the process, which OpenMP and the C library read once, so a command makes them first of
all; a program that uses genlab as a library is left alone. What is computed does not depend on them. Each
is left as it is where the environment already says something else, and GENLAB_PLAIN=1 turns all of it off.
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import NamedTuple

PLAIN = "GENLAB_PLAIN"
BIND = "OMP_PROC_BIND"
SPIN, WAIT = "GOMP_SPINCOUNT", "OMP_WAIT_POLICY"
SPINS = "100000"  # rounds that a thread waits awake for another one: a third of what libgomp takes by itself
FEW_CORES = 2
# mallopt's parameters, from malloc.h: never map a block of its own (M_MMAP_MAX), which is given back and
# zeroed anew at every step; give nothing back from the heap's end; take it in pieces of 64 MiB.
MALLOC = {-4: 0, -1: 2**31 - 1, -2: 64 * 2**20}
MALLOC_NAMES = ("MALLOC_MMAP_MAX_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "GLIBC_TUNABLES")


class Setting(NamedTuple):
    """One setting as it stands in this process, in words."""

    name: str
    state: str


BOUND = "each on a core of its own"
_made: dict[str, str] = {}
_cores: set[int] = set()  # that this process may use, from before it was bound


def prepare() -> None:
    """Make the settings that help on this machine; once, and before torch is imported."""
    if _made:
        return
    _made["threads"] = bind_threads()
    _made["allocator"] = keep_memory()


def bind_threads() -> str:
    """On a machine of one or two cores, keep each thread on a core of its own: beside another busy program
    the scheduler else puts both on one, where each waits for the other. On more cores two programs that both
    bind would share the first few and leave the others idle. A thread that waits goes to sleep sooner:
    beside one busy program that costs a tenth, beside two it is twice as fast, and alone no difference stands
    out (`genlab bench threads`, benchmarks/results/threads.json)."""
    if os.environ.get(PLAIN):
        return f"left alone ({PLAIN} is set)"
    if os.environ.get(BIND):
        return f"left alone ({BIND}={os.environ[BIND]} is set)"
    several = os.environ.get("LOCAL_WORLD_SIZE", "1") != "1"  # ranks, which would all take the first core
    if (os.cpu_count() or 1) > FEW_CORES or several or os.environ.get("OMP_NUM_THREADS") == "1":
        return "left to the scheduler"
    if sys.platform == "linux":
        _cores.update(os.sched_getaffinity(0))
    os.environ[BIND] = "true"
    if not (os.environ.get(SPIN) or os.environ.get(WAIT)):
        os.environ[SPIN] = SPINS
    return BOUND


def keep_memory() -> str:
    """With glibc, let freed memory stay with the process: large activations are else mapped, zeroed and
    unmapped at every step."""
    if os.environ.get(PLAIN):
        return f"left alone ({PLAIN} is set)"
    given = [name for name in MALLOC_NAMES if os.environ.get(name)]
    if given:
        return f"left alone ({given[0]} is set)"
    libc = glibc()
    if libc is None:
        return "the system's own"
    if not all(libc.mallopt(parameter, value) for parameter, value in MALLOC.items()):
        return "the system's own: it takes no settings"
    return "keeps what was freed"


def glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "gnu_get_libc_version") and hasattr(libc, "mallopt") else None


def unbind() -> None:
    """Take the binding back, before torch is imported: for a process that waits and starts others. Where it
    was bound they would all get its first thread's single core."""
    if _made.get("threads") == BOUND:
        os.environ.pop(BIND, None)
        if os.environ.get(SPIN) == SPINS:
            del os.environ[SPIN]
        _made["threads"] = "left to the scheduler"


def release_thread() -> None:
    """Let a process that computes on one thread run on any core again: bound, two of them would share the
    first. Only what `prepare` bound is released, to the cores that it had."""
    if _made.get("threads") == BOUND and sys.platform == "linux":
        os.sched_setaffinity(0, _cores)


def settings() -> list[Setting]:
    """What `prepare` did in this process; empty where it was not called."""
    return [Setting(name, state) for name, state in _made.items()]
