"""(seed, step) -> Batch. Nothing is carried from one batch to the next, so a resumed run sees what it would
have seen, and batches can be asked for in any order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch

from genlab.data.binarise import binarised
from genlab.data.dataset import Images
from genlab.devices import kind
from genlab.randomness import generator
from genlab.ranks import mine


def to_float(pixels: torch.Tensor) -> torch.Tensor:
    """uint8 of any shape -> float32 in [-1, 1]; 0 is -1 and 255 is 1, exactly."""
    return pixels.to(torch.float32).div_(127.5).sub_(1.0)


def to_uint8(images: torch.Tensor) -> torch.Tensor:
    """Floats in [-1, 1] (what lies outside is clipped) -> uint8, rounded: the inverse of `to_float` on all
    256 levels."""
    return images.float().add(1.0).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)


def black_and_white(images: torch.Tensor, seed: int, step: int, blocks: int) -> torch.Tensor:
    """`images` of batch `step`, each pixel drawn −1 or 1: on their own device where it draws, else on the
    CPU."""
    device = images.device if kind(images.device.type).draws else "cpu"
    return binarised(images, generator(seed, "data/binarise", step, device), blocks)


@dataclass(frozen=True, eq=False)
class Batch:
    """images: (B, C, H, W) float32 in [-1, 1];  labels: (B,) int64, or None;  step: which batch this is."""

    images: torch.Tensor
    labels: torch.Tensor | None
    step: int

    def __len__(self) -> int:
        return len(self.images)


class Source(Protocol):
    """Whatever gives batches by their step: (B, C, H, W) float32, `batch_size` of the len(self) there are."""

    batch_size: int

    def __len__(self) -> int: ...

    def __call__(self, step: int) -> Batch: ...


class Batches:
    """Images held on `device` as uint8 and gathered by index: `batches(step)` is a function of (seed, step).

    The images stand in an endless row, one permutation f(seed, epoch) after another; batch `step` is the
    batch_size images from step · batch_size on. So every epoch shows every image exactly once, none is
    dropped, and every batch has the same size, also where there are fewer images than that. With `binarise`
    every pixel is drawn black or white, anew at each step. Where several processes share the batch, each has
    its rows of it, or of each of the `blocks` that an objective cuts it into."""

    def __init__(
        self,
        images: Images,
        batch_size: int,
        seed: int,
        device: str | torch.device = "cpu",
        *,
        binarise: bool = False,
        blocks: int = 1,
    ) -> None:
        assert batch_size >= 1, f"batch_size is {batch_size}"
        assert len(images) >= 1, "there are no images"
        self.batch_size = batch_size
        self.seed = seed
        self.binarise, self.blocks = binarise, blocks
        self.pixels = torch.tensor(images.pixels, device=device)  # (N, C, H, W) uint8
        self.labels = None if images.labels is None else torch.tensor(images.labels, device=device)  # (N,)
        self._order: tuple[int, torch.Tensor] | None = None  # the last epoch asked for, and its permutation

    def __len__(self) -> int:
        """The number of images: an epoch is len(self) / batch_size steps."""
        return len(self.pixels)

    def __call__(self, step: int) -> Batch:
        index = mine(self.index(step), blocks=self.blocks)
        images = to_float(self.pixels.index_select(0, index))
        if self.binarise:
            images = black_and_white(images, self.seed, step, self.blocks)
        return Batch(images, None if self.labels is None else self.labels.index_select(0, index), step)

    def index(self, step: int) -> torch.Tensor:
        """(B,) int64: which images batch `step` holds."""
        epoch, start = divmod(step * self.batch_size, len(self))
        parts, missing = [], self.batch_size
        while missing:
            part = self._permutation(epoch)[start : start + missing]
            parts.append(part)
            missing -= len(part)
            epoch, start = epoch + 1, 0
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _permutation(self, epoch: int) -> torch.Tensor:
        if self._order is None or self._order[0] != epoch:
            rng = generator(self.seed, "data/order", epoch)
            self._order = epoch, torch.randperm(len(self), generator=rng).to(self.pixels.device)
        return self._order[1]
