"""The adversarial game: a discriminator and a generator, each with its own loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab.data.batches import Batch
from genlab.functional.adversarial import LOSSES, AdversarialLoss, gradient_penalty, zero_centred_penalty
from genlab.functional.augmentation import AUGMENTATIONS
from genlab.metrics.diversity import AT_MOST, diversity
from genlab.networks.discriminator import Discriminator
from genlab.networks.model import GAN
from genlab.nn.norms import frozen, has_batch_statistics
from genlab.nn.precision import full
from genlab.objectives.base import Update
from genlab.randomness import uniform
from genlab.ranks import parts
from genlab.reduction import leading, of_first


@dataclass(frozen=True)
class Penalties:
    """Weights of the gradient penalties on the discriminator; 0 leaves one out.

    r1, r2: γ of ½γ‖∇D‖² on real and on generated images (Mescheder et al., 2018; Huang et al., 2024); where
    the discriminator judges packs, ∇ is along the whole pack.
    wasserstein: weight of (‖∇D‖ − 1)² between them (Gulrajani et al., 2017); not for packs.
    """

    r1: float = 0.0
    r2: float = 0.0
    wasserstein: float = 0.0

    def __call__(self, critic: Discriminator, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        """For each logit that `critic` gives to `real`: (B,); zeros where all weights are 0."""

        def of_packs(images: Tensor) -> Tensor:
            """‖∇‖² along a pack is the sum along its images."""
            each = zero_centred_penalty(critic.forward, images)  # compiled code has no second derivative
            return each.unflatten(0, (-1, critic.pack)).sum(dim=1)  # type: ignore[no-any-return]

        total = real.new_zeros(len(real) // critic.pack)
        if self.r1:
            total = total + self.r1 * of_packs(real)
        if self.r2:
            total = total + self.r2 * of_packs(fake)
        if self.wasserstein:
            assert critic.pack == 1, critic.pack
            mix = uniform((len(real),), rng).to(real)
            total = total + self.wasserstein * gradient_penalty(critic.forward, real, fake, mix)
        return total

    @property
    def active(self) -> bool:
        return bool(self.r1 or self.r2 or self.wasserstein)


@dataclass(frozen=True)
class Adversarial:
    """`loss` is one of `LOSSES`; the discriminator takes `discriminator_steps` updates for each of the
    generator's, on fresh real images each. In the first `warmup` steps the generator takes none. `augment` is
    one of `AUGMENTATIONS`, of all that the discriminator is shown, drawn anew each time."""

    loss: str = "non-saturating"
    penalties: Penalties = Penalties()
    discriminator_steps: int = 1
    warmup: int = 0
    augment: str = "none"

    @property
    def batches_per_step(self) -> int:
        return self.discriminator_steps

    def updates(self, model: GAN, batch: Batch, rng: torch.Generator) -> Iterator[Update]:
        loss, augment = LOSSES[self.loss], self.augment
        *extra, real = batch.images.chunk(self.discriminator_steps)
        warming = batch.step < self.warmup
        for images in [*extra, real] if warming else extra:
            with frozen(model.generator), torch.no_grad():
                fake = model.sample(len(images), rng)
            yield discriminator_update(model.discriminator, loss, self.penalties, images, fake, rng, augment)
        if warming:
            return
        fake = model.sample(len(real), rng)  # made once, used by both players
        held = fake.detach()
        yield discriminator_update(model.discriminator, loss, self.penalties, real, held, rng, augment)
        yield generator_update(model.discriminator, loss, real, fake, rng, augment)


def discriminator_update(
    discriminator: Discriminator,
    loss: AdversarialLoss,
    penalties: Penalties,
    real: Tensor,
    fake: Tensor,
    rng: torch.Generator,
    augment: str = "none",
) -> Update:
    shown = augmented(real, augment, rng), augmented(fake, augment, rng)
    real_logits, fake_logits = judge(discriminator, *shown)
    descended = loss.discriminator(real_logits, fake_logits).mean()
    penalty = None
    if penalties.active:
        with full(discriminator):
            penalty = penalties(discriminator, *shown, rng).mean()

    @torch.no_grad()
    def logged() -> dict[str, Tensor]:
        values = {"discriminator_loss": descended.detach()}
        if penalty is not None:
            values["penalty"] = penalty.detach()
        values |= {"real_logit": real_logits.mean(), "fake_logit": fake_logits.mean()}
        correct = (real_logits > 0).float().mean() + (fake_logits < 0).float().mean()
        if len(real) * parts() > 1:
            values["diversity"] = of_first(diversity(leading(real, AT_MOST), leading(fake, AT_MOST)))
        return values | {"accuracy": correct / 2}

    return Update("discriminator", descended if penalty is None else descended + penalty, logged)


def generator_update(
    discriminator: Discriminator,
    loss: AdversarialLoss,
    real: Tensor,
    fake: Tensor,
    rng: torch.Generator,
    augment: str = "none",
) -> Update:
    with frozen(discriminator):
        fake_logits = discriminator(augmented(fake, augment, rng))
        real_logits = discriminator(augmented(real, augment, rng)) if loss.relativistic else fake_logits
    descended = loss.generator(real_logits, fake_logits).mean()
    return Update("generator", descended, lambda: {"generator_loss": descended.detach()})


def augmented(images: Tensor, augment: str, rng: torch.Generator) -> Tensor:
    """(B, C, H, W), each changed by draws of its own: what the discriminator is shown of `images`."""
    for draws, apply in AUGMENTATIONS[augment]:
        images = apply(images, uniform((len(images), draws), rng).to(images.device))
    return images


def judge(discriminator: Discriminator, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Logits of real and of generated images, in one pass where that is the same mathematics: batch
    statistics must not mix the two."""
    if has_batch_statistics(discriminator):
        return discriminator(real), discriminator(fake)
    real_logits, fake_logits = discriminator(torch.cat([real, fake])).chunk(2)
    return real_logits, fake_logits
