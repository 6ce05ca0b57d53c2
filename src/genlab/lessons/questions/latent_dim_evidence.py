"""What the lesson on latent_dim shows: figures, tables, pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from genlab.lessons.figures import beside, channel, layered, line, points
from genlab.lessons.judging import Findings
from genlab.lessons.lesson import Evidence, Figure, Picture, Setting, Table
from genlab.lessons.over_seeds import pointed, told
from genlab.lessons.questions.latent_dim_trials import (
    LIMITS,
    MODELS,
    REACHED,
    SETS,
    SIDE,
    SIZES,
    elbows,
    gap,
    mse,
    nested,
)
from genlab.lessons.tasks import Shelf, Task


def evidence(findings: Findings) -> Evidence:
    figures = (reconstruction(findings), fall(findings), pruning(findings))
    tables = (sizes_table(findings), few_table(findings), elbow_table(findings))
    return Evidence(figures, tables, shown(findings))


def size_axis() -> dict[str, Any]:
    return channel("size", "latent_dim (log)", log=True, axis={"values": [1, 2, 4, 8, 16, 32, 64, 128]})


def curve(
    rows: list[list[float]], findings: Findings, name: str, x: dict[str, Any], y: dict[str, Any],
    order: Sequence[str],
) -> list[dict[str, Any]]:  # fmt: skip
    values = [
        {"size": size, **pointed(row), "of": name} for size, row in zip(findings["sizes"], rows, strict=True)
    ]
    return [line(values, x, y, "of", order), points(values, x, y, "of", order)]


def reconstruction(findings: Findings) -> Figure:
    order = ("VAE, test", "VAE, training", "autoencoder, test", "autoencoder, training")
    x, charts = size_axis(), []
    y = channel("y", "squared error of a pixel (log)", log=True)
    for amount, limit in LIMITS.items():
        layers = []
        for model, (title, _) in MODELS.items():
            for kind, word in (("test", "test"), ("train", "training")):
                rows = mse(findings, amount, model, kind)
                layers += curve(rows, findings, f"{title}, {word}", x, y, order)
        charts.append((f"from {limit:,} images", layered(*layers, width=300, height=270)))
    return Figure(
        "reconstruction", "What comes back, of images seen in training and of others",
        "The mean squared error of a pixel in [−1, 1], decoded from the mean of q(z|x); bars are 95 % intervals "
        "over seeds. Between a model's two lines lies the gap.", beside(*charts),
    )  # fmt: skip


def fall(findings: Findings) -> Figure:
    """Each set's error as a share of the fall that more dimensions can bring."""
    order, x, layers = tuple(SETS.values()), size_axis(), []
    curves = {name: scaled(findings["sets"][name]) for name in SETS}
    most = max(fmean(row) for rows in curves.values() for row in rows)
    y = channel("y", "error, of the fall that is to be had", domain=[-0.05, 1.05 * most])
    for name, rows in curves.items():
        layers += curve(rows, findings, SETS[name], x, y, order)
    rule = {
        "data": {"values": [{"y": 1 - REACHED}]},
        "mark": {"type": "rule", "strokeDash": [4, 4], "color": "#999999"},
        "encoding": {"y": y},
    }
    return Figure(
        "elbow", "Where the elbow is, on three sets of images",
        "A VAE's squared error on test images, from that with one dimension (1) to the least (0). The elbow is "
        f"where a line first meets the dashed one: nine tenths of the fall are done. Images of {SIDE} × {SIDE} px.",
        layered(*layers, rule),
    )  # fmt: skip


def scaled(rows: list[list[float]]) -> list[list[float]]:
    """Each seed's errors as shares of its own fall."""
    return [list(row) for row in zip(*(shares_of(errors) for errors in zip(*rows, strict=True)), strict=True)]


def shares_of(errors: Sequence[float]) -> list[float]:
    least = min(errors)
    return [(each - least) / max(errors[0] - least, 1e-12) for each in errors]


def pruning(findings: Findings) -> Figure:
    order, x = tuple(title for title, _ in MODELS.values()), size_axis()
    y = channel("y", "dimensions in use (log)", log=True, domainMin=0.9)
    layers = []
    for model, (title, _) in MODELS.items():
        rows = nested(findings["used"][model], lambda one: max(1, one["used"]))
        layers += curve(rows, findings, title, x, y, order)
    return Figure(
        "pruning", "How many of the dimensions are used",
        "As many as cannot be put at their means together without raising the squared error by more than 1 %. From "
        f"{LIMITS['many']:,} images.", layered(*layers),
    )  # fmt: skip


