"""What is measured of codes: samples, the space between, the plane, the dimensions in use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Tiny
from torch import nn

from genlab.data.dataset import Dataset
from genlab.data.idx import FILES
from genlab.lessons.work import digits, dimensions, plane, samples, space
from genlab.lessons.work import training as ordinary
from genlab.networks.decoder import Decoder
from genlab.networks.encoder import Encoder
from genlab.networks.model import VAE
from genlab.networks.observation import Gaussian
from genlab.networks.prior import StandardNormal
from genlab.nn.trunk import Trunk


def quiet(share: float) -> None:
    assert 0 <= share <= 1


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory, dataset: Dataset) -> Path:
    """The tiny images with their labels, in the form of MNIST's files."""
    folder = tmp_path_factory.mktemp("labelled")
    for split, names in FILES.items():
        digits.write(dataset.splits[split], [folder / name for name in names])
    return folder


def trained(tiny: Tiny, folder: Path, data: Path, *settings: str) -> Path:
    config = tiny("vae", f"data.name={data}", *settings).model_dump(mode="json")
    ordinary.train({"config": config}, folder, [], quiet)
    return folder


@pytest.mark.parametrize("drawn", [True, False])
def test_samples_come_from_the_prior_and_from_a_gaussian_like_the_codes(
    tiny: Tiny, labelled: Path, tmp_path: Path, drawn: bool
) -> None:
    settings = () if drawn else ("objective.beta=0", "objective.drawn=false")
    run = trained(tiny, tmp_path, labelled, *settings)
    found = samples.drawn({"count": 60}, tmp_path, [run], quiet)
    assert found == samples.drawn({"count": 60}, tmp_path, [run], quiet)
    assert set(found) == set(samples.KINDS)
    assert found["prior"]["frechet"] > 0
    assert found["prior"]["sure"] is None  # random features know no classes
    assert np.load(tmp_path / samples.PICTURES).shape == (2, samples.SHOWN, 1, 8, 8)


def test_a_gaussian_like_the_codes_has_their_moments() -> None:
    torch.manual_seed(0)
    codes = torch.randn(500, 3) @ torch.tensor([[2.0, 0, 0], [1, 0.5, 0], [0, 0, 0]]) + torch.tensor(
        [1.0, -2, 3]
    )
    drawn = samples.like(codes, 20_000, torch.Generator().manual_seed(0))
    torch.testing.assert_close(drawn.mean(dim=0), codes.mean(dim=0), atol=0.05, rtol=0)
    torch.testing.assert_close(drawn.T.cov(), codes.T.cov(), atol=0.1, rtol=0)


def test_the_space_is_measured(tiny: Tiny, blots: Path, tmp_path: Path) -> None:
    run = trained(tiny, tmp_path, blots, "network.latent_dim=1", "data.limit=50")
    found = space.looked_at({"count": 40, "pairs": 2}, tmp_path, [run], quiet)
    assert 1 <= found["jump"] <= space.POINTS - 1
    assert found["reach"] > 0
    assert len(np.load(tmp_path / space.PICTURES)) == 2 * space.POINTS


def test_pairs_begin_with_those_that_differ_most() -> None:
    starts, ends = space.pairs_of(torch.arange(8.0).square().view(8, 1, 1, 1), 4, seed=0)
    apart = (starts - ends).abs().flatten()
    assert apart.tolist() == sorted(apart.tolist(), reverse=True)
    assert len({*starts.flatten().tolist(), *ends.flatten().tolist()}) == 8


def test_lines_are_straight_and_even() -> None:
    found = space.lines(torch.zeros(2, 3), torch.ones(2, 3))
    assert found.shape == (2, space.POINTS, 3)
    torch.testing.assert_close(found[0, :, 0], torch.linspace(0, 1, space.POINTS))


