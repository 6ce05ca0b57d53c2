"""From a config to the objects it names: the catalogue of parts, and `build`."""

from __future__ import annotations

import torch
from torch import nn

from genlab.experiment import schema
from genlab.networks.decoder import Decoder
from genlab.networks.discriminator import Discriminator
from genlab.networks.encoder import Encoder
from genlab.networks.model import GAN, VAE, VAEGAN
from genlab.networks.observation import Bernoulli, ContinuousBernoulli, Gaussian, Observation
from genlab.networks.prior import GaussianMixture, Prior, StandardNormal
from genlab.nn.trunk import Trunk
from genlab.objectives.adversarial import Adversarial, Penalties
from genlab.objectives.base import Objective
from genlab.objectives.elbo import Elbo, Warmup
from genlab.objectives.hybrid import Hybrid
from genlab.randomness import derive_seed
from genlab.training.optim import AdamSettings
from genlab.training.state import Model, State, new_state

Shape = tuple[int, int, int]


def build_encoder(network: schema.Network, shape: Shape) -> Encoder:
    return Encoder(Trunk(shape, **network.encoder.model_dump()), network.latent_dim)


def build_decoder(network: schema.Network, shape: Shape) -> Decoder:
    return Decoder(network.latent_dim, shape, **network.decoder.model_dump())


def build_discriminator(network: schema.Network, shape: Shape) -> Discriminator:
    (channels, *sides), pack = shape, network.discriminator.pack
    settings = network.discriminator.model_dump(exclude={"pack"})
    trunk = Trunk((pack * channels, *sides), **settings)  # type: ignore[arg-type]
    return Discriminator(trunk, spectral=network.discriminator.spectral, pack=pack)


def build_prior(network: schema.Network) -> Prior:
    size, components = network.latent_dim, network.prior.components
    if network.prior.kind == "normal":
        return StandardNormal(size)
    weights = torch.full((components,), 1 / components)
    return GaussianMixture(weights, torch.zeros(components, size), torch.eye(size).repeat(components, 1, 1))


def build_observation(observation: schema.Observation) -> Observation:
    match observation.kind:
        case "bernoulli":
            return Bernoulli()
        case "continuous-bernoulli":
            return ContinuousBernoulli()
        case "gaussian":
            return Gaussian(observation.sigma, learned=observation.learn_sigma, linear=observation.linear)


def build_model(experiment: schema.Experiment, shape: Shape) -> Model:
    """The model of `experiment` for images of `shape` (C, H, W), weights drawn from the training seed.

    Each part has a stream of its own, so that a VAE's decoder and a GAN's generator of one seed begin
    equal, whatever stands beside them.
    """
    network, seed = experiment.network, experiment.training.seed

    def drawn(part: str) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive_seed(seed, f"weights/{part}"))
            return BUILDERS[part](network, shape)

    prior, observation = build_prior(network), build_observation(experiment.observation)
    match experiment.family:
        case "vae":
            model: Model = VAE(drawn("encoder"), drawn("decoder"), prior, observation)  # type: ignore[arg-type]
        case "gan":
            model = GAN(drawn("decoder"), drawn("discriminator"), prior, observation)  # type: ignore[arg-type]
        case "vaegan":
            encoder, decoder, critic = (drawn(part) for part in ("encoder", "decoder", "discriminator"))
            model = VAEGAN(encoder, decoder, critic, prior, observation)  # type: ignore[arg-type]
    model.to(experiment.training.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model


BUILDERS = {"encoder": build_encoder, "decoder": build_decoder, "discriminator": build_discriminator}


def build_objective(objective: schema.Objective) -> Objective:
    match objective:
        case schema.Elbo():
            warmup = Warmup(objective.beta, objective.warmup_steps, objective.warmup)
            return Elbo(warmup, objective.free_bits)
        case schema.Adversarial():
            return Adversarial(objective.loss, _penalties(objective), objective.discriminator_steps)
        case schema.Hybrid():
            weights = objective.model_dump(include={"feature_weight", "pixel_weight", "deceit", "beta"})
            return Hybrid(objective.loss, penalties=_penalties(objective), **weights)


def _penalties(objective: schema.Penalised) -> Penalties:
    return Penalties(objective.r1, objective.r2, objective.wasserstein_penalty)


def build_state(experiment: schema.Experiment, model: Model) -> State:
    """The state at step 0: an optimizer per part; the discriminator's rate may be its own."""
    chosen = experiment.optimizer

    def settings(rate: float) -> AdamSettings:
        return AdamSettings(rate, (chosen.beta1, chosen.beta2), chosen.eps, chosen.final)

    rates = dict.fromkeys(model.parts(), chosen.learning_rate)
    if chosen.discriminator_rate is not None and "discriminator" in rates:
        rates["discriminator"] = chosen.discriminator_rate
    return new_state(model, {part: settings(rate) for part, rate in rates.items()}, experiment.training.ema)
