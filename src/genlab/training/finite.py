"""A step whose loss is not finite is not taken: judged at once, or on the device and asked for later."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genlab.errors import UserError


class Diverged(UserError):
    """A loss, or what it made of the weights, was not finite; the step was not taken, or not kept. `step`:
    how many steps were whole before."""

    def __init__(self, sentence: str, step: int = 0) -> None:
        super().__init__(sentence)
        self.step = step


class Finite:
    """What is known of the losses so far.

    At once: `take` reads a loss, which on a GPU is to wait for it. `deferred`: `take` only leaves word on the
    device, in `broken` (a scalar, 0 or, from the first loss that is not finite on, 1), by which Adam, buffers
    and averages stand still from there; `settle` asks whether it came to that.
    """

    def __init__(self, deferred: bool = False) -> None:
        self.deferred = deferred
        self.broken: Tensor | None = None
        self._noted: list[tuple[str, int, Tensor]] = []

    def take(self, part: str, loss: Tensor, step: int) -> None:
        """Take in the `loss`, a scalar, that `part` is to descend after `step` steps. Raises Diverged where
        it is judged at once and not finite."""
        if not self.deferred:
            self._judge(part, step, loss.item())
            return
        loss = loss.detach()
        bad = (loss - loss != 0).float()  # NaN where the loss is not finite, and NaN is not 0
        self.broken = bad if self.broken is None else torch.maximum(self.broken, bad)
        self._noted.append((part, step, loss))

    def settle(self) -> None:
        """Ask for what was deferred, which waits for the device. Raises Diverged for the first loss that was
        not finite."""
        noted, self._noted = self._noted, []
        if noted:
            losses = torch.stack([loss for _, _, loss in noted]).tolist()
            for (part, step, _), loss in zip(noted, losses, strict=True):
                self._judge(part, step, loss)

    @staticmethod
    def _judge(part: str, step: int, loss: float) -> None:
        if not math.isfinite(loss):
            raise Diverged(
                f"the loss of the {part} is {loss} at step {step + 1}: training diverged and the step was "
                "not taken; try a lower learning rate",
                step,
            )
