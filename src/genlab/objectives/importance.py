"""Importance-weighted bounds: several draws of q(z|x) for each image, weighed against each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab.data.batches import Batch
from genlab.functional.importance import log_mean_exp, log_weights, normalized_weights
from genlab.networks.model import VAE
from genlab.objectives.base import Update
from genlab.objectives.elbo import Warmup, elbo_terms
from genlab.randomness import normal


@dataclass(frozen=True)
class ImportanceWeighted:
    """`bound="iwae"` ascends L_K at K = `samples` (Burda et al., 2016, equation 8); `"elbo"` the mean of the
    K logarithmic weights, which is the ELBO by K draws instead of one. At K = 1 the two are one.

    `gradient="dreg"` changes the encoder's gradient alone, and not what it is in expectation, but lets it
    vanish where q is the posterior: L_K's by Tucker et al. (2019), equation 8; the ELBO's by Roeder et al.
    (2017). The decoder and the prior learn by the bound's own gradient.

    Reported are `elbo`, its terms and `bound`, which is L_K, at β = 1 whatever the warm-up.
    """

    samples: int = 5
    bound: str = "iwae"
    gradient: str = "reparameterized"
    warmup: Warmup = Warmup()
    batches_per_step: int = 1

    def updates(self, model: VAE, batch: Batch, rng: torch.Generator) -> Iterator[Update]:
        q = model.encode(batch.images)
        z = q.sample(normal((self.samples, *q.mean.shape), rng, dim=1).to(q.mean))  # (K, B, Z)
        nll = reconstruction(model, z, batch.images)
        density = q.frozen() if self.gradient == "dreg" else q
        log_prior, log_q = model.prior.log_density(z), density.log_density(z)
        beta = self.warmup(batch.step)
        log_w = log_weights(nll, log_prior, log_q, beta)

        @torch.no_grad()
        def logged() -> dict[str, Tensor]:
            bound = log_mean_exp(log_weights(nll, log_prior, log_q)).mean()
            terms = elbo_terms(nll.mean(), (log_q - log_prior).mean())
            return terms | {"bound": bound, "beta": torch.tensor(beta)}

        yield Update("vae", -self.ascended(log_w, z).mean(), logged)

    def ascended(self, log_w: Tensor, z: Tensor) -> Tensor:
        """What is ascended, (B,): the bound, or a value that has DReG's gradient."""
        if self.bound == "elbo":
            return log_w.mean(dim=0)
        if self.gradient == "reparameterized":
            return log_mean_exp(log_w)
        weights = normalized_weights(log_w.detach())
        if z.requires_grad:  # on the way to the encoder every draw is weighed a second time
            z.register_hook(lambda gradient: gradient * weights.unsqueeze(-1))
        return (weights * log_w).sum(dim=0)


def reconstruction(model: VAE, z: Tensor, images: Tensor) -> Tensor:
    """−ln p(x|z) of `images` (B, C, H, W) at every draw `z` (K, B, Z): (K, B), nats."""
    raw = model.raw(z.flatten(0, 1))
    repeated = images.expand(len(z), *images.shape).flatten(0, 1)
    return model.observation.nll(raw, repeated).view(z.shape[:2])
