"""The shape that every objective has, whatever its family."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from genlab.data.batches import Batch

Logged = Callable[[], dict[str, Tensor]]


class Update(NamedTuple):
    """One step of one optimizer: the `part` that moves, the scalar `loss` it descends, and what to log, a
    function that gives detached scalars and is only called at steps that are logged. Yielded before the step
    is taken; the next line runs after it."""

    part: str
    loss: Tensor
    logged: Logged


class Objective(Protocol):
    """`updates` reads like the algorithm box of its paper; the loop around it knows no family.

    `batch` holds `batches_per_step` batches of real images, one for each update that needs fresh ones.
    """

    @property
    def batches_per_step(self) -> int: ...

    def updates(self, model: Any, batch: Batch, rng: torch.Generator) -> Iterator[Update]: ...
