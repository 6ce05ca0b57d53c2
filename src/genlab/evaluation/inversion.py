"""Which z draws this image? A generator has no encoder, but z can be searched for by gradient descent.

Zhu et al. (2016), section 3.1; Lipton & Tripathi (2017). A search is no encoder: it may miss the best z, and
the z that it finds need not be a likely one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from genlab.evaluation.references import chosen
from genlab.metrics.intervals import Estimate, mean_estimate
from genlab.metrics.unavailable import Unavailable
from genlab.networks.model import GAN, VAE, VAEGAN, Generative
from genlab.randomness import generator

Progress = Callable[[int, int], None]
Watch = Callable[[int, Tensor], None]

STANDARD_IMAGES, FULL_IMAGES = 64, 1000
POOL = 1000  # draws of the prior, of which the nearest to each image are where its searches start
STARTS = 2
STEPS, RATE, BETAS = 120, 0.2, (0.8, 0.98)
TOGETHER = 256  # searches at once


class Inverted(NamedTuple):
    """latents (N, Z), the images (N, C, H, W) that they draw, and the mean squared error (N,) of these, for
    pixels in [0, 1]."""

    latents: Tensor
    images: Tensor
    errors: Tensor


def measure_inversion(
    model: VAE | GAN | VAEGAN, images: Tensor, *, seed: int = 0, full: bool = False,
    count: int | None = None, encode: Callable[[Tensor], Tensor] | None = None, encoder: str = "",
    progress: Progress | None = None,
) -> tuple[Estimate | Unavailable, dict[str, Any]]:  # fmt: skip
    """How near a GAN comes to a fixed choice of `images` (N, C, H, W), and how that was found out.

    The mean squared error of what `invert` finds, with its interval over images. With `encode`, the encoder
    of the VAE that the generator came from, named `encoder`, one more search starts from its code. What has
    an encoder of its own is Unavailable here. `progress(done, total)` counts steps.
    """
    if not isinstance(model, GAN):
        return Unavailable("the model has an encoder; see its reconstruction error"), {}
    some = images[chosen(len(images), count or (FULL_IMAGES if full else STANDARD_IMAGES))]
    codes = None if encode is None else encode(some)
    found = invert(model, some, seed=seed, codes=codes, progress=progress)
    details = {
        "images": len(some),
        "steps": STEPS,
        "starts": STARTS + (codes is not None),
        "how": how(encoder if codes is not None else ""),
        "mean_squared_latent": float(found.latents.double().square().mean()),
    }
    return mean_estimate(found.errors, lowest=0), details


def how(encoder: str = "") -> str:
    """The sentence that goes with every number and picture that `invert` made."""
    also = f" and from the code of {encoder}'s encoder" if encoder else ""
    return (
        f"z searched for by {STEPS} steps of Adam on the squared error of pixels, from the {STARTS} nearest "
        f"of {POOL:,} draws of the prior{also}; the best is kept"
    )


def invert(
    model: Generative, images: Tensor, *, seed: int = 0, codes: Tensor | None = None, steps: int = STEPS,
    starts: int = STARTS, progress: Progress | None = None, watch: Watch | None = None,
) -> Inverted:  # fmt: skip
    """Search for latents that draw `images` (N, C, H, W) in [−1, 1].

    From each image's `starts` nearest among `POOL` draws of the prior, and from `codes` (N, Z) where given,
    Adam descends the squared error; the best z met by any search is kept. The model must be in evaluation
    mode and is not changed: gradients are taken of z alone. A function of (model, images, seed, codes).
    `watch(step, lowest)` is told, before each step and after the last, the lowest error so far of every
    search at hand.
    """
    assert not model.training
    with torch.no_grad():
        pool = model.latents(POOL, generator(seed, "evaluate/inversion"))
        drawn = torch.cat([model.decode(part) for part in pool.split(TOGETHER)]).flatten(1)
    searches = starts + (codes is not None)
    together, latents, errors = max(1, TOGETHER // searches), [], []
    for index, chunk in enumerate(images.split(together)):
        target = chunk.to(model.device)
        nearest = torch.cdist(target.flatten(1), drawn).topk(starts, largest=False).indices  # (B, starts)
        first = pool[nearest]
        if codes is not None:
            own = codes[index * together : index * together + len(chunk)].to(first)
            first = torch.cat([first, own[:, None]], dim=1)

        def stepped(step: int, before: int = index * together, size: int = len(chunk)) -> None:
            if progress is not None:
                progress(before * steps + step * size, len(images) * steps)

        z, error = descend(model, target, first, steps, stepped, watch)
        latents.append(z.cpu())
        errors.append(error.cpu())
    found = torch.cat(latents)
    with torch.no_grad():
        again = [model.decode(part.to(model.device)).cpu() for part in found.split(TOGETHER)]
    return Inverted(found, torch.cat(again), torch.cat(errors))


def descend(
    model: Generative, target: Tensor, first: Tensor, steps: int, stepped: Callable[[int], None],
    watch: Watch | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The best z (B, Z) and its error (B,) on the way from `first` (B, S, Z) towards `target` (B, C, H, W).

    Adam (Kingma & Ba, 2015) acts on every coordinate alone, so that searches which share a batch do not know
    of each other; its rate falls to 0 along a cosine.
    """
    z = first.flatten(0, 1).clone().requires_grad_(True)
    targets = target.repeat_interleave(first.shape[1], dim=0)
    adam = torch.optim.Adam([z], lr=RATE, betas=BETAS, eps=1e-12)
    best, lowest = z.detach().clone(), torch.full((len(z),), torch.inf, device=z.device)
    for step in range(steps + 1):
        error = (model.decode(z) - targets).square().flatten(1).mean(dim=1) / 4  # pixels in [0, 1]
        closer = error.detach() < lowest
        lowest = torch.where(closer, error.detach(), lowest)
        best = torch.where(closer[:, None], z.detach(), best)
        if watch is not None:
            watch(step, lowest)
        if step < steps:
            (z.grad,) = torch.autograd.grad(error.sum(), z)
            for group in adam.param_groups:
                group["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
            adam.step()
            stepped(step + 1)
    lowest, kept = lowest.view(first.shape[:2]).min(dim=1)
    return best.view_as(first)[torch.arange(len(kept)), kept], lowest
