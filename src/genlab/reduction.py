"""What ranks tell each other of a batch that they share: means, gradients, the first few images.

Each is the identity where the batch is in one part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from genlab.ranks import add_up, anyone, heard, leads, parts, place


class Sum(torch.autograd.Function):
    """The sum over ranks. Its gradient is, for each rank's part, what the losses of all ranks want of it."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.detach().clone(memory_format=torch.contiguous_format)
        add_up(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return Sum.apply(gradient)  # type: ignore[no-any-return, no-untyped-call]


def mean(value: Tensor) -> Tensor:
    """The mean over ranks of what each has of its part of the batch, differentiable.

    The rule for losses: the mean over ranks of every rank's loss is the loss of the joint batch. `averaged`
    then makes of their gradients the joint one, whichever quantities of the whole batch went into them.
    """
    if parts() == 1:
        return value
    return Sum.apply(value / parts())  # type: ignore[no-any-return, no-untyped-call]


def averaged(gradients: Sequence[Tensor]) -> Sequence[Tensor]:
    """The mean over ranks of each of `gradients`, in one message."""
    if parts() == 1:
        return gradients
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    add_up(flat)
    pieces = flat.div_(parts()).split([gradient.numel() for gradient in gradients])
    return [
        torch.empty_like(gradient).copy_(piece.view(gradient.shape))  # in the strides that Adam expects
        for gradient, piece in zip(gradients, pieces, strict=True)
    ]


def leading(rows: Tensor, count: int) -> Tensor:
    """The first `count` rows of the joint batch, or all where it has fewer. Where rank 0 has as many itself,
    only its answer is right: see `of_first`."""
    if parts() == 1 or len(rows) >= count:
        return rows[:count]
    joint = rows.new_zeros(parts(), *rows.shape)
    joint[place().rank] = rows.detach()
    add_up(joint)
    return joint.flatten(0, 1)[:count]


def of_first(value: Tensor) -> Tensor:
    """What has rank 0's `value` as its mean over ranks."""
    if parts() == 1:
        return value
    return value * parts() if leads() else torch.zeros_like(value)


def means(values: dict[str, Tensor]) -> dict[str, Tensor]:
    """The mean over ranks of every scalar that a step logged; after the step, and all ranks ask at once."""
    world = place().world
    if world == 1 or not values:
        return values
    device = next(iter(values.values())).device
    joint = torch.stack([value.detach().to(device, torch.float32) for value in values.values()])
    add_up(joint)
    return dict(zip(values, joint / world, strict=True))


def alike(tensors: Sequence[Tensor]) -> None:
    """Let `tensors` be rank 0's on all ranks."""
    if place().world == 1:
        return
    import torch.distributed as dist

    anyone(False)  # rank 0 may come late
    with heard():
        for tensor in tensors:
            sent = tensor.detach().contiguous()
            dist.broadcast(sent, src=0)
            tensor.detach().copy_(sent)
