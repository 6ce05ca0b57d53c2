"""The peers' training loops, written after their published sources: the same layers, losses, optimisers,
batch sizes, order of work and reads of values. What they do besides (saving pictures, testing) is left out,
which is in their favour; what they print goes nowhere.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Adam

from side_by_side import networks
from side_by_side.loading import Normalize, Resize, ToTensor, loader


class Side(NamedTuple):
    """One side of a comparison: its parameters, steps without end, each yielding its number of images, and
    the images that it would draw now: so many, (N, 1, H, W) in [-1, 1]."""

    parameters: int
    steps: Iterator[int]
    draw: Callable[[int], Tensor] | None = None


def examples_vae(batch: int) -> Side:
    """pytorch/examples, vae/main.py: Adam 1e-3, the loss summed over the batch, its value read at each
    step."""
    model = networks.DenseVAE()
    optimizer = Adam(model.parameters(), lr=1e-3)
    batches = loader(batch, ToTensor())

    def steps() -> Iterator[int]:
        model.train()
        total = 0.0
        while True:
            for index, (images, _) in enumerate(batches):
                optimizer.zero_grad()
                pixels, mean, log_variance = model(images)
                likelihood = F.binary_cross_entropy(pixels, images.view(-1, 784), reduction="sum")
                divergence = -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
                loss = likelihood + divergence
                loss.backward()
                total += loss.item()
                optimizer.step()
                if index % 10 == 0:
                    say(index, loss.item() / len(images))
                yield len(images)

    return Side(networks.count(model), steps())


def pytorch_gan(batch: int) -> Side:
    """eriklindernoren/PyTorch-GAN, implementations/gan/gan.py."""
    generator = nn.Sequential(*networks.dense_generator(networks.rows), nn.Tanh())
    discriminator = nn.Sequential(*networks.dense_discriminator(), nn.Sigmoid())
    return lindernoren(generator, discriminator, 28, batch)


def pytorch_gan_dcgan(batch: int) -> Side:
    """eriklindernoren/PyTorch-GAN, implementations/dcgan/dcgan.py."""
    generator = nn.Sequential(*networks.upsampling_generator(networks.maps), nn.Tanh())
    discriminator = nn.Sequential(*networks.dropout_discriminator(networks.maps), nn.Sigmoid())
    networks.deviate(generator)
    networks.deviate(discriminator)
    return lindernoren(generator, discriminator, 32, batch)


def lindernoren(generator: nn.Module, discriminator: nn.Module, side: int, batch: int) -> Side:
    """The loop of both: G first, through a discriminator that takes gradients too; noise from numpy; both
    losses read at each step."""
    judged = nn.BCELoss()
    of_generator = Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    of_discriminator = Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    batches = loader(batch, Resize(side), ToTensor(), Normalize(0.5, 0.5))

    def steps() -> Iterator[int]:
        while True:
            for index, (images, _) in enumerate(batches):
                valid = torch.FloatTensor(len(images), 1).fill_(1.0)
                fake = torch.FloatTensor(len(images), 1).fill_(0.0)
                real = images.type(torch.FloatTensor)

                of_generator.zero_grad()
                noise = torch.FloatTensor(np.random.normal(0, 1, (len(images), networks.LATENT)))
                made = generator(noise)
                generator_loss = judged(discriminator(made), valid)
                generator_loss.backward()
                of_generator.step()

                of_discriminator.zero_grad()
                real_loss = judged(discriminator(real), valid)
                fake_loss = judged(discriminator(made.detach()), fake)
                discriminator_loss = (real_loss + fake_loss) / 2
                discriminator_loss.backward()
                of_discriminator.step()
                say(index, discriminator_loss.item(), generator_loss.item())
                yield len(images)

    def draw(count: int) -> Tensor:
        """As the script draws what it saves: by the statistics of the batch, the generator as it is."""
        with torch.no_grad():
            return torch.cat(
                [
                    generator(torch.randn(len(some), networks.LATENT))
                    for some in torch.empty(count).split(batch)
                ]
            )

    return Side(networks.count(generator, discriminator), steps(), draw)


def examples_dcgan(batch: int, workers: int = 2) -> Side:
    """pytorch/examples, dcgan/main.py with --dataset mnist: D on real and on fake, each with its own backward
    pass, then G through a discriminator that takes gradients too; five values read at each step; two
    loaders."""
    generator = nn.Sequential(*networks.transposed_generator(networks.maps), nn.Tanh())
    discriminator = nn.Sequential(*networks.strided_discriminator(networks.maps), nn.Sigmoid())
    networks.deviate(generator)
    networks.deviate(discriminator)
    judged = nn.BCELoss()
    of_discriminator = Adam(discriminator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    of_generator = Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    batches = loader(batch, Resize(64), ToTensor(), Normalize(0.5, 0.5), workers=workers)

    def judge(images: Tensor, label: Tensor) -> tuple[Tensor, float]:
        """The loss, descended into every gradient that it reaches, and the mean verdict."""
        verdict = discriminator(images).squeeze(1)
        loss: Tensor = judged(verdict, label)
        loss.backward()
        return loss, verdict.mean().item()

    def steps() -> Iterator[int]:
        while True:
            for index, (images, _) in enumerate(batches):
                discriminator.zero_grad()
                label = torch.full((len(images),), 1.0, dtype=images.dtype)
                real_loss, on_real = judge(images, label)
                made = generator(torch.randn(len(images), networks.LATENT))
                fake_loss, on_fake = judge(made.detach(), label.fill_(0.0))
                discriminator_loss = real_loss + fake_loss
                of_discriminator.step()

                generator.zero_grad()
                generator_loss, deceived = judge(made, label.fill_(1.0))
                of_generator.step()
                say(index, discriminator_loss.item(), generator_loss.item(), on_real, on_fake, deceived)
                yield len(images)

    return Side(networks.count(generator, discriminator), steps())


def say(*values: float) -> None:
    print(*(f"{value:.4f}" for value in values), file=NOWHERE)


NOWHERE = open(os.devnull, "w")  # noqa: SIM115  (as long as the process)
WRITTEN = {
    "examples-vae": examples_vae,
    "pytorch-gan": pytorch_gan,
    "pytorch-gan-dcgan": pytorch_gan_dcgan,
    "examples-dcgan": examples_dcgan,
}