def sizes_table(findings: Findings) -> Table:
    rows = []
    for model, (title, _) in MODELS.items():
        for i, size in enumerate(findings["sizes"]):
            tests = [one["test"] for one in findings["many"][model][i]]
            used, samples = findings["used"][model][i], findings["samples"][model][i]
            vae = model == "vae"
            rows.append((
                title, str(size), told([one["mse"] for one in tests], 4),
                told([one["rate"] for one in tests]) if vae else "–",
                told([one["active"] for one in tests]) if vae else "–", told([one["used"] for one in used]),
                told([one["nll"] for one in used]),
                told([one["prior" if vae else "codes"]["frechet"] for one in samples]),
            ))  # fmt: skip
    return Table(
        "sizes", f"From {LIMITS['many']:,} images",
        ("", "latent_dim", "squared error", "rate", "active", "in use", "NLL (bound)", "Fréchet of samples"), tuple(rows),
        f"Test images, after {findings['steps']:,} steps; nats per image. Samples are drawn from N(0, I) for a VAE "
        "and for an autoencoder, which has no prior, from a Gaussian fitted to its codes. An autoencoder "
        "defines no likelihood. Mean over seeds [smallest, largest].",
    )  # fmt: skip


def few_table(findings: Findings) -> Table:
    rows = []
    for model, (title, _) in MODELS.items():
        for i, size in enumerate(findings["sizes"]):
            train, test = (mse(findings, "few", model, kind)[i] for kind in ("train", "test"))
            nats = [one["train"]["elbo"] - one["test"]["elbo"] for one in findings["few"][model][i]]
            rows.append((title, str(size), told(train, 4), told(test, 4), told(gap(findings, "few", model)[i]),
                         told(nats) if model == "vae" else "–"))  # fmt: skip
    return Table(
        "few", f"From {LIMITS['few']:,} images",
        ("", "latent_dim", "squared error, training", "test", "gap, %", "gap of the ELBO, nats"), tuple(rows),
        "So few on purpose, that there is something to learn by heart: each image is seen "
        f"{findings['steps'] * 128 // LIMITS['few']} times.",
    )  # fmt: skip


def elbow_table(findings: Findings) -> Table:
    rows = [
        (title, told(elbows(findings, name)), told(findings["sets"][name][0], 4),
         told([min(errors) for errors in zip(*findings["sets"][name], strict=True)], 4))
        for name, title in SETS.items()
    ]  # fmt: skip
    return Table(
        "elbows", "The elbow", ("images", "latent_dim at the elbow", "error with one dimension", "least error"),
        tuple(rows), f"VAEs, {LIMITS['many']:,} training images of each set; the digits 0 and 1 are the two.",
    )  # fmt: skip


def shown(findings: Findings) -> tuple[Picture, ...]:
    told_sizes = ", ".join(map(str, findings["sizes"]))
    return (
        Picture("samples", "Samples from N(0, I)", f"A VAE; a row for each latent_dim: {told_sizes}.", "samples.png"),
        Picture(
            "samples-ae", "Samples from a Gaussian fitted to an autoencoder's codes",
            f"A row for each latent_dim: {told_sizes}.", "samples-ae.png",
        ),
    )  # fmt: skip


def pictures(setting: Setting, tasks: Mapping[str, Task], shelf: Shelf) -> list[tuple[str, bytes]]:
    import numpy as np

    from genlab.lessons.work.samples import KINDS, PICTURES
    from genlab.runs.sheets import png

    def rows(model: str, kind: str, width: int = 12) -> bytes:
        keys = [f"samples/many/{model}/{size}/{setting.seed}" for size in SIZES[setting.scale]]
        drawn = [np.load(shelf.folder(tasks[key]) / PICTURES)[KINDS.index(kind)][:width] for key in keys]
        return png(np.concatenate(drawn), width, 2)

    return [("samples.png", rows("vae", "prior")), ("samples-ae.png", rows("ae", "codes"))]
