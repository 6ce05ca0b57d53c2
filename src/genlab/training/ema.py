"""The averaged copy of a model: what is looked at, evaluated and taken away."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class Average:
    """An exponential moving average of every parameter and floating-point buffer of `model`.

    The decay rises as (1 + n)/(10 + n) to `decay`, so that the average is of use from the first steps.
    `decay=0` makes it a copy. Polyak & Juditsky (1992); Yaz et al. (2019) for GANs.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay
        mine, theirs = tensors(self.model), tensors(model)
        assert mine.keys() == theirs.keys()
        floating = [key for key, tensor in theirs.items() if tensor.is_floating_point()]
        self._mine = [mine[key] for key in floating]
        self._theirs = [theirs[key] for key in floating]

    @torch.no_grad()
    def update(self, step: int, broken: Tensor | None = None) -> None:
        """Take in the model as it stands after `step` steps; nothing where `broken` is 1."""
        decay = min(self.decay, (1 + step) / (10 + step)) if self.decay else 0.0
        if broken is None:
            torch._foreach_lerp_(self._mine, self._theirs, 1 - decay)
            return
        ways = torch._foreach_sub(self._theirs, self._mine)
        torch._foreach_mul_(ways, (1 - decay) * (1 - broken))
        torch._foreach_add_(self._mine, ways)


def tensors(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers by name, the live tensors themselves."""
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}
