"""From a config to the objects it names: the catalogue of parts, and `build`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import nn

from genlab.data.dataset import Dataset
from genlab.experiment import schema
from genlab.networks.decoder import Decoder
from genlab.networks.discriminator import Discriminator
from genlab.networks.encoder import Encoder
from genlab.networks.flow import Flow
from genlab.networks.model import GAN, VAE, VAEGAN
from genlab.networks.observation import (
    Bernoulli,
    ContinuousBernoulli,
    DiscretisedLogistic,
    Gaussian,
    Observation,
)
from genlab.networks.prior import GaussianMixture, Prior, StandardNormal
from genlab.networks.two_layers import Conditional, TwoLayerEncoder, TwoLayerPrior
from genlab.nn.blocks import glorot
from genlab.nn.trunk import Trunk
from genlab.objectives.adversarial import Adversarial, Penalties
from genlab.objectives.base import Objective
from genlab.objectives.elbo import Elbo, Warmup
from genlab.objectives.hybrid import Hybrid
from genlab.objectives.importance import ImportanceWeighted
from genlab.randomness import derive_seed
from genlab.training.optim import AdamSettings
from genlab.training.state import Model, State, new_state

Shape = tuple[int, int, int]
Part = TypeVar("Part", bound=nn.Module)


def build_encoder(network: schema.Network, shape: Shape) -> Encoder | TwoLayerEncoder:
    settings = network.encoder
    trunk = Trunk(shape, **settings.model_dump(exclude={"init", "pixels"}))
    encoder = Encoder(trunk, network.latent_dim, unit=settings.pixels == "unit")
    if network.second_latent == 0:
        return initialised(encoder, settings.init)
    second = _conditional(network, network.latent_dim, network.second_latent, settings.activation)
    return initialised(TwoLayerEncoder(encoder, second), settings.init)


def _conditional(network: schema.Network, inputs: int, outputs: int, activation: str) -> Conditional:
    hidden, depth = network.second_hidden, network.second_depth
    return Conditional(inputs, outputs, hidden=hidden, depth=depth, activation=activation)


def build_decoder(network: schema.Network, shape: Shape) -> Decoder:
    settings = network.decoder.model_dump(exclude={"init", "mean_bias"})
    return initialised(Decoder(network.latent_dim, shape, **settings), network.decoder.init)


def initialised(part: Part, init: str) -> Part:
    if init == "glorot":
        glorot(part)
    return part


def build_discriminator(network: schema.Network, shape: Shape) -> Discriminator:
    (channels, *sides), pack = shape, network.discriminator.pack
    settings = network.discriminator.model_dump(exclude={"pack", "weights"})
    trunk = Trunk((pack * channels, *sides), **settings)  # type: ignore[arg-type]
    return Discriminator(trunk, spectral=network.discriminator.spectral, pack=pack)


def build_prior(network: schema.Network, shape: Shape) -> Prior:
    """What z is drawn from; a flow and a mixture are N(0, I) until they are trained or filled."""
    size, prior, second = network.latent_dim, network.prior, network.second_latent
    if second:
        decoder = network.decoder
        given = _conditional(network, second, size, decoder.activation)
        return initialised(TwoLayerPrior((size, second), given), decoder.init)
    match prior.kind:
        case "normal":
            return StandardNormal(size)
        case "flow":
            return Flow(size, prior.layers, prior.hidden)
        case "mixture":
            weights = torch.full((prior.components,), 1 / prior.components)
            scales = torch.eye(size).repeat(prior.components, 1, 1)
            return GaussianMixture(weights, torch.zeros(prior.components, size), scales)


def build_observation(observation: schema.Observation) -> Observation:
    match observation.kind:
        case "bernoulli":
            return Bernoulli()
        case "continuous-bernoulli":
            return ContinuousBernoulli()
        case "gaussian":
            return Gaussian(observation.sigma, learned=observation.learn_sigma, linear=observation.linear)
        case "discretised-logistic":
            return DiscretisedLogistic(observation.sigma)


def build_model(experiment: schema.Experiment, shape: Shape) -> Model:
    """The model of `experiment` for images of `shape` (C, H, W), weights drawn from the training seed.

    Each part has a stream of its own, so that a VAE's decoder and a GAN's generator of one seed begin
    equal, whatever stands beside them.
    """
    network, seed = experiment.network, experiment.training.seed

    def drawn(part: str) -> Any:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive_seed(seed, f"weights/{part}"))
            return BUILDERS[part](network, shape)

    prior: Prior = drawn("prior")
    observation = build_observation(experiment.observation)
    match experiment.family:
        case "vae":
            model: Model = VAE(drawn("encoder"), drawn("decoder"), prior, observation)
        case "gan":
            model = GAN(drawn("decoder"), drawn("discriminator"), prior, observation)
        case "vaegan":
            encoder, decoder, critic = (drawn(part) for part in ("encoder", "decoder", "discriminator"))
            model = VAEGAN(encoder, decoder, critic, prior, observation)
    model.to(experiment.training.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model


BUILDERS: dict[str, Callable[[schema.Network, Shape], Any]] = {
    "encoder": build_encoder,
    "decoder": build_decoder,
    "discriminator": build_discriminator,
    "prior": build_prior,
}


def build_objective(objective: schema.Objective) -> Objective:
    match objective:
        case schema.Elbo():
            return Elbo(_warmup(objective), objective.free_bits, objective.gradient, objective.drawn)
        case schema.Importance():
            return ImportanceWeighted(
                objective.samples, objective.bound, objective.gradient, _warmup(objective)
            )
        case schema.Adversarial():
            steps, warmup = objective.discriminator_steps, objective.discriminator_warmup
            return Adversarial(objective.loss, _penalties(objective), steps, warmup, objective.augment)
        case schema.Hybrid():
            weights = objective.model_dump(include={"feature_weight", "pixel_weight", "deceit", "beta"})
            return Hybrid(objective.loss, penalties=_penalties(objective), **weights)


def _warmup(objective: schema.Warmed) -> Warmup:
    return Warmup(objective.beta, objective.warmup_steps, objective.warmup)


def _penalties(objective: schema.Penalised) -> Penalties:
    return Penalties(objective.r1, objective.r2, objective.wasserstein_penalty)


def build_state(experiment: schema.Experiment, model: Model) -> State:
    """The state at step 0: an optimizer per part; the discriminator's rate may be its own."""
    chosen = experiment.optimizer

    def settings(rate: float) -> AdamSettings:
        return AdamSettings(rate, (chosen.beta1, chosen.beta2), chosen.eps, chosen.final, chosen.schedule)

    rates = dict.fromkeys(model.parts(), chosen.learning_rate)
    if chosen.discriminator_rate is not None and "discriminator" in rates:
        rates["discriminator"] = chosen.discriminator_rate
    return new_state(model, {part: settings(rate) for part, rate in rates.items()}, experiment.training.ema)


def begin_at_mean(experiment: schema.Experiment, state: State, dataset: Dataset) -> None:
    """Where the config asks for it, let every z decode to the mean of the training images, each pixel's
    probability kept away from 0 and 1. Burda et al. (2016) begin so."""
    if not experiment.network.decoder.mean_bias:
        return
    mean = torch.from_numpy(dataset.train.mean() / 255).clamp(0.001, 0.999)
    for model in (state.model, state.averaged.model):
        model.decoder.begin_at(torch.logit(mean))  # type: ignore[operator, union-attr]
