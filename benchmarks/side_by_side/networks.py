"""The peers' networks as published, layer by layer: both sides train these.

Written after eriklindernoren/PyTorch-GAN (implementations/gan/gan.py, implementations/dcgan/dcgan.py),
pytorch/examples (vae/main.py, dcgan/main.py) and clementchadebec/benchmark_VAE (pythae 0.1.2,
models/nn/benchmarks/mnist/convnets.py). `norm` makes a batch normalisation from its channels and its eps:
torch's own for the peers, the house's for ours. Generators end in raw values, before their tanh or sigmoid;
discriminators in logits (B, 1), before their sigmoid.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Norm = Callable[[int, float], nn.Module]
LATENT = 100  # of all three GANs
CODE = 16  # of pythae's VAEs
EPS = 1e-5  # torch's default
LOOSE = 0.8  # PyTorch-GAN passes 0.8 as eps, where a momentum was perhaps meant


def rows(channels: int, eps: float = EPS) -> nn.Module:
    return nn.BatchNorm1d(channels, eps)


def maps(channels: int, eps: float = EPS) -> nn.Module:
    return nn.BatchNorm2d(channels, eps)


def leaky() -> nn.Module:
    return nn.LeakyReLU(0.2, inplace=True)


def dense_generator(norm: Norm) -> nn.Sequential:
    """gan.py: (B, 100) -> (B, 1, 28, 28)."""
    layers: list[nn.Module] = [nn.Linear(LATENT, 128), leaky()]
    for inputs, outputs in ((128, 256), (256, 512), (512, 1024)):
        layers += [nn.Linear(inputs, outputs), norm(outputs, LOOSE), leaky()]
    return nn.Sequential(*layers, nn.Linear(1024, 784), nn.Unflatten(1, (1, 28, 28)))


def dense_discriminator() -> nn.Sequential:
    """gan.py: (B, 1, 28, 28) -> (B, 1)."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 512), leaky(), nn.Linear(512, 256), leaky(), nn.Linear(256, 1)
    )


def upsampling_generator(norm: Norm) -> nn.Sequential:
    """PyTorch-GAN's dcgan.py: (B, 100) -> (B, 1, 32, 32), by nearest neighbours and 3×3 convolutions."""
    return nn.Sequential(
        nn.Linear(LATENT, 128 * 8 * 8), nn.Unflatten(1, (128, 8, 8)), norm(128, EPS),
        nn.Upsample(scale_factor=2), nn.Conv2d(128, 128, 3, padding=1), norm(128, LOOSE), leaky(),
        nn.Upsample(scale_factor=2), nn.Conv2d(128, 64, 3, padding=1), norm(64, LOOSE), leaky(),
        nn.Conv2d(64, 1, 3, padding=1),
    )  # fmt: skip


def dropout_discriminator(norm: Norm) -> nn.Sequential:
    """PyTorch-GAN's dcgan.py: (B, 1, 32, 32) -> (B, 1); whole channels are dropped."""
    layers: list[nn.Module] = []
    for inputs, outputs in ((1, 16), (16, 32), (32, 64), (64, 128)):
        layers += [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), leaky(), nn.Dropout2d(0.25)]
        if inputs > 1:
            layers.append(norm(outputs, LOOSE))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * 2 * 2, 1))


def transposed_generator(norm: Norm, width: int = 64, channels: int = 1) -> nn.Sequential:
    """The examples' dcgan: (B, 100) -> (B, channels, 64, 64), by transposed convolutions."""
    layers: list[nn.Module] = [nn.Unflatten(1, (LATENT, 1, 1))]
    layers += [
        nn.ConvTranspose2d(LATENT, 8 * width, 4, 1, 0, bias=False),
        norm(8 * width, EPS),
        nn.ReLU(True),
    ]
    for inputs in (8 * width, 4 * width, 2 * width):
        layers += [nn.ConvTranspose2d(inputs, inputs // 2, 4, 2, 1, bias=False), norm(inputs // 2, EPS)]
        layers.append(nn.ReLU(True))
    return nn.Sequential(*layers, nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=False))


def strided_discriminator(norm: Norm, width: int = 64, channels: int = 1) -> nn.Sequential:
    """The examples' dcgan: (B, channels, 64, 64) -> (B, 1)."""
    layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1, bias=False), leaky()]
    for inputs in (width, 2 * width, 4 * width):
        layers += [nn.Conv2d(inputs, 2 * inputs, 4, 2, 1, bias=False), norm(2 * inputs, EPS), leaky()]
    return nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, 0, bias=False), nn.Flatten())


@torch.no_grad()
def deviate(network: nn.Module) -> None:
    """Draw the weights of convolutions from N(0, 0.02²), and scales of 2-d norms from N(1, 0.02²), as both
    DCGANs do."""
    for name, layer in network.named_modules():
        weight, bias = getattr(layer, "weight", None), getattr(layer, "bias", None)
        if not isinstance(weight, Tensor):
            continue
        if re.search("Conv", type(layer).__name__):
            nn.init.normal_(weight, 0.0, 0.02)
        elif re.search("BatchNorm", type(layer).__name__):
            assert isinstance(bias, Tensor), name
            nn.init.normal_(weight, 1.0, 0.02)
            nn.init.zeros_(bias)


class DenseVAE(nn.Module):
    """The examples' vae: (B, 1, 28, 28) in [0, 1] -> probabilities (B, 784), mean and log-variance (B,
    20)."""

    def __init__(self) -> None:
        super().__init__()
        self.inward = nn.Linear(784, 400)
        self.mean = nn.Linear(400, 20)
        self.log_variance = nn.Linear(400, 20)
        self.outward = nn.Linear(20, 400)
        self.pixels = nn.Linear(400, 784)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = F.relu(self.inward(images.view(-1, 784)))
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        deviation = torch.exp(0.5 * log_variance)
        z = mean + torch.randn_like(deviation) * deviation
        return torch.sigmoid(self.pixels(F.relu(self.outward(z)))), mean, log_variance


def conv_trunk(norm: Norm) -> nn.Sequential:
    """pythae's conv encoder before its head: (B, 1, 28, 28) -> (B, 1024)."""
    layers: list[nn.Module] = []
    for inputs, outputs in ((1, 128), (128, 256), (256, 512), (512, 1024)):
        layers += [nn.Conv2d(inputs, outputs, 4, 2, padding=1), norm(outputs, EPS), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten())


def conv_decoder(norm: Norm) -> nn.Sequential:
    """pythae's conv decoder: (B, 16) -> (B, 1, 28, 28)."""
    return nn.Sequential(
        nn.Linear(CODE, 1024 * 4 * 4), nn.Unflatten(1, (1024, 4, 4)),
        nn.ConvTranspose2d(1024, 512, 3, 2, padding=1), norm(512, EPS), nn.ReLU(),
        nn.ConvTranspose2d(512, 256, 3, 2, padding=1, output_padding=1), norm(256, EPS), nn.ReLU(),
        nn.ConvTranspose2d(256, 1, 3, 2, padding=1, output_padding=1),
    )  # fmt: skip


def count(*networks: nn.Module) -> int:
    return sum(parameter.numel() for network in networks for parameter in network.parameters())
