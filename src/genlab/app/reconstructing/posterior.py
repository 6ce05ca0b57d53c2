"""What a VAE makes of one image, and of the test images that it is held against.

Everything in nats is from one draw of z after another, the same `DRAWS` for every image: so that what is said
of an image hangs on the image alone, and an image drawn by hand is measured as the test images are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlab.app import models
from genlab.app.entries import Entry
from genlab.app.exploring.directions import principal
from genlab.app.held_out import HeldOut, held_out
from genlab.app.style import count

if TYPE_CHECKING:
    from torch import Tensor

    from genlab.experiment.trained import Trained
    from genlab.functional.gaussian import Posterior

DRAWS = 8  # of z for each image
TOGETHER = 200  # images encoded at a time
RARE = 0.05  # share of the test images at either end that an image is called unlike the others for
ROUNDING = 1e-5  # what an ELBO changes by at most, relatively, where other images stand beside it
IDLE = 0.01  # nats of mean KL below which a dimension of z says nothing (Burda et al. hold its variance)

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Account:
    """What a model makes of one image. image, again: (1, C, H, W), as the model sees it and decodes the mean
    of its posterior; mean, spread: (Z,); per_dimension: (Z,) nats, where the KL is a sum over dimensions."""

    image: Tensor
    again: Tensor
    mean: Numbers
    spread: Numbers
    per_dimension: Numbers | None
    distortion: float
    rate: float

    @property
    def elbo(self) -> float:
        return -(self.distortion + self.rate)

    @property
    def error(self) -> float:
        """Mean squared error, pixels from 0 to 1."""
        return float((self.again - self.image).square().mean()) / 4


@dataclass(frozen=True, eq=False)
class Known:
    """What the model makes of N test images: their ELBOs (N,), the means of their posteriors (N, Z), the mean
    KL of each dimension (Z,) where there is one, and a plane to see codes on."""

    elbo: Numbers
    codes: Numbers
    per_dimension: Numbers | None
    plane: Plane

    def share_below(self, elbo: float) -> float:
        """Which share of the test images has a lower ELBO; one that differs by its rounding has the same."""
        return float((self.elbo < elbo - ROUNDING * (1 + abs(elbo))).mean())


@dataclass(frozen=True, eq=False)
class Plane:
    """origin (Z,), axes (2, Z), and what the two coordinates are called."""

    origin: Numbers
    axes: Numbers
    names: tuple[str, str]

    def place(self, codes: Numbers) -> Numbers:
        """(N, Z) -> (N, 2)."""
        placed: Numbers = (codes - self.origin) @ self.axes.T
        return placed


def account(trained: Trained, pixels: NDArray[np.uint8]) -> Account:
    """Of an image (C, H, W) uint8. Raises UserError for a GAN."""
    import torch

    from genlab.evaluation.importance import terms
    from genlab.experiment.encoding import as_trained

    with torch.inference_mode():
        model, image = trained.autoencoder, as_trained(pixels[None], trained.experiment)
        q = model.encode(image)
        found = terms(model, image, DRAWS, 0, common=True)
        each = per_dimension(trained, q)
        return Account(
            image=image,
            again=trained.decode(q.mean),
            mean=q.mean[0].double().numpy(),
            spread=q.log_var[0].div(2).exp().double().numpy(),
            per_dimension=None if each is None else each[0].double().numpy(),
            distortion=float(found.distortion),
            rate=float(found.rate),
        )


def samples(trained: Trained, pixels: NDArray[np.uint8], seed: int) -> Tensor:
    """`DRAWS` images decoded from draws of q(z|x) of an image (C, H, W): (DRAWS, C, H, W)."""
    import torch

    from genlab.experiment.encoding import as_trained
    from genlab.randomness import generator

    with torch.inference_mode():
        q = trained.autoencoder.encode(as_trained(pixels[None], trained.experiment))
        noise = torch.randn(DRAWS, *q.mean.shape, generator=generator(seed, "app/posterior"))
        return trained.decode(q.sample(noise)[:, 0])


def per_dimension(trained: Trained, q: Posterior) -> Tensor | None:
    """The KL of each dimension from N(0, 1), (B, Z) in nats; None where it is no such sum."""
    from genlab.functional.gaussian import DiagonalGaussian, kl_per_dimension
    from genlab.networks.prior import StandardNormal

    if isinstance(q, DiagonalGaussian) and isinstance(trained.model.prior, StandardNormal):
        return kl_per_dimension(q)
    return None


def measure(trained: Trained, tests: HeldOut, progress: Callable[[int, int], None] | None = None) -> Known:
    """Of all of the test images; `progress(done, total)` counts decoded images."""
    import torch

    from genlab.evaluation.importance import terms
    from genlab.experiment.encoding import as_trained

    images = as_trained(tests.pixels, trained.experiment)
    with torch.inference_mode():
        found = terms(trained.autoencoder, images, DRAWS, 0, common=True, progress=progress)
        posteriors = [trained.autoencoder.encode(chunk) for chunk in images.split(TOGETHER)]
        each = [per_dimension(trained, q) for q in posteriors]
        codes = torch.cat([q.mean for q in posteriors]).double().numpy()
    sums = [part.double().sum(dim=0) for part in each if part is not None]
    mean_kl = torch.stack(sums).sum(dim=0).numpy() / len(images) if sums else None
    return Known(found.elbo.numpy(), codes, mean_kl, plane_of(codes))


def plane_of(codes: Numbers) -> Plane:
    """z itself where it has two dimensions, else the two leading principal components of codes (N, Z)."""
    dimensions = codes.shape[1]
    if dimensions == 2:
        return Plane(np.zeros(2), np.eye(2), ("z1", "z2"))
    if dimensions == 1:
        return Plane(np.zeros(1), np.array([[1.0], [0.0]]), ("z1", "nothing: z has one dimension"))
    origin = codes.mean(axis=0)
    axes, shares = principal(codes - origin)
    first, second = (f"principal component {i + 1} ({shares[i]:.0%} of the variance)" for i in range(2))
    return Plane(origin, axes[:2], (first, second))


@st.cache_resource(max_entries=4, show_spinner=False)
def shelf(path: str, step: int, stamp: int) -> list[Known]:
    """The place for what was measured of one checkpoint."""
    return []


def known(entry: Entry) -> Known:
    """Measured once for each checkpoint, with a bar while that takes longer than a blink."""
    assert entry.saved is not None
    stamp = (entry.path / "config.json").stat().st_mtime_ns
    kept = shelf(str(entry.path), entry.saved, stamp)
    if not kept:
        trained, tests = models.opened(entry), held_out(entry)
        bar = st.progress(0.0, f"Measuring {len(tests)} test images, once for this checkpoint …")

        def tell(done: int, total: int) -> None:
            bar.progress(done / total)

        kept.append(measure(trained, tests, tell))
        bar.empty()
    return kept[0]


def verdict(share: float, among: int) -> str:
    """Where an ELBO above the `share` of those of `among` test images stands, in words."""
    if share <= RARE:
        return f"**Lower than {of(1 - share, among)}:** it is unlike what the model knows."
    if share >= 1 - RARE:
        return f"**Higher than {of(share, among)}:** easier to explain than most, which is not yet typical."
    return f"**Higher than {of(share, among)}:** it is like those that the model knows."


def of(share: float, among: int) -> str:
    """As in "97 % of the test images"; all of them only where it is all."""
    if share == 1:
        return f"all of {count(among)} test images"
    return f"{min(99, round(100 * share))} % of the test images"
