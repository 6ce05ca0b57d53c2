"""A decoder changes hands: from a VAE to a GAN, whose generator it becomes, and back again.

The copy is strict (every tensor, every shape) and comes with a receipt that anyone can check.
"""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass

import torch
from torch import nn

from genlab.errors import UserError
from genlab.experiment import schema
from genlab.experiment.inheriting import inherit as inherit
from genlab.networks.decoder import Decoder
from genlab.networks.flow import Flow
from genlab.networks.model import Generative
from genlab.networks.observation import Observation
from genlab.networks.prior import GaussianMixture
from genlab.randomness import generator
from genlab.training.checkpoint import fill
from genlab.training.ema import tensors

PROBES = 64  # latents on which the two are compared


@dataclass(frozen=True)
class Receipt:
    """What was copied, and that the copy draws the same images.

    `max_difference` is max |G(z) − Dec(z)| over `PROBES` latents in the mode that generates;
    `reloaded_difference` the same once the GAN was saved and read back; `training_difference` in the mode
    that trains, where batch statistics take the place of running ones. All in units of images in [−1, 1].
    Where the discriminator's trunk began as the encoder's: its tensors, and `trunk_difference`,
    the largest between features of the two on the probes' images.
    """

    source: str
    weights: str
    tensors: int
    parameters: int
    max_difference: float
    training_difference: float
    reloaded_difference: float | None = None
    trunk_tensors: int | None = None
    trunk_difference: float | None = None

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def with_prior(
    experiment: schema.Experiment, fitted: GaussianMixture | Flow, source: str
) -> schema.Experiment:
    """`experiment` with the settings of the prior that was fitted to `source`'s codes.

    Raises UserError where that is of another kind than the one asked for.
    """
    flow = isinstance(fitted, Flow)
    asked, kind = experiment.network.prior.kind, "flow" if flow else "mixture"
    if asked != kind:
        raise UserError(
            f"the prior fitted to {source} is a {kind}, not a {asked}: set network.prior.kind={kind}, or fit "
            f"the other with `genlab fit-prior {source} --kind {asked}`"
        )
    sizes = fitted.sizes if isinstance(fitted, Flow) else {"components": len(fitted.weights)}
    prior = experiment.network.prior.model_copy(update=sizes)
    network = experiment.network.model_copy(update={"prior": prior})
    return experiment.model_copy(update={"network": network})


def adopt(target: Generative, source: Generative, name: str, weights: str) -> Receipt:
    """Copy `source`'s decoder into `target`'s and check the copy. `weights` says which of the source's they
    are ("averaged" or "raw"), for the receipt.

    Raises UserError where the two decoders or observations are not of one make.
    """
    theirs, mine = source.decoder, target.decoder
    if theirs.shape != mine.shape or theirs.latent_dim != mine.latent_dim:
        raise UserError(
            f"{name} decodes {theirs.latent_dim} latents to {theirs.shape} and the new model "
            f"{mine.latent_dim} to {mine.shape}; leave latent_dim and the data as the run has them"
        )
    seen, sees = kind(source.observation), kind(target.observation)
    if seen != sees:
        raise UserError(
            f"{name} reads its decoder's output as {seen} and the new model as {sees}; "
            "leave the observation as the run has it"
        )
    fill(mine, {f"decoder/{k}": v for k, v in tensors(theirs).items()}, "decoder/", f"the decoder of {name}")
    target.observation.load_state_dict(source.observation.state_dict(), strict=True)  # type: ignore[attr-defined]
    return Receipt(
        source=name,
        weights=weights,
        tensors=len(tensors(mine)),
        parameters=sum(p.numel() for p in mine.parameters()),
        max_difference=difference(target, source),
        training_difference=training_difference(source),
    )


def adopt_trunk(target: Generative, source: Generative, name: str) -> dict[str, int | float]:
    """Copy the trunk of `source`'s encoder into `target`'s discriminator: the receipt's lines on it.

    Raises UserError where the two trunks are not of one make.
    """
    theirs, mine = encoder_trunk(source), target.get_submodule("discriminator.trunk")
    fill(mine, {f"trunk/{k}": v for k, v in tensors(theirs).items()}, "trunk/", f"the encoder of {name}")
    return {"trunk_tensors": len(tensors(mine)), "trunk_difference": trunk_difference(source, mine, theirs)}


def encoder_trunk(model: Generative) -> nn.Module:
    """Of two stochastic layers' encoder, that of the first."""
    encoder = model.get_submodule("encoder")
    return getattr(encoder, "first", encoder).get_submodule("trunk")


@torch.no_grad()
def trunk_difference(model: Generative, a: nn.Module, b: nn.Module) -> float:
    """max |a(x) − b(x)| over the images that `model` decodes from the probes, in the mode that generates."""
    images = copy.deepcopy(model).eval().decode(probes(model.decoder).to(model.device))
    mine, theirs = (copy.deepcopy(trunk).eval() for trunk in (a, b))
    return float((mine(images) - theirs(images)).abs().max())


def kind(observation: Observation) -> str:
    """What decides, tensors aside, which image a raw output becomes."""
    name = type(observation).__name__
    return f"linear {name}" if getattr(observation, "linear", False) else name


@torch.no_grad()
def difference(a: Generative, b: Generative) -> float:
    """max |a(z) − b(z)| over the probes, both in the mode that generates."""
    latents = probes(a.decoder).to(a.device)
    modes = a.training, b.training
    a.eval(), b.eval()
    largest = (a.decode(latents) - b.decode(latents)).abs().max().item()
    a.train(modes[0]), b.train(modes[1])
    return largest


@torch.no_grad()
def training_difference(model: Generative) -> float:
    """max |model(z) in training mode − in evaluation mode|: what batch statistics change."""
    trained, latents = copy.deepcopy(model).train(), probes(model.decoder).to(model.device)
    evaluated = copy.deepcopy(model).eval()
    return (trained.decode(latents) - evaluated.decode(latents)).abs().max().item()


def probes(decoder: Decoder) -> torch.Tensor:
    return torch.randn(PROBES, decoder.latent_dim, generator=generator(0, "probes"))
