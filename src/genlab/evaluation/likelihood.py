"""How probable a model holds unseen images to be, what its code says of them, and what comes back from it.

For VAEs and VAE-GANs, through what every encoder and prior can do: draw, and say a density. A GAN defines no
likelihood, and says so for each of the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from genlab.data.binarise import binarised
from genlab.evaluation.importance import TOGETHER, Progress, terms
from genlab.evaluation.references import chosen
from genlab.functional.gaussian import DiagonalGaussian, kl_per_dimension
from genlab.functional.importance import LogMeanExp
from genlab.metrics.intervals import Estimate, mean_estimate
from genlab.metrics.latent import active_units, log_aggregate, marginal_kl, mutual_information
from genlab.metrics.likeness import SMALLEST, psnr, squared_error, ssim
from genlab.metrics.two_phase import two_phase
from genlab.metrics.unavailable import Unavailable
from genlab.networks.model import GAN, VAE, VAEGAN
from genlab.networks.observation import Observation
from genlab.networks.prior import StandardNormal, fit_mixture
from genlab.randomness import generator

CHUNK = 500
FEW = 1000  # images whose posteriors are held against each other where each pair takes a density
FEWEST = 40  # images for a jackknife
COMPONENTS = 16  # Gaussians, at most, of the mixture that says where the codes lie
EACH = 20  # images for each dimension of z, below which that mixture is not to be had
STANDARD_DRAWS, STANDARD_IMAGES = 64, 1000  # of L_K: draws for each image, on a fixed choice of so many
FULL_DRAWS = 5000  # on all images

KEYS = (
    "elbo", "nll", "rate", "distortion", "active_units", "mutual_information", "marginal_kl",
    "mse", "psnr", "ssim",
)  # fmt: skip
LOWER_BOUND = "a lower bound: the codes' density is that of a mixture fitted to the codes of other images"
TOO_SMALL = Unavailable(f"SSIM needs images of {SMALLEST} × {SMALLEST} px or more")
NO_LIKELIHOOD = Unavailable("a GAN defines no likelihood: it can draw images, not say how probable one is")


@dataclass(frozen=True)
class Likelihood:
    """`values` for each of KEYS; `details` are plain JSON; `measure` says what the nats are nats of, and only
    values on one measure compare. None: there are none."""

    values: dict[str, Estimate | Unavailable]
    details: dict[str, Any]
    measure: str | None


@dataclass(frozen=True)
class Seen:
    """One pass over N images: (N,) values per image in float64, latents (N, Z).

    distortion, rate, log_posterior and log_prior are of one draw of q(z|x), which is in `draws`, the
    reconstruction's errors of its mean. log_vars is None where the posterior has none."""

    means: Tensor
    log_vars: Tensor | None
    draws: Tensor
    distortion: Tensor
    rate: Tensor
    squared: Tensor
    psnr: Tensor
    ssim: Tensor
    log_posterior: Tensor
    log_prior: Tensor


def measure_likelihood(
    model: VAE | GAN | VAEGAN,
    images: Tensor,
    *,
    seed: int = 0,
    binarise: str = "none",
    k: int | None = None,
    full: bool = False,
    progress: Progress | None = None,
) -> Likelihood:
    """The model's side of a report on unseen `images` (N, C, H, W) in [−1, 1], N ≥ 2.

    Where the run was trained on pixels drawn black or white (`binarise="dynamic"`), so are these, once. The
    ELBO and what hangs on it are from one draw of q for every image. The bound L_K is from `k` draws, 64 by
    default, on a fixed choice of 1 000 images, carried over to all by their ELBOs (`two_phase`); with `full`
    on all images, from 5 000 by default. `progress(done, total)` counts the images decoded for L_K.
    Intervals say what other test images would give. The model must be in evaluation mode.
    """
    if isinstance(model, GAN):
        return Likelihood(dict.fromkeys(KEYS, NO_LIKELIHOOD), {}, None)
    assert not model.training
    if binarise == "dynamic":
        images = binarised(images, generator(seed, "evaluate/binarise"))
    seen = look(model, images, seed)
    draws = k or (FULL_DRAWS if full else STANDARD_DRAWS)
    index = chosen(len(images), len(images) if full else STANDARD_IMAGES)
    bound = terms(model, images[index], draws, seed, progress=progress).bound
    values: dict[str, Estimate | Unavailable] = {
        "elbo": mean_estimate(-(seen.distortion + seen.rate)),
        "nll": two_phase(seen.distortion + seen.rate, -bound, index),
        "rate": mean_estimate(seen.rate, lowest=0),
        "distortion": mean_estimate(seen.distortion),
        "mse": mean_estimate(seen.squared, lowest=0),
        "psnr": mean_estimate(seen.psnr),
        "ssim": TOO_SMALL if seen.ssim.isnan().all() else mean_estimate(seen.ssim, highest=1),
    }
    measure = measure_of(model.observation, binarise)
    details = {"measure": measure, "images": len(images), "k": draws, "k_images": len(index)}
    details |= {"kl_per_dimension": per_dimension(model, seen), "marginal_kl": LOWER_BOUND}
    return Likelihood(values | latent(model, seen, images), details, measure)


