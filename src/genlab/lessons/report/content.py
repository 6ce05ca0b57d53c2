"""What a report says, as plain records: filled in by whoever ran the experiment, written by `write`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from genlab.lessons.estimators import Point

Pixels = NDArray[np.uint8]  # (N, C, H, W), C = 1 or 3
Latents = NDArray[np.float32]  # (N, Z)


@dataclass(frozen=True)
class ModelEntry:
    """One way of drawing images: a network and the prior that its z comes from.

    `key` is short and unique ("vae", "vae-mixture", "gan-from-vae", "gan"). `parameters` counts those of each
    part by name. `measurement` is `Measurement.as_json()` of `samples` drawn like these. `prior` says where z
    comes from.
    """

    key: str
    label: str
    family: str
    prior: str
    run: str | None
    steps: int
    seconds: float
    parameters: dict[str, int]
    measurement: dict[str, Any]
    samples: Pixels
    note: str = ""


@dataclass(frozen=True)
class Metric:
    """A column of the yardstick. `key` is a path into a measurement ("classes.covered").

    `better` says which way: "lower", "higher", or "near" the `target`. `sees` and `blind` are the two halves
    of what one must know to read the number.
    """

    key: str
    label: str
    unit: str
    better: Literal["lower", "higher", "near"]
    sees: str
    blind: str
    digits: int = 2
    target: float | None = None
    of: str | None = None  # a path to the largest possible value, shown as "9 of 10"
    log: bool = False  # whether the differences are easier to see on a log scale


METRICS = (
    Metric(
        "fid", "FID", "squared feature units", "lower",
        sees="How far the cloud of generated images lies from that of test images: means and covariances of "
        "the features that the network named under the table finds in them.",
        blind="Anything that this network ignores; the shipped one was made to see blur. It rises as N "
        "falls, and means nothing beside a FID on another network.",
        digits=1, log=True,
    ),
    Metric(
        "classes.covered", "Classes", "of the classes known", "higher",
        sees="Whether any class is missing: how many have at least a tenth of an equal share.",
        blind="Variety within a class: one perfect 7 repeated counts as all sevens.",
        digits=0, of="classes.known",
    ),
    Metric(
        "sharpness", "Sharpness", "relative to test images", "near",
        sees="Edges: below 1 the images are blurrier than real ones, above 1 noisier or more jagged.",
        blind="Whether the edges make a digit: noise is very sharp.",
        target=1.0,
    ),
    Metric(
        "c_t", "Copying, C_T", "standard deviations", "near",
        sees="Copying: far below 0 the samples lie closer to training images than test images do.",
        blind="Quality: far above 0 only says far from every training image, as noise is.",
        digits=1, target=0.0,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Series:
    """A line or a set of points in a chart. `colour` counts in the order of the report's models; None is
    neutral. `errors` are half-lengths of error bars."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    colour: int | None = 0
    style: Literal["line", "faint", "dashed", "points"] = "line"
    errors: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Chart:
    """A chart with its one sentence. `group` is the heading that it stands under: "vae", "gan" or "quality".

    Labels of axes carry the unit."""

    key: str
    group: Literal["vae", "gan", "quality", "estimators"]
    title: str
    sentence: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    log_x: bool = False
    log_y: bool = False


@dataclass(frozen=True)
class Reconstructions:
    """Test images and what the VAE makes of them, in the same order."""

    originals: Pixels
    reconstructed: Pixels
    model: str  # the key of the model


@dataclass(frozen=True)
class SameLatents:
    """The same z through two decoders: `latents` (N, Z), `rows` of N images, each labelled."""

    latents: Latents
    rows: tuple[tuple[str, Pixels], ...]


@dataclass(frozen=True)
class LiveDecoder:
    """A decoder that the page runs: `portable(…, half=True)` and the key of the model it belongs to."""

    model: str
    portable: dict[str, Any]


@dataclass(frozen=True)
class Directions:
    """Principal directions of a VAE's codes: `mean` (Z,), orthonormal `axes` (K, Z) with K ≥ 2, the standard
    deviation of the codes along each, `stds` (K,). `starts` are codes of test images to begin from."""

    mean: NDArray[np.float32]
    axes: NDArray[np.float32]
    stds: NDArray[np.float32]
    starts: Latents | None = None
    start_images: Pixels | None = None


@dataclass(frozen=True)
class NextStep:
    command: str
    sentence: str


@dataclass(frozen=True)
class Report:
    """Everything on the page. A part that is None, or empty, is left out of it."""

    title: str
    summary: str  # a sentence or two: what was done
    created: str  # ISO 8601, with the time zone
    command: str
    machine: dict[str, Any]
    seed: int
    sampling_seed: int
    dataset: str
    wall_seconds: float
    models: tuple[ModelEntry, ...]
    real: Pixels
    floor: dict[str, Any]
    ceiling: dict[str, Any]
    metrics: tuple[Metric, ...] = METRICS
    receipt: dict[str, Any] | None = None
    reconstructions: Reconstructions | None = None
    same_z: SameLatents | None = None
    charts: tuple[Chart, ...] = ()
    estimators: tuple[Point, ...] = ()
    decoders: tuple[LiveDecoder, ...] = ()
    directions: Directions | None = None
    notes: tuple[str, ...] = ()
    next_steps: tuple[NextStep, ...] = ()
