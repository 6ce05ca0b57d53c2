"""Randomness is an argument: every random number is a function of (seed, stream, step).

A run that is resumed at step n draws exactly what the run that never stopped would have drawn, because
nothing is carried from one step to the next. Streams keep uses apart: measuring draws from a stream of its
own, so that looking at a run never changes it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def derive_seed(seed: int, stream: str, step: int = 0) -> int:
    """A 63-bit seed for one use of randomness: `stream` names the use, `step` the moment."""
    digest = hashlib.blake2b(f"{seed}/{stream}/{step}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator(seed: int, stream: str, step: int = 0, device: str | torch.device = "cpu") -> torch.Generator:
    """A fresh generator for one use of randomness. What is drawn on the CPU is the same on every device; on a
    `device` of its own, on that kind of device alone."""
    import torch

    return torch.Generator(device).manual_seed(derive_seed(seed, stream, step))


def normal(shape: tuple[int, ...], rng: torch.Generator) -> torch.Tensor:
    """N(0, 1) noise of `shape`, on the device of `rng`."""
    import torch

    return torch.randn(shape, generator=rng, device=rng.device)


def uniform(shape: tuple[int, ...], rng: torch.Generator) -> torch.Tensor:
    """The same, from U(0, 1)."""
    import torch

    return torch.rand(shape, generator=rng, device=rng.device)
