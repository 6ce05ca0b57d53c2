"""A decoder changes hands exactly or not at all: VAE -> GAN -> VAE."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from genlab.data.dataset import Dataset
from genlab.errors import UserError
from genlab.experiment.build import build_model, build_objective, build_state
from genlab.experiment.handover import adopt, difference, inherit, probes
from genlab.experiment.runner import make_batches
from genlab.experiment.schema import Experiment
from genlab.nn.norms import NORMS
from genlab.training.checkpoint import fill
from genlab.training.ema import tensors
from genlab.training.fit import advance
from genlab.training.state import Model

Tiny = Callable[..., Experiment]
OBSERVATIONS = {
    "bernoulli": ["observation.kind=bernoulli"],
    "continuous-bernoulli": ["observation.kind=continuous-bernoulli"],
    "gaussian": ["observation.kind=gaussian"],
    "gaussian-learned": ["observation.kind=gaussian", "observation.learn_sigma=true"],
    "discretised-logistic": ["observation.kind=discretised-logistic"],
    "gaussian-linear": ["observation.kind=gaussian", "observation.linear=true"],
}


def trained(experiment: Experiment, dataset: Dataset, steps: int = 3) -> Model:
    state = build_state(experiment, build_model(experiment, dataset.shape))
    objective = build_objective(experiment.objective)
    for _ in range(steps):
        advance(state, objective, make_batches(experiment, dataset, objective), steps, 0)
    return state.model


def weights(model: Model) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in tensors(model).items()}


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_there_and_back_again(tiny: Tiny, dataset: Dataset, norm: str, observation: str) -> None:
    chosen = [f"network.decoder.norm={norm}", *OBSERVATIONS[observation]]
    past = tiny("vae", *chosen)
    vae = trained(past, dataset)
    gan = build_model(inherit(tiny("gan", "training.seed=7"), past, "a-vae"), dataset.shape)
    assert difference(gan, vae) > 0.001, "another seed's decoder to begin with"

    receipt = adopt(gan, vae, "a-vae", "averaged")
    assert (receipt.source, receipt.weights) == ("a-vae", "averaged")
    assert receipt.max_difference == difference(gan, vae) == 0
    assert receipt.tensors == len(tensors(vae.decoder))
    assert receipt.parameters == sum(p.numel() for p in vae.decoder.parameters())
    assert (receipt.training_difference > 0) == (norm == "batch")

    again = build_model(tiny("vae", "training.seed=8", *chosen), dataset.shape)
    assert adopt(again, gan, "a-gan", "raw").max_difference == 0
    mine, theirs = tensors(again.decoder), tensors(vae.decoder)
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    assert all(a.data_ptr() != b.data_ptr() for a, b in zip(mine.values(), theirs.values(), strict=True))


@pytest.mark.parametrize("family", ["gan", "vaegan"])
def test_training_goes_on_from_there_and_leaves_the_source_alone(
    tiny: Tiny, dataset: Dataset, family: str
) -> None:
    vae = trained(tiny("vae"), dataset)
    before = weights(vae)
    experiment = inherit(tiny(family), tiny("vae"), "a-vae")
    state = build_state(experiment, build_model(experiment, dataset.shape))
    adopt(state.model, vae, "a-vae", "raw")
    objective = build_objective(experiment.objective)
    advance(state, objective, make_batches(experiment, dataset, objective), 1, 0)
    assert difference(state.model, vae) > 0
    assert all(torch.equal(tensor, before[name]) for name, tensor in tensors(vae).items())


def test_modes_are_left_as_they_were(tiny: Tiny, dataset: Dataset) -> None:
    vae, gan = build_model(tiny("vae"), dataset.shape).eval(), build_model(tiny("gan"), dataset.shape).train()
    adopt(gan, vae, "a-vae", "raw")
    assert (vae.training, gan.training) == (False, True)


OTHERS = {
    "latent_dim": ["network.latent_dim=4"],
    "width": ["network.decoder.width=3"],
    "kind": ["network.decoder.kind=mlp"],
    "norm": ["network.decoder.norm=none"],
    "depth": ["network.decoder.depth=3"],
    "blocks": ["network.decoder.blocks=1"],
    "observation of one more tensor": ["observation.kind=gaussian"],
    "observation without tensors": ["observation.kind=continuous-bernoulli"],
}


@pytest.mark.parametrize("what", OTHERS)
def test_a_decoder_of_another_make_is_refused_and_nothing_is_copied(
    tiny: Tiny, dataset: Dataset, what: str
) -> None:
    vae = trained(tiny("vae"), dataset)
    gan = build_model(tiny("gan", *OTHERS[what]), dataset.shape)
    before = weights(gan)
    with pytest.raises(UserError, match="a-vae"):
        adopt(gan, vae, "a-vae", "raw")
    assert all(torch.equal(tensor, before[name]) for name, tensor in tensors(gan).items())


def test_a_gaussian_without_squashing_is_another_make(tiny: Tiny, dataset: Dataset) -> None:
    vae = build_model(tiny("vae", *OBSERVATIONS["gaussian-linear"]), dataset.shape)
    gan = build_model(tiny("gan", *OBSERVATIONS["gaussian"]), dataset.shape)
    with pytest.raises(UserError, match="a-vae"):
        adopt(gan, vae, "a-vae", "raw")


def test_other_images_are_refused(tiny: Tiny, dataset: Dataset) -> None:
    vae, gan = build_model(tiny("vae"), dataset.shape), build_model(tiny("gan"), (1, 10, 8))
    with pytest.raises(UserError, match=r"\(1, 8, 8\).*\(1, 10, 8\)"):
        adopt(gan, vae, "a-vae", "raw")


def test_renamed_tensors_are_refused_rather_than_left_out(tiny: Tiny, dataset: Dataset) -> None:
    decoder = build_model(tiny("gan"), dataset.shape).decoder
    before = {name: tensor.clone() for name, tensor in tensors(decoder).items()}
    renamed = {f"decoder/generator.{name}": tensor + 1 for name, tensor in before.items()}
    with pytest.raises(UserError, match="tensor"):
        fill(decoder, renamed, "decoder/", "a stranger")
    with pytest.raises(UserError, match="lacks tensor"):
        fill(decoder, {}, "decoder/", "nobody")
    assert all(torch.equal(tensor, before[name]) for name, tensor in tensors(decoder).items())


def test_the_probes_are_the_same_every_time(tiny: Tiny, dataset: Dataset) -> None:
    decoder = build_model(tiny("gan"), dataset.shape).decoder
    assert torch.equal(probes(decoder), probes(decoder))
    assert probes(decoder).std() > 0.8
