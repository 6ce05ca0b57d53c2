"""What the page's script draws: planes of two instruments, and curves over seconds and over images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genlab.evaluation.cells import Cell
from genlab.evaluation.compare import Comparison, Row, compare
from genlab.evaluation.records import Reading, measure
from genlab.lessons.comparison.gather import Curve
from genlab.metrics.unavailable import Unavailable

Spec = dict[str, Any]
IN_NATS = ("elbo", "nelbo")  # compare on one measure of pixels only
QUANTITIES = {
    "elbo": ("ELBO ↑", "nats per image", "Of the batch at hand, and of β = 1."),
    "accuracy": (
        "How often D is right",
        "accuracy on real and generated images",
        "At 0.5 the discriminator can only guess; at 1 it is never fooled.",
    ),
    "nelbo": ("−ELBO ↓", "nats per image", "A bound on −ln p(x), one draw of the posterior each."),
    "fid": (
        "FID ↓",
        "squared feature units",
        "Of 2 000 samples whatever the table's N is: on a scale of its own.",
    ),
}


def planes(comparison: Comparison) -> dict[str, Spec]:
    """Rate against distortion for those that have both; precision against recall with floor and ceiling."""
    keys = ("rate", "distortion", "recall", "precision")
    found = compare(comparison.records, comparison.floor, comparison.ceiling, keys)
    rate, distortion, recall, precision = found.rows
    specs = {
        "plane-rate": {
            "title": "Rate and distortion",
            "sentence": "What a code costs against what it leaves to say. On a dashed line the ELBO, "
            "−(rate + distortion), is the same: further down and left is better.",
            "series": points(found, rate, distortion),
            "iso": "ELBO",
            **axes(rate, distortion),
        },
        "plane-precision": {
            "title": "Precision and recall",
            "sentence": "Samples that look real, against real images that are reached: up and right is "
            "better; one perfect image repeated has precision 1 and recall 0.",
            "series": points(found, recall, precision, ends=True),
            **axes(recall, precision),
        },
    }
    return {key: spec for key, spec in specs.items() if spec["series"]}


def axes(x: Row, y: Row) -> Spec:
    return {
        "x_label": f"{x.instrument.label}, {x.instrument.unit}",
        "y_label": f"{y.instrument.label}, {y.instrument.unit}",
    }


def points(comparison: Comparison, x: Row, y: Row, ends: bool = False) -> list[Spec]:
    """One point an entry, with half its intervals; the floor and the ceiling as points of their own."""
    series = []
    for index, entry in enumerate(comparison.entries):
        here, there = x.cells[index], y.cells[index]
        if isinstance(here, Cell) and isinstance(there, Cell):
            series.append(point(entry.letter, entry.name, index, here, there))
    if ends and series:
        for name, across, up in (("floor", x.floor, y.floor), ("ceiling", x.ceiling, y.ceiling)):
            if not isinstance(across, Unavailable) and not isinstance(up, Unavailable):
                series.append(point("", name, None, across, up))
    return series


def point(letter: str, name: str, index: int | None, x: Cell | Reading, y: Cell | Reading) -> Spec:
    halves = [each.half if isinstance(each, Cell) else 0.0 for each in (x, y)]
    return {
        "letter": letter, "name": name, "index": index, "style": "points", "x": [x.value], "y": [y.value],
        "half": halves,
    }  # fmt: skip


def charts(comparison: Comparison, curves: Sequence[Curve]) -> dict[str, Spec]:
    """Two charts for each quantity: over seconds of training, and over images seen. Nats on different
    measures are never in one chart."""
    specs: dict[str, Spec] = {}
    together: dict[tuple[bool, str, str], list[Curve]] = {}
    for curve in curves:
        nats = curve.key.removesuffix("/train") in IN_NATS
        on = measure(comparison.entries[curve.entries[0]].first) if nats else None
        together.setdefault((curve.validated, curve.key, on or ""), []).append(curve)
    measures = {on for _, _, on in together if on}
    for (validated, key, on), mine in sorted(together.items(), key=lambda item: not item[0][0]):
        title, unit, sentence = titled(key)
        for axis, label in (("seconds", "seconds of training"), ("images", "images seen")):
            name = f"{'validated' if validated else 'logged'}-{key}-{axis}"
            specs[f"{name}-{len(specs)}" if name in specs else name] = {
                "title": f"{title}, per {axis.removesuffix('s')}",
                "sentence": f"{sentence} Measured as {on}." if on and len(measures) > 1 else sentence,
                "x_label": label,
                "y_label": unit,
                "series": [line(comparison, curve, axis) for curve in mine if curve.values],
            }
    return specs


def titled(key: str) -> tuple[str, str, str]:
    """Title, unit and sentence of a quantity; "/train" is against training images, for want of others."""
    name = key.removesuffix("/train")
    title, unit, sentence = QUANTITIES.get(name, (name.replace("_", " "), name.replace("_", " "), ""))
    if name != key:
        sentence = f"{sentence} Against training images: blind to what was learned by heart."
    return title, unit, sentence


def line(comparison: Comparison, curve: Curve, axis: str) -> Spec:
    entries = [comparison.entries[index] for index in curve.entries]
    return {
        "letter": " ".join(entry.letter for entry in entries), "name": entries[0].name,
        "index": curve.entries[0], "style": "line", "x": list(getattr(curve, axis)), "y": list(curve.values),
        "half": [0, 0],
    }  # fmt: skip
