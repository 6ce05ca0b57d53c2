"""What the lesson on the KL term trains and measures, and the effects that its claims read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from genlab.lessons.dense import STEP, dense
from genlab.lessons.judging import Findings
from genlab.lessons.lesson import Scale, Setting
from genlab.lessons.rate_distortion import Optimum, linear_optimum
from genlab.lessons.tasks import Found, Task

SEEDS: dict[Scale, int] = {"quick": 2, "default": 4, "full": 10}
STEPS: dict[Scale, int] = {"quick": 600, "default": 1500, "full": 10_000}
BETAS: dict[Scale, tuple[float, ...]] = {
    "quick": (0, 0.1, 1, 10), "default": (0, 0.1, 0.3, 1, 3, 10), "full": (0, 0.03, 0.1, 0.3, 1, 3, 10, 30),
}  # fmt: skip
PLANE: dict[Scale, tuple[float, ...]] = {"quick": (0, 1), "default": (0, 1, 10), "full": (0, 0.1, 1, 10)}
FEW = (0, 1)  # the values of β for which the training images are few
LINEAR: dict[Scale, tuple[float, ...]] = {
    "quick": (0.1, 1, 7, 25), "default": (0.1, 1, 5.5, 7, 16, 25), "full": (0.1, 0.3, 1, 3, 5.5, 7, 16, 25),
}  # fmt: skip
LINEAR_STEPS: dict[Scale, int] = {"quick": 1500, "default": 3000, "full": 10_000}
UNITS, LINEAR_UNITS, SIGMA = 16, 8, 0.5
LIMIT = 2000
PLAIN = ("network.encoder.depth=0", "network.decoder.depth=0", "network.encoder.pixels=unit",
          "observation.kind=gaussian", "observation.linear=true", f"observation.sigma={SIGMA}",
          f"network.latent_dim={LINEAR_UNITS}", "data.size=14", "data.limit=20000", "training.ema=0", "optimizer.beta2=0.99",
          "optimizer.learning_rate=0.05", "training.batch_size=256")  # fmt: skip


def trained(setting: Setting, title: str, beta: float, seed: int, *settings: str) -> Task:
    config = dense(
        f"objective.beta={beta:g}", f"data.name={setting.data}", f"training.seed={seed}",
        f"training.steps={STEPS[setting.scale]}", *settings,
    )  # fmt: skip
    pixels = 0.4 if config["data"]["size"] else 1
    seconds = STEP * pixels * config["training"]["steps"] + 0.5
    return Task(
        f"train {title}, β = {beta:g}, seed {seed}", "training.train", {"config": config}, (), seconds
    )


def tasks(setting: Setting) -> dict[str, Task]:
    found: dict[str, Task] = {}
    for seed in setting.seeds(SEEDS):
        for beta in BETAS[setting.scale]:
            run = trained(setting, "a VAE", beta, seed, f"network.latent_dim={UNITS}")
            found |= measures(run, f"{beta:g}/{seed}", f"β = {beta:g}, seed {seed}")
        for beta in PLANE[setting.scale]:
            run = trained(setting, "a plane", beta, seed, "network.latent_dim=2")
            found[f"plane/{beta:g}/{seed}"] = Task(
                f"its plane, β = {beta:g}, seed {seed}", "plane.of_codes", {"shown": 500}, (run,), 1.5
            )
        for beta in FEW:
            run = trained(setting, f"on {LIMIT} images", beta, seed, f"network.latent_dim={UNITS}",
                          f"data.limit={LIMIT}")  # fmt: skip
            found[f"few/{beta:g}/{seed}"] = Task(
                f"its gap, β = {beta:g}, seed {seed}", "codes.terms", {"count": 5000}, (run,), 0.6
            )
        found[f"linear/{seed}"] = linear(setting, seed)
    return found


def measures(run: Task, key: str, title: str) -> dict[str, Task]:
    return {
        f"terms/{key}": Task(f"its ELBO, {title}", "codes.terms", {"count": 5000}, (run,), 0.3),
        f"samples/{key}": Task(f"its samples, {title}", "samples.drawn", {"count": 2000}, (run,), 1.3),
        f"space/{key}": Task(
            f"its codes, {title}", "space.looked_at", {"count": 10_000, "pairs": 200}, (run,), 2.5
        ),
    }


def linear(setting: Setting, seed: int) -> Task:
    steps = f"training.steps={LINEAR_STEPS[setting.scale]}"
    runs = tuple(
        trained(setting, "a linear VAE", beta, seed, *PLAIN, steps) for beta in LINEAR[setting.scale]
    )
    return Task(f"linear VAEs beside their optimum, seed {seed}", "linear.measured", {}, runs, 3)


def read(setting: Setting, found: Mapping[str, Found]) -> Findings:
    seeds, scale = setting.seeds(SEEDS), setting.scale

    def each(kind: str, betas: Sequence[float]) -> dict[str, list[Found]]:
        return {f"{beta:g}": [found[f"{kind}/{beta:g}/{seed}"] for seed in seeds] for beta in betas}

    held = [found[f"linear/{seed}"] for seed in seeds]
    runs = {f"{b:g}": [one["runs"][i] for one in held] for i, b in enumerate(LINEAR[scale])}
    return {
        "seeds": list(seeds),
        "steps": STEPS[scale],
        "terms": {beta: [shortened(one) for one in all_] for beta, all_ in each("terms", BETAS[scale]).items()},
        "samples": each("samples", BETAS[scale]),
        "space": each("space", BETAS[scale]),
        "few": {beta: [shortened(one) for one in all_] for beta, all_ in each("few", FEW).items()},
        "plane": {
            beta: {"neighbours": [one["neighbours"] for one in all_], "points": all_[0]["points"]}
            for beta, all_ in each("plane", PLANE[scale]).items()
        },
        "linear": {
            "leading": held[0]["leading"][:LINEAR_UNITS], "total": held[0]["total"],
            "steps": LINEAR_STEPS[scale], "runs": runs,
        },
    }  # fmt: skip


def shortened(terms: Found) -> Found:
    """The terms of both kinds of images, each dimension's KL from the largest down."""
    return {
        kind: each | {"kl": [round(value, 3) for value in sorted(each["kl"], reverse=True)]}
        for kind, each in terms.items()
    }


