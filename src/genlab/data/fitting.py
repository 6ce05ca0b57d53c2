"""Arrays of images made to one size and one number of channels, without a loop over images."""

from __future__ import annotations

from typing import Literal

import numpy as np

from genlab.data.bounds import check_memory
from genlab.data.dataset import Pixels

Fit = Literal["crop", "pad"]
_CHUNK = 4096  # images resized at a time


def fitted(pixels: Pixels, size: int, channels: int, fit: Fit, name: str) -> Pixels:
    """(N, C, H, W) uint8 -> (N, channels, size, size) uint8.

    crop: the shorter side becomes `size` and the middle is kept; pad: the longer side does, and the rest is
    black. Resized by a bicubic filter that averages over what it shrinks. What already fits is returned as it
    is."""
    n, _, height, width = pixels.shape
    if (height, width) == (size, size):
        return with_channels(pixels, channels)
    check_memory(n * channels * size * size, name)
    out = np.zeros((n, channels, size, size), np.uint8)
    for start in range(0, n, _CHUNK):
        chunk = with_channels(pixels[start : start + _CHUNK], min(channels, pixels.shape[1]))
        out[start : start + _CHUNK] = _resized(
            chunk, size, fit
        )  # grey to RGB by broadcasting, after the work
    return out


def with_channels(pixels: Pixels, channels: int) -> Pixels:
    """Grey to RGB by repetition; RGB to grey by the luma of ITU-R 601, rounded as Pillow does."""
    if pixels.shape[1] == channels:
        return pixels
    if channels == 3:
        return np.repeat(pixels, 3, axis=1)
    red, green, blue = (pixels[:, i : i + 1].astype(np.uint32) for i in range(3))
    return ((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16).astype(np.uint8)


def _resized(pixels: Pixels, size: int, fit: Fit) -> Pixels:
    import torch
    from torch.nn.functional import interpolate

    height, width = pixels.shape[2:]
    scale = size / (min if fit == "crop" else max)(height, width)
    inner = max(1, round(height * scale)), max(1, round(width * scale))
    floats = torch.tensor(pixels).float()
    images = interpolate(floats, inner, mode="bicubic", antialias=True)
    scaled: Pixels = images.round_().clamp_(0, 255).to(torch.uint8).numpy()
    top, left = (abs(size - side) // 2 for side in inner)
    if fit == "crop":
        return scaled[:, :, top : top + size, left : left + size]
    out = np.zeros((*pixels.shape[:2], size, size), np.uint8)
    out[:, :, top : top + inner[0], left : left + inner[1]] = scaled
    return out
