"""What the lesson on latent_dim trains and measures, and the effects that its claims read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from genlab.lessons.dense import STEP, dense
from genlab.lessons.judging import Findings
from genlab.lessons.lesson import Scale, Setting
from genlab.lessons.tasks import Found, Task

SEEDS: dict[Scale, int] = {"quick": 2, "default": 3, "full": 10}
STEPS: dict[Scale, int] = {"quick": 250, "default": 1000, "full": 10_000}
SIZES: dict[Scale, tuple[int, ...]] = {
    "quick": (1, 5, 25, 128), "default": (1, 3, 8, 20, 50, 128), "full": (1, 2, 4, 8, 16, 32, 64, 128),
}  # fmt: skip
MODELS = {"vae": ("VAE", ()), "ae": ("autoencoder", ("objective.beta=0", "objective.drawn=false"))}
LIMITS = {"few": 2000, "many": 10_000}
TWO = (0, 1)  # the classes that are the easier set
SETS = {"two": "two digits", "ten": "ten digits", "stacked": "three digits as RGB"}
SIDE = 14  # pixels, of the images of these sets: a third channel makes a step dear
REACHED = 0.9  # of what can be gained by more dimensions


def settings(setting: Setting, size: int, seed: int, limit: int) -> tuple[str, ...]:
    """What all trainings share, and what tells them apart."""
    steps = f"training.steps={STEPS[setting.scale]}"
    return f"network.latent_dim={size}", f"training.seed={seed}", f"data.limit={limit}", steps


def tasks(setting: Setting) -> dict[str, Task]:
    found: dict[str, Task] = {}
    for seed in setting.seeds(SEEDS):
        for size in SIZES[setting.scale]:
            for amount in LIMITS:
                for model in MODELS:
                    found |= of_model(setting, amount, model, size, seed)
            for name in SETS:
                found |= of_set(setting, name, size, seed)
    return found


def of_model(setting: Setting, amount: str, model: str, size: int, seed: int) -> dict[str, Task]:
    (title, more), limit = MODELS[model], LIMITS[amount]
    config = dense(*settings(setting, size, seed, limit), f"data.name={setting.data}", *more)
    name, key = f"{title}, {size} dimensions, {limit} images, seed {seed}", f"{amount}/{model}/{size}/{seed}"
    run = Task(f"train {name}", "training.train", {"config": config}, (), STEP * STEPS[setting.scale] + 0.4)
    found = {f"terms/{key}": Task(f"its terms, {name}", "codes.terms", {"count": 5000}, (run,), 0.3)}
    if amount == "many":
        draws = {"count": 500, "draws": 64}
        found[f"samples/{key}"] = Task(f"its samples, {name}", "samples.drawn", {"count": 2000}, (run,), 1.3)
        found[f"used/{key}"] = Task(f"its dimensions, {name}", "dimensions.measured", draws, (run,), 1)
    return found


def of_set(setting: Setting, name: str, size: int, seed: int) -> dict[str, Task]:
    """A VAE of one of the three sets, which are all made of MNIST."""
    data = "stacked-mnist" if name == "stacked" else "mnist"
    config = dense(*settings(setting, size, seed, LIMITS["many"]), f"data.name={data}", f"data.size={SIDE}")
    two = Task("two digits", "digits.chosen", {"data": "mnist", "classes": list(TWO)}, (), 1)
    work, needs = ("digits.train", (two,)) if name == "two" else ("training.train", ())
    title = f"VAE of {SETS[name]}, {size} dimensions, seed {seed}"
    seconds = STEP * STEPS[setting.scale] * (0.95 if name == "stacked" else 0.5) + 0.5
    run = Task(f"train {title}", work, {"config": config}, needs, seconds)
    return {
        f"terms/{name}/{size}/{seed}": Task(
            f"its terms, {title}", "codes.terms", {"count": 5000}, (run,), 0.6
        )
    }


def read(setting: Setting, found: Mapping[str, Found]) -> Findings:
    sizes, seeds = SIZES[setting.scale], list(setting.seeds(SEEDS))

    def each(key: str) -> list[list[Found]]:
        return [[found[f"{key}/{size}/{seed}"] for seed in seeds] for size in sizes]

    return {
        "seeds": seeds,
        "steps": STEPS[setting.scale],
        "sizes": list(sizes),
        **{
            amount: {model: nested(each(f"terms/{amount}/{model}"), shortened) for model in MODELS}
            for amount in LIMITS
        },
        "samples": {model: each(f"samples/many/{model}") for model in MODELS},
        "used": {model: each(f"used/many/{model}") for model in MODELS},
        "sets": {name: nested(each(f"terms/{name}"), lambda one: one["test"]["mse"]) for name in SETS},
    }


def nested(rows: Sequence[Sequence[Found]], change: Any) -> list[list[Any]]:
    return [[change(one) for one in row] for row in rows]


def shortened(terms: Found) -> Found:
    """Without the KL of each dimension."""
    return {
        kind: {name: value for name, value in each.items() if name != "kl"} for kind, each in terms.items()
    }


# What the claims read. Every list has an entry for each size, and in it one for each seed.


def mse(findings: Findings, amount: str, model: str, kind: str = "test") -> list[list[float]]:
    return nested(findings[amount][model], lambda one: one[kind]["mse"])


def gap(findings: Findings, amount: str, model: str) -> list[list[float]]:
    """By how many per cent the squared error of test images is above that of training images."""
    return nested(findings[amount][model], lambda one: 100 * (one["test"]["mse"] / one["train"]["mse"] - 1))


def middle(findings: Findings) -> int:
    """The place of the size in the middle, which the largest is held against."""
    return len(findings["sizes"]) // 2


def over(ones: Sequence[float], others: Sequence[float]) -> list[float]:
    return [one / other for one, other in zip(ones, others, strict=True)]


def grown(rows: list[list[float]], findings: Findings) -> list[float]:
    """What the largest size has more than the middle one."""
    return [large - mid for large, mid in zip(rows[-1], rows[middle(findings)], strict=True)]


def raised(rows: list[list[float]], findings: Findings) -> list[float]:
    return over(rows[-1], rows[middle(findings)])


def shares(findings: Findings, model: str) -> list[float]:
    """Of the dimensions that the largest code has, those in use."""
    return [each["used"] / findings["sizes"][-1] for each in findings["used"][model][-1]]


def elbows(findings: Findings, name: str) -> list[float]:
    """The size from which on more dimensions bring little, for each seed."""
    rows = findings["sets"][name]
    return [elbow(findings["sizes"], [row[i] for row in rows]) for i in range(len(findings["seeds"]))]


def elbow(sizes: Sequence[int], errors: Sequence[float]) -> float:
    """Where `REACHED` of the fall from the first error to the least one is done, on a straight line in the
    logarithm between two sizes."""
    goal = errors[0] - REACHED * (errors[0] - min(errors))
    after = next(i for i, error in enumerate(errors) if error <= goal)
    if after == 0:
        return float(sizes[0])
    share = (errors[after - 1] - goal) / (errors[after - 1] - errors[after])
    low, high = math.log(sizes[after - 1]), math.log(sizes[after])
    return math.exp(low + share * (high - low))
