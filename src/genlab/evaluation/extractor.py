"""From images to features: the feature network stands apart from the metrics, and its identity goes with
every number that was measured through it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn

from genlab.errors import UserError
from genlab.metrics.unavailable import Unavailable

CHUNK = 250  # images in one pass: a few MB of activations, which stay in the processor's cache


@dataclass(frozen=True)
class Features:
    """What one pass sees in N images: features (N, F) and, where there are classes, probabilities (N, K)."""

    features: Tensor
    probabilities: Tensor | Unavailable


class Extractor(Protocol):
    """A fixed function from images to features."""

    @property
    def identity(self) -> str:
        """Name and hash of the weights. Two numbers with different identities never share a column."""
        ...

    @property
    def class_names(self) -> tuple[str, ...]:
        """The K classes of the probabilities; empty where there are none."""
        ...

    def __call__(self, images: Tensor) -> Features:
        """images (N, C, H, W) in [-1, 1] -> Features, on the CPU."""
        ...


@dataclass(frozen=True)
class NetworkExtractor:
    """An extractor made of a network that maps images (B, C, H, W) to features (B, F), and of a head that
    maps features to logits (B, K), or of no head at all."""

    identity: str
    shape: tuple[int, int, int]
    network: nn.Module = field(repr=False)
    head: nn.Module | None = field(repr=False)
    class_names: tuple[str, ...] = ()

    def __call__(self, images: Tensor, progress: Callable[[int, int], None] | None = None) -> Features:
        """images (N, C, H, W) in [-1, 1] -> Features; `progress(done, total)` is called after every chunk.

        Raises UserError when the images have another shape than the network was made for.
        """
        if images.ndim != 4 or tuple(images.shape[1:]) != self.shape:
            raise UserError(
                f"The feature network {self.identity} takes images of shape (N, *{self.shape}), "
                f"not {tuple(images.shape)}; measure them with an extractor made for their data."
            )
        features, probabilities = [], []
        with torch.inference_mode():
            for chunk in torch.split(images, CHUNK):
                features.append(self.network(chunk.float().cpu()))
                if self.head is not None:
                    probabilities.append(self.head(features[-1]).softmax(dim=1))
                if progress is not None:
                    progress(sum(map(len, features)), len(images))
        if self.head is None:
            return Features(torch.cat(features), Unavailable(f"{self.identity} knows no classes"))
        return Features(torch.cat(features), torch.cat(probabilities))


def weights_hash(tensors: dict[str, Tensor]) -> str:
    """SHA-256 over names, shapes and little-endian float32 values, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        values = tensors[name].detach().float().cpu().contiguous().numpy().astype("<f4")
        digest.update(f"{name}{values.shape}".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()
