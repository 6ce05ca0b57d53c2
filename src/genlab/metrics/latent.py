"""What the codes of N images are like together, from their diagonal Gaussian posteriors q(z|x_n).

The aggregate posterior q(z) is the mixture of all N of them (Hoffman & Johnson 2016). The mean rate
KL(q(z|x) ‖ p) is the sum of two parts: the mutual information of z and x under the encoder, and the distance
KL(q(z) ‖ p) of the aggregate from the prior.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from genlab.errors import UserError
from genlab.metrics.features import checked
from genlab.metrics.intervals import BLOCKS, Estimate, blocks, jackknife

TILE = 500  # draws whose densities under a block of posteriors are held at once
CANCELS = 1e8  # squared distances in standard deviations whose rounding (1e-16 of them) still does no harm
WIDEST = 600.0  # log-variances beyond which their exponentials leave float64
LOG_2PI = math.log(2 * math.pi)


@dataclass(frozen=True)
class Aggregate:
    """The two parts of the mean rate, in nats, each with its interval."""

    mutual_information: Estimate
    marginal_kl: Estimate


def active_units(means: Tensor, threshold: float = 0.01) -> tuple[int, Tensor]:
    """How many dimensions of z move with the image, and the variances (Z,) that say so: those of the
    posterior means (N, Z) over images, above `threshold` in an active unit (Burda et al. 2016, section 5.2).
    """
    variances = checked(means, "A count of active units").var(dim=0)
    return int((variances > threshold).sum()), variances


def kl_per_dimension(means: Tensor, log_vars: Tensor) -> Tensor:
    """KL(q(z_j|x) ‖ N(0, 1)), averaged over images: (N, Z) twice -> (Z,) float64, nats."""
    means, log_vars = _posteriors(means, log_vars)
    return (0.5 * (means.square() + log_vars.exp() - 1 - log_vars)).mean(dim=0)


def mutual_information(means: Tensor, log_vars: Tensor, noise: Tensor) -> Estimate:
    """I(z; x) under the encoder: see `aggregate`, which gives both parts for the price of one."""
    posteriors = _Mixture(means, log_vars, noise)
    return _bounded(posteriors.mean_of_own() - posteriors.mean_of_all(), len(means))


def marginal_kl(
    means: Tensor, log_vars: Tensor, noise: Tensor, log_prior: Callable[[Tensor], Tensor]
) -> Estimate:
    """KL(q(z) ‖ p): see `aggregate`, which gives both parts for the price of one."""
    posteriors = _Mixture(means, log_vars, noise)
    values = posteriors.mean_of_all() - posteriors.mean_of_prior(log_prior)
    return jackknife(float(values[0]), values[1:])


def aggregate(
    means: Tensor, log_vars: Tensor, noise: Tensor, log_prior: Callable[[Tensor], Tensor]
) -> Aggregate:
    """Mutual information and KL(q(z) ‖ p) of N ≥ 40 posteriors, means and log-variances (N, Z).

    `noise` (N, Z) from N(0, I) makes one draw z_n of each; `log_prior` maps z (B, Z) to ln p(z) (B,).

        I ≈ mean [ln q(z_n|x_n) − ln q(z_n)],   KL(q(z) ‖ p) ≈ mean [ln q(z_n) − ln p(z_n)],

    where q(z) is the mixture of all N posteriors, z_n's own among them. So I cannot exceed ln N: near that it
    says only that N is too small to tell, and what I lacks then stands in the KL. Their sum is the mean rate,
    up to the noise of the draws. The intervals are jackknives over blocks of images, left out of the draws
    and of the mixture.
    """
    posteriors = _Mixture(means, log_vars, noise)
    own, together, prior = (
        posteriors.mean_of_own(),
        posteriors.mean_of_all(),
        posteriors.mean_of_prior(log_prior),
    )
    kl = together - prior
    return Aggregate(_bounded(own - together, len(means)), jackknife(float(kl[0]), kl[1:]))


class _Mixture:
    """Log-densities of one draw z_n from each posterior. Means over draws come as (1 + G,): of all images,
    and without each of G blocks of them."""

    def __init__(self, means: Tensor, log_vars: Tensor, noise: Tensor) -> None:
        means, log_vars = _posteriors(means, log_vars, 2 * BLOCKS)
        noise = checked(noise, "A draw of codes", 2 * BLOCKS)
        if noise.shape != means.shape:
            raise UserError(
                f"Noise of shape {tuple(noise.shape)} does not draw from posteriors of shape "
                f"{tuple(means.shape)}; give one row of noise for each image."
            )
        parts = blocks(len(means))
        order, sizes = torch.cat(parts), [len(part) for part in parts]
        self.means, self.log_vars = means[order], log_vars[order]
        self.sizes = sizes
        self.draws = self.means + (0.5 * self.log_vars).exp() * noise[order]
        self.block = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))

    def mean_of_own(self) -> Tensor:
        """Of ln q(z_n|x_n), at the draw as it was rounded, as the mixture sees it."""
        distances = (self.draws - self.means).square() * (-self.log_vars).exp()
        return self._means((-0.5 * (LOG_2PI + self.log_vars + distances)).sum(dim=1))

    def mean_of_prior(self, log_prior: Callable[[Tensor], Tensor]) -> Tensor:
        """Of ln p(z_n)."""
        with torch.no_grad():
            values = torch.cat([log_prior(part.float()).double() for part in self.draws.split(TILE)])
        if not bool(torch.isfinite(values).all()):
            raise UserError(
                "The prior's log-density is not finite at some codes, so no KL is defined; give a prior that "
                "has density wherever the encoder puts codes."
            )
        return self._means(values)

    def mean_of_all(self) -> Tensor:
        """Of ln q(z_n), with z_n and the mixture both without the block."""
        parts = torch.cat([self._by_block(draws) for draws in self.draws.split(TILE)])  # (N, G)
        sizes = torch.tensor(self.sizes, dtype=torch.float64)
        without = (
            torch.stack(
                [
                    torch.cat([parts[:, :g], parts[:, g + 1 :]], dim=1).logsumexp(dim=1)
                    for g in range(len(sizes))
                ],
                dim=1,
            )
            - (len(parts) - sizes).log()
        )
        whole = float((parts.logsumexp(dim=1) - math.log(len(parts))).mean())
        kept = self.block[:, None] != torch.arange(len(sizes))
        left_out = torch.where(kept, without, 0.0).sum(dim=0) / kept.sum(dim=0)
        return torch.cat([torch.tensor([whole], dtype=torch.float64), left_out])

    def _by_block(self, draws: Tensor) -> Tensor:
        """ln Σ over a block's posteriors of q(z|x): (B, Z) -> (B, G)."""
        pairs = zip(self.means.split(self.sizes), self.log_vars.split(self.sizes), strict=True)
        return torch.stack([_log_densities(draws, *pair).logsumexp(dim=1) for pair in pairs], dim=1)

    def _means(self, values: Tensor) -> Tensor:
        sums = torch.stack([part.sum() for part in values.split(self.sizes)])
        sizes = torch.tensor(self.sizes, dtype=torch.float64)
        return torch.cat([values.mean()[None], (sums.sum() - sums) / (sizes.sum() - sizes)])


