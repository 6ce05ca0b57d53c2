"""Networks that genlab does not have, to hold its own against: alike in all but one part, which stands in the
own part's place while a trial lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

from torch import nn

from genlab.nn.blocks import Plan, Wrap

Parts = dict[str, Callable[..., Any]]


def transposed(inputs: int, outputs: int) -> nn.Module:
    """(B, inputs, H, W) -> (B, outputs, 2H, 2W) by a transposed 4×4 convolution, as DCGAN has it."""
    return nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1)


def strided(inputs: int, outputs: int, wrap: Wrap) -> nn.Module:
    """(B, inputs, H, W) -> (B, outputs, H/2, W/2) by a 4×4 convolution of stride 2."""
    return wrap(nn.Conv2d(inputs, outputs, 4, stride=2, padding=1))


def planned(stages: int, shape: tuple[int, int, int], width: int) -> Plan:
    """As `genlab.nn.blocks.plan`, in so many halvings."""
    height, width_px = (-(-side >> stages) for side in shape[1:])
    return Plan(stages, (height, width_px), tuple(width * min(8, 2**i) for i in range(stages)))


def plans(doublings: int | None = None, halvings: int | None = None) -> Parts:
    """So many doublings in the decoder, and so many halvings where images are judged or encoded."""
    stages = {"genlab.networks.decoder.plan": doublings, "genlab.nn.trunk.plan": halvings}
    return {name: partial(planned, number) for name, number in stages.items() if number}


VARIANTS: dict[str, Parts] = {
    "": {},
    "transposed": {"genlab.networks.decoder.up": transposed, "genlab.nn.trunk.down": strided},
    "one": plans(1, 1),
    "three": plans(3, 3),
    "three doublings": plans(doublings=3),
    "three halvings": plans(halvings=3),
}


@contextmanager
def standing(variant: str) -> Iterator[None]:
    """Let networks that are made meanwhile have the parts of a variant."""
    with ExitStack() as stack:
        for name, part in VARIANTS[variant].items():
            stack.enter_context(patch(name, part))
        yield
