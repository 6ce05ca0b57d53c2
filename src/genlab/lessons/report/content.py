"""What a report says, as plain records: filled in by whoever ran the experiment, written by `write`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from genlab.evaluation.instruments import Instrument
from genlab.lessons.estimators import Point

Pixels = NDArray[np.uint8]  # (N, C, H, W), C = 1 or 3
Latents = NDArray[np.float32]  # (N, Z)


@dataclass(frozen=True)
class ModelEntry:
    """One way of drawing images: a network and the prior that its z comes from.

    `key` is short and unique ("vae", "vae-mixture", "gan-from-vae", "gan"). `parameters` counts those of each
    part by name. `measurement` is the record of an evaluation of `samples` drawn like these. `prior` says
    where z comes from.
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
    """Everything on the page. A part that is None, or empty, is left out of it. `sees` says of an
    instrument, by key, which corruptions of real images moved it."""

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
    metrics: tuple[Instrument, ...] = ()
    sees: dict[str, str] = field(default_factory=dict)
    receipt: dict[str, Any] | None = None
    reconstructions: Reconstructions | None = None
    same_z: SameLatents | None = None
    charts: tuple[Chart, ...] = ()
    estimators: tuple[Point, ...] = ()
    decoders: tuple[LiveDecoder, ...] = ()
    directions: Directions | None = None
    notes: tuple[str, ...] = ()
    next_steps: tuple[NextStep, ...] = ()