def test_a_jump_is_1_where_steps_are_even_and_all_where_one_does_it() -> None:
    even = torch.arange(11.0).view(1, 11, 1).expand(1, 11, 4)
    sudden = (torch.arange(11) > 6).float().view(1, 11, 1)
    assert space.jump(torch.cat([even, sudden.expand(1, 11, 4)])).tolist() == pytest.approx([1, 10])


def test_the_plane_has_its_codes_and_its_picture(tiny: Tiny, labelled: Path, tmp_path: Path) -> None:
    run = trained(tiny, tmp_path, labelled, "network.latent_dim=2")
    found = plane.of_codes({"shown": 5}, tmp_path, [run], quiet)
    assert [len(point) for point in found["points"]] == [3] * 5
    assert 0 <= found["neighbours"] <= 1
    assert np.load(tmp_path / plane.PICTURES).shape == (plane.SIDE**2, 1, 8, 8)


def test_without_labels_nothing_is_read_from_the_neighbours(tiny: Tiny, blots: Path, tmp_path: Path) -> None:
    run = trained(tiny, tmp_path, blots, "network.latent_dim=2")
    found = plane.of_codes({"shown": 3}, tmp_path, [run], quiet)
    assert found["neighbours"] is None
    assert [label for _, _, label in found["points"]] == [0, 0, 0]


def test_the_grid_is_of_equal_shares() -> None:
    grid = plane.grid().view(plane.SIDE, plane.SIDE, 2)
    shares = torch.special.ndtr(grid[0, :, 0])
    torch.testing.assert_close(shares.diff(), torch.full((plane.SIDE - 1,), 1 / plane.SIDE))
    assert grid[0, 0, 1] > grid[-1, 0, 1]  # the first row is the upper one


def test_neighbours_name_the_commonest_class_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plane, "NEIGHBOURS", 3)
    known = torch.tensor([[0.0, 0], [0, 1], [1, 0], [9, 9], [9, 8], [8, 9]])
    labels = torch.tensor([4, 4, 7, 2, 2, 2])
    assert plane.neighbours(torch.tensor([[0.1, 0.1], [9.0, 9.1]]), known, labels).tolist() == [4, 2]


def copying(weights: list[float]) -> VAE:
    """Codes are the first pixels, and each comes back by its weight, 1 being all of it."""
    units = len(weights)
    encoder, decoder = (
        Encoder(Trunk((1, 2, 2), kind="mlp"), units),
        Decoder(units, (1, 2, 2), kind="mlp", depth=0),
    )
    first = decoder.layers[0]
    assert isinstance(first, nn.Linear)
    with torch.no_grad():
        for layer in (first, encoder.head):
            layer.weight.zero_()
            layer.bias.zero_()
        for unit, weight in enumerate(weights):
            encoder.head.weight[unit, unit] = 1
            first.weight[unit, unit] = weight
    return VAE(encoder, decoder, StandardNormal(units), Gaussian(linear=True)).eval()


@pytest.mark.parametrize(
    ("weights", "used"), [([1, 1, 1], 3), ([1, 0, 1], 2), ([0, 0, 0], 0), ([0.001, 1], 1), ([0.012] * 4, 3)]
)
def test_a_dimension_is_in_use_where_images_come_back_worse_without_it(
    weights: list[float], used: int
) -> None:
    torch.manual_seed(0)
    with torch.inference_mode():
        assert dimensions.dimensions_used(copying(weights), torch.randn(200, 1, 2, 2)) == used


def test_an_autoencoder_has_no_likelihood(tiny: Tiny, blots: Path, tmp_path: Path) -> None:
    given = {"count": 4, "draws": 3}
    vae = trained(tiny, tmp_path / "vae", blots)
    ae = trained(tiny, tmp_path / "ae", blots, "objective.beta=0", "objective.drawn=false")
    assert dimensions.measured(given, tmp_path, [vae], quiet)["nll"] > 0
    assert dimensions.measured(given, tmp_path, [ae], quiet)["nll"] is None
