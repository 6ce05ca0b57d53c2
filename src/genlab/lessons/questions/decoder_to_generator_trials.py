"""What is trained and measured to see how a decoder is a generator, and what the lesson's claims read of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import Any

from genlab.lessons.judging import Findings
from genlab.lessons.lesson import Scale, Setting
from genlab.lessons.tasks import Found, Task
from genlab.recipes import recipe
from genlab.training.detectors import DIVERSITY

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Arm:
    """One way to begin a GAN. `trunk`: the discriminator begins with the encoder's; `mixture`: z comes from
    the mixture fitted to the VAE's codes; `first`: the discriminator learns alone at first."""

    name: str
    decoder: bool = True
    trunk: bool = False
    mixture: bool = False
    first: bool = False


ARMS = {
    "random": Arm("random weights", decoder=False),
    "decoder": Arm("decoder"),
    "mixture": Arm("decoder, z from codes", mixture=True),
    "trunk": Arm("decoder and trunk", trunk=True),
    "trunk-mixture": Arm("decoder and trunk, z from codes", trunk=True, mixture=True),
    "random-first": Arm("random weights, D first", decoder=False, first=True),
    "decoder-first": Arm("decoder, D first", first=True),
    "mixture-first": Arm("decoder, z from codes, D first", mixture=True, first=True),
    "trunk-first": Arm("decoder and trunk, D first", trunk=True, first=True),
    "trunk-mixture-first": Arm("decoder and trunk, z from codes, D first", trunk=True, mixture=True, first=True),
}  # fmt: skip
RUN: dict[Scale, tuple[str, ...]] = {
    "quick": ("random", "decoder", "decoder-first"),
    "default": ("random", "decoder", "mixture", "trunk", "random-first", "decoder-first"),
    "full": tuple(ARMS),
}
SEEDS: dict[Scale, int] = {"quick": 2, "default": 4, "full": 8}
VAE_STEPS: dict[Scale, int] = {"quick": 400, "default": 800, "full": 6000}
FIRST: dict[Scale, int] = {"quick": 60, "default": 100, "full": 400}  # steps of the discriminator alone
MARKS: dict[Scale, tuple[int, ...]] = {
    "quick": (0, 40, 80, 120, 200, 280),
    "default": (0, 40, 80, 160, 240, 320, 480),
    "full": (0, 100, 200, 400, 800, 1200, 1600, 2400, 3200, 4000),
}
COUNT, CODES = 2000, 500
# An encoder whose trunk the recipe's discriminator can take over: its own, layer by layer.
ENCODER = ("kind=conv", "width=16", "depth=1", "hidden=256", "norm=batch")
STEP = {"vae": 0.062, "gan": 0.066}  # seconds of a training step on one thread of two that are busy


def config(setting: Setting, family: str, seed: int, *assignments: str) -> dict[str, Any]:
    chosen = recipe(
        family, *(f"network.encoder.{each}" for each in ENCODER), f"training.seed={seed}",
        f"data.name={setting.data}", "training.threads=1", "training.sample_every=0", "training.log_every=10",
        *assignments,
    )  # fmt: skip
    return chosen.model_dump(mode="json")


def of_arm(setting: Setting, arm: Arm, seed: int) -> dict[str, Any]:
    marks = MARKS[setting.scale]
    return config(
        setting, "gan", seed, f"training.steps={marks[-1]}",
        f"training.checkpoint_every={math.gcd(*marks)}",
        f"objective.discriminator_warmup={FIRST[setting.scale] if arm.first else 0}",
        f"network.prior.kind={'mixture' if arm.mixture else 'normal'}",
        f"network.discriminator.weights={'encoder' if arm.trunk else 'drawn'}",
    )  # fmt: skip


def tasks(setting: Setting) -> dict[str, Task]:
    real = Task("features of the real images", "measuring.prepare", {"data": setting.data}, seconds=3)
    found = {"real": real}
    for seed in setting.seeds(SEEDS):
        found |= {f"{key}/{seed}": task for key, task in of_a_seed(setting, seed, real).items()}
    return found


def of_a_seed(setting: Setting, seed: int, real: Task) -> dict[str, Task]:
    scale, steps = setting.scale, VAE_STEPS[setting.scale]
    told = config(setting, "vae", seed, f"training.steps={steps}", "training.batch_size=128")
    seconds = STEP["vae"] * steps
    vae = Task(f"train the VAE, seed {seed}", "training.train", {"config": told}, seconds=seconds)
    found = {"vae": vae}
    source = vae
    if any(ARMS[key].mixture for key in RUN[scale]):
        source = Task(f"fit a mixture to its codes, seed {seed}", "training.prior", {}, (vae,), seconds=12)
        found["prior"] = source
    marks = MARKS[scale]
    for key in RUN[scale]:
        arm = ARMS[key]
        given = {"config": of_arm(setting, arm, seed), "marks": marks}
        title, needs = f"{arm.name}, seed {seed}", (source,) if arm.decoder else ()
        seconds = STEP["gan"] * marks[-1]
        gan = Task(f"train a GAN: {title}", "handover.train", given, needs, seconds)
        asked = {"marks": marks, "count": COUNT, "codes": CODES}
        found[f"train/{key}"] = gan
        found[f"drift/{key}"] = Task(f"measure {title}", "drift.measured", asked, (gan, source, real), 4)
    return found


