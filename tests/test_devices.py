"""`genlab train --devices N`: who starts whom, who stops with whom, and what cannot be shared."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from genlab import beforehand
from genlab.cli.devices import arguments_without
from genlab.data.dataset import Dataset
from genlab.errors import UserError
from genlab.experiment.process import check_shares, machine, settle_here
from genlab.experiment.schema import Experiment
from genlab.randomness import generator, normal, uniform
from genlab.ranks import Place, expected, mine, parts, place
from genlab.runs.store import Run

Tiny = Callable[..., Experiment]

PATIENCE = 90  # seconds


@pytest.fixture
def second_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process believes that it is rank 1 of 3 and in the middle of a step; nothing is sent."""
    from genlab import ranks

    monkeypatch.setattr(ranks, "_here", ranks._Here(Place(1, 3, 1, 3), None, sharing=True))


def test_a_rank_has_its_rows_of_the_joint_batch(second_of_three: None) -> None:
    assert parts() == 3
    assert mine(torch.arange(6)).tolist() == [2, 3]
    assert mine(torch.arange(12), blocks=2).tolist() == [2, 3, 8, 9]  # of each of two batches in a row
    assert mine(torch.arange(12).view(2, 6), dim=1).tolist() == [[2, 3], [8, 9]]


def test_a_rank_has_its_rows_of_the_noise_of_all(second_of_three: None) -> None:
    joint = torch.randn(12, 5, generator=generator(0, "noise"))
    assert torch.equal(normal((4, 5), generator(0, "noise")), joint[4:8])
    joint = torch.rand(2, 9, 5, generator=generator(0, "noise"))
    assert torch.equal(uniform((2, 3, 5), generator(0, "noise"), dim=1), joint[:, 3:6])


def test_by_itself_a_process_has_all() -> None:
    assert place() == Place()
    assert mine(torch.arange(5)).tolist() == [0, 1, 2, 3, 4]
    assert torch.equal(normal((3, 2), generator(0, "a")), torch.randn(3, 2, generator=generator(0, "a")))
    assert machine()["processes"] == 1


def test_torchrun_says_who_is_who(monkeypatch: pytest.MonkeyPatch) -> None:
    assert expected() == Place()
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert expected() == Place(), "WORLD_SIZE alone may be anybody's"
    for name, value in {"RANK": "5", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4", "MASTER_ADDR": "a",
                        "MASTER_PORT": "1"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert expected() == Place(5, 8, 1, 4)
    monkeypatch.setenv("RANK", "five")
    with pytest.raises(UserError, match="torchrun"):
        expected()


def test_a_batch_that_cannot_be_shared_is_refused_with_one_that_can(tiny: Tiny) -> None:
    check_shares(tiny("gan", "training.batch_size=6"), 3)
    with pytest.raises(
        UserError, match=r"4 images .* 3 processes in equal parts: set training\.batch_size=6"
    ):
        check_shares(tiny("gan"), 3)
    packed = tiny("gan", "network.discriminator.pack=4", "training.batch_size=12")
    check_shares(packed, 3)
    with pytest.raises(UserError, match=r"whole packs of 4: set training\.batch_size=16"):
        check_shares(packed, 2)
    check_shares(tiny("vae", "network.discriminator.pack=4", "training.batch_size=2"), 2)


def test_a_device_that_several_cannot_share_is_refused(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    from genlab import ranks

    monkeypatch.setattr(ranks, "_here", ranks._Here(Place(1, 2, 1, 2)))
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    for device, why in {"mps": "device mps", "cuda:1": "device cuda:1", "cuda": "offers 1"}.items():
        with pytest.raises(UserError, match=why):
            settle_here(tiny("vae", f"training.device={device}"))


def test_threads_are_shared_by_the_processes_of_a_machine(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    from genlab import ranks

    monkeypatch.setattr(ranks, "_here", ranks._Here(Place(1, 2, 1, 2)))
    settle_here(tiny("vae", "training.threads=4"))
    assert torch.get_num_threads() == 2
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.delenv("OMP_PROC_BIND", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    beforehand.bind_threads()
    assert "OMP_PROC_BIND" not in os.environ, "all ranks would be bound to the first core"


def test_the_ranks_get_the_command_line_without_their_number() -> None:
    assert arguments_without("--devices", ["train", "gan", "--devices", "2", "--steps", "5"]) == [
        "train", "gan", "--steps", "5"]  # fmt: skip
    assert arguments_without("--devices", ["train", "--devices=2", "vae"]) == ["train", "vae"]


def test_devices_and_torchrun_exclude_each_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from genlab.cli import main

    for name in ("RANK", "LOCAL_RANK", "MASTER_PORT"):
        monkeypatch.setenv(name, "1")
    for name, value in {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["genlab", "train", "vae", "--devices", "2"])
    with pytest.raises(SystemExit):
        main()
    assert "leave out --devices" in capsys.readouterr().err


def started(*arguments: str) -> subprocess.Popen[str]:
    """genlab train, watched by this test."""
    return subprocess.Popen(
        [sys.executable, "-m", "genlab", "train", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def wait_for_step(run: Run, step: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if (run.path / "config.json").exists() and run.status()["step"] >= step:
            return
        time.sleep(0.05)
    raise AssertionError(f"step {step} was not reached")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_rank_ends_the_others_and_a_stopped_one_loses_nothing(
    dataset: Dataset, tmp_path: Path
) -> None:
    """Killed, gone on with, stopped, and brought to its end by a single process."""
    images = tmp_path / "tiny.npz"
    np.savez(images, images=dataset.train.pixels[:, 0])
    run, length = Run(tmp_path / "run"), 100_000
    process = started(
        "vae", "--data", str(images), "--out", str(run.path), "--devices", "2", "--steps", str(length),
        "--batch-size", "4", "--set", "training.checkpoint_every=20", "--set", "training.sample_every=0",
        "--set", "optimizer.final=1",  # a length that can change
    )  # fmt: skip
    wait_for_step(run, 25)
    ranks = {child.environ()["RANK"]: child for child in psutil.Process(process.pid).children()}
    ranks["1"].kill()
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert said.count("\n") == 1
    assert "process 1 of 2 was ended by signal SIGKILL" in said
    assert not any(rank.is_running() for rank in ranks.values())
    assert run.status()["state"] == "interrupted"

    reached = run.status()["step"]
    process = started("--resume", str(run.path), "--devices", "2")
    wait_for_step(run, reached + 20)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (0, "")
    status = run.status()
    assert status["state"] == "stopped"
    assert (run.checkpoints / f"step-{status['step']:07d}.safetensors").exists()

    end = status["step"] + 3
    process = started("--resume", str(run.path), "--steps", str(end))
    _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (0, "")
    assert (run.status()["state"], run.status()["step"]) == ("completed", end)
