"""A process killed with SIGKILL loses nothing that its checkpoint had: resumed, the run ends byte for byte
as if it had never been touched."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from genlab.data.dataset import Dataset, Images
from genlab.experiment.runner import begin, work
from genlab.experiment.schema import Experiment
from genlab.runs.events import Event, Metrics, Validated, Warned
from genlab.runs.store import Run

Tiny = Callable[..., Experiment]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")

CHILD = """
import os, signal, sys
from pathlib import Path
import numpy as np
from genlab.data.dataset import Dataset, Images
from genlab.experiment.runner import work
from genlab.runs.events import Metrics
from genlab.runs.store import Run

folder, pixels, last = sys.argv[1:]
arrays = np.load(pixels)
dataset = Dataset("tiny", Images(arrays["train"]), Images(arrays["test"]))
for event in work(Run(Path(folder)), dataset=dataset):
    if isinstance(event, Metrics) and event.step == int(last):
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def pixels(dataset: Dataset, tmp_path: Path) -> Path:
    path = tmp_path / "pixels.npz"
    np.savez(path, train=dataset.train.pixels, test=dataset.test.pixels)
    return path


def child(run: Run, pixels: Path, last: int) -> subprocess.Popen[bytes]:
    """A process that trains `run` and kills itself at step `last`."""
    return subprocess.Popen([sys.executable, "-c", CHILD, str(run.path), str(pixels), str(last)])


def finals(run: Run) -> dict[str, bytes]:
    """The newest checkpoint, the best if one is kept, and the sheets."""
    files = [max(run.checkpoints.glob("step-*.safetensors")), *run.checkpoints.glob("best.safetensors")]
    files += sorted(run.samples.glob("*.png"))
    return {path.name: path.read_bytes() for path in files}


def steps(run: Run) -> list[tuple[str, int]]:
    """What the log says happened, and when; that it began twice aside."""
    return [(event.kind, event.step) for event in run.events() if event.kind != "started"]


def said(run: Run) -> list[Event]:
    """The numbers and the warnings of the log, without their times."""
    return [
        replace(event, seconds=0.0) if not isinstance(event, Warned) else event
        for event in run.events()
        if isinstance(event, Metrics | Validated | Warned)
    ]


def unlabelled(dataset: Dataset) -> Dataset:
    return Dataset("tiny", Images(dataset.train.pixels), Images(dataset.test.pixels))


def test_killed_and_resumed_equals_uninterrupted(
    tiny: Tiny, dataset: Dataset, pixels: Path, tmp_path: Path
) -> None:
    experiment = tiny("gan", "training.steps=12", "training.sample_every=3")
    dataset = unlabelled(dataset)
    whole = begin(experiment, out=tmp_path / "whole", dataset=dataset)
    list(work(whole, dataset=dataset))

    killed = begin(experiment, out=tmp_path / "killed", dataset=dataset)
    assert child(killed, pixels, last=8).wait() == -9
    with (killed.path / "events.jsonl").open("a") as file:
        file.write('{"event": "metrics", "st')  # as torn as a crash can leave it
    assert killed.status()["state"] == "interrupted"
    assert not killed.alive()
    assert max(step for _, step in steps(killed)) == 8
    list(work(killed, dataset=dataset))

    assert finals(killed) == finals(whole)
    assert steps(killed) == steps(whole)
    assert said(killed) == said(whole)
    assert killed.status()["state"] == "completed"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("vae", ()),
        ("gan", ()),
        ("vaegan", ()),
        # the best changes at many of the validations; the warning comes between two kills
        ("vae", ("training.validate_every=20", "objective.beta=0.1")),
        ("vae", ("training.steps=400", "objective.beta=1000", "optimizer.learning_rate=0.02")),
    ],
)
def test_killed_again_and_again_at_any_moment(
    tiny: Tiny, dataset: Dataset, pixels: Path, tmp_path: Path, name: str, settings: tuple[str, ...]
) -> None:
    """Not between two steps, as above, but wherever it happens to be."""
    experiment = tiny(name, "training.steps=300", "training.sample_every=7", *settings)
    dataset = unlabelled(dataset)
    whole = begin(experiment, out=tmp_path / "whole", dataset=dataset)
    list(work(whole, dataset=dataset))

    killed = begin(experiment, out=tmp_path / "killed", dataset=dataset)
    for attempt in range(3):
        process = child(killed, pixels, last=-1)
        reached = 110 * (attempt + 1)
        while process.poll() is None and killed.status()["step"] < reached:
            time.sleep(0.003)
        process.kill()
        process.wait()
    list(work(killed, dataset=dataset))
    assert finals(killed) == finals(whole)
    assert steps(killed) == steps(whole)
    assert said(killed) == said(whole)
    assert bool(whole.all(Warned)) == ("objective.beta=1000" in settings)
    assert bool(whole.all(Validated)) == ("training.validate_every=20" in settings)
