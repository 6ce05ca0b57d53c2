"""Our side: the same networks under our loop, objectives and batches, as a run has them.

What differs from the peers, and is the point: images are uint8 in memory, gathered by index; weights are
channels_last; Adam is fused; the generated batch is made once for both players, and D is frozen in G's step.
What is computed differs in four ways, none of which saves work: losses are means over the batch where the
examples' VAE sums (Adam does not see a factor); a sigmoid of a logit is never formed, its logarithm is; D
moves before G; and the averaged weights, which the peers do not have, are kept up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import Tensor, nn

from genlab.experiment.acceleration import accelerate
from genlab.experiment.build import build_model, build_objective, build_observation, build_state
from genlab.experiment.runner import load_data, make_batches
from genlab.experiment.schema import Experiment, Training
from genlab.functional.gaussian import DiagonalGaussian
from genlab.networks.model import GAN, VAE
from genlab.networks.prior import StandardNormal
from genlab.nn.norms import BatchNorm
from genlab.randomness import generator
from genlab.recipes import recipe
from genlab.training.fit import advance
from genlab.training.state import Model, State
from side_by_side import networks
from side_by_side.written import Side

FOREVER = 1_000_000  # steps: no schedule ends

DENSE = (
    "network.encoder.kind=mlp", "network.encoder.depth=1", "network.encoder.norm=none",
    "network.encoder.activation=relu", "network.encoder.pixels=unit",
    "network.decoder.kind=mlp", "network.decoder.depth=1", "network.decoder.norm=none",
)  # fmt: skip
# N(x, 4) on [−1, 1] is N(x, 1) on [0, 1], and its ½(Δ/2)² is pythae's "mse", but for a constant
PYTHAE = (f"network.latent_dim={networks.CODE}", "observation.kind=gaussian", "observation.sigma=2",
          "optimizer.learning_rate=1e-4")  # fmt: skip
GAME = ("optimizer.learning_rate=2e-4", "optimizer.beta1=0.5", "optimizer.beta2=0.999",
        "observation.kind=gaussian", f"network.latent_dim={networks.LATENT}")  # fmt: skip

EXPERIMENTS: dict[str, tuple[str, ...]] = {
    "examples-vae": ("vae", *DENSE, "network.latent_dim=20", "network.encoder.hidden=400",
                     "network.decoder.hidden=400", "optimizer.learning_rate=1e-3"),
    "pythae-mlp": ("vae", *DENSE, *PYTHAE, "network.encoder.hidden=512", "network.decoder.hidden=512"),
    "pythae-conv": ("vae", *PYTHAE),
    "pytorch-gan": ("gan", *GAME),
    "pytorch-gan-dcgan": ("gan", *GAME, "data.size=32"),
    "examples-dcgan": ("gan", *GAME, "data.size=64"),
    "recipe-vae": ("vae",),
    "recipe-gan": ("gan",),
}  # fmt: skip


def norm(channels: int, eps: float) -> nn.Module:
    return BatchNorm(channels, eps=eps)


class Generator(nn.Module):
    """A peer's layers in the place of a `Decoder`: (B, Z) -> raw (B, C, H, W)."""

    def __init__(self, layers: nn.Sequential, latent_dim: int) -> None:
        super().__init__()
        self.layers, self.latent_dim = layers, latent_dim

    def forward(self, latents: Tensor) -> Tensor:
        return self.layers(latents)  # type: ignore[no-any-return]


class Critic(nn.Module):
    """A peer's layers in the place of a `Discriminator`: (B, C, H, W) -> logits (B,)."""

    pack = 1

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images).squeeze(1)  # type: ignore[no-any-return]


class ConvEncoder(nn.Module):
    """pythae's layers in the place of an `Encoder`; it sees pixels in [0, 1], as there."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = networks.conv_trunk(norm)
        self.head = nn.Linear(1024, 2 * networks.CODE)

    def forward(self, images: Tensor) -> DiagonalGaussian:
        return DiagonalGaussian(*self.head(self.trunk((images + 1) / 2)).chunk(2, dim=1))


def built(name: str, experiment: Experiment, shape: tuple[int, int, int]) -> Model:
    """The model of `experiment`, or the peer's layers in its family."""
    observation, prior = build_observation(experiment.observation), StandardNormal(networks.LATENT)
    match name:
        case "pytorch-gan":
            pair = networks.dense_generator(norm), networks.dense_discriminator()
        case "pytorch-gan-dcgan":
            pair = networks.upsampling_generator(norm), networks.dropout_discriminator(norm)
        case "examples-dcgan":
            pair = networks.transposed_generator(norm), networks.strided_discriminator(norm)
        case "pythae-conv":
            decoder = cast(Any, Generator(networks.conv_decoder(norm), networks.CODE))
            prior = StandardNormal(networks.CODE)
            return last_channels(VAE(cast(Any, ConvEncoder()), decoder, prior, observation))
        case _:
            return build_model(experiment, shape)
    if name != "pytorch-gan":
        for network in pair:
            networks.deviate(network)
    generator, critic = Generator(pair[0], networks.LATENT), Critic(pair[1])
    return last_channels(GAN(cast(Any, generator), cast(Any, critic), prior, observation))


def last_channels(model: Model) -> Model:
    """As `build_model` leaves its models."""
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def ours(name: str, batch: int, limit: int | None = None, seed: int = 0) -> tuple[Side, State]:
    """Our side of `name`. `limit`: at most so many images, which is quicker to begin with."""
    experiment = configured(name, batch, limit, seed)
    dataset = load_data(experiment)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = built(name, experiment, dataset.shape)
    state = build_state(experiment, model)
    objective = build_objective(experiment.objective)
    batches = make_batches(experiment, dataset, objective)

    def steps() -> Iterator[int]:
        while True:
            due = state.step % experiment.training.log_every == 0  # as a run does
            advance(state, objective, batches, FOREVER, experiment.training.seed, logs=due, looks=due)
            yield batch

    def draw(count: int) -> Tensor:
        """The averaged weights', of z ~ N(0, I)."""
        averaged = cast(Model, state.averaged.model)
        with torch.inference_mode():
            latents = averaged.latents(count, generator(experiment.training.seed, "looks"))
            return torch.cat([averaged.decode(some) for some in latents.split(1000)])

    trained = [module for modules in model.parts().values() for module in modules]
    return Side(networks.count(*trained), steps(), draw), state


def configured(name: str, batch: int, limit: int | None = None, seed: int = 0) -> Experiment:
    first, *settings = EXPERIMENTS[name]
    settings += [f"training.batch_size={batch}", f"training.seed={seed}"]
    if limit is not None:
        settings.append(f"data.limit={limit}")
    return recipe(first, *settings)


def compile_in_place(state: State) -> None:
    """What `--compile` does to a run."""
    accelerate(state, Training(compile=True))
