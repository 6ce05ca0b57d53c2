"""What is set before torch is loaded: in processes of their own, since it is set once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="affinity and glibc are Linux's")


def told(body: str, **environment: str) -> Any:
    """What a fresh process prints as JSON, with two cores as far as genlab can see."""
    clean = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("OMP_", "GOMP_", "GENLAB_PLAIN"))
    }
    start = "import json, os, sys\nfrom genlab import beforehand\nos.cpu_count = lambda: 2\n"
    done = subprocess.run(
        [sys.executable, "-c", start + body], env={**clean, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


STATE = (
    "beforehand.prepare()\nprint(json.dumps([os.environ.get('OMP_PROC_BIND'), dict(beforehand.settings())]))"
)


@LINUX
def test_threads_are_bound_and_memory_is_kept() -> None:
    bound, made = told(STATE)
    assert bound == "true"
    assert made["threads"] == "each on a core of its own"
    assert made["allocator"] == "keeps what was freed"


@pytest.mark.parametrize(
    ("environment", "setting", "reason"),
    [
        ({"GENLAB_PLAIN": "1"}, "threads", "GENLAB_PLAIN is set"),
        ({"GENLAB_PLAIN": "1"}, "allocator", "GENLAB_PLAIN is set"),
        ({"OMP_PROC_BIND": "close"}, "threads", "OMP_PROC_BIND=close is set"),
        ({"MALLOC_TRIM_THRESHOLD_": "131072"}, "allocator", "MALLOC_TRIM_THRESHOLD_ is set"),
    ],
)
def test_what_the_user_has_set_stays(environment: dict[str, str], setting: str, reason: str) -> None:
    bound, made = told(STATE, **environment)
    assert bound == environment.get("OMP_PROC_BIND", None if setting == "threads" else bound)
    assert made[setting] == f"left alone ({reason})"


@LINUX
@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, "100000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "PASSIVE"}, None),
     ({"GENLAB_PLAIN": "1"}, None)],
)  # fmt: skip
def test_threads_go_to_sleep_sooner(environment: dict[str, str], expected: str | None) -> None:
    ask = "print(json.dumps(os.environ.get('GOMP_SPINCOUNT')))"
    assert told(f"beforehand.prepare()\n{ask}", **environment) == expected
    given = environment.get("GOMP_SPINCOUNT")
    assert told(f"beforehand.prepare()\nbeforehand.unbind()\n{ask}", **environment) == given


def test_one_thread_or_many_cores_are_not_bound() -> None:
    assert told(STATE, OMP_NUM_THREADS="1")[0] is None
    assert told("os.cpu_count = lambda: 3\n" + STATE)[0] is None


def test_nothing_here_imports_torch() -> None:
    assert told("beforehand.prepare()\nprint(json.dumps('torch' in sys.modules))") is False


@LINUX
def test_a_process_that_starts_others_leaves_them_every_core() -> None:
    """A bound process hands its first thread's core on to its children, which then have one in all."""
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("this process may use one core only")
    body = (
        "beforehand.prepare()\n{}import torch, subprocess\ntorch.ones(9) + 1\n"
        "ask = 'import os; print(len(os.sched_getaffinity(0)))'\n"
        "print(subprocess.run([sys.executable, '-c', ask], capture_output=True, text=True).stdout)"
    )
    assert told(body.format("")) == 1
    assert told(body.format("beforehand.unbind()\n")) == len(os.sched_getaffinity(0))


@LINUX
def test_one_thread_is_released() -> None:
    body = (
        "beforehand.prepare()\nimport torch\nfrom genlab.experiment.process import use_threads\n"
        "use_threads(1)\nprint(json.dumps(len(os.sched_getaffinity(0))))"
    )
    assert told(body) == min(2, len(os.sched_getaffinity(0)))


@LINUX
def test_a_released_thread_keeps_to_the_cores_it_was_given() -> None:
    body = (
        "os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})\ngiven = os.sched_getaffinity(0)\n"
        "beforehand.prepare()\nimport torch\nbeforehand.release_thread()\n"
        "print(json.dumps(os.sched_getaffinity(0) == given))"
    )
    assert told(body) is True


@LINUX
@pytest.mark.slow
def test_freed_memory_stays() -> None:
    """A large block that was freed is had again without the kernel's zeroing it: no page faults."""
    body = (
        "{}import resource, torch\n"
        "def faults():\n"
        "    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "    for _ in range(20): torch.ones(12_000_000)  # 48 MB: past where glibc adapts\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before\n"
        "faults()\nprint(json.dumps(faults()))"
    )
    assert told(body.format("beforehand.prepare()\n")) < 1000 < told(body.format(""))
