"""What the lesson on encoder and discriminator shows: figures, tables and pictures of its findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from genlab.lessons.figures import COLOURS, beside, channel, layered, line, points
from genlab.lessons.judging import Findings
from genlab.lessons.lesson import Evidence, Figure, Picture, Setting, Table
from genlab.lessons.over_seeds import told
from genlab.lessons.tasks import Task

TRUNKS = {"encoder": "the encoder's", "discriminator": "the discriminator's", "untrained": "before training"}
TARGETS = {
    "class": "which digit, % right",
    "real": "real or generated, % right",
    "pixels": "the pixels, R² in %",
}
LOSSES = ("non-saturating", "hinge")
PLAYERS = {"discriminator": "the generator's", "encoder": "the decoder's"}
Rows = list[dict[str, Any]]


def evidence(findings: Findings) -> Evidence:
    figures = (
        what_is_read(findings), what_is_scored(findings), how_probable(findings), the_optimum(findings),
        trained_ahead(findings), the_partner(findings),
    )  # fmt: skip
    tables = (alike(findings), numbers_read(findings), probabilities(findings), equally_accurate(findings))
    return Evidence(figures, tables, PICTURES)


PICTURES = (
    Picture(
        "saliency", "Which pixels turn the output most",
        "From above: images; where a change moves the length of the encoder's mean code most; where one moves "
        "the discriminator's logit most; the same for the hinge critic. Each map over its own largest value.",
        "saliency.png",
    ),
    Picture(
        "images", "What the two trainings make",
        "From above: images; the VAE's reconstructions of them; samples from its prior; samples of the GAN. "
        "Of the first seed, by the weights as the training ended.",
        "images.png",
    ),
)  # fmt: skip


def pictures(setting: Setting, tasks: Mapping[str, Task], shelf: Any) -> Sequence[tuple[str, bytes]]:
    import numpy as np

    from genlab.runs.sheets import png

    folder, found = shelf.folder(tasks[f"scores/{setting.seed}"]), []
    for picture, name in zip(PICTURES, ("maps.npy", "pictures.npy"), strict=True):
        rows = np.load(folder / name)  # (rows, columns, C, H, W)
        found.append((picture.path, png(rows.reshape(-1, *rows.shape[2:]), rows.shape[1], scale=2)))
    return found


def spread(values: Iterable[float]) -> dict[str, float]:
    """The mean over seeds, the least and the largest."""
    there = list(values)
    return {"mean": fmean(there), "low": min(there), "high": max(there)}


# Figures.


def what_is_read(findings: Findings) -> Figure:
    charts = [(title, probed(findings, target)) for target, title in TARGETS.items()]
    spec = beside(*charts, columns=3) | {
        "resolve": {"scale": {"color": "shared", "strokeDash": "shared", "shape": "shared"}}
    }
    return Figure(
        "read", "What one linear map reads from each layer of one trunk, trained twice",
        "Layer 0 is the pixels; the last point of the encoder is its mean code, that of the discriminator its "
        "one logit. Means over seeds, and the smallest and largest.",
        spec,
    )  # fmt: skip


def probed(findings: Findings, target: str) -> dict[str, Any]:
    rows: Rows = []
    for trunk, label in TRUNKS.items():
        for layer, each in enumerate(zip(*findings["probes"][trunk], strict=True)):
            rows.append({"layer": name_of(layer, findings), "of": label,
                         **spread(100 * row[target] for row in each)})  # fmt: skip
    x = channel("layer", "layer", kind="ordinal", sort=None, axis={"labelAngle": 0})
    y, order = channel("mean", "", domain=[0, 100]), tuple(TRUNKS.values())
    return layered(line(rows, x, y, "of", order), points(rows, x, y, "of", order), width=180, height=230)


def name_of(layer: int, findings: Findings) -> str:
    return "out" if layer == len(findings["probes"]["untrained"][0]) else str(layer)


def what_is_scored(findings: Findings) -> Figure:
    charts = [(f"{loss} loss", quantiles(findings, loss, loss == LOSSES[0])) for loss in LOSSES]
    return Figure(
        "scores", "What a discriminator says of each kind of image",
        "The thick bar holds the middle half of the images, the thin line nine in ten, the mark is the median. "
        "Means of these quantiles over seeds, where the training ended.",
        beside(*charts),
    )  # fmt: skip


def quantiles(findings: Findings, loss: str, named: bool) -> dict[str, Any]:
    kinds = list(findings["scores"][0][loss]["scores"])
    rows: Rows = []
    for kind in kinds:
        seeds = [each[loss]["scores"][kind] for each in findings["scores"]]
        low, lower, middle, upper, high = (fmean(quantile) for quantile in zip(*seeds, strict=True))
        rows.append({"kind": kind, "q05": low, "q25": lower, "q50": middle, "q75": upper, "q95": high})
    axis = {"labelLimit": 220, "minExtent": 165} if named else {"labels": False}
    y = channel("kind", "", kind="nominal", sort=None, axis=axis)
    title = "logit" if loss == LOSSES[0] else "score"

    def across(first: str, last: str, size: float) -> dict[str, Any]:
        x = channel(first, title)
        return {"mark": {"type": "rule", "strokeWidth": size, "color": COLOURS[0]},
                "encoding": {"y": y, "x": x, "x2": {"field": last}}}  # fmt: skip

    mark = {"mark": {"type": "tick", "color": COLOURS[1], "thickness": 3, "size": 20},
            "encoding": {"y": y, "x": channel("q50", title)}}  # fmt: skip
    return {"data": {"values": rows}, **layered(across("q05", "q95", 1.5), across("q25", "q75", 8), mark,
                                                width=250, height=200)}  # fmt: skip


def how_probable(findings: Findings) -> Figure:
    rows: Rows = []
    for loss in LOSSES:
        for number, seed in enumerate(findings["scores"]):
            rows += [{"said": b["probability"], "share": b["share"], "of": loss, "seed": number}
                     for b in seed[loss]["calibration"]["bins"] if b["images"] >= 20]  # fmt: skip
    x = channel("said", "sigmoid of the discriminator's output", domain=[0, 1])
    y = channel("share", "share of real images", domain=[0, 1])
    diagonal = {"data": {"values": [{"said": 0, "share": 0}, {"said": 1, "share": 1}]},
                "mark": {"type": "line", "strokeDash": [3, 3], "color": COLOURS[6]},
                "encoding": {"x": x, "y": y}}  # fmt: skip
    return Figure(
        "calibration", "Is it a probability? What the sigmoid says, and how often it is so",
        "Test images and as many samples, sorted by what the sigmoid says of them; on the dotted line it is a "
        "probability. A mark for each bin of 20 images or more and each seed, where the training ended.",
        layered(diagonal, points(rows, x, y, "of", LOSSES), width=360, height=300),
    )  # fmt: skip


def the_optimum(findings: Findings) -> Figure:
    order = (*LOSSES, "ln p/q = −2x", "wasserstein")
    curves = [
        {"x": x, "score": score, "of": loss}
        for loss in (*LOSSES, order[3])
        for x, score in zip(findings["optimum"][0]["x"], findings["optimum"][0][loss]["curve"], strict=True)
    ]
    curves += [{"x": x, "score": -2 * x, "of": order[2]} for x in findings["optimum"][0]["x"]]
    learned = line(curves, channel("x", "x"), channel("score", "logit or score"), "of", order)
    rows: Rows = []
    for loss in LOSSES:
        for each in zip(*(seed[loss]["rows"] for seed in findings["optimum"]), strict=True):
            rows.append({"samples": each[0]["samples"], "of": loss,
                         **spread(max(row["excess"], 1e-7) for row in each)})  # fmt: skip
    x, y = channel("samples", "draws seen", log=True), channel("mean", "loss above the least, nats", log=True)
    nearing = layered(line(rows, x, y, "of", order), points(rows, x, y, "of", order), width=250, height=240)
    return Figure(
        "optimum", "Two Gaussians, N(−1, 1) real and N(1, 1) generated: what discriminators learn of p/(p + q)",
        "Left, the function learned in the end, one seed; where it crosses 0, real and generated part. Right, the expected logistic loss above "
        f"{findings['optimum'][0]['least']:.5f}, that of p/(p + q), against draws seen; means over seeds, and "
        "the smallest and largest.",
        beside(("what is learned", layered(learned, width=250, height=240)), ("how near it comes", nearing)),
    )  # fmt: skip


def trained_ahead(findings: Findings) -> Figure:
    return Figure(
        "ahead",
        "The discriminator learns on alone: what its generator is told",
        "The norm of the gradient in a generated image, its mean over images, by either loss of the "
        "generator. Means over seeds, and the smallest and largest.",
        gradients(findings),
    )


def the_partner(findings: Findings) -> Figure:
    return Figure(
        "partner",
        "One player learns on alone: what becomes of its partner's loss",
        "By how much the loss of the partner, which stands still, has risen: the generator's while its "
        "discriminator goes on, the decoder's while its encoder does. Below zero the one helps the other. Means over seeds, and the smallest and largest.",
        losses(findings),
    )


def gradients(findings: Findings) -> dict[str, Any]:
    order = ("minimax", "non-saturating")
    rows = [
        {"steps": each[0]["steps"], "of": loss, **spread(row[f"{loss} gradient"] for row in each)}
        for loss in order
        for each in zip(*findings["ahead"]["discriminator"], strict=True)
    ]
    y = channel("mean", "norm of the gradient", log=True)
    return over_steps(rows, y, order, "steps of the discriminator alone")


def losses(findings: Findings) -> dict[str, Any]:
    rows: Rows = []
    for player, key in (("discriminator", "non-saturating loss"), ("encoder", "loss")):
        for each in zip(*findings["ahead"][player], strict=True):
            starts = [seed[0][key] for seed in findings["ahead"][player]]
            risen = [row[key] - start for row, start in zip(each, starts, strict=True)]
            rows.append({"steps": each[0]["steps"], "of": PLAYERS[player], **spread(risen)})
    y = channel("mean", "rise of the loss, nats")
    return over_steps(rows, y, tuple(PLAYERS.values()), "steps alone")


def over_steps(rows: Rows, y: dict[str, Any], order: tuple[str, ...], title: str) -> dict[str, Any]:
    x = channel("steps", title, kind="ordinal", axis={"labelAngle": 0})
    return layered(line(rows, x, y, "of", order), points(rows, x, y, "of", order), width=440, height=240)


# Tables.


def alike(findings: Findings) -> Table:
    start = max(findings["difference"])
    rows = (
        ("trunk", "conv, width 16, one dense layer of 256, no norm", "the same"),
        ("its weights at the start", "drawn by the seed", f"the same, to {start:g}"),
        (
            "images seen",
            f"{findings['steps']:,} batches of 64",
            "the same in the same order, and as many generated",
        ),
        ("optimizer", "Adam, rate 0.001, β₁ 0, β₂ 0.99", "the same"),
        ("head", "linear, 2 × 32 numbers", "linear, 1 number"),
        ("input", "an image", "an image, real or generated"),
        ("output", "mean and log-variance of a distribution of codes", "a logit"),
        ("loss", "−ELBO, which the decoder shares", "its own; the generator has another"),
    )
    return Table("alike", "What is equal and what is not", ("", "encoder", "discriminator"), rows)


def numbers_read(findings: Findings) -> Table:
    last = len(findings["probes"]["untrained"][0]) - 1
    rows = []
    for trunk, label in TRUNKS.items():
        seeds = findings["probes"][trunk]
        for layer, place in ((last, "last layer"), (last + 1, "output")):
            if layer < len(seeds[0]):
                read = [told([100 * each[layer][target] for each in seeds]) for target in TARGETS]
                rows.append((f"{label} {place}" if trunk != "untrained" else f"{place} {label}",
                             str(seeds[0][layer]["features"]), *read))  # fmt: skip
    return Table(
        "probes", "What a linear map reads", ("from", "numbers", *TARGETS.values()), tuple(rows),
        f"Ridge regression on {findings['fit']:,} images, measured on test images; real or generated is "
        "half and half. Means over seeds, the smallest and largest. Always naming the most frequent digit is "
        f"right in {100 * fmean(findings['chance']):.1f} %.",
    )  # fmt: skip


def probabilities(findings: Findings) -> Table:
    rows = []
    for player, loss in (("discriminator", "non-saturating"), ("hinge", "hinge")):
        seeds = findings["ahead"][player]
        for at, when in (
            (0, "where the training ended"),
            (-1, f"{seeds[0][-1]['steps']:,} steps later, alone"),
        ):
            rows.append((loss, when, told([100 * each[at]["calibration"] for each in seeds]),
                         told([100 * each[at]["accuracy"] for each in seeds])))  # fmt: skip
    return Table(
        "calibration", "How far the sigmoid is from a probability",
        ("loss", "", "calibration error, points", "accuracy, %"), tuple(rows),
        "Expected calibration error in 15 bins, on 1,000 test images and 1,000 samples; means over seeds, the "
        "smallest and largest.",
    )  # fmt: skip


def equally_accurate(findings: Findings) -> Table:
    seeds = [each["non-saturating"]["scaled"] for each in findings["scores"]]
    rows = tuple(
        (f"{each[0]['scale']:g} × logit", told([100 * row["accuracy"] for row in each]),
         told([row["loss"] for row in each], 2), told([row["gradient"] for row in each], 3))
        for each in zip(*seeds, strict=True)
    )  # fmt: skip
    return Table(
        "scaled", "Critics that decide alike, and what they lose and tell",
        ("critic", "accuracy, %", "its loss, nats", "gradient to the generator"), rows,
        "One discriminator with its logits multiplied, which changes no decision; the gradient is that of the "
        "non-saturating loss in a generated image, its mean norm. Means over seeds, the smallest and largest.",
    )  # fmt: skip
