"""How images lie in memory: channels last, (B, H, W, C), which convolutions are fastest with.

An operation on two tensors of one shape and two layouts costs several times as much as on two that are alike,
and one such pair between a convolution and the next dense layer makes more of them on the way back.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class _ChannelsLast(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor) -> Tensor:
        return images.contiguous(memory_format=torch.channels_last)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return channels_last(gradient)


def channels_last(images: Tensor) -> Tensor:
    """The same images (B, C, H, W) with their channels last in memory, and so their gradient."""
    if images.requires_grad and not torch.compiler.is_compiling():  # a compiler lays gradients out itself
        return _ChannelsLast.apply(images)  # type: ignore[no-any-return, no-untyped-call]
    return images.contiguous(memory_format=torch.channels_last)


class Spread(nn.Unflatten):
    """(B, C · H · W) -> (B, C, H, W), channels last: where convolutions begin."""

    def forward(self, x: Tensor) -> Tensor:
        return channels_last(super().forward(x))


class Row(nn.Flatten):
    """(B, C, H, W) -> (B, C · H · W): where convolutions end."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(channels_last(images))