def read(setting: Setting, found: Mapping[str, Found]) -> Findings:
    scale = setting.scale
    seeds = list(setting.seeds(SEEDS))
    return {
        "seeds": seeds,
        "steps": MARKS[scale][-1],
        "first": FIRST[scale],
        "vae_steps": VAE_STEPS[scale],
        "vae_seconds": [found[f"vae/{seed}"]["seconds"] for seed in seeds],
        "arms": {
            key: [one_run(found[f"train/{key}/{seed}"], found[f"drift/{key}/{seed}"]) for seed in seeds]
            for key in RUN[scale]
        },
    }


def one_run(trained: Found, drift: Found) -> dict[str, Any]:
    rows = [
        {**{name: rounded(value) for name, value in row.items()}, "step": row["step"]}
        for row in drift["rows"]
    ]
    return {
        "rows": rows,
        "chance": drift["chance"],
        "seconds": trained["seconds"],
        "warned": trained["warned"],
        "alike": alike(trained["curve"], trained["steps"]),
        "receipt": trained["receipt"],
    }


def rounded(value: float) -> float:
    return float(f"{value:.5g}")


def alike(curve: Sequence[Row], steps: int) -> float:
    """The share of the logged steps of a training's second half whose images are too alike; 1 where it did
    not get there."""
    late = [point["diversity"] for point in curve if 2 * point["step"] > steps and "diversity" in point]
    return fmean(each < DIVERSITY for each in late) if late else 1.0


# What the claims read: one number for each seed whose trainings came to their end.


def runs(findings: Findings, *arms: str) -> list[list[Any]]:
    """The runs of these arms, seed by seed, where all of them have been measured."""
    together = zip(*(findings["arms"][arm] for arm in arms), strict=True)
    return [list(each) for each in together if all(run["rows"] for run in each)]


def is_measured(findings: Findings) -> bool:
    """Whether a seed has been trained to its end from random weights and from the decoder."""
    return bool(runs(findings, "random", "decoder"))


def end(run: Mapping[str, Any]) -> float:
    found: float = run["rows"][-1]["frechet"]
    return found


def same_function(findings: Findings) -> list[float]:
    """The largest difference between generator and decoder before the first step, saving included."""
    receipts = [run["receipt"] for run in findings["arms"]["decoder"]]
    return [max(each["max_difference"], each["reloaded_difference"]) for each in receipts]


def reached(run: Mapping[str, Any], threshold: float) -> float | None:
    """The step, between marks along a line, from which on the distance stays at or below `threshold`; None
    where it does not end there."""
    rows = run["rows"]
    if end(run) > threshold:
        return None
    for before, after in reversed(list(pairwise(rows))):
        if before["frechet"] > threshold:
            share = (before["frechet"] - threshold) / (before["frechet"] - after["frechet"])
            return float(before["step"] + share * (after["step"] - before["step"]))
    return 0.0


def charge(findings: Findings) -> float:
    """The VAE's training in steps of the GAN, by the seconds that both took."""
    per_step = fmean(run["seconds"] for run in findings["arms"]["random"]) / findings["steps"]
    return float(fmean(findings["vae_seconds"]) / per_step)


def needed(findings: Findings, arm: str) -> list[tuple[float | None, float]]:
    """For each seed, the step at which `arm` came where random weights end, and that at which they did."""
    found = []
    for run, other in runs(findings, arm, "random"):
        threshold = end(other)
        found.append((reached(run, threshold), reached(other, threshold) or float(findings["steps"])))
    return found


def sooner(findings: Findings, arm: str = "decoder", charged: bool = False) -> list[float]:
    """The share of random weights' steps that the start saves; a start that never gets there has needed all
    steps of the budget. `charged` adds the VAE's training to it."""
    more = charge(findings) if charged else 0.0
    limit = float(findings["steps"])
    return [1 - ((limit if mine is None else mine) + more) / theirs for mine, theirs in needed(findings, arm)]


def halvings(findings: Findings, arm: str, than: str) -> list[float]:
    """log₂ of the distance at which `than` ends over that at which `arm` ends."""
    return [math.log2(end(other) / end(run)) for run, other in runs(findings, arm, than)]


def dip(findings: Findings, arm: str = "decoder") -> list[float]:
    """log₂ of the largest distance on the way over that of the decoder as it was handed over."""
    distances = [[row["frechet"] for row in run["rows"]] for (run,) in runs(findings, arm)]
    return [math.log2(max(each) / each[0]) for each in distances]


def less_alike(findings: Findings, arm: str = "decoder") -> list[float]:
    pairs = zip(findings["arms"]["random"], findings["arms"][arm], strict=True)
    return [theirs["alike"] - mine["alike"] for theirs, mine in pairs]


def forgotten(findings: Findings, arm: str = "decoder") -> list[float]:
    """The share of the way from what the encoder missed at the hand-over to what it misses by chance."""
    found = []
    for (run,) in runs(findings, arm):
        first, last = run["rows"][0]["code"], run["rows"][-1]["code"]
        found.append((last - first) / (run["chance"] - first))
    return found


def of_rows(findings: Findings, arm: str, name: str) -> list[tuple[int, list[float]]]:
    """A column of an arm's rows: for each mark its step, and the values of all seeds."""
    measured = [run["rows"] for (run,) in runs(findings, arm)]
    return [(rows[0]["step"], [row[name] for row in rows]) for rows in zip(*measured, strict=True)]
