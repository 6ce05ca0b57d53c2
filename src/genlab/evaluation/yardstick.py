"""One yardstick for every family: samples against held-out images, beside a floor and a ceiling.

A number means something only beside `floor` (what training images, which are as real as can be, would get)
and `ceiling` (what noise would get), at the same N and through the same feature networks. Every number has an
interval: what other samples of the same size from the same source would get against the same test images.
It says nothing of another training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from genlab.data import to_float
from genlab.errors import UserError
from genlab.evaluation.extractor import Features
from genlab.evaluation.references import References, chosen
from genlab.metrics.bins import ndb
from genlab.metrics.coverage import (
    class_divergence,
    class_score,
    class_shares,
    classes_covered,
    confidence,
    evenness,
)
from genlab.metrics.frechet import fid, fid_infinity
from genlab.metrics.intervals import BLOCKS, Estimate, jackknifed
from genlab.metrics.kernel import kid
from genlab.metrics.memorisation import c_t, nearest
from genlab.metrics.neighbours import neighbourhoods
from genlab.metrics.sharpness import relative_sharpness, sharpness
from genlab.metrics.two_sample import two_sample_accuracy
from genlab.metrics.unavailable import Unavailable
from genlab.randomness import generator

STANDARD_COUNT = 10_000

Values = dict[str, Estimate | Unavailable]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Seen:
    """Samples (N, C, H, W) and what the two networks see in them."""

    images: Tensor = field(repr=False)
    own: Features = field(repr=False)
    texture: Features | None = field(repr=False)


def measure(
    samples: Tensor, references: References, *, full: bool = False, progress: Progress | None = None
) -> Values:
    """Every instrument on samples (N, C, H, W) in [-1, 1]; the standard N is 10 000. Keys as in INSTRUMENTS.

    `full` adds the instruments that are not standard; `progress(what, done, of)` is called before each.
    Raises UserError for fewer than 40 samples or real images, NaN or infinite pixels, or another shape than
    the data's.
    """
    if len(samples) < 2 * BLOCKS:
        raise UserError(f"{len(samples)} samples are too few to measure; draw at least {2 * BLOCKS}.")
    if min(references.count, len(references.train)) < 2 * BLOCKS:
        raise UserError(
            f"{references.dataset.name} has {references.count} test and {len(references.train)} training "
            f"images, too few to measure samples against: at least {2 * BLOCKS} of both are needed, and "
            "thousands for steady numbers; add images."
        )
    if not bool(torch.isfinite(samples).all()):
        raise UserError("The samples contain NaN or infinite pixels; the model that drew them has diverged.")
    said = progress or silent
    steps = [*STANDARD, *(FULL if full else ())]
    said("features", 0, len(steps) + 1)
    texture = None if references.texture is None else references.texture.extractor(samples)
    seen = Seen(samples, references.own.extractor(samples), texture)
    values: Values = {}
    for index, step in enumerate(steps):
        said((step.__doc__ or step.__name__).partition(":")[0], index + 1, len(steps) + 1)
        values |= step(seen, references)
    return values


def silent(what: str, done: int, of: int) -> None:
    """Progress that nobody watches."""


def distances(seen: Seen, references: References) -> Values:
    """Fréchet distances: on the own features, extrapolated to endless samples, and on texture."""
    values: Values = {
        "fid": fid(seen.own.features, references.own.moments),
        "fid_infinity": fid_infinity(seen.own.features, references.own.moments),
    }
    if seen.texture is not None and references.texture is not None:
        values["fid/texture"] = fid(seen.texture.features, references.texture.moments)
    return values


def kernels(seen: Seen, references: References) -> Values:
    """Kernel distance: KID, in thousandths."""
    found = kid(seen.own.features, references.own.test.features).estimate
    return {"kid": Estimate(*(1000 * number for number in asdict(found).values()))}


def manifolds(seen: Seen, references: References) -> Values:
    """Neighbourhoods: precision, recall, density and coverage."""
    found = neighbourhoods(seen.own.features, references.own.test.features)
    return {
        "precision": found.precision,
        "recall": found.recall,
        "density": found.density,
        "coverage": found.coverage,
    }


def clusters(seen: Seen, references: References) -> Values:
    """Clusters: the share of bins that samples fill too much or too little."""
    return {"ndb": ndb(seen.own.features, references.bins)}


def two_samples(seen: Seen, references: References) -> Values:
    """Two-sample test: can a small network tell them from test images?"""
    return {"c2st": two_sample_accuracy(seen.own.features, references.own.test.features, seed=0)}


def two_samples_by_texture(seen: Seen, references: References) -> Values:
    """Two-sample test on texture: the slightest blur or noise."""
    if seen.texture is None or references.texture is None:
        return {}
    theirs = references.texture.test.features
    return {"c2st/texture": two_sample_accuracy(seen.texture.features, theirs, seed=0)}


def classes(seen: Seen, references: References) -> Values:
    """Classes: which are reached, how evenly, and how surely."""
    ours, theirs = seen.own.probabilities, references.own.test.probabilities
    keys = ("classes", "class_divergence", "evenness", "confidence", "class_score")
    if isinstance(ours, Unavailable):
        return dict.fromkeys(keys, ours)
    assert not isinstance(theirs, Unavailable), "one extractor sees classes in both or in none"
    return {
        "classes": jackknifed(
            lambda some: float(classes_covered(class_shares(some))), ours, 0, ours.shape[1]
        ),
        "class_divergence": class_divergence(ours, class_shares(theirs)),
        "evenness": evenness(ours),
        "confidence": confidence(ours),
        "class_score": class_score(ours),
    }


def edges(seen: Seen, references: References) -> Values:
    """Sharpness: the energy of edges, relative to test images."""
    return {"sharpness": relative_sharpness(sharpness(seen.images), references.test_sharpness)}


def copying(seen: Seen, references: References) -> Values:
    """Copying: do samples lie closer to training images than test images do?"""
    found = c_t(references.test_nearest, nearest(seen.own.features, references.train), references.cells)
    if isinstance(found, Unavailable):
        return {"c_t": found}
    return {"c_t": Estimate(found, 1.0, found - 1.96, found + 1.96)}  # a Z score: its own error is 1


Step = Callable[[Seen, References], Values]
STANDARD: tuple[Step, ...] = (distances, kernels, manifolds, clusters, two_samples, classes, edges, copying)
FULL: tuple[Step, ...] = (two_samples_by_texture,)


def plain(values: Values) -> dict[str, Any]:
    """As JSON: {"value", "error", "low", "high"}, or {"unavailable": reason}."""
    return {
        key: found.as_json() if isinstance(found, Unavailable) else asdict(found)
        for key, found in values.items()
    }


def floor(references: References, count: int = STANDARD_COUNT, *, full: bool = False) -> Values:
    """What a fixed choice of training images gets: samples as real as can be, and copies, as C_T must say."""
    pixels = references.dataset.train.pixels[chosen(len(references.dataset.train), count).numpy()]
    return measure(to_float(torch.tensor(pixels)), references, full=full)


def ceiling(references: References, count: int = STANDARD_COUNT, *, full: bool = False) -> Values:
    """What uniform noise gets."""
    noise = torch.rand(count, *references.dataset.shape, generator=generator(0, "evaluation/ceiling"))
    return measure(2 * noise - 1, references, full=full)
