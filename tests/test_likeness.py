"""Squared error, PSNR and SSIM: closed forms and invariances. torchmetrics is in test_torchmetrics.py."""

import math

import pytest
import torch
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.likeness import psnr, squared_error, ssim
from genlab.randomness import generator


def pictures(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=generator(seed, "test/likeness"))


def test_equal_images_are_as_like_as_can_be() -> None:
    images = pictures(3, 2, 16, 16)
    assert squared_error(images, images).tolist() == [0] * 3
    assert psnr(images, images).tolist() == [math.inf] * 3
    assert ssim(images, images).tolist() == pytest.approx([1] * 3)


def test_a_constant_difference_has_its_closed_forms() -> None:
    """Between flat images of m and n structure is 1 and luminance (2mn + C₁)/(m² + n² + C₁)."""
    dark, light = torch.full((1, 1, 12, 12), 0.25), torch.full((1, 1, 12, 12), 0.75)
    assert float(squared_error(dark, light)) == 0.25
    assert float(psnr(dark, light)) == pytest.approx(10 * math.log10(4))
    assert float(ssim(dark, light)) == pytest.approx((2 * 0.1875 + 1e-4) / (0.625 + 1e-4))


def test_an_inverted_texture_is_negatively_similar() -> None:
    """Same mean, same variance, covariance −variance: about −1 where variance outweighs C₂."""
    images = pictures(4, 1, 20, 20)
    inverted = 1 - images
    assert ssim(images, inverted).max() < -0.8


def test_one_image_at_a_time_and_either_way_round() -> None:
    a, b = pictures(5, 3, 14, 13), pictures(5, 3, 14, 13, seed=1)
    for measure in (squared_error, psnr, ssim):
        together = measure(a, b)
        assert together.shape == (5,)
        alone = torch.cat([measure(a[i : i + 1], b[i : i + 1]) for i in range(5)])
        torch.testing.assert_close(together, alone)
        torch.testing.assert_close(measure(b, a), together)
        torch.testing.assert_close(measure(a.flip(3), b.flip(3)), together)  # a mirror changes nothing
    torch.testing.assert_close(ssim(a.transpose(2, 3), b.transpose(2, 3)), ssim(a, b))


def test_more_noise_is_less_like() -> None:
    images, noise = pictures(6, 1, 28, 28), pictures(6, 1, 28, 28, seed=1) - 0.5
    for measure, sign in ((squared_error, 1), (psnr, -1), (ssim, -1)):
        values = [float((sign * measure(images, images + scale * noise)).mean()) for scale in (0.1, 0.3, 1.0)]
        assert values == sorted(values)


@pytest.mark.parametrize("shape", [(1, 1, 10, 10), (1, 1, 8, 30), (2, 1, 1, 1)])
def test_small_images_get_a_smaller_window(shape: tuple[int, ...]) -> None:
    a, b = pictures(*shape), pictures(*shape, seed=1)
    assert bool((ssim(a, b) < 1).all())
    assert ssim(a, a).tolist() == pytest.approx([1] * shape[0])


def test_what_cannot_be_compared_is_said() -> None:
    good = pictures(2, 1, 12, 12)
    bad = [good[:1], good[:, :, :11], good[0], torch.zeros(0, 1, 12, 12)]
    for measure in (squared_error, psnr, ssim):
        for other in bad:
            with pytest.raises(UserError, match="pair by pair"):
                measure(other, other if other.numel() == 0 else good)
        with pytest.raises(UserError, match="NaN"):
            measure(good, good / 0)