def measure_of(observation: Observation, binarise: str) -> str:
    """What a likelihood is one of: a density of this or that, or the probability of binarised pixels."""
    if binarise == "none":
        return observation.measure
    if observation.measure.startswith("cross-entropy"):
        return "probability of binarised pixels (Bernoulli)"
    return f"{observation.measure}, of binarised pixels"


@torch.inference_mode()
def look(model: VAE | VAEGAN, images: Tensor, seed: int) -> Seen:
    """Encode, draw, decode; and decode the mean, too."""
    found: list[tuple[Tensor, ...]] = []
    log_vars: list[Tensor] = []
    for index, chunk in enumerate(images.split(CHUNK)):
        chunk = chunk.to(model.device)
        q = model.encode(chunk)
        noise = torch.randn(q.mean.shape, generator=generator(seed, "evaluate/likelihood", index))
        z = q.sample(noise.to(q.mean))
        again = model.decode(q.mean)
        per_image = (
            model.observation.nll(model.raw(z), chunk), model.prior.kl(q, z), squared_error(again, chunk),
            psnr(again, chunk), likeness(again, chunk), q.log_density(z), model.prior.log_density(z),
        )  # fmt: skip
        found.append((q.mean.cpu(), z.cpu(), *(values.cpu().double() for values in per_image)))
        if isinstance(q, DiagonalGaussian):
            log_vars.append(q.log_var)
    means, draws, *values = (torch.cat(parts) for parts in zip(*found, strict=True))
    return Seen(means, torch.cat(log_vars).cpu() if log_vars else None, draws, *values)


def likeness(a: Tensor, b: Tensor) -> Tensor:
    """SSIM (N,); NaN for images, as points are, in which its window has no place."""
    return ssim(a, b) if min(a.shape[2:]) >= SMALLEST else torch.full((len(a),), torch.nan)


def per_dimension(model: VAE | VAEGAN, seen: Seen) -> list[float] | dict[str, str]:
    """The mean KL of each latent dimension from N(0, 1), in nats; in words why there is none."""
    if not isinstance(model.prior, StandardNormal) or seen.log_vars is None:
        return Unavailable("posterior or prior is no product of one distribution per dimension").as_json()
    q = DiagonalGaussian(seen.means.double(), seen.log_vars.double())
    per: list[float] = kl_per_dimension(q).mean(dim=0).tolist()
    return per


def latent(model: VAE | VAEGAN, seen: Seen, images: Tensor) -> dict[str, Estimate | Unavailable]:
    """Active units, what z and x share (without variances in closed form, by `FEW` of the images), and how
    far the codes lie from the prior."""
    some = torch.arange(len(images))
    if seen.log_vars is not None:
        aggregate = log_aggregate(seen.draws, seen.means, seen.log_vars)
    else:
        some = chosen(len(images), FEW)
        aggregate = aggregate_by_density(model, images[some], seen.draws[some])
    values: dict[str, Estimate | Unavailable] = {
        "active_units": Unavailable(f"it takes {FEWEST} images to count them with an interval"),
        "mutual_information": mutual_information(seen.log_posterior[some], aggregate),
        "marginal_kl": Unavailable(f"it takes {EACH} images for every dimension of z to say where codes are"),
    }
    if len(images) >= FEWEST:
        values["active_units"] = active_units(seen.means)
    if len(images) >= EACH * seen.draws.shape[1]:
        values["marginal_kl"] = marginal_kl(log_fitted(seen.draws), seen.log_prior)
    return values


def log_fitted(draws: Tensor) -> Tensor:
    """ln of a density of draws (N, Z) at each of them, (N,): a mixture fitted to the other half of them."""
    components = max(1, min(COMPONENTS, len(draws) // (2 * EACH * draws.shape[1])))
    halves = torch.randperm(len(draws), generator=generator(0, "evaluation/halves")).tensor_split(2)
    found = torch.empty(len(draws))
    for mine, others in (halves, halves[::-1]):
        found[mine] = fit_mixture(draws[others], components, seed=0).log_density(draws[mine])
    return found


@torch.inference_mode()
def aggregate_by_density(model: VAE | VAEGAN, images: Tensor, draws: Tensor) -> Tensor:
    """ln q(z) of draws (M, Z) under the posteriors of images (N, C, H, W), by whatever density they have:
    (M,), float64."""
    running = LogMeanExp()
    for chunk in images.split(TOGETHER):
        q = model.encode(chunk.to(model.device))
        z = draws.to(q.mean).unsqueeze(1)  # (M, 1, Z)
        parts = [q.log_density(part.expand(len(part), *q.mean.shape)) for part in z.split(TOGETHER)]
        running.add(torch.cat(parts).T.cpu())
    return running.value
