"""A discriminator whose trunk begins with an encoder's weights, tensor for tensor."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genlab.experiment import schema
from genlab.experiment.build import build_model, build_state
from genlab.experiment.runner import begin, load_data
from genlab.lessons.work import Said
from genlab.lessons.work import training as ordinary
from genlab.networks.model import GAN, VAE
from genlab.nn.trunk import Trunk
from genlab.runs.store import Run
from genlab.training import checkpoint
from genlab.training.state import State


def train(given: Mapping[str, Any], folder: Path, needs: Sequence[Path], said: Said) -> dict[str, Any]:
    """given: config, of a GAN; encoder, the config of a VAE, from whose encoder at step 0 the discriminator's
    trunk takes its weights. What is found has `difference`, between the two trunks as they were saved at
    step 0, besides what any training finds."""
    experiment = schema.parse(dict(given["config"]))
    run, dataset = Run(folder / "run"), load_data(experiment)
    if not (run.path / "config.json").exists():
        begin(experiment, out=run.path, dataset=dataset)
    trunk = trunk_of(schema.parse(dict(given["encoder"])), dataset.shape)
    note = folder / "difference.txt"
    if not checkpoint.list_checkpoints(run.checkpoints):
        state = build_state(experiment, build_model(experiment, dataset.shape))
        path = begin_with(state, trunk, run)
        note.write_text(repr(saved_difference(state, trunk, path)), "utf-8")
    found = ordinary.train(given, folder, needs, said)
    return found | {"difference": float(note.read_text("utf-8"))}


def trunk_of(experiment: schema.Experiment, shape: tuple[int, int, int]) -> Trunk:
    """The trunk of a VAE's encoder before its first step."""
    model = build_model(experiment, shape)
    assert isinstance(model, VAE)
    trunk: Trunk = model.encoder.trunk  # type: ignore[assignment]
    return trunk


def begin_with(state: State, trunk: Trunk, run: Run) -> Path:
    """Give the discriminator that trunk, strictly, and save it as step 0, from which the run goes on."""
    for model in (state.model, state.averaged.model):
        assert isinstance(model, GAN)
        model.discriminator.trunk.load_state_dict(trunk.state_dict(), strict=True)
    return checkpoint.save(state, run.checkpoints)


def saved_difference(state: State, trunk: Trunk, path: Path) -> float:
    """The largest difference between `trunk` and the discriminator's as the file has it."""
    saved = copy.deepcopy(state.model)
    checkpoint.load_model(saved, path, "model")
    assert isinstance(saved, GAN)
    return largest(trunk.state_dict(), saved.discriminator.trunk.state_dict())


def largest(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> float:
    assert a.keys() == b.keys()
    return max(float(torch.max(torch.abs(a[key] - b[key]))) for key in a)
