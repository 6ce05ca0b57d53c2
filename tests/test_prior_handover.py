"""Priors with parameters change hands with the decoder that learned beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from genlab.data.batches import to_float
from genlab.data.dataset import Dataset
from genlab.errors import UserError
from genlab.experiment.runner import begin, work
from genlab.experiment.schema import Experiment
from genlab.experiment.trained import open_run, read_prior, write_prior
from genlab.networks.flow import Flow, fit_flow
from genlab.runs.store import Run

Tiny = Callable[..., Experiment]
Train = Callable[[Experiment], Run]


@pytest.fixture
def train(runs: Path, dataset: Dataset) -> Train:
    def trained(experiment: Experiment) -> Run:
        run = begin(experiment, dataset=dataset)
        for _ in work(run, dataset=dataset):
            pass
        return run

    return trained


def test_a_fitted_flow_is_kept_and_inherited(tiny: Tiny, dataset: Dataset, train: Train) -> None:
    source = train(tiny("vae"))
    codes = open_run(source).encode(to_float(torch.from_numpy(dataset.train.pixels)))
    flow = fit_flow(codes, seed=0, steps=20, hidden=8)
    write_prior(source, flow)
    kept = read_prior(source)
    assert isinstance(kept, Flow)
    assert torch.equal(kept.log_density(codes), flow.log_density(codes))
    fitted = open_run(source, prior="fitted").sample(50)

    start = {"start": source.name}
    with pytest.raises(UserError, match=r"is a flow, not a mixture: set network\.prior\.kind=flow"):
        begin(tiny("gan", "network.prior.kind=mixture").model_copy(update=start), dataset=dataset)
    run = train(tiny("gan", "network.prior.kind=flow").model_copy(update=start))
    assert torch.equal(open_run(run).sample(50).latents, fitted.latents)


@pytest.mark.parametrize("assignment", ["network.prior.kind=flow", "network.second_latent=2"])
def test_a_gan_draws_from_the_prior_that_its_decoder_learned_with(
    tiny: Tiny, train: Train, assignment: str
) -> None:
    """And a GAN that starts from that GAN does too."""
    source = train(tiny("vae", assignment, "training.ema=0"))
    drawn = open_run(source).sample(50)
    heir = train(tiny("gan").model_copy(update={"start": source.name}))
    assert torch.equal(open_run(heir).sample(50).latents, drawn.latents)
    again = train(tiny("gan").model_copy(update={"start": heir.name}))
    assert torch.equal(open_run(again).sample(50).latents, drawn.latents)
    receipt = heir.receipt()
    assert receipt is not None
    assert receipt["max_difference"] == 0


def test_the_prior_of_two_layers_is_no_mixture(tiny: Tiny, dataset: Dataset, train: Train) -> None:
    source = train(tiny("vae", "network.second_latent=2"))
    heir = tiny("gan", "network.prior.kind=mixture").model_copy(update={"start": source.name})
    with pytest.raises(UserError, match="two stochastic layers have a prior of their own"):
        begin(heir, dataset=dataset)
