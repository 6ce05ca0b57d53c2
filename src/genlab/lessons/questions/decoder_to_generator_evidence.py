"""What the lesson on the hand-over shows: figures, tables, pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean
from typing import Any

from genlab.lessons.figures import beside, channel, layered, line, points
from genlab.lessons.judging import Findings
from genlab.lessons.lesson import Evidence, Figure, Picture, Setting, Table
from genlab.lessons.over_seeds import pointed, told
from genlab.lessons.questions.decoder_to_generator_trials import (
    ARMS,
    RUN,
    charge,
    end,
    halvings,
    is_measured,
    needed,
    of_rows,
    runs,
)
from genlab.lessons.tasks import Shelf, Task

Rows = list[dict[str, Any]]
DISTANCE = "Fréchet distance to test images (log)"
SHORT = {"random": "random weights", "decoder": "decoder", "mixture": "z from codes", "trunk": "and trunk",
         "trunk-mixture": "and trunk, z from codes"}  # fmt: skip


def evidence(findings: Findings) -> Evidence:
    if not is_measured(findings):
        return Evidence((), (receipts(findings), results(findings)))
    figures = (distances(findings), charged(findings), drift(findings))
    tables = (receipts(findings), results(findings), same_latents(findings))
    return Evidence(figures, tables, shown(findings))


def distances(findings: Findings) -> Figure:
    order = [SHORT[key] for key in SHORT if key in findings["arms"]]
    together = [key for key in SHORT if key in findings["arms"]]
    first = [key for key in SHORT if f"{key}-first" in findings["arms"]]
    ends = [row["frechet"] for each in findings["arms"].values() for run in each for row in run["rows"]]
    y = channel("y", DISTANCE, log=True, domain=[min(ends) / 1.2, 1.2 * max(ends)])
    panels = [("D and G learn together", curves(findings, together, "", y, order))]
    if first:
        title = f"D alone for {findings['first']} steps, then both"
        panels.append((title, curves(findings, first, "-first", y, order)))
    return Figure(
        "distances", "From random weights, and from a VAE's decoder",
        "How far 2,000 samples of the averaged generator are from test images, against the step; lower is "
        "better. Means over seeds, bars are 95 % intervals. On the left both players learn from the first "
        "step; on the right the discriminator has some steps to itself, of the same budget.",
        beside(*panels),
    )  # fmt: skip


def curves(
    findings: Findings, arms: Sequence[str], suffix: str, y: dict[str, Any], order: Sequence[str]
) -> dict[str, Any]:
    rows: Rows = []
    for arm in arms:
        for step, values in of_rows(findings, arm + suffix, "frechet"):
            rows.append({"step": step, **positive(pointed(values)), "of": SHORT[arm]})
    x = channel("step", "step", axis={"tickCount": 5})
    return layered(line(rows, x, y, "of", order), points(rows, x, y, "of", order), width=290, height=270)


def positive(point: dict[str, float | None]) -> dict[str, float | None]:
    """A logarithmic axis has no place for the part of an interval below 0."""
    low = point["low"]
    return {**point, "low": None if low is None else max(low, 1e-3)}


def charged(findings: Findings) -> Figure:
    """Against seconds: a decoder that lay there already, and one that had to be trained."""
    order = ("random weights", "decoder, VAE not counted", "decoder, VAE counted")
    rows: Rows = []
    for name, arm, before in (
        (order[0], "random", 0.0),
        (order[1], "decoder", 0.0),
        (order[2], "decoder", fmean(findings["vae_seconds"])),
    ):
        per_step = fmean(run["seconds"] for run in findings["arms"][arm]) / findings["steps"]
        for step, values in of_rows(findings, arm, "frechet"):
            rows.append({"seconds": before + per_step * step, "y": fmean(values), "of": name})
    x, y = channel("seconds", "seconds of training on one thread"), channel("y", DISTANCE, log=True)
    return Figure(
        "charged", "The same against time",
        f"The VAE took {fmean(findings['vae_seconds']):.0f} s, which is {charge(findings):,.0f} steps of the GAN. "
        "Whether they count depends on why one has the VAE. Means over seeds.",
        layered(line(rows, x, y, "of", order), points(rows, x, y, "of", order), height=260),
    )  # fmt: skip


def drift(findings: Findings) -> Figure:
    order = tuple(SHORT[key] for key in SHORT if key in findings["arms"])

    def panel(name: str, title: str, chance: float | None) -> dict[str, Any]:
        rows: Rows = []
        for arm in (key for key in SHORT if key in findings["arms"]):
            rows += [{"step": step, "y": fmean(values), "of": SHORT[arm]}
                     for step, values in of_rows(findings, arm, name)]  # fmt: skip
        x, y = channel("step", "step", axis={"tickCount": 4}), channel("y", title, domainMin=0)
        layers = [line(rows, x, y, "of", order), points(rows, x, y, "of", order)]
        return layered(*layers, *([] if chance is None else [level(chance)]), width=290, height=220)

    return Figure(
        "drift", "What becomes of the same z",
        "Left, how far the image of a latent has moved from the VAE's image of it; 1 is the distance between "
        "two images of the VAE. Right, how far from z is what the old encoder reads from the generator's "
        "image of z; the dotted line is what it misses on the image of another z.",
        beside(
            ("images", panel("pixels", "distance in pixels, relative", 1.0)),
            ("codes", panel("code", "‖E(G(z)) − z‖ / ‖z‖", chance_of(findings))),
        ),
    )  # fmt: skip


def chance_of(findings: Findings) -> float:
    return fmean(run["chance"] for (run,) in runs(findings, "decoder"))


def level(at: float) -> dict[str, Any]:
    """A dotted line across."""
    return {
        "data": {"values": [{"level": at}]},
        "mark": {"type": "rule", "strokeDash": [2, 3], "color": "#999999"},
        "encoding": {"y": {"field": "level", "type": "quantitative"}},
    }


def receipts(findings: Findings) -> Table:
    rows = []
    for arm in (key for key in findings["arms"] if ARMS[key].decoder):
        found = [run["receipt"] for run in findings["arms"][arm]]
        one = found[0]
        trunk = "–" if one["trunk_tensors"] is None else f"{one['trunk_tensors']}"
        rows.append((
            ARMS[arm].name, str(one["tensors"]), f"{one['parameters']:,}", largest(found, "max_difference"),
            largest(found, "reloaded_difference"), largest(found, "training_difference"),
            trunk, largest(found, "trunk_difference"),
        ))  # fmt: skip
    return Table(
        "receipt", "The receipt of the hand-over",
        ("start", "tensors", "parameters", "max │G(z) − Dec(z)│", "saved and read back", "in training mode",
         "tensors of the trunk", "max difference of their features"), tuple(rows),
        "Before the first step, over 64 latents, pixels in [−1, 1]; the largest over seeds. In the mode that "
        "trains, batch statistics take the place of the averages that the decoder has learned.",
    )  # fmt: skip


def largest(receipts: Sequence[Mapping[str, Any]], name: str) -> str:
    found = [each[name] for each in receipts if each[name] is not None]
    return f"{max(found):.3g}" if found else "–"


def results(findings: Findings) -> Table:
    rows = []
    for arm, each in findings["arms"].items():
        measured = [run for run in each if run["rows"]]
        if not measured:
            rows.append((ARMS[arm].name, *["–"] * 6, told_warnings(each)))
            continue
        begun = told([run["rows"][0]["frechet"] for run in measured])
        worst = told([max(row["frechet"] for row in run["rows"]) for run in measured])
        rows.append((
            ARMS[arm].name, begun, worst, told([end(run) for run in measured]), against(findings, arm),
            arrived(findings, arm), told([100 * run["alike"] for run in each], 0), told_warnings(each),
        ))  # fmt: skip
    return Table(
        "results", "Every start, on the same budget",
        ("start", "at the start", "worst", "at the end", "halvings over random weights", "steps to its end",
         "too alike, %", "warnings"), tuple(rows),
        f"Fréchet distances, lower is better; mean over {len(findings['seeds'])} seeds [smallest, largest]. Steps: "
        "until a start stays below what random weights end at. Too alike: the share of logged steps in the "
        "second half of training whose images differ less than 0.3 times as much as real ones.",
    )  # fmt: skip


def against(findings: Findings, arm: str) -> str:
    return "–" if arm == "random" else told(halvings(findings, arm, "random"), 2)


def arrived(findings: Findings, arm: str) -> str:
    """How many of its seeds came to where random weights end, and when."""
    found = [mine for mine, _ in needed(findings, arm)]
    there = [each for each in found if each is not None]
    late = len(found) - len(there)
    said = [told(there, 0)] if there else []
    return "; ".join([*said, f"{late} of {len(found)} not"] if late else said)


def told_warnings(each: Sequence[Mapping[str, Any]]) -> str:
    names = [name for run in each for name in run["warned"]]
    return ", ".join(f"{name}: {names.count(name)}" for name in sorted(set(names))) or "none"


def same_latents(findings: Findings) -> Table:
    """How fast the images of the same latents move, from one mark to the next."""
    kinds = ("pixels", "features", "code")
    columns = {kind: of_rows(findings, "decoder", kind) for kind in kinds}
    rows = [("0", *(told(columns[kind][0][1], 2) for kind in kinds), "", "")]
    for index, (before, after) in enumerate(pairwise(columns["pixels"]), 1):
        steps = after[0] - before[0]
        speeds = [100 * (fmean(columns[kind][index][1]) - fmean(columns[kind][index - 1][1])) / steps
                  for kind in ("pixels", "features")]  # fmt: skip
        rows.append((f"{after[0]:,}", *(told(columns[kind][index][1], 2) for kind in kinds),
                     *(f"{speed:+.2f}" for speed in speeds)))  # fmt: skip
    return Table(
        "same-z", "How far the same z has moved, starting from the decoder",
        ("step", "pixels", "features", "‖E(G(z)) − z‖ / ‖z‖", "pixels, per 100 steps", "features, per 100 steps"),
        tuple(rows),
        f"500 latents; 1 is the distance between two images of the VAE. By chance the encoder misses "
        f"{chance_of(findings):.2f}. The last columns say how the distance from the VAE's images grew since the "
        "row above.",
    )  # fmt: skip


def pictured(arms: Mapping[str, Any]) -> list[str]:
    """The starts that pictures are drawn of."""
    return [key for key in ("decoder", "decoder-first", "mixture", "random") if key in arms]


def shown(findings: Findings) -> tuple[Picture, ...]:
    steps = tuple(int(step) for step, _ in of_rows(findings, "decoder", "code"))
    told = ", ".join(f"{step:,}" for step in steps)
    return tuple(
        Picture(
            f"same-z-{arm}", f"The same ten z throughout: {ARMS[arm].name}",
            f"First row, the VAE's images; then the generator's after {told} steps. One seed.",
            f"same-z-{arm}.png", steps,
        )
        for arm in pictured(findings["arms"])
        if findings["arms"][arm][0]["rows"]
    )  # fmt: skip


def pictures(setting: Setting, tasks: Mapping[str, Task], shelf: Shelf) -> list[tuple[str, bytes]]:
    import numpy as np

    from genlab.lessons.work import drift
    from genlab.runs.sheets import png

    found = []
    for arm in pictured(dict.fromkeys(RUN[setting.scale])):
        path = shelf.folder(tasks[f"drift/{arm}/{setting.seed}"]) / drift.PICTURES
        if path.exists():  # there is none of a training that diverged
            found.append((f"same-z-{arm}.png", png(np.concatenate(np.load(path)), drift.SHOWN, 2)))
    return found
