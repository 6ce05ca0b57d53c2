"""Sharpness: closed forms, and the order of blurred, crisp and noisy."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from genlab.errors import UserError
from genlab.metrics.sharpness import relative_sharpness, sharpness, sharpness_ratio
from genlab.randomness import generator


def noise(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=generator(0, "test/sharpness")) * 2 - 1


def discs() -> Tensor:
    """Eight filled circles of growing radius, (8, 1, 28, 28), soft over one pixel at the edge."""
    at = torch.arange(28) - 13.5
    radius = (at[:, None].square() + at.square()).sqrt()
    return torch.stack([(r - radius).clamp(-1, 1) for r in range(4, 12)])[:, None]


def test_white_noise_has_twenty() -> None:
    assert float(sharpness(noise(4, 1, 200, 200)).mean()) == pytest.approx(20, rel=0.02)


def test_a_wave_has_the_square_of_its_eigenvalue() -> None:
    wave = torch.cos(2 * torch.pi * torch.arange(64) / 8).expand(1, 1, 66, 64)
    eigenvalue = 2 - 2 * torch.cos(torch.tensor(2 * torch.pi / 8))
    assert float(sharpness(wave)) == pytest.approx(float(eigenvalue**2), rel=0.02)


def test_ink_and_channels_do_not_matter() -> None:
    images = discs()
    torch.testing.assert_close(sharpness(0.3 * images + 0.5), sharpness(images))
    torch.testing.assert_close(sharpness(images.repeat(1, 3, 1, 1)), sharpness(images))


def test_blur_lowers_and_noise_raises_the_ratio() -> None:
    images = discs()
    reals = sharpness(images)
    blurred = avg_pool2d(images, 3, 1, 1, count_include_pad=False)
    assert sharpness_ratio(reals, reals) == 1
    assert sharpness_ratio(sharpness(blurred), reals) < 0.5
    assert sharpness_ratio(sharpness(images + 0.2 * noise(*images.shape)), reals) > 1.5


def test_the_interval_is_that_of_the_samples_mean_against_fixed_reals() -> None:
    samples, reals = sharpness(noise(50, 1, 9, 9)), sharpness(discs())
    found = relative_sharpness(samples, reals)
    assert found.value == pytest.approx(sharpness_ratio(samples, reals), rel=1e-12)
    error = float(samples.double().std()) / 50**0.5 / float(reals.double().mean())
    assert found.error == pytest.approx(error, rel=1e-9)
    assert found.low < found.value < found.high
    with pytest.raises(UserError, match="NaN"):
        relative_sharpness(torch.tensor([1.0, float("nan")]), reals)
    with pytest.raises(UserError, match="2 values"):
        relative_sharpness(torch.ones(1), reals)


def test_a_blank_image_is_not_sharp() -> None:
    assert sharpness(torch.full((2, 1, 8, 8), -1.0)).tolist() == [0, 0]
    with pytest.raises(UserError, match="blank"):
        sharpness_ratio(torch.ones(3), torch.zeros(3))


@pytest.mark.parametrize("bad", [torch.zeros(3, 28, 28), torch.zeros(1, 1, 2, 28)])
def test_what_is_no_image_is_said(bad: Tensor) -> None:
    with pytest.raises(UserError, match="3 × 3"):
        sharpness(bad)