# What the claims read.


def of_test(findings: Findings, beta: str, what: str) -> list[float]:
    return [each["test"][what] for each in findings["terms"][beta]]


def frechet(findings: Findings, beta: str, kind: str = "prior") -> list[float]:
    return [each[kind]["frechet"] for each in findings["samples"][beta]]


def of_space(findings: Findings, beta: str, what: str) -> list[float]:
    return [each[what] for each in findings["space"][beta]]


def gaps(findings: Findings, beta: str, what: str = "distortion") -> list[float]:
    """By how much test images do worse than training images, where these were few."""
    sign = -1 if what == "elbo" else 1
    return [sign * (each["test"][what] - each["train"][what]) for each in findings["few"][beta]]


def less(ones: Sequence[float], others: Sequence[float]) -> list[float]:
    return [one - other for one, other in zip(ones, others, strict=True)]


def over(ones: Sequence[float], others: Sequence[float]) -> list[float]:
    return [one / other for one, other in zip(ones, others, strict=True)]


def largest(findings: Findings) -> str:
    found: str = max(findings["terms"], key=float)
    return found


def read_from_plane(findings: Findings) -> list[float]:
    """Percentage points."""
    with_kl, without = (findings["plane"][beta]["neighbours"] for beta in ("1", "0"))
    return [100 * (a - b) for a, b in zip(with_kl, without, strict=True) if None not in (a, b)]


def collapsed(findings: Findings) -> list[float]:
    return less(of_test(findings, "1", "active"), of_test(findings, largest(findings), "active"))


def optimum(findings: Findings, beta: float) -> Optimum:
    known = findings["linear"]
    return linear_optimum(known["leading"], known["total"], LINEAR_UNITS, beta, SIGMA)


def miscounted(findings: Findings) -> list[float]:
    """For each seed the most units, over β, by which a linear VAE's active ones differ from their number in
    the closed form."""
    return [
        max(abs(row["active"] - optimum(findings, beta).active) for beta, row in rows)
        for rows in by_seed(findings)
    ]


def missed(findings: Findings) -> list[float]:
    """For each seed the most nats, over β, by which a linear VAE's D + βR lies above its optimum."""

    def above(beta: float, row: Found) -> float:
        best = optimum(findings, beta)
        return float(row["distortion"] - best.distortion + beta * (row["rate"] - best.rate))

    return [max(above(beta, row) for beta, row in rows) for rows in by_seed(findings)]


def by_seed(findings: Findings) -> list[list[tuple[float, Found]]]:
    runs = findings["linear"]["runs"]
    return [[(float(beta), rows[i]) for beta, rows in runs.items()] for i in range(len(findings["seeds"]))]
