from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from genlab.errors import UserError
from genlab.metrics import likeness
from genlab.metrics.likeness import psnr, squared_error, ssim
from genlab.randomness import generator


def pair(*shape: int, noise: float = 0.5) -> tuple[Tensor, Tensor]:
    rng = generator(0, "test/likeness")
    first = torch.rand(shape, generator=rng) * 2 - 1
    return first, (first + noise * torch.randn(shape, generator=rng)).clamp(-1, 1)


@pytest.mark.parametrize("shape", [(6, 1, 28, 28), (4, 3, 40, 33), (3, 1, 8, 8)])
@pytest.mark.parametrize("noise", [0.05, 1.0])
def test_torchmetrics_says_the_same(shape: tuple[int, ...], noise: float) -> None:
    a, b = pair(*shape, noise=noise)
    x, y = (a.double() + 1) / 2, (b.double() + 1) / 2
    theirs = structural_similarity_index_measure(x, y, data_range=1.0, reduction="none")
    assert isinstance(theirs, Tensor)
    assert torch.allclose(ssim(a, b).double(), theirs, atol=1e-5)
    decibels = peak_signal_noise_ratio(x, y, data_range=1.0, dim=(1, 2, 3), reduction="none")
    assert torch.allclose(psnr(a, b).double(), decibels, atol=1e-4)


def test_black_against_white_is_as_wrong_as_can_be() -> None:
    black, white = -torch.ones(2, 1, 8, 8), torch.ones(2, 1, 8, 8)
    assert squared_error(black, white).tolist() == [1, 1]
    assert psnr(black, white).tolist() == [0, 0]
    assert torch.allclose(ssim(black, white), torch.tensor(1e-4 / (1 + 1e-4)), atol=1e-7)


def test_an_image_is_like_itself_and_the_decibels_have_an_end() -> None:
    a, _ = pair(3, 1, 12, 12)
    assert squared_error(a, a).tolist() == [0] * 3
    assert torch.allclose(ssim(a, a), torch.ones(3), atol=1e-6)
    assert psnr(a, a).tolist() == [100] * 3
    blank = torch.zeros(1, 1, 12, 12)
    assert ssim(blank, blank).item() == pytest.approx(1)


def test_each_pair_is_measured_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = pair(11, 1, 9, 9)
    order = torch.randperm(11, generator=generator(1, "test/likeness"))
    whole = ssim(a, b)
    monkeypatch.setattr(likeness, "CHUNK", 4)
    for measured in (squared_error, psnr, ssim):
        assert torch.allclose(measured(a[order], b[order]), measured(a, b)[order], atol=1e-6)
        assert torch.allclose(measured(b, a), measured(a, b), atol=1e-6), "neither is the original"
    assert torch.allclose(ssim(a, b), whole, atol=1e-6)


def test_ssim_sees_blur_of_which_the_squared_error_thinks_little() -> None:
    """A shift of the mean and a blur of equal squared error: structure survives the first alone."""
    a, _ = pair(20, 1, 28, 28)
    a = a * 0.8
    blurred = torch.nn.functional.avg_pool2d(a, 3, stride=1, padding=1)
    shift = 2 * squared_error(a, blurred).sqrt().view(-1, 1, 1, 1)
    assert torch.allclose(squared_error(a, a + shift), squared_error(a, blurred), rtol=1e-4)
    assert (ssim(a, a + shift) > ssim(a, blurred) + 0.2).all()


def test_what_is_no_pair_or_too_small_is_refused() -> None:
    with pytest.raises(UserError, match="no pairs"):
        squared_error(torch.zeros(2, 1, 8, 8), torch.zeros(3, 1, 8, 8))
    with pytest.raises(UserError, match="no pairs"):
        ssim(torch.zeros(8, 8), torch.zeros(8, 8))
    with pytest.raises(UserError, match="6 × 6 px"):
        ssim(torch.zeros(2, 1, 5, 8), torch.zeros(2, 1, 5, 8))