def _log_densities(draws: Tensor, means: Tensor, log_vars: Tensor) -> Tensor:
    """ln N(z; μ_n, σ_n²) of all pairs: (B, Z) and (N, Z) twice -> (B, N).

    The square is expanded, which makes of all pairs one matrix product, unless posteriors are so narrow for
    where they lie that the expansion would cancel."""
    precision = (-log_vars).exp()
    constant = -0.5 * (LOG_2PI + log_vars).sum(dim=1)
    if float((means.square() * precision).max()) > CANCELS:
        near = [-0.5 * ((z - means).square() * precision).sum(dim=1) for z in draws]
        return torch.stack(near) + constant
    ours = torch.cat([draws, draws.square()], dim=1)
    theirs = torch.cat([means * precision, -0.5 * precision], dim=1)
    return torch.addmm(constant - 0.5 * (means.square() * precision).sum(dim=1), ours, theirs.T)


def _bounded(values: Tensor, count: int) -> Estimate:
    """Of a mutual information: between 0 (or the estimate itself, should noise take it below) and ln N."""
    value = float(values[0])
    return jackknife(value, values[1:], min(0.0, value), math.log(count))


def _posteriors(means: Tensor, log_vars: Tensor, fewest: int = 2) -> tuple[Tensor, Tensor]:
    means, log_vars = checked(means, "A posterior", fewest), checked(log_vars, "A posterior", fewest)
    if means.shape != log_vars.shape:
        raise UserError(
            f"Means of shape {tuple(means.shape)} and log-variances of shape {tuple(log_vars.shape)} are not "
            f"of the same posteriors; take both from one encoder and the same images."
        )
    return means, log_vars.clamp(-WIDEST, WIDEST)
