from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from genlab.data.dataset import Dataset
from genlab.experiment.build import build_model, build_objective
from genlab.experiment.runner import make_batches
from genlab.experiment.schema import Experiment
from genlab.metrics.diversity import AT_MOST, diversity
from genlab.networks.model import VAE, VAEGAN
from genlab.randomness import generator

Tiny = Callable[..., Experiment]


def noise(count: int, seed: int, *shape: int) -> Tensor:
    return torch.randn(count, *(shape or (1, 8, 8)), generator=torch.Generator().manual_seed(seed))


def by_loops(images: Tensor) -> tuple[float, float]:
    rows = images[:AT_MOST].flatten(1).double()
    distances = [[float((a - b).norm()) for b in rows] for a in rows]
    others = [[d for j, d in enumerate(row) if j != i] for i, row in enumerate(distances)]
    return sum(map(sum, others)), sum(map(min, others))


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 11), (1, 1, 2)])
@pytest.mark.parametrize("count", [2, 5, AT_MOST, AT_MOST + 9])
def test_it_is_the_smaller_of_two_ratios(count: int, shape: tuple[int, ...]) -> None:
    real, fake = noise(count, 0, *shape), 0.5 * noise(count, 1, *shape) + 3
    expected = min(a / b for a, b in zip(by_loops(fake), by_loops(real), strict=True))
    assert float(diversity(real, fake)) == pytest.approx(expected, rel=1e-4)


def test_images_differ_from_each_other_as_much_as_themselves_in_any_order_and_place() -> None:
    images = noise(AT_MOST, 0)
    assert float(diversity(images, images)) == pytest.approx(1)
    assert float(diversity(images, images.flip(0).flip(-1) + 2)) == pytest.approx(1, rel=1e-4)
    assert float(diversity(images, 0.3 * images)) == pytest.approx(0.3, rel=1e-4)
    colour = noise(AT_MOST, 1, 3, 8, 8)
    last = colour.to(memory_format=torch.channels_last)
    assert float(diversity(colour, last)) == pytest.approx(1)


def test_it_sees_one_image_and_a_few_images_again_and_again() -> None:
    images = noise(AT_MOST, 0)
    assert float(diversity(images, images[:1].repeat(AT_MOST, 1, 1, 1))) < 1e-3
    few = images[:4].repeat(AT_MOST // 4, 1, 1, 1)
    assert float(diversity(images, few + 0.01 * noise(AT_MOST, 1))) < 0.02
    pairs, _ = (a / b for a, b in zip(by_loops(few), by_loops(images), strict=True))
    assert pairs > 0.7, "which the mean over all pairs hardly does"


def test_equal_real_images_are_no_standard() -> None:
    """A data set smaller than a batch shows an image twice in one; a number comes out all the same."""
    real = noise(1, 0).repeat(AT_MOST, 1, 1, 1)
    for fake in (noise(AT_MOST, 1), torch.zeros_like(real)):
        assert bool(diversity(real, fake).isfinite())
    doubled = noise(AT_MOST // 2, 0).repeat(2, 1, 1, 1)
    found = float(diversity(doubled, noise(AT_MOST, 1)))
    assert found == pytest.approx(1, abs=0.1), "the mean over all pairs still compares"


@pytest.mark.parametrize("name", ["gan", "vaegan"])
def test_it_is_logged_of_the_images_that_the_players_see(tiny: Tiny, dataset: Dataset, name: str) -> None:
    experiment = tiny(name, "training.batch_size=12")
    objective = build_objective(experiment.objective)
    batch = make_batches(experiment, dataset, objective)(0)
    found: dict[tuple[bool, str], Tensor] = {}
    for flat in (False, True):
        model = build_model(experiment, dataset.shape)
        if flat:
            for parameter in model.decoder.parameters():
                parameter.data.zero_()
        for update in objective.updates(model, batch, generator(0, "noise")):
            found |= {(flat, key): value for key, value in update.logged().items()}
    assert float(found[False, "diversity"]) > 0.05
    assert float(found[True, "diversity"]) == 0
    assert not any(value.requires_grad for value in found.values())


def test_a_single_image_has_no_diversity_to_log(tiny: Tiny, dataset: Dataset) -> None:
    norms = ("network.decoder.norm=none", "network.discriminator.norm=none")
    experiment = tiny("gan", "training.batch_size=1", *norms)
    objective = build_objective(experiment.objective)
    batch = make_batches(experiment, dataset, objective)(0)
    model = build_model(experiment, dataset.shape)
    for update in objective.updates(model, batch, generator(0, "noise")):
        assert "diversity" not in update.logged()


@pytest.mark.parametrize("name", ["vae", "vaegan"])
def test_active_units_are_the_dimensions_with_a_kl(tiny: Tiny, dataset: Dataset, name: str) -> None:
    """The mean's weights are set so that one dimension follows the image, one is constant and far from 0,
    and one is the prior's."""
    experiment = tiny(name, "training.batch_size=12")
    objective = build_objective(experiment.objective)
    model = build_model(experiment, dataset.shape)
    assert isinstance(model, VAE | VAEGAN)
    head = model.encoder.head
    assert isinstance(head, nn.Linear)
    with torch.no_grad():
        head.weight.zero_()
        head.bias.zero_()
        head.weight[0] = 1.0
        head.bias[1] = 0.5
    batch = make_batches(experiment, dataset, objective)(0)
    logged = next(iter(objective.updates(model, batch, generator(0, "noise")))).logged()
    assert float(logged["active_units"]) == 2


def test_units_are_not_counted_where_no_dimension_has_a_kl_of_its_own(tiny: Tiny, dataset: Dataset) -> None:
    experiment = tiny("vae", "network.prior.kind=mixture", "network.prior.components=2")
    objective = build_objective(experiment.objective)
    batch = make_batches(experiment, dataset, objective)(0)
    model = build_model(experiment, dataset.shape)
    logged = next(iter(objective.updates(model, batch, generator(0, "noise")))).logged()
    assert "active_units" not in logged
