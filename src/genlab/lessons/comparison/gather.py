"""What a page shows beside the numbers: samples, curves, and what was set differently. Reads the runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genlab.data.batches import to_uint8
from genlab.evaluation.compare import Comparison
from genlab.evaluation.records import Record
from genlab.experiment.runner import load_data
from genlab.experiment.trained import Trained, open_reference
from genlab.lessons.report.charts import smoothed, thinned
from genlab.lessons.report.content import Pixels
from genlab.runs.configs import differing as configs_differing
from genlab.runs.events import Metrics, Validated
from genlab.runs.reference import parse_reference
from genlab.runs.store import Run, find_run

WHILE_TRAINING = ("elbo", "accuracy")  # logged terms that mean something from run to run
UNINTERESTING = ("training.seed", "data.digest", "training.device", "training.threads")


@dataclass(frozen=True)
class Sheet:
    """The first images of an entry, none chosen; entries with one `latents` were decoded from the same z,
    image by image."""

    entry: int
    pixels: Pixels
    latents: int


@dataclass(frozen=True)
class Curve:
    """One quantity of one run over its training; `validated` on held-out images, else as it was logged.
    `entries` are all that stand on this run, as they do with another prior."""

    entries: tuple[int, ...]
    key: str
    validated: bool
    seconds: tuple[float, ...]
    images: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Gathered:
    """`settings` are the dotted keys of the configs that differ, with each entry's value as text. `origins`
    are entries with the one whose decoder they began as."""

    sheets: tuple[Sheet, ...]
    real: Pixels
    curves: tuple[Curve, ...]
    settings: tuple[tuple[str, tuple[str, ...]], ...]
    origins: tuple[tuple[int, int], ...]
    sampling_seed: int


def gather(comparison: Comparison, seed: int) -> Gathered:
    """Everything from the run folders; an entry of several seeds shows the samples of its first run."""
    opened = [open_reference(entry.first["reference"]) for entry in comparison.entries]
    shown = 64 if len(opened) <= 6 else 36 if len(opened) <= 12 else 16
    standing: dict[Path, list[int]] = {}
    for index, entry in enumerate(comparison.entries):
        for record in entry.records:
            standing.setdefault(run_of(record).path.resolve(), []).append(index)
    curves = (Curve(tuple(who), *curve) for path, who in standing.items() for curve in history(Run(path)))
    return Gathered(
        sheets=sheets(opened, shown, seed),
        real=load_data(opened[0].experiment).test.pixels[:shown],
        curves=tuple(curves),
        settings=differing([trained.run.config() for trained in opened]),
        origins=tuple(origins(opened)),
        sampling_seed=seed,
    )


def run_of(record: Record) -> Run:
    return find_run(parse_reference(str(record["reference"])).run)


def origins(opened: Sequence[Trained]) -> Iterator[tuple[int, int]]:
    """(entry, the first entry whose decoder it began as)."""
    paths = [trained.run.path.resolve() for trained in opened]
    for index, trained in enumerate(opened):
        start = trained.experiment.start
        if start is not None and Path(start).resolve() in paths:
            yield index, paths.index(Path(start).resolve())


def sheets(opened: Sequence[Trained], count: int, seed: int) -> tuple[Sheet, ...]:
    found: list[Sheet] = []
    drawn: list[Tensor] = []
    for index, trained in enumerate(opened):
        images, latents = trained.sample(count, seed)
        same = [i for i, z in enumerate(drawn) if torch.equal(z, latents)]
        if not same:
            drawn.append(latents)
        found.append(Sheet(index, to_uint8(images).numpy(), same[0] if same else len(drawn) - 1))
    return tuple(found)


def history(run: Run) -> Iterator[tuple[str, bool, tuple[float, ...], tuple[float, ...], tuple[float, ...]]]:
    """(key, validated, seconds, images, values) of each quantity that a run measured while it trained."""
    events = list(run.events())
    for kind in (Validated, Metrics):
        mine = [event for event in events if isinstance(event, kind)]
        keys = dict.fromkeys(key for event in mine for key in event.values)
        for key in keys if kind is Validated else [key for key in WHILE_TRAINING if key in keys]:
            points = [event for event in mine if key in event.values]
            logged = [event.values[key] for event in points]
            values = logged if kind is Validated else smoothed(logged)
            seconds, y = thinned([event.seconds for event in points], values)
            images, _ = thinned([float(event.images) for event in points], values)
            yield key, kind is Validated, seconds, images, y


def differing(configs: Sequence[dict[str, Any]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The settings in which the configs differ, as text."""
    found = configs_differing(configs)
    rows = ((key, tuple(worded(key, value) for value in values)) for key, values in found.items())
    return tuple((key, values) for key, values in rows if len(set(values)) > 1 and key not in UNINTERESTING)


def worded(key: str, value: Any) -> str:
    if value is None:
        return "none"
    return Path(value).name if key == "start" else str(value)
