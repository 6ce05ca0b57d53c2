"""The evidence lower bound: what a VAE maximises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab.data.batches import Batch
from genlab.functional.gaussian import DiagonalGaussian, Posterior, kl_per_dimension
from genlab.networks.model import VAE
from genlab.networks.prior import Prior, StandardNormal
from genlab.objectives.base import Update
from genlab.objectives.gradients import GRADIENTS
from genlab.randomness import normal
from genlab.reduction import mean

ACTIVE = 0.01  # nats of the batch's mean KL from which on a latent dimension counts as used


@dataclass(frozen=True)
class Warmup:
    """β over the steps: constant where `steps` is 0, else rising from 0 to `beta` over `steps` steps, once
    (`linear`; Bowman et al., 2016) or again and again, each rise followed by an equal rest at `beta`
    (`cyclic`; Fu et al., 2019)."""

    beta: float = 1.0
    steps: int = 0
    kind: str = "linear"

    def __call__(self, step: int) -> float:
        if self.steps == 0:
            return self.beta
        position = step % (2 * self.steps) if self.kind == "cyclic" else step
        return self.beta * min(1.0, (position + 1) / self.steps)


@dataclass(frozen=True)
class Elbo:
    """−E_q[ln p(x|z)] + β·KL(q(z|x) ‖ p(z)), descended; reported is the ELBO itself (β = 1), whatever β is.

    `free_bits` (nats per latent dimension) leaves that much of the batch's mean KL unpunished in every
    dimension. Kingma & Welling (2014); Higgins et al. (2017) for β; Kingma et al. (2016), appendix C.8, for
    free bits, which need the KL to N(0, I), dimension by dimension. To another prior the KL is what
    `Prior.kl` says. `gradient` is one of `GRADIENTS`. Without `drawn`, z is the mean of q: at β = 0 a plain
    autoencoder.
    """

    warmup: Warmup = Warmup()
    free_bits: float = 0.0
    gradient: str = "reparameterized"
    drawn: bool = True
    batches_per_step: int = 1

    def updates(self, model: VAE, batch: Batch, rng: torch.Generator) -> Iterator[Update]:
        noise = normal((len(batch), model.prior.latent_dim), rng).to(batch.images)
        if not self.drawn:
            noise = torch.zeros_like(noise)
        q, nll, divergence = GRADIENTS[self.gradient](model, batch.images, noise)
        reconstruction, kl = nll.mean(), divergence.mean()
        beta = self.warmup(batch.step)
        loss = reconstruction + beta * (self.punished(q) if self.free_bits else kl)

        def logged() -> dict[str, Tensor]:
            terms = elbo_terms(reconstruction, kl) | active_units(model.prior, q)
            return terms | {"beta": torch.tensor(beta)}

        yield Update("vae", loss, logged)

    def punished(self, q: Posterior) -> Tensor:
        """The KL less what each dimension is given: a scalar, nats per image."""
        assert isinstance(q, DiagonalGaussian), "the schema keeps free bits to N(0, I)"
        return mean(kl_per_dimension(q).mean(dim=0)).clamp_min(self.free_bits).sum()


def elbo_terms(reconstruction: Tensor, kl: Tensor) -> dict[str, Tensor]:
    """The reported terms, in nats per image: elbo = −(reconstruction + kl)."""
    reconstruction, kl = reconstruction.detach(), kl.detach()
    return {"elbo": -(reconstruction + kl), "reconstruction": reconstruction, "kl": kl}


@torch.no_grad()
def active_units(prior: Prior, q: Posterior) -> dict[str, Tensor]:
    """How many latent dimensions say something of the image, where the prior is N(0, I) and a dimension has a
    KL of its own; else nothing."""
    if not isinstance(prior, StandardNormal) or not isinstance(q, DiagonalGaussian):
        return {}
    return {"active_units": (mean(kl_per_dimension(q).mean(dim=0)) > ACTIVE).sum()}
