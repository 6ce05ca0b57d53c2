"""What is trained and measured to hold a VAE against a GAN, and what the lesson's claims read of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import stdev
from typing import Any

from genlab.lessons.judging import Findings, interval
from genlab.lessons.lesson import Scale, Setting
from genlab.lessons.tasks import Found, Task
from genlab.recipes import recipe

SEEDS: dict[Scale, int] = {"quick": 2, "default": 4, "full": 8}
BUDGET: dict[Scale, int] = {"quick": 300, "default": 600, "full": 6000}  # in steps of the GAN's recipe
ARMS: dict[Scale, tuple[str, ...]] = {
    "quick": ("vae", "gan"),
    "default": ("vae", "gan", "vae-by-gan", "gan-by-vae"),
    "full": ("vae", "gan", "vae-by-gan", "gan-by-vae"),
}
# What a recipe says of the course of training, whatever is trained: both families can take either's.
COURSE = (
    "training.batch_size", "training.ema", "optimizer.learning_rate", "optimizer.discriminator_rate",
    "optimizer.final",
)  # fmt: skip
# What a step costs, in steps of the GAN's recipe: processor seconds on one thread of an AMD EPYC, the four in
# turn, the smallest of 80 steps each. Constants, so that a budget is the same number of steps everywhere.
PRICE = {"vae": 1.0, "gan": 1.0, "vae-by-gan": 0.35, "gan-by-vae": 3.6}
STEP = 0.065  # seconds that a step of the GAN's recipe takes on one thread of two that are busy
COUNT = 2000
NAMES = {
    "vae": "VAE, N(0, I)",
    "vae:fitted": "VAE, second stage",
    "gan": "GAN",
    "vae-by-gan": "VAE, N(0, I), GAN's recipe",
    "vae-by-gan:fitted": "VAE, second stage, GAN's recipe",
    "gan-by-vae": "GAN, VAE's recipe",
}
KEPT = (
    "fid", "kid", "precision", "recall", "coverage", "density", "ndb", "class_divergence", "c2st", "sharpness",
    "c_t", "elbo", "nll", "active_units", "mse", "inversion_mse",
)  # fmt: skip


def config(setting: Setting, arm: str, seed: int) -> dict[str, Any]:
    family, _, other = arm.partition("-by-")
    told = recipe(other or family).model_dump()
    values = {key: told[key.split(".")[0]][key.split(".")[1]] for key in COURSE}
    course = [f"{key}={'null' if value is None else value}" for key, value in values.items()]
    chosen = recipe(
        family, *course, f"training.steps={steps_of(setting.scale, arm)}", f"training.seed={seed}",
        f"data.name={setting.data}", "training.threads=1", "training.sample_every=0",
    )  # fmt: skip
    return chosen.model_dump(mode="json")


def steps_of(scale: Scale, arm: str) -> int:
    """As many as the budget pays for."""
    return round(BUDGET[scale] / PRICE[arm])


def priors(arm: str) -> tuple[str, ...]:
    """Where z may come from, once the arm is trained."""
    return ("own", "fitted") if arm.startswith("vae") else ("own",)


def column(arm: str, prior: str) -> str:
    return arm if prior == "own" else f"{arm}:{prior}"


def tasks(setting: Setting) -> dict[str, Task]:
    real = Task("features of the real images", "measuring.prepare", {"data": setting.data}, seconds=3)
    found = {"real": real}
    for seed in setting.seeds(SEEDS):
        found |= {f"{key}/{seed}": task for key, task in of_a_seed(setting, seed, real).items()}
    return found


def of_a_seed(setting: Setting, seed: int, real: Task) -> dict[str, Task]:
    found: dict[str, Task] = {}
    for arm in ARMS[setting.scale]:
        name, given = NAMES[arm].replace(", N(0, I)", ""), {"config": config(setting, arm, seed)}
        seconds = STEP * BUDGET[setting.scale]
        run = Task(f"train: {name}, seed {seed}", "training.train", given, seconds=seconds)
        found[f"train/{arm}"] = run
        if "fitted" in priors(arm):
            run = Task(f"fit a second stage: {name}, seed {seed}", "training.prior", {}, (run,), 11)
            found[f"prior/{arm}"] = run
        for prior in priors(arm):
            key = column(arm, prior)
            asked = {"count": COUNT, "seed": seed, "prior": prior}
            title = f"measure: {NAMES[key]}, seed {seed}"
            found[f"measure/{key}"] = Task(title, "contest.measured", asked, (run, real), 15)
    both = (found["prior/vae"], found["train/gan"])
    found["drawn"] = Task(f"pictures of both, seed {seed}", "contest.drawn", {"seed": seed}, both, 1)
    return found


def read(setting: Setting, found: Mapping[str, Found]) -> Findings:
    seeds = list(setting.seeds(SEEDS))

    def all_of(key: str) -> list[Found]:
        return [found[f"{key}/{seed}"] for seed in seeds]

    arms = ARMS[setting.scale]
    columns = [column(arm, prior) for arm in arms for prior in priors(arm)]
    return {
        "seeds": seeds,
        "count": COUNT,
        "trained": {arm: trained(all_of(f"train/{arm}")) for arm in arms},
        "fitting": {arm: [each["seconds"] for each in all_of(f"prior/{arm}")] for arm in arms
                    if "fitted" in priors(arm)},
        "values": {key: values(all_of(f"measure/{key}")) for key in columns},
        "unavailable": {key: reasons(all_of(f"measure/{key}")) for key in columns},
        "cost": {key: costs(all_of(f"measure/{key}")) for key in columns},
    }  # fmt: skip


def trained(runs: Sequence[Found]) -> dict[str, Any]:
    return {
        "steps": runs[0]["steps"],
        "seconds": [each["seconds"] for each in runs],
        "images": max(each["images"] for each in runs),
        "diverged": [each["diverged"] for each in runs],
    }


def values(runs: Sequence[Found]) -> dict[str, list[float | None]]:
    """A number for each seed of every instrument, None where there is none."""
    return {key: [number(each["values"].get(key, {}).get("value")) for each in runs] for key in KEPT}


def number(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")


def reasons(runs: Sequence[Found]) -> dict[str, str]:
    """Why an instrument has no number, where it says why."""
    said = runs[0]["values"]
    return {key: said[key]["unavailable"] for key in KEPT if "unavailable" in said.get(key, {})}


def costs(runs: Sequence[Found]) -> dict[str, Any]:
    there = [each["cost"] for each in runs if each["cost"]]
    return {
        "parameters": there[0]["parameters"] if there else {},
        "images_per_second": [each["images_per_second"] for each in there],
    }


# What the claims read: one number for each seed that has been measured on both sides.


def pairs(findings: Findings, first: tuple[str, str], second: tuple[str, str]) -> list[tuple[float, float]]:
    """Two instruments of two columns, each (column, key), seed by seed."""
    sides = [findings["values"].get(name, {}).get(key, []) for name, key in (first, second)]
    return [(a, b) for a, b in zip(*sides, strict=True) if a is not None and b is not None]


def halvings(
    findings: Findings, column: str, than: str, key: str = "fid", other: str | None = None
) -> list[float]:
    """log₂ of `other` (or `key`) of `than` over `key` of `column`: how many times over it is nearer."""
    return [math.log2(b / a) for a, b in pairs(findings, (column, key), (than, other or key))]


def more(findings: Findings, key: str, column: str, than: str) -> list[float]:
    return [a - b for a, b in pairs(findings, (column, key), (than, key))]


def by_one_recipe(findings: Findings) -> list[float]:
    """Halvings of the GAN over the VAE's N(0, I) by the recipe of the two that is worse for it."""
    if "gan-by-vae" not in findings["values"]:
        return []
    either = halvings(findings, "gan", "vae-by-gan"), halvings(findings, "gan-by-vae", "vae")
    return [min(each) for each in zip(*either, strict=False)]


