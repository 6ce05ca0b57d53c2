"""The exercise on the hand-over: what makes a generator the decoder's equal and yet a network of its own."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from genlab.lessons.exercises.laws import Judgement
from genlab.networks.decoder import Decoder
from genlab.training.ema import tensors

LATENTS, SHAPE = 3, (1, 8, 8)
PASSED = (
    "G(z) = Dec(z) for 64 draws of z, with no difference",
    "every tensor is there, the running statistics too",
    "the two are two: what the generator learns leaves the decoder as it is",
)
Images = Callable[[Tensor], Tensor]


def small_decoder(seed: int) -> Decoder:
    """A decoder that looks trained: none of its tensors is what it began with."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = Decoder(LATENTS, SHAPE, width=2, hidden=8, depth=1)
        for name, tensor in tensors(made).items():
            low = 0.5 if name.endswith("running_var") else -0.5
            tensor.data += low + torch.rand(tensor.shape)
    return made.eval()


def judge(function: Callable[..., Any]) -> Judgement:
    """Raises whatever `function` raises."""
    decoder, generator = small_decoder(1), small_decoder(2)
    before, other = copy.deepcopy(decoder), copy.deepcopy(generator)
    made = function(decoder, generator)
    wrong = (
        no_network(made)
        or changed(decoder, before, other)
        or shared(made, decoder)
        or different(made, decoder, other)
        or frozen(made)
    )
    return Judgement([wrong]) if wrong else Judgement(passed=list(PASSED))


def no_network(made: object) -> str:
    if made is None:
        return "it returns nothing: return the generator that the GAN begins with"
    if not isinstance(made, nn.Module):
        kind = type(made).__name__
        return f"it returns {kind}, and a network (an nn.Module) is asked for: return the generator"
    return ""


def changed(decoder: nn.Module, before: nn.Module, other: nn.Module) -> str:
    """Whether the decoder has changed."""
    if same(decoder, before):
        return ""
    if same(decoder, other):
        return "the copy went the wrong way: the decoder has taken the new generator's weights"
    return "the decoder is not what it was: copy from it, and leave it as it is"


def shared(made: nn.Module, decoder: nn.Module) -> str:
    theirs = {tensor.data_ptr() for tensor in tensors(decoder).values()}
    if any(tensor.data_ptr() in theirs for tensor in tensors(made).values()):
        return (
            "the generator is the decoder itself (or has its very tensors), not a copy: training the one "
            "would move the other. Copy the values, with load_state_dict or copy.deepcopy"
        )
    return ""


def different(made: nn.Module, decoder: nn.Module, other: nn.Module) -> str:
    if difference(made, decoder) == 0:
        return ""
    mine, theirs, fresh = tensors(made), tensors(decoder), tensors(other)
    if mine.keys() != theirs.keys():
        return (
            "it draws other images than the decoder, and its tensors have other names: return one of its make"
        )
    missing = [name for name in theirs if not torch.equal(mine[name], theirs[name])]
    learned = [name for name, _ in decoder.named_parameters()]
    if all(torch.equal(mine[name], fresh[name]) for name in theirs):
        return (
            "nothing was copied: the generator has the weights that it began with. (A load with strict=False "
            "whose names do not match copies nothing, and does not say so)"
        )
    if not set(missing) & set(learned):
        return (
            "the parameters are copied and the buffers are not: batch normalisation's running mean and "
            f"variance ({missing[0]} and others) decide what the generator draws. state_dict() has both"
        )
    if set(learned) <= set(missing):
        return "the buffers are copied and the parameters are not: state_dict() has both"
    return f"{len(missing)} of {len(theirs)} tensors are not the decoder's, {missing[0]} among them"


def frozen(made: nn.Module) -> str:
    if all(parameter.requires_grad for parameter in made.parameters()):
        return ""
    return "the generator can't learn: some of its parameters have requires_grad=False"


def same(a: nn.Module, b: nn.Module) -> bool:
    mine, theirs = tensors(a), tensors(b)
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


@torch.no_grad()
def difference(made: nn.Module, decoder: nn.Module) -> float:
    """max |G(z) − Dec(z)| of raw images, in the mode that generates."""
    z = torch.randn(64, LATENTS, generator=torch.Generator().manual_seed(0))
    mine, theirs = made.eval()(z), decoder.eval()(z)
    if not isinstance(mine, Tensor) or mine.shape != theirs.shape:
        return float("inf")
    return float((mine - theirs).abs().max())
