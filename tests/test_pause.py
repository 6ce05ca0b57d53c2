"""A run that is paused waits in memory, answers, and goes on as if nothing had been."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from working import unlabelled, until, worker

from genlab.data.dataset import Dataset
from genlab.errors import UserError
from genlab.experiment.runner import begin, work
from genlab.experiment.schema import Experiment
from genlab.runs.events import Finished, Metrics
from genlab.runs.store import Run
from genlab.runs.worker import begun

Tiny = Callable[..., Experiment]

pytestmark = pytest.mark.usefixtures("runs")
ON_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")


@pytest.fixture
def endless(tiny: Tiny, dataset: Dataset) -> Run:
    experiment = tiny("gan", "training.steps=1000000", "training.checkpoint_every=1000000")
    return begin(experiment, dataset=unlabelled(dataset))


def state(run: Run) -> str:
    return str(run.status()["state"])


def paused(run: Run) -> None:
    """Wait until it trains, pause it, and wait until it is."""
    until(lambda: run.status()["step"] > 3)
    assert state(run) == "running"
    run.request_pause()
    until(lambda: state(run) == "paused")


def test_a_paused_run_does_nothing_until_it_goes_on(endless: Run, dataset: Dataset, tmp_path: Path) -> None:
    with worker(endless, dataset, tmp_path) as process:
        paused(endless)
        step, used = endless.status()["step"], sum(psutil.Process(process.pid).cpu_times()[:2])
        time.sleep(1.0)
        assert (state(endless), endless.status()["step"]) == ("paused", step)
        assert sum(psutil.Process(process.pid).cpu_times()[:2]) - used < 0.1
        assert endless.alive()
        with pytest.raises(UserError, match="being trained by another process"):
            next(work(endless, dataset=dataset))
        endless.request_go_on()
        until(lambda: endless.status()["step"] > step)
        assert state(endless) == "running"
        endless.request_stop()
        assert process.wait(60) == 0
    assert state(endless) == "stopped"


def test_a_paused_run_is_stopped_with_a_checkpoint(endless: Run, dataset: Dataset, tmp_path: Path) -> None:
    with worker(endless, dataset, tmp_path) as process:
        paused(endless)
        endless.request_change("learning_rate", 0.01)
        until(lambda: bool(endless.changes()))  # written down while it waits, of the step it waits at
        endless.request_stop()
        assert process.wait(60) == 0
    step = endless.status()["step"]
    assert state(endless) == "stopped"
    assert (endless.checkpoints / f"step-{step:07d}.safetensors").exists()
    assert [change.step for change in endless.changes()] == [step]
    assert not endless.pause_requested(), "whoever resumes it need not let it go on first"


def interrupt(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)


def kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()


@ON_POSIX
@pytest.mark.parametrize(("end", "expected"), [(interrupt, "stopped"), (kill, "interrupted")])
def test_what_ends_a_paused_worker(
    endless: Run,
    dataset: Dataset,
    tmp_path: Path,
    end: Callable[[subprocess.Popen[bytes]], None],
    expected: str,
) -> None:
    with worker(endless, dataset, tmp_path) as process:
        paused(endless)
        end(process)
        process.wait(60)
    assert state(endless) == expected
    assert bool(list(endless.checkpoints.glob("step-*.safetensors"))) == (expected == "stopped")


def test_paused_and_let_go_equals_never_paused(tiny: Tiny, dataset: Dataset) -> None:
    """And the pause is no time of training."""
    plain, run = (begin(tiny("gan"), dataset=dataset) for _ in range(2))
    list(work(plain, dataset=dataset))
    for event in work(run, dataset=dataset):
        if isinstance(event, Metrics) and event.step == 3:
            run.request_pause()
            threading.Timer(1.0, run.request_go_on).start()
            began = time.monotonic()
    assert time.monotonic() - began > 1.0
    (finished,) = run.all(Finished)
    assert finished.seconds < 1.0
    first, second = (max(each.checkpoints.glob("*.safetensors")).read_bytes() for each in (plain, run))
    assert first == second
    assert [(e.kind, e.step) for e in run.events()] == [(e.kind, e.step) for e in plain.events()]


def test_a_step_is_for_a_run_that_is_paused(tiny: Tiny, dataset: Dataset) -> None:
    run = begin(tiny("gan"), dataset=dataset)
    with pytest.raises(UserError, match="is not paused; pause it"):
        run.request_step()
    run.request_pause()
    assert run.pause_requested()
    run.request_step()
    run.request_go_on()
    assert not run.pause_requested()
    list(work(run, dataset=dataset))  # what was asked of nobody is forgotten
    assert run.moment() is None
    assert state(run) == "completed"


def test_who_is_noted_as_paused_is_paused(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.claim()
    assert run.working() is None, "this very process is no other one"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        noted = {"pid": other.pid, "created": begun(psutil.Process(other.pid))}
        for note, expected in ((noted, "running"), ({**noted, "paused": True}, "paused")):
            (tmp_path / "worker.json").write_text(json.dumps(note))
            assert (run.working(), run.status()["state"], run.alive()) == (expected, expected, True)
        other.communicate(b"\n")
    assert run.working() is None
