from __future__ import annotations

from collections.abc import Callable

import torch

from genlab.data.dataset import Dataset
from genlab.experiment.build import build_model, build_objective, build_state
from genlab.experiment.schema import Experiment
from genlab.networks.decoder import Decoder
from genlab.networks.model import GAN, VAE, VAEGAN
from genlab.randomness import generator
from genlab.training.ema import tensors
from genlab.training.state import Model

Tiny = Callable[..., Experiment]


def same(first: torch.nn.Module, second: torch.nn.Module) -> bool:
    a, b = tensors(first), tensors(second)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def build(experiment: Experiment, dataset: Dataset) -> Model:
    return build_model(experiment, dataset.shape)


def test_everything_of_the_catalogue_can_be_built_and_drawn_from(
    experiment: Experiment, dataset: Dataset
) -> None:
    model = build(experiment, dataset).eval()
    assert model.sample(5, generator(0, "test")).shape == (5, 1, 8, 8)
    assert model.sample(5, generator(0, "test")).abs().max() <= 1
    build_objective(experiment.objective)


def test_a_generator_is_a_decoder_and_all_families_begin_with_the_same(tiny: Tiny, dataset: Dataset) -> None:
    critic = "network.discriminator.norm=batch"  # which the recipes choose each for itself
    vae, gan, vaegan = (build(tiny(name, critic), dataset) for name in ("vae", "gan", "vaegan"))
    assert isinstance(vae, VAE)
    assert isinstance(gan, GAN)
    assert isinstance(vaegan, VAEGAN)
    assert type(gan.generator) is type(vae.decoder) is Decoder
    assert gan.decoder is gan.generator
    assert same(gan.generator, vae.decoder)
    assert same(vaegan.decoder, vae.decoder)
    assert same(vaegan.discriminator, gan.discriminator)


def test_the_seed_alone_decides_the_weights(tiny: Tiny, dataset: Dataset) -> None:
    torch.manual_seed(1)
    first = build(tiny("gan"), dataset)
    torch.manual_seed(2)
    before = torch.random.get_rng_state()
    assert same(first, build(tiny("gan"), dataset))
    assert torch.equal(torch.random.get_rng_state(), before), "and torch's own generator is left alone"
    assert not same(first, build(tiny("gan", "training.seed=1"), dataset))


def test_one_part_s_config_leaves_the_others_weights_alone(tiny: Tiny, dataset: Dataset) -> None:
    plain, wide = build(tiny("gan"), dataset), build(tiny("gan", "network.discriminator.width=5"), dataset)
    assert same(plain.decoder, wide.decoder)


def test_the_discriminator_s_own_rate(tiny: Tiny, dataset: Dataset) -> None:
    def rates(*assignments: str) -> dict[str, float]:
        experiment = tiny("gan", "optimizer.learning_rate=0.5", *assignments)
        state = build_state(experiment, build(experiment, dataset))
        return {part: optimizer.settings.rate for part, optimizer in state.optimizers.items()}

    assert rates("optimizer.discriminator_rate=null") == {"discriminator": 0.5, "generator": 0.5}
    assert rates("optimizer.discriminator_rate=0.1") == {"discriminator": 0.1, "generator": 0.5}


def test_reconstruction_by_the_mean_or_by_a_sample(tiny: Tiny, dataset: Dataset) -> None:
    vae = build(tiny("vae"), dataset).eval()
    assert isinstance(vae, VAE)
    images = torch.rand(4, 1, 8, 8) * 2 - 1
    assert torch.equal(vae.reconstruct(images), vae.decode(vae.encode(images).mean))
    sampled = vae.reconstruct(images, generator(0, "test"))
    assert torch.equal(sampled, vae.reconstruct(images, generator(0, "test")))
    assert not torch.equal(sampled, vae.reconstruct(images))
