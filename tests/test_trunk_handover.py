"""The encoder's trunk goes to the discriminator, exactly or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from rich.console import Console

from genlab.cli.train import print_receipt
from genlab.data.dataset import Dataset
from genlab.errors import UserError
from genlab.experiment.handover import encoder_trunk
from genlab.experiment.runner import begin, work
from genlab.experiment.schema import Experiment
from genlab.experiment.trained import open_run
from genlab.runs.store import Run
from genlab.training import checkpoint
from genlab.training.ema import tensors

Tiny = Callable[..., Experiment]
Train = Callable[[Experiment], Run]
CONV = ("network.encoder.kind=conv", "network.encoder.norm=batch")
TAKE = "network.discriminator.weights=encoder"


@pytest.fixture
def train(runs: Path, dataset: Dataset) -> Train:
    def trained(experiment: Experiment) -> Run:
        run = begin(experiment, dataset=dataset)
        for _ in work(run, dataset=dataset):
            pass
        return run

    return trained


def heir(tiny: Tiny, source: Run, *assignments: str, family: str = "gan") -> Experiment:
    return tiny(family, TAKE, *assignments).model_copy(update={"start": source.name})


@pytest.mark.parametrize("family", ["gan", "vaegan"])
def test_the_trunk_is_the_encoder_s_and_the_receipt_says_so(
    tiny: Tiny, train: Train, dataset: Dataset, family: str
) -> None:
    source = train(tiny("vae", *CONV))
    experiment = heir(tiny, source, "network.discriminator.norm=batch", family=family)
    run = train(
        experiment.model_copy(update={"training": experiment.training.model_copy(update={"steps": 1})})
    )
    first = checkpoint.list_checkpoints(run.checkpoints)[0]
    assert first.stem == "step-0000000"
    trunk = tensors(encoder_trunk(open_run(source).model))
    for weights in ("model", "averaged"):
        kept = checkpoint.read_tensors(first, f"{weights}/discriminator.trunk.")
        assert len(kept) == len(trunk)
        assert all(torch.equal(kept[f"{weights}/discriminator.trunk.{name}"], trunk[name]) for name in trunk)
    receipt = run.receipt()
    assert receipt is not None
    assert (receipt["trunk_tensors"], receipt["trunk_difference"]) == (len(trunk), 0)
    assert receipt["max_difference"] == 0
    console = Console(record=True, width=120)
    print_receipt(receipt, console)
    assert f"{len(trunk)} tensors, into the discriminator" in console.export_text()


def test_else_the_discriminator_begins_by_its_seed(tiny: Tiny, train: Train) -> None:
    source = train(tiny("vae", *CONV))
    run = train(tiny("gan").model_copy(update={"start": source.name}))
    receipt = run.receipt()
    assert receipt is not None
    assert receipt["trunk_tensors"] is receipt["trunk_difference"] is None


@pytest.mark.parametrize(
    ("encoder", "critic", "said"),
    [
        (("network.encoder.kind=mlp",), (), r"different trunks: set network\.discriminator\.kind=mlp"),
        (("network.encoder.width=3",), (), r"set network\.discriminator\.width=3"),
        ((), ("network.discriminator.spectral=true",), "spectral normalisation"),
        ((), ("network.discriminator.pack=2",), "packs"),
        (("network.encoder.pixels=unit",), (), r"pixels in \[0, 1\]"),
    ],
)
def test_other_trunks_are_refused_in_one_sentence(
    tiny: Tiny, train: Train, dataset: Dataset, encoder: tuple[str, ...], critic: tuple[str, ...], said: str
) -> None:
    source = train(tiny("vae", *CONV, *encoder))
    with pytest.raises(UserError, match=said):
        begin(heir(tiny, source, *critic), dataset=dataset)


def test_what_has_no_encoder_is_refused(tiny: Tiny, train: Train, dataset: Dataset, runs: Path) -> None:
    with pytest.raises(UserError, match="start from a VAE's run"):
        begin(tiny("gan", TAKE), dataset=dataset)
    with pytest.raises(UserError, match="is a GAN and has no encoder"):
        begin(heir(tiny, train(tiny("gan"))), dataset=dataset)


def test_of_two_stochastic_layers_it_is_the_first_s(tiny: Tiny, train: Train) -> None:
    source = train(tiny("vae", *CONV, "network.second_latent=2"))
    receipt = train(heir(tiny, source)).receipt()
    assert receipt is not None
    assert receipt["trunk_difference"] == 0
