"""Randomness is an argument: every random number is a function of (seed, stream, step).

A run that is resumed at step n draws exactly what the run that never stopped would have drawn, because
nothing is carried from one step to the next. Streams keep uses apart: measuring draws from a stream of its
own, so that looking at a run never changes it.

Where several processes share a batch (`ranks`), `normal` and `uniform` draw the noise of the joint batch and
return this process's rows of it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from genlab.ranks import mine, parts

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


def normal(shape: tuple[int, ...], rng: torch.Generator, dim: int = 0) -> torch.Tensor:
    """N(0, 1) noise of `shape`, for a batch along `dim`; on the device of `rng`."""
    import torch

    return mine(torch.randn(_joint(shape, dim), generator=rng, device=rng.device), dim)


def uniform(shape: tuple[int, ...], rng: torch.Generator, dim: int = 0, blocks: int = 1) -> torch.Tensor:
    """The same, from U(0, 1); with `blocks`, for several batches one behind another."""
    import torch

    return mine(torch.rand(_joint(shape, dim), generator=rng, device=rng.device), dim, blocks)


def _joint(shape: tuple[int, ...], dim: int) -> tuple[int, ...]:
    """The shape for the joint batch, of which `shape` is for one part."""
    return (*shape[:dim], shape[dim] * parts(), *shape[dim + 1 :])
