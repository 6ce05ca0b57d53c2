"""Small trainings with the reader's own function in the place of the lab's: a few seconds each."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from genlab.data.batches import to_float
from genlab.data.source import load
from genlab.functional.adversarial import zero_centred_penalty
from genlab.functional.gaussian import DiagonalGaussian
from genlab.functional.likelihood import bernoulli_nll
from genlab.lessons.exercises import right
from genlab.lessons.work.optimum import FAKE, GRID, REAL, expected_loss, optimal_logit
from genlab.metrics.frechet import frechet_distance
from genlab.networks.decoder import Decoder
from genlab.networks.discriminator import Discriminator
from genlab.networks.encoder import Encoder
from genlab.nn.trunk import Trunk

LATENTS, BATCH = 8, 100
TRAIN, TEST = 5000, 500
Draw = Callable[[Tensor, Tensor, Tensor], Tensor]
Loss = Callable[..., Tensor]


class Learned(NamedTuple):
    """What became of a small training: a sentence, and whether it learned anything."""

    sentence: str
    learned: bool


def mnist() -> tuple[Tensor, Tensor]:
    """Training and test images, (N, 1, 28, 28) in [−1, 1]."""
    data = load("mnist")
    return tuple(  # type: ignore[return-value]
        to_float(torch.from_numpy(split.pixels[:count]))
        for split, count in ((data.train, TRAIN), (data.test, TEST))
    )


class SmallVAE(nn.Module):
    """Images (B, 1, 28, 28) -> the decoder's logits, and q. Dense, so that a step takes milliseconds."""

    def __init__(self, decoder: Decoder | None = None) -> None:
        super().__init__()
        trunk = Trunk((1, 28, 28), kind="mlp", hidden=128, depth=1, norm="none")
        self.encoder = Encoder(trunk, LATENTS)
        self.decoder = decoder or Decoder(LATENTS, (1, 28, 28), kind="mlp", hidden=128, depth=1, norm="none")

    def forward(self, images: Tensor, draw: Draw = right.reparameterize) -> tuple[Tensor, DiagonalGaussian]:
        q = self.encoder(images)
        return self.decoder(draw(q.mean, q.log_var, torch.randn_like(q.mean))), q


def vae(
    draw: Draw = right.reparameterize, kl: Loss = right.kl_divergence, elbo: Loss | None = None
) -> Learned:
    """A VAE on MNIST, whose ELBO on test images is measured by the lab's own functions before and after."""
    torch.manual_seed(0)
    train, test = mnist()
    model, steps = SmallVAE(), 200
    before = measured(model, test)

    def loss(images: Tensor) -> Tensor:
        raw, q = model(images, draw)
        pixels = (images + 1) / 2
        if elbo is not None:
            return -elbo(raw, pixels, q.mean, q.log_var).mean()
        return (bernoulli_nll(raw, pixels) + kl(q.mean, q.log_var)).mean()

    descend(list(model.parameters()), loss, train, steps)
    after = measured(model, test)
    told = f"ELBO on test images {before:.1f} before, {after:.1f} nats after {steps} steps"
    return Learned(f"a small VAE with it: {told}", after > before + 100)


@torch.no_grad()
def measured(model: SmallVAE, images: Tensor) -> float:
    raw, q = model(images)
    return float(right.elbo(raw, (images + 1) / 2, q.mean, q.log_var).mean())


def descend(parameters: list[Tensor], loss: Callable[[Tensor], Tensor], train: Tensor, steps: int) -> None:
    optimizer = torch.optim.Adam(parameters, 2e-3)
    for _ in range(steps):
        update(optimizer, loss(train[torch.randint(len(train), (BATCH,))]))


