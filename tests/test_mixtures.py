from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from genlab.data.mixtures import MIXTURES, SHAPE, Mixture, Points
from genlab.experiment.build import build_model, build_objective, build_state
from genlab.experiment.schema import Experiment
from genlab.randomness import generator
from genlab.training.fit import advance

Tiny = Callable[..., Experiment]


@pytest.fixture(params=MIXTURES)
def mixture(request: pytest.FixtureRequest) -> Mixture:
    return MIXTURES[request.param]


def test_the_modes_of_the_paper() -> None:
    ring, grid = torch.tensor(MIXTURES["ring"].means), torch.tensor(MIXTURES["grid"].means)
    assert torch.allclose(ring.norm(dim=1), torch.ones(8))
    nearest = torch.cdist(ring, ring).fill_diagonal_(9).amin(dim=1)
    assert torch.allclose(nearest, torch.full((8,), 2 * torch.sin(torch.tensor(torch.pi / 8)).item()))
    assert sorted({x for x, _ in grid.tolist()}) == sorted({y for _, y in grid.tolist()}) == [-4, -2, 0, 2, 4]
    assert len(grid.unique(dim=0)) == 25


def test_each_mode_has_its_mean_its_deviation_and_its_share(mixture: Mixture) -> None:
    points, modes = mixture.sample(50_000, generator(0, "test"))
    count = 50_000 / len(mixture.means)
    for mode, mean in enumerate(mixture.means):
        own = points[modes == mode]
        assert abs(len(own) - count) < 4.5 * count**0.5
        assert (own.mean(dim=0) - torch.tensor(mean)).abs().max() < 4.5 * mixture.deviation / count**0.5
        assert torch.allclose(own.std(dim=0), torch.tensor(mixture.deviation), rtol=4.5 / (2 * count) ** 0.5)


def test_a_network_sees_images_of_one_pixel_within_its_units(mixture: Mixture) -> None:
    source = Points(mixture, batch_size=7, seed=0)
    assert len(source) == 100_000
    assert source.images.abs().max() < 1
    batch = source(3)
    assert batch.images.shape == (7, *SHAPE)
    assert batch.images.dtype == torch.float32
    assert batch.step == 3
    assert batch.labels is not None
    means = torch.tensor(mixture.means)[batch.labels]
    assert (mixture.points(batch.images) - means).abs().max() < 6 * mixture.deviation


def test_there_and_back(mixture: Mixture) -> None:
    points, _ = mixture.sample(100, generator(0, "test"))
    assert torch.allclose(mixture.points(mixture.images(points)), points)


def test_batches_are_a_function_of_seed_and_step(mixture: Mixture) -> None:
    first, again, other = (Points(mixture, 5, seed, count=500) for seed in (0, 0, 1))
    later = first(9).images
    assert torch.equal(again(9).images, later), "in any order"
    assert torch.equal(first(2).images, again(2).images)
    assert not torch.equal(first(2).images, later)
    assert not torch.equal(other(9).images, later)
    known = {tuple(point) for point in first.images.flatten(1).tolist()}
    assert all(tuple(point) in known for point in later.flatten(1).tolist()), "of the fixed sample"


@pytest.mark.parametrize("name", ["gan", "vae"])
def test_the_loop_trains_on_points_as_on_images(tiny: Tiny, mixture: Mixture, name: str) -> None:
    experiment = tiny(
        name, "network.decoder.kind=mlp", "network.encoder.kind=mlp", "network.discriminator.kind=mlp",
        "observation.kind=gaussian", "observation.linear=true",
    )  # fmt: skip
    state = build_state(experiment, build_model(experiment, SHAPE))
    objective = build_objective(experiment.objective)
    source = Points(mixture, experiment.training.batch_size * objective.batches_per_step, seed=0, count=500)
    for _ in range(3):
        logged = advance(state, objective, source, 3, seed=0)
    assert all(value.isfinite() for value in logged.values())
    assert mixture.points(state.model.sample(6, generator(0, "test"))).shape == (6, 2)
