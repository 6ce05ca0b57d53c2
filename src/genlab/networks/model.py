"""The three families, put together from the same parts. `gan.generator` IS a `Decoder`."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from genlab.functional.gaussian import DiagonalGaussian, Posterior
from genlab.networks.decoder import Decoder
from genlab.networks.discriminator import Discriminator
from genlab.networks.encoder import Encoder
from genlab.networks.observation import Observation
from genlab.networks.prior import Prior
from genlab.networks.two_layers import TwoLayerEncoder
from genlab.randomness import normal


class Generative(nn.Module):
    """What every family can do: draw z from its prior, decode it, see it as images."""

    decoder: Decoder
    prior: Prior
    observation: Observation

    def raw(self, latents: Tensor) -> Tensor:
        """(B, Z) -> the decoder's raw output (B, C, H, W), which `observation` reads. Where z has more than
        one stochastic layer, the decoder reads the first, and the prior has the rest."""
        return self.decoder(latents[:, : self.decoder.latent_dim])  # type: ignore[no-any-return]

    def decode(self, latents: Tensor) -> Tensor:
        """(B, Z) -> images (B, C, H, W) in [−1, 1]."""
        return self.observation.image(self.raw(latents))

    def latents(self, n: int, rng: torch.Generator) -> Tensor:
        """`n` latents from the prior: (n, Z), on the model's device."""
        return self.prior.sample(n, rng).to(self.device)

    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        """`n` images from the prior: (n, C, H, W) in [−1, 1]."""
        return self.decode(self.latents(n, rng))

    @property
    def device(self) -> torch.device:
        return next(self.decoder.parameters()).device


class Terms(NamedTuple):
    """q(z|x); −ln p(x|z) and KL(q ‖ p), (B,), in nats."""

    q: Posterior
    nll: Tensor
    kl: Tensor


class VAE(Generative):
    """Encoder, prior and decoder, trained together. Kingma & Welling (2014)."""

    def __init__(
        self, encoder: Encoder | TwoLayerEncoder, decoder: Decoder, prior: Prior, observation: Observation
    ) -> None:
        super().__init__()
        self.encoder, self.decoder, self.prior, self.observation = encoder, decoder, prior, observation

    def parts(self) -> dict[str, list[nn.Module]]:
        return {"vae": [self.encoder, self.decoder, _module(self.prior), _module(self.observation)]}

    def forward(self, images: Tensor, noise: Tensor) -> Terms:
        """The terms of the ELBO of `images` (B, C, H, W), z drawn by `noise` (B, Z) from N(0, I)."""
        q = self.encode(images)
        z = q.sample(noise)
        return Terms(q, self.observation.nll(self.raw(z), images), self.prior.kl(q, z))

    def encode(self, images: Tensor) -> Posterior:
        """(B, C, H, W) -> q(z|x), its mean (B, Z)."""
        return self.encoder(images)  # type: ignore[no-any-return]

    def reconstruct(self, images: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """Decode the posterior mean, or with `rng` one sample of the posterior: (B, C, H, W)."""
        return self.decode(code(self.encode(images), rng))


class GAN(Generative):
    """A generator, which is a decoder, and a discriminator in the encoder's place.

    Goodfellow et al. (2014)."""

    def __init__(
        self, generator: Decoder, discriminator: Discriminator, prior: Prior, observation: Observation
    ) -> None:
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.prior, self.observation = prior, observation

    @property
    def decoder(self) -> Decoder:  # type: ignore[override]
        return self.generator

    def parts(self) -> dict[str, list[nn.Module]]:
        return {"discriminator": [self.discriminator], "generator": [self.generator]}


class VAEGAN(Generative):
    """One decoder that both reconstructs and deceives. Larsen et al. (2016)."""

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder,
        discriminator: Discriminator,
        prior: Prior,
        observation: Observation,
    ) -> None:
        super().__init__()
        self.encoder, self.decoder, self.discriminator = encoder, decoder, discriminator
        self.prior, self.observation = prior, observation

    def parts(self) -> dict[str, list[nn.Module]]:
        return {
            "encoder": [self.encoder],
            "decoder": [self.decoder, _module(self.observation)],
            "discriminator": [self.discriminator],
        }

    def encode(self, images: Tensor) -> DiagonalGaussian:
        """(B, C, H, W) -> q(z|x), each (B, Z)."""
        return self.encoder(images)  # type: ignore[no-any-return]

    def reconstruct(self, images: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """Decode the posterior mean, or with `rng` one sample of the posterior: (B, C, H, W)."""
        return self.decode(code(self.encode(images), rng))


def code(q: Posterior, rng: torch.Generator | None) -> Tensor:
    """The mean of q, or with `rng` a sample of it: (B, Z)."""
    if rng is None:
        return q.mean
    return q.sample(normal(q.mean.shape, rng).to(q.mean))


def _module(part: object) -> nn.Module:
    assert isinstance(part, nn.Module)
    return part
