"""The exercise on the hand-over: copies that are one, and those that only look like it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from genlab.lessons.exercises.handing_over import difference, judge, small_decoder
from genlab.training.ema import tensors


def loaded(decoder: nn.Module, generator: nn.Module) -> nn.Module:
    generator.load_state_dict(decoder.state_dict())
    return generator


def parameters_alone(decoder: nn.Module, generator: nn.Module) -> nn.Module:
    generator.load_state_dict(dict(decoder.named_parameters()), strict=False)
    return generator


def buffers_alone(decoder: nn.Module, generator: nn.Module) -> nn.Module:
    generator.load_state_dict(dict(decoder.named_buffers()), strict=False)
    return generator


def nothing(decoder: nn.Module, generator: nn.Module) -> nn.Module:
    renamed = {f"decoder.{name}": tensor for name, tensor in decoder.state_dict().items()}
    generator.load_state_dict(renamed, strict=False)
    return generator


def wrong_way(decoder: nn.Module, generator: nn.Module) -> nn.Module:
    decoder.load_state_dict(generator.state_dict())
    return generator


def same_tensors(decoder: nn.Module, generator: nn.Module) -> nn.Module:
    for mine, theirs in zip(generator.parameters(), decoder.parameters(), strict=True):
        mine.data = theirs.data
    return generator


def one_layer(decoder: nn.Module, generator: nn.Module) -> nn.Module:
    name, tensor = next(iter(decoder.state_dict().items()))
    generator.load_state_dict({name: tensor}, strict=False)
    return generator


def never_learns(decoder: nn.Module, generator: nn.Module) -> nn.Module:
    return loaded(decoder, generator).requires_grad_(False)


def no_return(decoder: nn.Module, generator: nn.Module) -> None:
    generator.load_state_dict(decoder.state_dict())


@pytest.mark.parametrize("right", [loaded, lambda decoder, generator: copy.deepcopy(decoder)])
def test_copies_pass(right: Callable[..., Any]) -> None:
    judged = judge(right)
    assert judged.wrong == []
    assert len(judged.passed) == 3


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda decoder, generator: decoder, "the decoder itself"),
        (same_tensors, "its very tensors"),
        (parameters_alone, "the buffers are not"),
        (buffers_alone, "the parameters are not"),
        (nothing, "nothing was copied"),
        (lambda decoder, generator: generator, "nothing was copied"),
        (wrong_way, "the wrong way"),
        (one_layer, "tensors are not the decoder's"),
        (never_learns, "requires_grad"),
        (no_return, "returns nothing"),
        (lambda decoder, generator: decoder.state_dict(), "OrderedDict"),
        (lambda decoder, generator: nn.Linear(3, 64), "other names"),
        (lambda decoder, generator: decoder.requires_grad_(False).layers.apply(zero), "is not what it was"),
    ],
)
def test_every_mistake_is_named(wrong: Callable[..., Any], said: str) -> None:
    (sentence,) = judge(wrong).wrong
    assert said in sentence


def zero(layer: nn.Module) -> None:
    for parameter in layer.parameters():
        parameter.data.zero_()


def test_two_decoders_differ_in_every_tensor_and_draw_other_images() -> None:
    """Where they had one in common, a copy without it would pass."""
    one, other = small_decoder(1), small_decoder(2)
    assert not [name for name, tensor in tensors(one).items() if torch.equal(tensor, tensors(other)[name])]
    assert difference(parameters_alone(one, other), one) > 0.01