class Critic(nn.Module):
    """(B, 1) -> logits (B,)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(1, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2))
        self.head = nn.Linear(64, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layers(x)).squeeze(1)  # type: ignore[no-any-return]


def discriminator(loss: Loss) -> Learned:
    """A discriminator of two Gaussians, whose optimum is known."""
    torch.manual_seed(0)
    critic, steps = Critic(), 400
    optimizer = torch.optim.Adam(critic.parameters(), 3e-3)
    before = on_the_grid(critic)
    for _ in range(steps):
        update(optimizer, loss(critic, torch.randn(256, 1) + REAL, torch.randn(256, 1) + FAKE))
    after, least = on_the_grid(critic), expected_loss(optimal_logit(GRID))
    told = (
        f"expected loss {before:.3f} before, {after:.4f} nats after {steps} steps; p/(p + q) has {least:.4f}"
    )
    return Learned(f"a small discriminator of two Gaussians with it: {told}", after < least + 0.05)


@torch.no_grad()
def on_the_grid(critic: nn.Module) -> float:
    return expected_loss(critic(GRID.float().unsqueeze(1)).double())


def generator(loss: Loss) -> Learned:
    """A generator that is to draw from N(2, ½²), against a discriminator that descends the lab's own loss."""
    torch.manual_seed(0)
    made, critic, steps = nn.Sequential(nn.Linear(1, 32), nn.ReLU(), nn.Linear(32, 1)), Critic(), 400
    players = [torch.optim.Adam(each.parameters(), 2e-3, betas=(0.5, 0.9)) for each in (critic, made)]
    before = away(made)
    for _ in range(steps):
        real, fake = 2 + 0.5 * torch.randn(128, 1), made(torch.randn(128, 1))
        update(players[0], right.discriminator_loss(critic, real, fake) + zero_centred_penalty(critic, real))
        update(players[1], loss(critic, fake))
    after = away(made)
    told = f"Fréchet distance from N(2, ½²) {before:.2f} before, {after:.3f} after {steps} steps"
    return Learned(f"a small GAN with it: {told}", after < before / 4)


@torch.no_grad()
def away(made: nn.Module) -> float:
    """The Fréchet distance of what is drawn from N(2, ½²): (μ − 2)² + (σ − ½)²."""
    drawn = made(torch.randn(4000, 1))
    return float((drawn.mean() - 2).square() + (drawn.std() - 0.5).square())


def handed_over(function: Callable[..., Any]) -> Learned:
    """A small VAE's decoder becomes a generator, which is then trained against a discriminator."""
    torch.manual_seed(0)
    train, test = mnist()
    decoder, fresh = (Decoder(LATENTS, (1, 28, 28), width=8, hidden=64, depth=1) for _ in range(2))
    model, steps = SmallVAE(decoder), 40

    def loss(images: Tensor) -> Tensor:
        raw, q = model(images)
        return -right.elbo(raw, (images + 1) / 2, q.mean, q.log_var).mean()

    descend(list(model.parameters()), loss, train, 200)
    alone = copy.deepcopy(fresh)
    made = function(decoder.eval(), fresh)
    before, start = distance(alone, test), distance(made, test)
    for each in (alone, made):
        play(each, train, steps)
    told = (
        f"Fréchet distance to test images, on coarse pixels, {start:.1f} at its first step and "
        f"{distance(made, test):.1f} after {steps}; with random weights {before:.1f} and "
        f"{distance(alone, test):.1f}"
    )
    return Learned(f"a small GAN that begins so: {told}", start < before / 2)


@torch.no_grad()
def distance(made: nn.Module, test: Tensor) -> float:
    """The Fréchet distance between 7×7 means of samples and of test images, as many of each."""
    z = torch.randn(len(test), LATENTS, generator=torch.Generator().manual_seed(0))
    samples = torch.tanh(made.eval()(z) / 2)
    coarse = (nn.functional.avg_pool2d(each, 4).flatten(1) for each in (samples, test))
    return frechet_distance(*coarse)


def play(made: nn.Module, train: Tensor, steps: int) -> None:
    """The game, by the lab's own losses."""
    critic = Discriminator(Trunk((1, 28, 28), width=8, norm="none"))
    players = [torch.optim.Adam(each.parameters(), 5e-4, betas=(0.0, 0.99)) for each in (critic, made)]
    made.train()
    for _ in range(steps):
        real = train[torch.randint(len(train), (64,))]
        fake = torch.tanh(made(torch.randn(64, LATENTS)) / 2)
        update(players[0], right.discriminator_loss(critic, real, fake))
        update(players[1], right.generator_loss(critic, fake))


def update(player: torch.optim.Optimizer, losses: Tensor) -> None:
    player.zero_grad()
    losses.mean().backward()
    player.step()


TRAININGS: dict[str, Callable[[Callable[..., Any]], Learned]] = {
    "reparameterize": lambda function: vae(draw=function),
    "kl-divergence": lambda function: vae(kl=function),
    "elbo": lambda function: vae(elbo=function),
    "discriminator-loss": discriminator,
    "generator-loss": generator,
    "decoder-as-generator": handed_over,
}
