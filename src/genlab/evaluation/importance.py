"""The terms of the bounds on ln p(x), image by image, in tiles of so many images × so many draws.

Only a tile is ever decoded at once, so that the memory needed is that of one tile, whatever K and N are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from genlab.functional.gaussian import Posterior
from genlab.functional.importance import LogMeanExp, log_weights
from genlab.networks.model import VAE, VAEGAN
from genlab.networks.prior import StandardNormal
from genlab.randomness import generator

Progress = Callable[[int, int], None]

TILE = 250  # images of 28×28 decoded at once; fewer where they are larger
TILE_PIXELS = TILE * 28 * 28
TOGETHER = 50  # images encoded at once
ROOM = 40  # times as much at once where it is not the processor that decodes, which would idle between tiles


class Terms(NamedTuple):
    """For each of N images, in nats, (N,) float64 on the CPU: the means over K draws of −ln p(x|z) and of the
    KL term, whose negative sum is the ELBO, and the bound L_K from the same draws."""

    distortion: Tensor
    rate: Tensor
    bound: Tensor

    @property
    def elbo(self) -> Tensor:
        return -(self.distortion + self.rate)


def tile(count: int, draws: int, pixels: int, room: int = 1) -> tuple[int, int]:
    """(images, draws) of a tile for `count` images of so many `pixels` (C·H·W) and `draws` draws of each,
    with `room` for so many times what a processor's cache likes."""
    decoded = max(1, min(room * TILE, room * TILE_PIXELS // pixels))
    together = min(count, TOGETHER, decoded)
    return together, min(draws, max(1, decoded // together))


@torch.inference_mode()
def terms(
    model: VAE | VAEGAN,
    images: Tensor,
    draws: int,
    seed: int,
    *,
    common: bool = False,
    progress: Progress | None = None,
) -> Terms:
    """The terms of `images` (N, C, H, W) in [−1, 1] from `draws` draws of q(z|x) for each.

    Every image has draws of its own, so that their errors average out over images; with `common` all share
    the same, so that an image's terms are a function of it alone, whatever stands beside it. The model must
    be in evaluation mode. `progress(done, total)` counts decoded images.
    """
    assert not model.training
    assert len(images) >= 1, "no images"
    assert draws >= 1, draws
    room = 1 if model.device.type == "cpu" else ROOM
    together, at_once = tile(len(images), draws, images[0].numel(), room)
    shared: Tensor | None = None
    found, done = [], 0
    for index, chunk in enumerate(images.split(together)):
        chunk = chunk.to(model.device)
        q = model.encode(chunk)
        if common and shared is None:
            shared = torch.randn(draws, q.mean.shape[1], generator=generator(seed, "evaluate/common"))
        rng = generator(seed, "evaluate/importance", index)
        running, sums = LogMeanExp(), torch.zeros(2, len(chunk), dtype=torch.float64)
        for first in range(0, draws, at_once):
            few = min(at_once, draws - first)
            if shared is None:
                noise = torch.randn(few, *q.mean.shape, generator=rng)
            else:
                noise = shared[first : first + few, None].expand(few, *q.mean.shape)
            nll, kl, weights = weighed(model, chunk, q, noise)
            running.add(weights)
            sums += torch.stack([nll.double().sum(dim=0), kl.double().sum(dim=0)])
            done += few * len(chunk)
            if progress is not None:
                progress(done, draws * len(images))
        found.append(torch.cat([sums / draws, running.value[None]]))
    distortion, rate, bound = torch.cat(found, dim=1)
    return Terms(distortion, rate, bound)


def weighed(
    model: VAE | VAEGAN, images: Tensor, q: Posterior, noise: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """−ln p(x|z), the KL term and ln w of images (B, C, H, W) at the draws of q that `noise` (k, B, Z) makes:
    each (k, B), nats, on the CPU."""
    z = q.sample(noise.to(q.mean))
    raw = model.raw(z.flatten(0, 1))
    repeated = images.expand(len(z), *images.shape).flatten(0, 1)
    nll = model.observation.nll(raw, repeated).view(z.shape[:2])
    log_prior, log_q = model.prior.log_density(z), q.log_density(z)
    closed = isinstance(model.prior, StandardNormal)  # of another prior the KL is this same difference
    kl = (model.prior.kl(q, z) if closed else log_q - log_prior).expand(nll.shape)
    return nll.cpu(), kl.cpu(), log_weights(nll, log_prior, log_q).cpu()
