"""What a discriminator is shown in the images' place, against the same written pixel by pixel."""

from __future__ import annotations

import math

import pytest
import torch
from small import tiny
from torch import Tensor

from genlab.data.batches import Batch
from genlab.data.dataset import Dataset
from genlab.experiment.build import build_model
from genlab.functional.augmentation import AUGMENTATIONS, coloured, cut, translated
from genlab.networks.discriminator import Discriminator
from genlab.networks.model import GAN
from genlab.objectives.adversarial import Adversarial, augmented
from genlab.randomness import generator, uniform

SHAPES = [(1, 28, 28), (3, 16, 24), (3, 9, 9)]


def drawn(shape: tuple[int, int, int], count: int = 6) -> Tensor:
    return 2 * torch.rand(count, *shape, generator=generator(0, "images"), dtype=torch.float64) - 1


def numbers(count: int, each: int) -> Tensor:
    return torch.rand(count, each, generator=generator(1, "numbers"), dtype=torch.float64)


@pytest.mark.parametrize("shape", SHAPES)
def test_an_image_is_moved_by_whole_pixels_and_black_and_white_alike_give_way_to_grey(
    shape: tuple[int, int, int],
) -> None:
    images, draws = drawn(shape), numbers(6, 2)
    found, (_, height, width) = translated(images, draws), shape
    for image, moved, (down, right) in zip(images, found, draws.tolist(), strict=True):
        rows, columns = (
            math.floor(draw * (2 * most + 1)) - most
            for draw, most in ((down, int(height / 8 + 0.5)), (right, int(width / 8 + 0.5)))
        )
        for i in range(height):
            for j in range(width):
                inside = 0 <= i + rows < height and 0 <= j + columns < width
                expected = image[:, i + rows, j + columns] if inside else torch.zeros(shape[0])
                assert moved[:, i, j].tolist() == expected.tolist()


def test_it_is_moved_by_an_eighth_at_most_and_by_everything_up_to_it() -> None:
    image = torch.zeros(1, 1, 28, 28)
    image[0, 0, 14, 14] = 1
    draws = (torch.arange(900) + 0.5) / 900
    where = translated(image.expand(900, -1, -1, -1), torch.stack([draws, torch.full_like(draws, 0.5)], 1))
    places = where.nonzero()[:, 2:]
    assert places[:, 1].unique().tolist() == [14]
    assert places[:, 0].unique(return_counts=True)[0].tolist() == list(range(10, 19))
    assert places[:, 0].unique(return_counts=True)[1].tolist() == [100] * 9


@pytest.mark.parametrize("shape", SHAPES)
def test_a_hole_is_where_the_published_code_has_it(shape: tuple[int, int, int]) -> None:
    """Which lists the places of a hole and pushes those outside to the border."""
    images, draws = drawn(shape), numbers(6, 2)
    found, (_, height, width) = cut(images, draws), shape
    for image, holed, pair in zip(images, found, draws.tolist(), strict=True):
        expected = image.clone()
        sides = []
        for side, draw in zip((height, width), pair, strict=True):
            length = int(side / 2 + 0.5)
            middle = math.floor(draw * (side + 1 - length % 2))
            sides.append([min(max(k + middle - length // 2, 0), side - 1) for k in range(length)])
        for i in sides[0]:
            for j in sides[1]:
                expected[:, i, j] = 0
        assert torch.equal(holed, expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_colours_are_changed_as_published(shape: tuple[int, int, int]) -> None:
    images, draws = drawn(shape), numbers(6, 3)
    for image, changed, (brightness, saturation, contrast) in zip(
        images, coloured(images, draws), draws.tolist(), strict=True
    ):
        expected = image + brightness - 0.5
        grey = expected.mean(dim=0)
        expected = (expected - grey) * (saturation * 2) + grey
        expected = (expected - expected.mean()) * (contrast + 0.5) + expected.mean()
        assert torch.allclose(changed, expected, atol=1e-12)


def test_a_grey_image_has_no_colours_to_change() -> None:
    images, draws = drawn((1, 8, 8)), numbers(6, 3)
    other = draws.clone()
    other[:, 1] = 0
    assert torch.allclose(coloured(images, draws), coloured(images, other), atol=1e-12)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_the_gradient_goes_back_through_all_of_it(name: str) -> None:
    images = drawn((3, 8, 8), 2).requires_grad_(True)
    rng = generator(2, "noise").get_state()

    def seen(images: Tensor) -> Tensor:
        again = torch.Generator()
        again.set_state(rng)
        return augmented(images, name, again)

    assert torch.autograd.gradcheck(seen, images)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_each_image_is_changed_by_draws_of_its_own(name: str) -> None:
    images = drawn((1, 28, 28), 1).expand(8, -1, -1, -1)
    seen = augmented(images, name, generator(0, "noise"))
    different = {tuple(image.flatten().tolist()) for image in seen}
    assert len(different) == 1 if name == "none" else len(different) > 5


def test_none_draws_nothing() -> None:
    """So a run without augmentation is the run that it was before there was one."""
    rng, images = generator(0, "noise"), drawn((1, 8, 8))
    assert augmented(images, "none", rng) is images
    assert torch.equal(uniform((3,), rng), uniform((3,), generator(0, "noise")))


@pytest.mark.parametrize("loss", ["non-saturating", "relativistic"])
def test_the_discriminator_never_sees_an_image_as_it_is(
    dataset: Dataset, loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither real nor generated ones, neither in its own update nor in the generator's; what is made of the
    game for the log is the images as they are."""
    experiment = tiny("gan", f"objective.loss={loss}", "network.discriminator.norm=none")
    model = build_model(experiment, dataset.shape)
    assert isinstance(model, GAN)
    real = 2 * torch.rand(8, *dataset.shape, generator=generator(0, "real")) - 1
    shown: list[Tensor] = []
    judge = Discriminator.forward

    def watched(self: Discriminator, images: Tensor) -> Tensor:
        shown.append(images.detach())
        return judge(self, images)

    monkeypatch.setattr(Discriminator, "forward", watched)

    def played(augment: str) -> list[dict[str, Tensor]]:
        shown.clear()
        batch = Batch(real, None, 0)
        updates = Adversarial(loss, augment=augment).updates(model, batch, generator(0, "noise"))
        return [update.logged() for update in updates]

    plain, unchanged = played("none"), torch.cat(shown)
    changed, seen = played("translation"), torch.cat(shown)
    assert len(unchanged) == len(seen) == 8 * (4 if loss == "relativistic" else 3)
    before = {tuple(image.flatten().tolist()) for image in unchanged}
    same = [tuple(image.flatten().tolist()) in before for image in seen]
    assert sum(same) < len(same) / 4  # a ninth is moved by nothing
    assert changed[0]["diversity"] == plain[0]["diversity"]