def off(sharpness: float) -> float:
    """How far from that of real images, either way."""
    return abs(math.log(max(sharpness, 1e-6)))


def sharper(findings: Findings, column: str, than: str) -> list[float]:
    """How much nearer `column`'s sharpness is to that of real images."""
    return [off(b) - off(a) for a, b in pairs(findings, (column, "sharpness"), (than, "sharpness"))]


def steadier(findings: Findings) -> list[float]:
    """log₂ of the GAN's standard deviation over seeds over the VAE's, both of log₂ of the Fréchet distance.

    A spread is one number for all seeds together; to have an interval it is given as the jackknife's
    pseudo-values, one for each seed (Miller, 1968). Nothing below three seeds."""
    both = pairs(findings, ("gan", "fid"), ("vae", "fid"))
    if len(both) < 3:
        return []
    logs = [(math.log2(a), math.log2(b)) for a, b in both]
    whole, count = spreads(logs), len(logs)
    without = [spreads(logs[:i] + logs[i + 1 :]) for i in range(count)]
    return [count * whole - (count - 1) * each for each in without]


def spreads(values: Sequence[tuple[float, float]]) -> float:
    """log₂ of the standard deviation of the first over that of the second."""
    first, second = (max(stdev(side), 1e-6) for side in zip(*values, strict=True))
    return math.log2(first / second)


def of(findings: Findings, column: str, key: str) -> list[float]:
    return [each for each in findings["values"][column][key] if each is not None]


# Where each is the right tool.

Advantage = Callable[[Findings, str], list[float]]

# What may count, and how much of it the GAN has over a column of the VAE's, for each seed.
COUNTS: dict[str, Advantage] = {
    "samples near to real images": lambda f, vae: halvings(f, "gan", vae),
    "samples each of which could be real": lambda f, vae: more(f, "precision", "gan", vae),
    "samples of every kind that there is": lambda f, vae: more(f, "recall", "gan", vae),
    "edges as sharp as real ones": lambda f, vae: sharper(f, "gan", vae),
    "giving back an image from its code": lambda f, vae: halvings(f, "gan", vae, "inversion_mse", "mse"),
}  # fmt: skip


def ahead(findings: Findings, what: str, column: str) -> str:
    """Which of the two is ahead, by the 95 % interval over seeds: "GAN", "VAE", or "" where it does not tell."""
    found = COUNTS[what](findings, column)
    if len(found) < 2:
        return ""
    low, high = interval(found)
    return "GAN" if low > 0 else "VAE" if high < 0 else ""
