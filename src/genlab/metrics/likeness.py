"""How like an image is to another: per pair, for reconstructions. Images are in [−1, 1] and measured as
pixels in [0, 1], so that the numbers are those that other tools print."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from genlab.errors import UserError

CHUNK = 500
EQUAL = 1e-10  # a squared error below this is none: PSNR ends at 100 dB, for infinity has no mean
WINDOW, SIGMA = 11, 1.5  # of SSIM, in px
SMALLEST = WINDOW // 2 + 1
K1, K2 = 0.01, 0.03


def squared_error(a: Tensor, b: Tensor) -> Tensor:
    """The mean over pixels of (a − b)², pixels in [0, 1]: (N, C, H, W) and (N, C, H, W) -> (N,)."""
    _check(a, b)
    return (a - b).square().flatten(1).mean(dim=1) / 4


def psnr(a: Tensor, b: Tensor) -> Tensor:
    """The peak signal-to-noise ratio −10 log₁₀ of the squared error, in dB, at most 100: (N,)."""
    return -10 * squared_error(a, b).clamp_min(EQUAL).log10()


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """Structural similarity, 1 for equal images: (N, C, H, W) and (N, C, H, W) -> (N,).

    Wang et al. (2004), equation 13, with their Gaussian window of 11 × 11 and σ = 1.5 px, averaged over all
    pixels and channels; beyond its border an image goes on as in a mirror, as torchmetrics has it. Raises
    UserError where a side has less than 6 px, for which that mirror is too small.
    """
    _check(a, b)
    if min(a.shape[2:]) <= WINDOW // 2:
        raise UserError(
            f"SSIM needs images of {WINDOW // 2 + 1} × {WINDOW // 2 + 1} px, not {tuple(a.shape)}."
        )
    down, across = (blur(size).to(a.device) for size in a.shape[2:])
    pairs = zip(a.split(CHUNK), b.split(CHUNK), strict=True)
    return torch.cat([_ssim((x.float() + 1) / 2, (y.float() + 1) / 2, down, across) for x, y in pairs])


def blur(size: int) -> Tensor:
    """The Gaussian window along one side as a matrix (size, size), mirrored at the ends: a product with it is
    many times as fast as a convolution of one channel."""
    offsets = torch.arange(WINDOW, dtype=torch.float64) - WINDOW // 2
    window = torch.softmax(-offsets.square() / (2 * SIGMA**2), dim=0)
    impulses = F.pad(torch.eye(size, dtype=torch.float64), [WINDOW // 2] * 2, mode="reflect")
    return torch.matmul(impulses.unfold(1, WINDOW, 1), window).float()


def _ssim(a: Tensor, b: Tensor, down: Tensor, across: Tensor) -> Tensor:
    planes = torch.stack([a, b, a * a, b * b, a * b])  # (5, N, C, H, W)
    mean_a, mean_b, square_a, square_b, product = (down.T @ (planes @ across)).unbind()
    likeness = (2 * mean_a * mean_b + K1**2) / (mean_a.square() + mean_b.square() + K1**2)
    spread = (square_a - mean_a.square()).clamp_min(0) + (square_b - mean_b.square()).clamp_min(0)
    structure = (2 * (product - mean_a * mean_b) + K2**2) / (spread + K2**2)
    return (likeness * structure).flatten(1).mean(dim=1)


def _check(a: Tensor, b: Tensor) -> None:
    if a.shape != b.shape or a.ndim != 4:
        raise UserError(
            f"Images of shapes {tuple(a.shape)} and {tuple(b.shape)} are no pairs: give two sets of one "
            "shape (N, C, H, W)."
        )
