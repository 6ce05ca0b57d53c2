"""VAE-GAN: an autoencoder whose measure of likeness is learned by a discriminator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab.data.batches import Batch
from genlab.functional.adversarial import LOSSES
from genlab.functional.gaussian import kl_divergence, reparameterize
from genlab.networks.model import VAEGAN
from genlab.nn.norms import frozen
from genlab.objectives.adversarial import Penalties, discriminator_update
from genlab.objectives.base import Update
from genlab.objectives.elbo import active_units, elbo_terms
from genlab.randomness import normal


@dataclass(frozen=True)
class Hybrid:
    """Larsen et al. (2016), algorithm 1: the reconstruction is measured in the discriminator's features as
    well as in pixels (`feature_weight`, `pixel_weight`), the decoder also deceives the discriminator with
    weight `deceit`, and no adversarial gradient reaches the encoder.

    Reported is the pixel ELBO of the model as it stands, in nats per image.
    """

    loss: str = "non-saturating"
    feature_weight: float = 1.0
    pixel_weight: float = 1.0
    deceit: float = 1.0
    beta: float = 1.0
    penalties: Penalties = Penalties()
    batches_per_step: int = 1

    def updates(self, model: VAEGAN, batch: Batch, rng: torch.Generator) -> Iterator[Update]:
        images, loss = batch.images, LOSSES[self.loss]
        noise = normal((len(images), model.decoder.latent_dim), rng).to(images)
        prior_latents = model.latents(len(images), rng)

        q = model.encode(images)
        with frozen(model.decoder), frozen(model.discriminator):
            likeness, reconstruction = self.likeness(model, images, reparameterize(q, noise))
        kl = kl_divergence(q).mean()

        def logged() -> dict[str, Tensor]:
            return elbo_terms(reconstruction, kl) | active_units(model.prior, q)

        yield Update("encoder", likeness + self.beta * kl, logged)

        latents = reparameterize(q, noise).detach()
        fake = model.decode(prior_latents)
        with frozen(model.discriminator):
            likeness, _ = self.likeness(model, images, latents)
            fake_logits = model.discriminator(fake)
            real_logits = model.discriminator(images) if loss.relativistic else fake_logits
        deceived = loss.generator(real_logits, fake_logits).mean()
        yield Update(
            "decoder", likeness + self.deceit * deceived, lambda: {"generator_loss": deceived.detach()}
        )

        yield discriminator_update(model.discriminator, loss, self.penalties, images, fake.detach(), rng)

    def likeness(self, model: VAEGAN, images: Tensor, latents: Tensor) -> tuple[Tensor, Tensor]:
        """The weighted reconstruction loss and, within it, the pixels' mean NLL: scalars, nats per image."""
        raw = model.raw(latents)
        pixels = model.observation.nll(raw, images).mean()
        trunk = model.discriminator.trunk
        distance = (trunk(model.observation.image(raw)) - trunk(images).detach()).square()
        return self.feature_weight * 0.5 * distance.sum(
            dim=1
        ).mean() + self.pixel_weight * pixels, pixels.detach()
