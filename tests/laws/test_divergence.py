"""However wildly it is asked to learn, a run ends with a sentence, and what it kept is finite."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from genlab.data.dataset import Dataset
from genlab.experiment.runner import begin, work
from genlab.experiment.schema import Experiment, override
from genlab.training.checkpoint import list_checkpoints
from genlab.training.fit import Diverged

WILD = ["optimizer.learning_rate=100", "training.steps=25", "training.checkpoint_every=1"]
SAMPLE = ["recipe-vae", "vae-none", "recipe-gan", "recipe-vaegan", "gan-wasserstein"]


@pytest.mark.parametrize("experiment", SAMPLE, indirect=True)
def test_what_is_kept_is_finite(experiment: Experiment, dataset: Dataset, tmp_path: Path) -> None:
    run = begin(override(experiment, WILD), out=tmp_path / "run", dataset=dataset)
    with suppress(Diverged):
        list(work(run, dataset=dataset))
    kept = list_checkpoints(run.checkpoints)
    assert kept
    for path in kept:
        flat = load_file(path)
        assert all(torch.isfinite(t).all() for name, t in flat.items() if name.startswith("model/")), (
            path.name
        )


@pytest.mark.parametrize("experiment", ["recipe-vae"], indirect=True)
def test_the_end_is_noted_with_the_last_good_checkpoint(
    experiment: Experiment, dataset: Dataset, tmp_path: Path
) -> None:
    run = begin(override(experiment, WILD), out=tmp_path / "run", dataset=dataset)
    with pytest.raises(
        Diverged, match=r"the loss of the vae .* the last good checkpoint is step-0000001"
    ) as end:
        list(work(run, dataset=dataset))
    assert (run.status()["state"], run.status()["detail"]) == ("failed", str(end.value))
    assert not (run.path / "worker.json").exists()
