"""Mode coverage in the plane: PacGAN's ring and grid (Lin et al., 2018, Table 1), ours beside theirs.

    python benchmarks/mixtures.py --json runs/mixtures.json --figure docs/images/mixtures.svg

All methods have one budget of CPU time, about equal in steps times the cost of a step. `gan` and `pacgan2`
keep the paper's protocol (100 000 points, batch normalisation in the generator, maxout in the discriminator,
the non-saturating loss, 100 packs a step, Adam with β₁ = 0.8), but for a third of the hidden units and a
fortieth of the steps at ten times the learning rate; `--paper` trains them as published.
`rpgan` is ours: the relativistic loss with R1 and R2 on both data sets alike, and averaged weights.

An arm that stands in the JSON is not trained again.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mixtures_figure import figure
from torch import Tensor

from genlab.data.mixtures import MIXTURES, SHAPE, Mixture, Points
from genlab.experiment.build import build_model, build_objective, build_state
from genlab.experiment.schema import Experiment
from genlab.metrics.modes import high_quality, modes_hit, near_modes, reverse_kl
from genlab.metrics.unavailable import Unavailable
from genlab.networks.model import GAN
from genlab.randomness import generator
from genlab.recipes import recipe
from genlab.runs.files import read_json, write_json
from genlab.training.fit import advance

COUNT = 2500  # samples that are judged, as in the paper

PLANE = (
    "network.latent_dim=2", "network.decoder.kind=mlp", "network.discriminator.kind=mlp",
    "network.discriminator.norm=none", "observation.kind=gaussian", "observation.linear=true",
    "training.threads=1",
)  # fmt: skip
PACGAN = (
    *PLANE, "network.decoder.depth=4", "network.decoder.norm=batch", "network.discriminator.depth=3",
    "network.discriminator.maxout=5", "optimizer.beta1=0.8", "optimizer.beta2=0.999", "training.ema=0",
)  # fmt: skip
SHORT = (
    *PACGAN, "network.decoder.hidden=128", "network.discriminator.hidden=64",
    "optimizer.learning_rate=1e-3", "training.steps=10000",
)  # fmt: skip
PUBLISHED = (
    *PACGAN, "network.decoder.hidden=400", "network.discriminator.hidden=200",
    "optimizer.learning_rate=1e-4", "training.steps=400000",
)  # fmt: skip
ONE, TWO = ("training.batch_size=100",), ("network.discriminator.pack=2", "training.batch_size=200")
RPGAN = (
    *PLANE, "network.decoder.depth=4", "network.decoder.hidden=128", "network.decoder.norm=none",
    "network.discriminator.depth=3", "network.discriminator.hidden=128", "objective.loss=relativistic",
    "objective.r1=0.1", "objective.r2=0.1", "optimizer.learning_rate=1e-3", "optimizer.final=0",
    "optimizer.beta1=0", "optimizer.beta2=0.9", "training.ema=0.998", "training.batch_size=512",
    "training.steps=5500",
)  # fmt: skip


class Method(NamedTuple):
    """`published`: the paper's modes, % of high quality and reverse KL on each data set, over 10 trials."""

    label: str
    settings: tuple[str, ...]
    as_published: tuple[str, ...]
    published: dict[str, str]


METHODS = {
    "gan": Method(
        "GAN", (*SHORT, *ONE), (*PUBLISHED, *ONE), {"ring": "6.3, 98.2, .45", "grid": "17.3, 94.8, .70"}
    ),
    "pacgan2": Method(
        "PacGAN-2", (*SHORT, *TWO), (*PUBLISHED, *TWO), {"ring": "7.9, 95.6, .07", "grid": "23.8, 91.3, .13"}
    ),
    "rpgan": Method("RpGAN + R1 + R2", RPGAN, RPGAN, {}),
}


def samples(settings: Experiment, mixture: Mixture, count: int = COUNT) -> tuple[Tensor, float]:
    """`count` points (count, 2) of the trained generator (its averaged weights), and the CPU seconds of the
    training."""
    state = build_state(settings, build_model(settings, SHAPE))
    objective, training = build_objective(settings.objective), settings.training
    batch = training.batch_size * objective.batches_per_step
    source = Points(mixture, batch, training.seed)
    began = time.process_time()
    for _ in range(training.steps):
        advance(state, objective, source, training.steps, training.seed)
    seconds = time.process_time() - began
    generated = state.averaged.model.eval()
    assert isinstance(generated, GAN)
    with torch.inference_mode():
        return mixture.points(generated.sample(count, generator(training.seed, "evaluate"))), seconds


