"""What ends a training: two Ctrl-C, a terminal that is closed, a system that shuts down."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import small
from faults.sameness import differences

from genlab.experiment.runner import begin, work
from genlab.runs.store import Run
from genlab.signals import heeded

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no POSIX signals, no pseudo-terminals there")
PATIENCE = 120.0
STEPS = 1500
LENGTH = (f"training.steps={STEPS}", "training.checkpoint_every=600")


def sent(number: int) -> None:
    """To this process, and heard."""
    os.kill(os.getpid(), number)
    time.sleep(0.01)


@pytest.fixture
def former() -> Iterator[list[int]]:
    """What a handler that was there before has heard."""
    heard: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda number, _: heard.append(number)) for number in numbers}
    yield heard
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_the_second_ends_it_as_ever(former: list[int], first: signal.Signals) -> None:
    asked: list[int] = []
    with heeded(asked.append):
        sent(first)
        assert (asked, former) == ([first], [])
        sent(signal.SIGTERM)
        assert (asked, former) == ([first], [signal.SIGTERM])
    sent(signal.SIGHUP)
    assert former == [signal.SIGTERM, signal.SIGHUP]


def test_a_hangup_never_ends_it(former: list[int]) -> None:
    asked: list[int] = []
    with heeded(asked.append):
        sent(signal.SIGHUP)
        sent(signal.SIGHUP)
    assert (set(asked), former) == ({signal.SIGHUP}, [])


def test_a_hangup_that_is_ignored_stays_so() -> None:
    """As under `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    asked: list[int] = []
    try:
        with heeded(asked.append):
            sent(signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    assert asked == []


# Trainings


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    run = begin(
        small.tiny("gan", f"data.name={small.blots(folder / 'blots.npz')}", *LENGTH), out=folder / "run"
    )
    for _ in work(run):
        pass
    return run


@pytest.fixture
def fresh(whole: Run, tmp_path: Path) -> Run:
    """The same run, before its first step."""
    run = Run(tmp_path / "run")
    run.path.mkdir()
    (run.path / "config.json").write_bytes((whole.path / "config.json").read_bytes())
    return run


@contextmanager
def in_a_terminal(*arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], None]]]:
    """`genlab train` at a terminal of its own, and what closes it."""
    import fcntl
    import pty
    import termios

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "genlab", "train", *arguments],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    closed = threading.Event()

    def read() -> None:
        while not closed.is_set():
            try:
                os.read(ours, 4096)
            except OSError:
                return

    reader = threading.Thread(target=read, daemon=True)
    reader.start()

    def close() -> None:
        closed.set()
        reader.join(PATIENCE)  # what the progress writes wakes it
        os.close(ours)

    try:
        yield process, close
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def reached(run: Run, step: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if run.status()["step"] >= step:
            return
        time.sleep(0.02)
    raise AssertionError(f"step {step} was not reached")


def ended_cleanly(run: Run, whole: Run) -> None:
    """Stopped on its way, with a checkpoint, and what goes on from it is the run that was not disturbed."""
    status = run.status()
    assert status["state"] == "stopped"
    assert 0 < status["step"] < STEPS
    assert (run.checkpoints / f"step-{status['step']:07d}.safetensors").exists()
    for _ in work(run):
        pass
    assert differences(run, whole, status["step"]) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_training_with_a_checkpoint(fresh: Run, whole: Run, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "genlab", "train", "--resume", str(fresh.path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    reached(fresh, 20)
    process.send_signal(number)
    said, trouble = process.communicate(timeout=PATIENCE)
    assert (process.returncode, trouble) == (0, "")
    assert "stopped at step" in said
    ended_cleanly(fresh, whole)


@pytest.mark.slow
def test_a_closed_terminal_ends_a_training_with_a_checkpoint(fresh: Run, whole: Run) -> None:
    with in_a_terminal("--resume", str(fresh.path)) as (process, close):
        reached(fresh, 20)
        close()
        assert process.wait(PATIENCE) == 0
    ended_cleanly(fresh, whole)


@pytest.mark.slow
def test_a_closed_terminal_ends_several_processes(fresh: Run) -> None:
    with in_a_terminal("--resume", str(fresh.path), "--devices", "2") as (process, close):
        reached(fresh, 20)
        close()
        assert process.wait(PATIENCE) == 0
    status = fresh.status()
    assert status["state"] == "stopped"
    assert (fresh.checkpoints / f"step-{status['step']:07d}.safetensors").exists()
