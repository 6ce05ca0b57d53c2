"""What the lesson that holds a VAE against a GAN shows: figures, tables, pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from genlab.evaluation.instruments import INSTRUMENTS
from genlab.lessons.figures import beside, channel, layered, points
from genlab.lessons.judging import Findings
from genlab.lessons.lesson import Evidence, Figure, Picture, Setting, Table
from genlab.lessons.over_seeds import told
from genlab.lessons.questions.compare_trials import COUNTS, KEPT, NAMES, ahead, of, pairs
from genlab.lessons.tasks import Shelf, Task

MODELS = ("VAE, N(0, I)", "VAE, second stage", "GAN")
OWN = ("vae", "vae:fitted", "gan")
OTHERS = ("vae-by-gan", "vae-by-gan:fitted", "gan-by-vae")
SPREADING = ("fid", "recall", "sharpness")
DIGITS = {"mse": 4, "inversion_mse": 4, "fid": 1, "kid": 1, "elbo": 1, "nll": 1, "c_t": 1, "active_units": 0}
LABELS = {"inversion_mse": "MSE by searching z", "mse": "MSE by the encoder"}


def evidence(findings: Findings) -> Evidence:
    tables = (instruments(findings), tools(findings), costs(findings))
    return Evidence((fidelity_and_coverage(findings),), tables, shown(findings))


def fidelity_and_coverage(findings: Findings) -> Figure:
    panels = [("each by its own recipe", OWN)]
    if any(key in findings["values"] for key in OTHERS):
        panels.append(("each by the other's recipe", OTHERS))
    every = [rows(findings, columns) for _, columns in panels]
    fids = [row["fid"] for each in every for row in each]
    x = channel("fid", "Fréchet distance, nearer to the left (log)", log=True,
                domain=[min(fids) / 1.2, 1.2 * max(fids)])  # fmt: skip
    recalls = [row["recall"] for each in every for row in each]
    y = channel("recall", "recall: share of test images covered",
                domain=[max(0, min(recalls) - 0.05), min(1, max(recalls) + 0.05)])  # fmt: skip
    charts = [
        (title, layered(points(each, x, y, "of", MODELS, size=75), width=290, height=280))
        for (title, _), each in zip(panels, every, strict=True)
    ]
    return Figure(
        "plane", "How near samples are to real images, and how much of these they cover",
        "A mark for each seed; the best place is at the top left. Both models have the same decoder and had the "
        "same time on one thread. The second stage is the same VAE, z drawn from a mixture fitted to its codes.",
        beside(*charts),
    )  # fmt: skip


def rows(findings: Findings, columns: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {"fid": fid, "recall": recall, "of": model}
        for column, model in zip(columns, MODELS, strict=True)
        if column in findings["values"]
        for fid, recall in pairs(findings, (column, "fid"), (column, "recall"))
    ]


def instruments(findings: Findings) -> Table:
    columns = list(findings["values"])
    lines = [
        (heading(key), *(told_of(findings, column, key) for column in columns))
        for key in KEPT
        if any(of(findings, column, key) for column in columns)
    ]
    lines += [
        (
            f"{INSTRUMENTS[key].label}: spread over seeds",
            *(spread(findings, column, key) for column in columns),
        )
        for key in SPREADING
    ]
    return Table(
        "instruments", "The evidence", ("", *(NAMES[column] for column in columns)), tuple(lines),
        f"Means over {len(findings['seeds'])} seeds [smallest, largest], at {findings['count']:,} samples. ↓ lower is "
        "better, ↑ higher, → nearer to the number. – is not a 0: "
        f"{missing(findings)}. NLL and ELBO are in nats per image of grey levels read as probabilities; the "
        "spread is the largest less the smallest, over their mean.",
    )  # fmt: skip


def heading(key: str) -> str:
    label = LABELS.get(key)
    found = INSTRUMENTS.get(key)
    if label is None:
        return found.heading if found else key
    return f"{label} ↓"


def told_of(findings: Findings, column: str, key: str) -> str:
    return told(of(findings, column, key), DIGITS.get(key, 2))


def spread(findings: Findings, column: str, key: str) -> str:
    found = of(findings, column, key)
    if len(found) < 2:
        return "–"
    return f"{100 * (max(found) - min(found)) / fmean(found):.0f} %"


def missing(findings: Findings) -> str:
    """Why a GAN has no likelihood, as the yardstick says it."""
    said: Mapping[str, str] = findings["unavailable"].get("gan", {})
    return said.get("elbo", "what has no number is not defined for that model").rstrip(".")


def tools(findings: Findings) -> Table:
    lines = tuple(
        (what, *(verdict(findings, what, column) for column in ("vae", "vae:fitted"))) for what in COUNTS
    )
    return Table(
        "tools", "Which is ahead, by what counts",
        ("what counts", "GAN against the VAE's N(0, I)", "GAN against its second stage"), lines,
        "By the 95 % interval over seeds of the difference, each by its own recipe; in brackets the GAN's mean "
        "advantage, in halvings for distances and errors, in shares for the others.",
    )  # fmt: skip


def verdict(findings: Findings, what: str, column: str) -> str:
    found = COUNTS[what](findings, column)
    if not found:
        return "–"
    return f"{ahead(findings, what, column) or 'cannot be told'} ({fmean(found):+.2f})"


def costs(findings: Findings) -> Table:
    lines = []
    for arm, each in findings["trained"].items():
        cost = findings["cost"][arm]
        sizes = cost["parameters"]
        decoder = sizes.get("decoder", sizes.get("generator", 0))
        lines.append((
            NAMES[arm].replace(", N(0, I)", ""), f"{each['steps']:,}", told(each["seconds"], 0),
            f"{each['images']:,}", told(findings["fitting"].get(arm, []), 0), f"{decoder:,}",
            f"{sum(sizes.values()):,}", told(cost["images_per_second"], 0), str(sum(each["diverged"])),
        ))  # fmt: skip
    return Table(
        "costs", "What it took",
        ("", "steps", "seconds", "images seen", "second stage, s", "decoder's parameters", "all parameters",
         "images drawn per second", "diverged"), tuple(lines),
        "Steps were set beforehand by what a step costs, so that all take the same time on one thread; the seconds "
        "are what they took here, and say how equal that was.",
    )  # fmt: skip


def shown(findings: Findings) -> tuple[Picture, ...]:
    if any(findings["trained"][arm]["diverged"][0] for arm in ("vae", "gan")):
        return ()
    return (
        Picture("samples", "Samples", "From the top: the VAE's from N(0, I); the VAE's by its second stage; the "
                "GAN's. One seed, not chosen.", "samples.png"),
        Picture("back", "An image given back", "From the top: test images; what the VAE's encoder and decoder make "
                "of them; the nearest that a search found in the GAN.", "back.png"),
    )  # fmt: skip


def pictures(setting: Setting, tasks: Mapping[str, Task], shelf: Shelf) -> list[tuple[str, bytes]]:
    import numpy as np

    from genlab.lessons.work import contest
    from genlab.runs.sheets import png

    folder = shelf.folder(tasks[f"drawn/{setting.seed}"])
    found = [("samples.png", folder / contest.SAMPLES), ("back.png", folder / contest.BACK)]
    return [
        (name, png(np.concatenate(np.load(path)), contest.SHOWN, 2)) for name, path in found if path.exists()
    ]