def judged(points: Tensor, mixture: Mixture) -> dict[str, float | int | None]:
    """The three metrics of points (N, 2); no reverse KL (None) where no point is near a mode."""
    counts = near_modes(points, torch.tensor(mixture.means), mixture.deviation)
    divergence = reverse_kl(counts)
    return {
        "modes": modes_hit(counts),
        "high_quality": 100 * high_quality(counts, len(points)),
        "reverse_kl": None if isinstance(divergence, Unavailable) else divergence,
    }


def arms(
    data: list[str], methods: list[str], seeds: int, paper: bool, kept: Path | None
) -> list[dict[str, Any]]:
    """Every arm that is asked for, from `kept` or trained now."""
    done: list[dict[str, Any]] = read_json(kept) if kept and kept.exists() else []
    known = {(arm["data"], tuple(arm["settings"])): arm for arm in done}
    asked = []
    for name, method, seed in wanted(data, methods, seeds):
        settings = METHODS[method].as_published if paper else METHODS[method].settings
        key = name, (*settings, f"training.seed={seed}")
        if key not in known:
            points, seconds = samples(recipe("gan", *key[1]), MIXTURES[name])
            known[key] = {
                "data": name, "method": method, "seed": seed, "settings": key[1],
                "cpu_seconds": seconds, **judged(points, MIXTURES[name]),
                "points": [[round(x, 4) for x in point] for point in points.tolist()] if seed == 0 else [],
            }  # fmt: skip
            if kept:
                kept.parent.mkdir(parents=True, exist_ok=True)
                write_json(kept, list(known.values()))
            print(line(known[key]), flush=True)
        asked.append(known[key])
    return asked


def wanted(data: list[str], methods: list[str], seeds: int) -> Iterator[tuple[str, str, int]]:
    """Seed by seed, so that a run that is cut short has something of every method."""
    for seed in range(seeds):
        for name in data:
            for method in methods:
                yield name, method, seed


def line(arm: dict[str, Any]) -> str:
    divergence = "none" if arm["reverse_kl"] is None else f"{arm['reverse_kl']:.3f}"
    return (
        f"{arm['data']} {arm['method']} seed {arm['seed']}: modes {arm['modes']}, high quality "
        f"{arm['high_quality']:.1f} %, reverse KL {divergence}, {arm['cpu_seconds']:.0f} s of CPU"
    )


def table(rows: list[dict[str, Any]]) -> str:
    """Mean ± standard deviation over seeds, the paper's numbers and the exact samples' own."""
    heads = (
        "data",
        "method",
        "seeds",
        "modes",
        "high quality, %",
        "reverse KL",
        "CPU s",
        "paper: modes, %, KL",
    )
    cells = [heads]
    for name, mixture in MIXTURES.items():
        modes = len(mixture.means)
        for key, method in METHODS.items():
            own = [row for row in rows if (row["data"], row["method"]) == (name, key)]
            if own:
                found = spread(own, "modes", 1), spread(own, "high_quality", 1), spread(own, "reverse_kl", 3)
                seconds = f"{statistics.mean(row['cpu_seconds'] for row in own):.0f}"
                cells.append(
                    (name, method.label, str(len(own)), *found, seconds, method.published.get(name, ""))
                )
        exact = f"{modes:.1f}", f"{100 * (1 - math.exp(-4.5)):.1f}", f"{(modes - 1) / (2 * COUNT):.3f}"
        cells.append((name, "exact samples", "", *exact, "", ""))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([*lines, "", *notes(rows)])


def notes(rows: list[dict[str, Any]]) -> list[str]:
    minutes = {
        method.label: sum(row["cpu_seconds"] for row in rows if row["method"] == key) / 60
        for key, method in METHODS.items()
    }
    total = ", ".join(f"{label} {value:.1f}" for label, value in minutes.items())
    return [
        f"{COUNT} samples each; ± is the standard deviation over seeds. CPU minutes of training: {total}.",
        "The paper: 10 trials, hidden layers of 400 and 200 units, 400 000 steps.",
    ]


def spread(rows: list[dict[str, Any]], key: str, digits: int) -> str:
    values = [row[key] for row in rows if row[key] is not None]
    if not values:
        return "none"
    deviation = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.{digits}f}{deviation}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", nargs="+", choices=list(MIXTURES), default=list(MIXTURES))
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--seeds", type=int, default=5, help="so many, from 0 on")
    parser.add_argument("--paper", action="store_true", help="widths, rate and steps of the paper: days")
    parser.add_argument("--json", type=Path, help="where finished arms are kept")
    parser.add_argument("--figure", type=Path, help="an SVG of seed 0's samples")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    rows = arms(chosen.data, chosen.methods, chosen.seeds, chosen.paper, chosen.json)
    print(table(rows))
    if chosen.figure:
        labels = {key: method.label for key, method in METHODS.items()}
        chosen.figure.write_text(figure(rows, labels), encoding="utf-8")


if __name__ == "__main__":
    main()
