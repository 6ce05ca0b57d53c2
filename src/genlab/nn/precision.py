"""bfloat16 inside networks, float32 around them.

A network set to `bf16` computes its matrix products and convolutions on bfloat16 copies of its weights
(autocast), and takes and gives float32. What has no 8 bits to lose therefore never sees it, since it stands
outside: weights, moments and averages; heads, posteriors, likelihoods and KL, logits and losses. Inside,
batch statistics and spectral norms are computed in float32. Gradient penalties switch it off (`full`): they
differentiate twice, and rounding grows at each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Network(nn.Module):
    """What can be set to `bf16`."""

    bf16 = False

    def within(self, compute: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """compute(x) in the precision that this network is set to, back in that of `x`."""
        if not self.bf16:
            return compute(x)
        with torch.autocast(x.device.type, torch.bfloat16):
            y = compute(x)
        return y.to(x.dtype)


def reduce(model: nn.Module) -> None:
    """Set every network of `model` to bf16."""
    for network in _networks(model):
        network.bf16 = True


@contextmanager
def full(model: nn.Module) -> Iterator[None]:
    """Inside, the networks of `model` compute in float32."""
    reduced = [network for network in _networks(model) if network.bf16]
    for network in reduced:
        network.bf16 = False
    try:
        yield
    finally:
        for network in reduced:
            network.bf16 = True


def _networks(model: nn.Module) -> list[Network]:
    return [module for module in model.modules() if isinstance(module, Network)]
