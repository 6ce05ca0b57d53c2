"""Grey levels as probabilities: every pixel is drawn black or white (Salakhutdinov & Murray, 2008)."""

from __future__ import annotations

import torch

from genlab.randomness import uniform


def binarised(images: torch.Tensor, rng: torch.Generator, blocks: int = 1) -> torch.Tensor:
    """Images in [−1, 1] -> −1 or 1, white with probability (x + 1)/2; drawn from `rng`, on its device.
    `blocks`: how many batches they are, one behind another."""
    draw = uniform(images.shape, rng, blocks=blocks).to(images.device)
    return torch.where(draw < (images + 1) / 2, 1.0, -1.0).to(images)
