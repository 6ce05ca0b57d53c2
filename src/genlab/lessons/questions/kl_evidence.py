"""What the lesson on the KL term shows: figures, tables, pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from genlab.lessons.figures import beside, by, channel, layered, line, points
from genlab.lessons.judging import Findings
from genlab.lessons.lesson import Evidence, Figure, Picture, Setting, Table
from genlab.lessons.over_seeds import pointed, told
from genlab.lessons.questions.kl_plane import named, planes
from genlab.lessons.questions.kl_trials import (
    BETAS,
    LIMIT,
    LINEAR_UNITS,
    PLANE,
    SIGMA,
    UNITS,
    frechet,
    gaps,
    of_space,
    of_test,
    optimum,
)
from genlab.lessons.tasks import Shelf, Task


def evidence(findings: Findings) -> Evidence:
    figures = (trade(findings), units(findings), planes(findings))
    tables = (by_beta(findings), spaces(findings), few(findings), counted(findings))
    return Evidence(figures, tables, shown(findings))


def trade(findings: Findings) -> Figure:
    order = ("VAE, on test images", "linear VAE, closed form", "linear VAE, measured")
    return Figure(
        "trade", "What a code costs, and what it saves",
        "Rate is the KL term, distortion the reconstruction term, each point one β, which is the number beside "
        "it; bars are 95 % intervals over seeds. Left a VAE with a hidden layer on both sides; right a linear "
        "one, its measured points and the best that any linear VAE can do.",
        beside(
            ("a VAE", layered(*measured_curve(findings, order), width=300, height=280)),
            (f"a linear VAE of {LINEAR_UNITS} units", layered(*linear_curve(findings, order), width=300, height=280)),
        ),
    )  # fmt: skip


def measured_curve(findings: Findings, order: Sequence[str]) -> list[dict[str, Any]]:
    rows = [
        at(beta, of_test(findings, beta, "rate"), of_test(findings, beta, "distortion"), order[0])
        for beta in findings["terms"]
    ]
    rates = [row["rate"] for row in rows]
    x = channel("rate", "rate, nats per image (log)", log=True, domain=[min(rates) / 1.5, 2 * max(rates)])
    return labelled(rows, x, channel("distortion", "distortion, nats per image"), order)


def linear_curve(findings: Findings, order: Sequence[str]) -> list[dict[str, Any]]:
    rows = [
        at(beta, [row["rate"] for row in runs], [row["distortion"] for row in runs], order[2])
        for beta, runs in findings["linear"]["runs"].items()
    ]
    finest = [0.1 * 300 ** (i / 120) for i in range(121)]
    curve = [
        {"rate": best.rate, "distortion": best.distortion, "of": order[1]}
        for best in (optimum(findings, beta) for beta in finest)
    ]
    most = max(row["rate"] for row in rows)
    x = channel("rate", "rate, nats per image", domain=[-0.04 * most, 1.12 * most])
    y = channel("distortion", "squared error / 2σ², nats per image")
    return [line(curve, x, y, "of", order), *labelled(rows, x, y, order)]


def at(beta: str, rates: Sequence[float], distortions: Sequence[float], of: str) -> dict[str, Any]:
    """A point, with the interval of its distortion."""
    return {"rate": fmean(rates), **pointed(distortions, "distortion"), "of": of, "beta": beta}


def labelled(
    rows: list[dict[str, Any]], x: dict[str, Any], y: dict[str, Any], order: Sequence[str]
) -> list[dict[str, Any]]:
    """The points, and what each is of beside it."""
    words = {
        "data": {"values": rows},
        "mark": {"type": "text", "align": "left", "dx": 6, "dy": -8, "fontSize": 11},
        "encoding": {"x": x, "y": y, "text": {"field": "beta"}, "color": by("of", order)},
    }
    return [points(rows, x, y, "of", order), words]


def units(findings: Findings) -> Figure:
    rows, largest = [], 1e-3
    for beta, each in findings["terms"].items():
        for rank in range(UNITS):
            nats = max(fmean(one["test"]["kl"][rank] for one in each), 1e-3)
            rows.append({"unit": rank + 1, "kl": nats, "of": named(beta)})
            largest = max(largest, nats)
    x, y = (
        channel("unit", "unit, by its KL"),
        channel("kl", "KL of the unit, nats (log)", log=True, domain=[1e-3, 1.3 * largest]),
    )
    order = [named(beta) for beta in findings["terms"]]
    return Figure(
        "units", "How much each unit says",
        "KL(q(z_j|x) ‖ N(0, 1)) in the mean over test images and seeds, units sorted; what is below 0.001 "
        "nats stands at the foot.", layered(line(rows, x, y, "of", order, point=True)),
    )  # fmt: skip


def by_beta(findings: Findings) -> Table:
    rows = [
        (f"{float(beta):g}", told(of_test(findings, beta, "rate")), told(of_test(findings, beta, "distortion")),
         told(of_test(findings, beta, "elbo")), told(of_test(findings, beta, "mse"), 4),
         told(of_test(findings, beta, "active")))
        for beta in findings["terms"]
    ]  # fmt: skip
    return Table(
        "terms", f"Test images, {UNITS} units",
        ("β", "rate", "distortion", "ELBO (at β = 1)", "mean squared error", "active units"), tuple(rows),
        f"Nats per image after {findings['steps']:,} steps; the squared error is of a pixel in [−1, 1], decoded "
        "from the mean. A unit is active where its posterior mean varies by more than 0.01. "
        "Mean over seeds [smallest, largest].",
    )  # fmt: skip


def spaces(findings: Findings) -> Table:
    rows = []
    for beta in findings["space"]:
        sure = [each["prior"]["sure"] for each in findings["samples"][beta]]
        rows.append((
            f"{float(beta):g}", told(of_space(findings, beta, "marginal_kl")),
            told(of_space(findings, beta, "reach"), 2), told(frechet(findings, beta)),
            told(frechet(findings, beta, "codes")), told(sure, 2), told(of_space(findings, beta, "jump"), 2),
        ))  # fmt: skip
    return Table(
        "space", "The space and what is drawn from it",
        ("β", "KL(q(z) ‖ N(0, I))", "reach", "Fréchet, from N(0, I)", "Fréchet, from a Gaussian like the codes",
         "sure", "largest over mean step"), tuple(rows),
        "The KL of the codes is estimated from below, and so may come out a little under 0. Reach is the root "
        "mean square of a code's entries, 1 under N(0, I). Fréchet distances are of 2,000 samples by the features of a classifier; “sure” is the share of samples from N(0, I) of which it is "
        "more than 90 % sure. Steps are in the same features, along 11 points on a line between two codes.",
    )  # fmt: skip


def few(findings: Findings) -> Table:
    rows = []
    for beta in findings["few"]:
        seen, unseen = (
            [one[kind]["distortion"] for one in findings["few"][beta]] for kind in ("train", "test")
        )
        rows.append((f"{float(beta):g}", told(seen), told(unseen), told(gaps(findings, beta)),
                     told(gaps(findings, beta, "elbo"))))  # fmt: skip
    return Table(
        "few", f"Trained on {LIMIT:,} images",
        ("β", "distortion, training", "distortion, test", "gap of the distortion", "gap of the ELBO"), tuple(rows),
        "So few on purpose, that there is something to learn by heart. Nats per image.",
    )  # fmt: skip


def counted(findings: Findings) -> Table:
    rows = []
    for beta, each in findings["linear"]["runs"].items():
        best = optimum(findings, float(beta))
        active, rate, distortion = ([row[what] for row in each] for what in ("active", "rate", "distortion"))
        rows.append((beta, str(best.active), told(active), f"{best.rate:.2f}", told(rate, 2),
                     f"{best.distortion:.2f}", told(distortion, 2)))  # fmt: skip
    return Table(
        "linear", "The linear VAE: what the eigenvalues predict, and what was trained",
        ("β", "active, predicted", "active", "rate, predicted", "rate", "distortion, predicted", "distortion"),
        tuple(rows),
        f"20,000 training images at 14 × 14 px, σ = {SIGMA:g}, {findings['linear']['steps']:,} steps. The values of β "
        "stand between the eigenvalues of MNIST: a unit whose λ nearly is βσ² takes ever longer to decide.",
    )  # fmt: skip


def shown(findings: Findings) -> tuple[Picture, ...]:
    betas = ", ".join(f"{float(beta):g}" for beta in findings["terms"])
    planes = tuple(
        Picture(
            f"plane-{beta}", f"What the prior's plane decodes to, {named(beta)}",
            "The quantiles of N(0, 1) along both axes, so that every image stands for the same share of the "
            "prior.", f"plane-{beta}.png",
        )
        for beta in findings["plane"]
    )  # fmt: skip
    return (
        Picture(
            "samples", "Samples from N(0, I), and what they would be if only the scale were wrong",
            f"A row for each β: {betas}. Last, at β = 0, samples from a Gaussian fitted to the codes.", "samples.png",
        ),
        Picture("lines", "From one test image to another", f"A row for each β: {betas}; 11 codes on a line.",
                "lines.png"),
        *planes,
    )  # fmt: skip


def pictures(setting: Setting, tasks: Mapping[str, Task], shelf: Shelf) -> list[tuple[str, bytes]]:
    import numpy as np

    from genlab.lessons.work import plane, samples, space
    from genlab.runs.sheets import png

    def kept(kind: str, beta: float, name: str) -> Any:
        return np.load(shelf.folder(tasks[f"{kind}/{beta:g}/{setting.seed}"]) / name)

    betas, width = BETAS[setting.scale], 12
    drawn = [kept("samples", beta, samples.PICTURES)[0][:width] for beta in betas]
    drawn.append(kept("samples", 0, samples.PICTURES)[1][:width])
    walked = [kept("space", beta, space.PICTURES)[: space.POINTS] for beta in betas]
    return [
        ("samples.png", png(np.concatenate(drawn), width, 2)),
        ("lines.png", png(np.concatenate(walked), space.POINTS, 2)),
        *((f"plane-{beta:g}.png", png(kept("plane", beta, plane.PICTURES), plane.SIDE))
          for beta in PLANE[setting.scale]),
    ]  # fmt: skip
