"""Why the reparameterization trick? Gradients of one objective by four estimators, and trainings with each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean
from typing import Any

from genlab.lessons.estimators import pathwise_variance, score_function_variance
from genlab.lessons.figures import beside, channel, layered, line, points
from genlab.lessons.judging import Claim, Findings
from genlab.lessons.lesson import Choice, Evidence, Figure, Guess, Lesson, Scale, Setting, Table
from genlab.lessons.tasks import Found, Task
from genlab.lessons.writing.source import code
from genlab.recipes import recipe

SEEDS: dict[Scale, int] = {"quick": 2, "default": 4, "full": 10}
STEPS: dict[Scale, int] = {"quick": 400, "default": 500, "full": 6000}
RATES: dict[Scale, tuple[float, ...]] = {
    "quick": (1e-3,), "default": (5e-3, 1e-3, 2e-4), "full": (5e-3, 2e-3, 1e-3, 5e-4, 2e-4),
}  # fmt: skip
DRAWS: dict[Scale, int] = {"quick": 200, "default": 400, "full": 2000}
SAMPLES = 40_000
NAMES = {
    "reparameterized": "pathwise (the trick)",
    "score": "score function",
    "score-baseline": "score function, baseline",
    "detached": "detached",
}
ORDER = tuple(NAMES.values())
STEP = 0.03  # seconds of one training step on one thread of two that are busy
PASSES = ("before training", "after training")


def config(setting: Setting, gradient: str, rate: float, seed: int) -> dict[str, Any]:
    chosen = recipe(
        "vae", f"objective.gradient={gradient}", f"optimizer.learning_rate={rate}", "training.threads=1",
        f"training.steps={STEPS[setting.scale]}", f"training.seed={seed}", f"data.name={setting.data}",
        "training.sample_every=0", "training.log_every=10",
    )  # fmt: skip
    return chosen.model_dump(mode="json")


def tasks(setting: Setting) -> dict[str, Task]:
    found: dict[str, Task] = {}
    for seed in setting.seeds(SEEDS):
        for gradient, name in NAMES.items():
            for rate in RATES[setting.scale]:
                told = config(setting, gradient, rate, seed)
                title = f"train, {name}, rate {rate:g}, seed {seed}"
                seconds = STEP * STEPS[setting.scale] + 1
                run = Task(title, "training.train", {"config": told}, seconds=seconds)
                key = f"{gradient}/{rate:g}/{seed}"
                found[f"train/{key}"] = run
                found[f"terms/{key}"] = Task(
                    f"its ELBO, {name}, rate {rate:g}, seed {seed}", "codes.terms", {"count": 5000}, (run,), 2
                )
        first = found[f"train/reparameterized/{middle(RATES[setting.scale]):g}/{seed}"]
        draws = DRAWS[setting.scale]
        found[f"model/{seed}"] = Task(
            f"a VAE's gradients, seed {seed}", "gradients.of_a_model",
            {"config": first.given["config"], "batch": 64, "draws": draws}, (first,), seconds=0.06 * draws,
        )  # fmt: skip
        found[f"closed/{seed}"] = Task(
            f"gradients of E‖z‖², seed {seed}", "gradients.closed_form",
            {"seed": seed, "samples": SAMPLES}, seconds=3,
        )  # fmt: skip
    return found


def middle(rates: tuple[float, ...]) -> float:
    return rates[len(rates) // 2]


def read(setting: Setting, found: Mapping[str, Found]) -> Findings:
    seeds = list(setting.seeds(SEEDS))
    model = {
        stage: {name: [found[f"model/{seed}"][stage][name] for seed in seeds] for name in NAMES}
        for stage in PASSES
    }
    trained: dict[str, Any] = {}
    for gradient in NAMES:
        rows: list[dict[str, Any]] = []
        for rate in RATES[setting.scale]:
            keys = [f"{gradient}/{rate:g}/{seed}" for seed in seeds]
            runs = [found[f"train/{key}"] for key in keys]
            elbos = [
                None if run["diverged"] else found[f"terms/{key}"]["test"]["elbo"]
                for run, key in zip(runs, keys, strict=True)
            ]
            curve = [{"step": point["step"], "elbo": point["elbo"]} for point in runs[0]["curve"]]
            rows.append({"rate": rate, "elbos": elbos, "curve": curve})
        trained[gradient] = max(rows, key=lambda row: ended(row["elbos"]))
        trained[gradient]["tried"] = [{"rate": row["rate"], "elbos": row["elbos"]} for row in rows]
    return {
        "seeds": seeds,
        "steps": STEPS[setting.scale],
        "points": [found[f"closed/{seed}"]["points"] for seed in seeds],
        "model": model,
        "trained": trained,
    }


# What the claims read.


def arriving(findings: Findings, name: str, stage: str = PASSES[0]) -> list[float]:
    return [each["share"] for each in findings["model"][stage][name]]


def noisier(findings: Findings, name: str, stage: str) -> list[float]:
    """log₁₀ of the variance of an estimator over that of the pathwise one, for each seed."""
    pairs = zip(findings["model"][stage][name], findings["model"][stage]["reparameterized"], strict=True)
    return [math.log10(each["variance"] / pathwise["variance"]) for each, pathwise in pairs]


def behind(findings: Findings) -> list[float]:
    """Nats by which the better score-function training ends below the pathwise one, for each seed."""
    trained = findings["trained"]
    best = max(("score", "score-baseline"), key=lambda name: ended(trained[name]["elbos"]))
    pairs = zip(trained["reparameterized"]["elbos"], trained[best]["elbos"], strict=True)
    return [with_trick - without for with_trick, without in pairs if None not in (with_trick, without)]


def ended(elbos: list[float | None]) -> float:
    return fmean(-1e9 if each is None else each for each in elbos)


def objective_moved(findings: Findings) -> list[float]:
    return [
        max(findings["model"][stage][name][index]["largest_difference"] for name in NAMES for stage in PASSES)
        for index in range(len(findings["seeds"]))
    ]


CLAIMS = (
    Claim(
        "no-gradient", "A node that samples stops the gradient: without the trick none reaches the encoder.",
        "share of the pathwise gradient that the score function with a baseline, which has no trick, brings",
        lambda f: arriving(f, "score-baseline"), high=0.1,
    ),
    Claim(
        "detached", "If z is drawn and its past forgotten, the encoder hears nothing of the reconstruction.",
        "share of the pathwise gradient that arrives detached", lambda f: arriving(f, "detached"),
        low=-1e-6, high=1e-6,
    ),
    Claim(
        "unbiased", "The score function estimates the same gradient: it has no bias.",
        "share of the pathwise gradient that the score function with a baseline brings, in the mean",
        lambda f: arriving(f, "score-baseline"), low=0.75, high=1.25,
    ),
    Claim(
        "variance", "The score function's gradient is so noisy that training by it is impractical: its variance.",
        "orders of magnitude (log₁₀) between its variance and the pathwise gradient's, after training",
        lambda f: noisier(f, "score", PASSES[1]), low=1, unit="orders of magnitude",
    ),
    Claim(
        "training", "The score function's gradient is so noisy that training by it is impractical: what it learns.",
        "test ELBO lost by the better of the two score-function trainings, each at its best rate",
        behind, low=5, unit="nats", digits=1,
    ),
    Claim(
        "same-objective", "Separating noise from parameters changes the estimator and not the objective.",
        "largest difference of the loss between estimators, on the same noise",
        objective_moved, high=1e-3, unit="nats", digits=5,
    ),
)  # fmt: skip


# What is shown.


def evidence(findings: Findings) -> Evidence:
    return Evidence((variances(findings), learned(findings)), (in_the_model(findings), rates(findings)))


def variances(findings: Findings) -> Figure:
    y = channel("variance", "variance of one sample's gradient", log=True, domainMin=1)
    order = ("pathwise", "score function")
    over_d = layered(
        closed([(d, d, 0.0) for d in grid(100)], channel("x", "dimensions D of z, at μ = 0", log=True), y),
        dots(findings, lambda p: p["mu"] == 0, "dimensions", y, order), width=300, height=260,
    )  # fmt: skip
    over_mu = layered(
        closed([(m / 4, 1, m / 4) for m in range(41)], channel("x", "μ, distance from the origin, D = 1"), y),
        dots(findings, lambda p: p["dimensions"] == 1, "mu", y, order), width=300, height=260,
    )  # fmt: skip
    return Figure(
        "variances", "The gradient of E‖z‖² in μ: closed forms as lines, measurements as points",
        "Both estimators are right in the mean. One sample of the pathwise one is off by a variance of 4, "
        "wherever one stands; one of the score function's by ever more, with every dimension and every step "
        "away from the origin.",
        beside(("over dimensions", over_d), ("over the mean", over_mu)),
    )  # fmt: skip


def closed(at: list[tuple[float, float, float]], x: dict[str, Any], y: dict[str, Any]) -> dict[str, Any]:
    forms = {"pathwise": pathwise_variance, "score function": score_function_variance}
    rows = [{"x": x, "variance": form(d, mu), "of": name} for name, form in forms.items() for x, d, mu in at]
    return line(rows, x, y, "of", tuple(forms))


def dots(
    findings: Findings, wanted: Any, place: str, y: dict[str, Any], order: tuple[str, ...]
) -> dict[str, Any]:
    """The mean over seeds; each seed's standard error is far smaller than a mark."""
    rows: dict[tuple[float, str], list[float]] = {}
    for each in findings["points"]:
        for point in each:
            if wanted(point) and point["estimator"] in order:
                rows.setdefault((point[place], point["estimator"]), []).append(point["variance"])
    values = [{"x": x, "variance": fmean(found), "of": name} for (x, name), found in rows.items()]
    x = channel("x", "", log=place == "dimensions")
    return points(values, {"field": "x", "type": "quantitative", "scale": x["scale"]}, y, "of", order)


def grid(top: float, count: int = 41) -> list[float]:
    return [top ** (i / (count - 1)) for i in range(count)]


def learned(findings: Findings) -> Figure:
    rows = [
        {"step": point["step"], "elbo": max(point["elbo"], -600), "of": NAMES[name]}
        for name, each in findings["trained"].items()
        for point in each["curve"]
    ]
    x, y = channel("step", "step", log=True), channel("elbo", "ELBO of the batch, nats per image")
    return Figure(
        "learned", "Trainings with each estimator, each at the best of its learning rates",
        "Higher is better; what lies below −600 is drawn there. One seed; the table has all of them, on test images.",
        layered(line(rows, x, y, "of", ORDER)),
    )  # fmt: skip


def in_the_model(findings: Findings) -> Table:
    rows = []
    for stage in PASSES:
        for name, label in NAMES.items():
            each = findings["model"][stage][name]
            share, error = fmean(e["share"] for e in each), fmean(e["share_error"] for e in each)
            variance = fmean(e["variance"] for e in each)
            ratio = variance / fmean(e["variance"] for e in findings["model"][stage]["reparameterized"])
            rows.append((stage, label, f"{share:.2f} ± {error:.2f}", f"{fmean(e['norm'] for e in each):.3g}",
                         f"{variance:.3g}", f"{ratio:,.3g}" if ratio else "0"))  # fmt: skip
    return Table(
        "model", "A VAE's gradient at its encoder",
        ("", "estimator", "share that arrives", "norm of the mean", "variance", "over pathwise"), tuple(rows),
        "Of the reconstruction term of one batch of 64 images, the noise drawn anew each time; means over "
        f"{len(findings['seeds'])} seeds. The share is measured along the pathwise gradient, whose own is 1; "
        "after ±, the standard error within one seed.",
    )  # fmt: skip


def rates(findings: Findings) -> Table:
    rows = [
        (NAMES[name], f"{row['rate']:g}", elbo_text(row["elbos"]))
        for name, each in findings["trained"].items()
        for row in each["tried"]
    ]
    return Table(
        "rates", "Test ELBO after training, nats per image", ("estimator", "learning rate", "test ELBO"),
        tuple(rows), f"After {findings['steps']:,} steps; mean over seeds, and their smallest and largest.",
    )  # fmt: skip


def elbo_text(elbos: list[float | None]) -> str:
    there = [each for each in elbos if each is not None]
    lost = len(elbos) - len(there)
    text = f"{fmean(there):.1f} [{min(there):.1f}, {max(there):.1f}]" if there else ""
    return text + (f"{', ' if text else ''}{lost} of {len(elbos)} diverged" if lost else "")


# What is said.


def text() -> str:
    return rf"""
An encoder does not give a code, it gives a distribution of codes, $q_\phi(z \mid x)$, from which one is drawn. What
the encoder should learn is how to change that distribution so that the decoder does better with what is drawn from
it; it needs the gradient of an average over draws,

$$\nabla_\phi \, \mathbb{{E}}_{{q_\phi(z)}}[f(z)], \qquad f(z) = -\ln p(x \mid z),$$

and the parameters $\phi$ are not in $f$, but in what one averages over. The *reparameterization trick* writes the
draw as a function of the parameters and of noise that has none,

$$z = \mu + \sigma \varepsilon, \quad \varepsilon \sim \mathcal{{N}}(0, I)
\qquad\Rightarrow\qquad
\nabla_\phi \mathbb{{E}}[f(z)] = \mathbb{{E}}_\varepsilon[\nabla_z f \, \nabla_\phi z] ,$$

so that an ordinary derivative goes through $z$. In this lab it is this function:

{code("genlab.functional.gaussian", "reparameterize")}

It is often said that without the trick there would be no gradient at all, since one cannot differentiate through a
draw. There is another way, much older, which never differentiates $f$: hold $z$ where it fell and move its
*probability*,

$$\nabla_\phi \, \mathbb{{E}}_{{q_\phi}}[f(z)] = \mathbb{{E}}_{{q_\phi}}\big[f(z) \, \nabla_\phi \ln q_\phi(z)\big],$$

the **score function** estimator, also called REINFORCE; less a *baseline* $b$ that does not depend on $z$, as in
$(f(z) - b)$, it has the same mean. So is the trick needed, or is it only better, and by how much? Here are both, and the
mistake that everybody makes once, $z$ **detached** from what made it:

{code("genlab.objectives.gradients", "score")}

First the three are held against closed forms, on $f = \|z\|^2$ with $z \sim \mathcal{{N}}(\mu e_1, I_D)$,
whose gradient in $\mu$ is $2\mu$. Then all are measured at the encoder of one and the same VAE, on the same images and
the same noise; and then each trains a VAE.
"""


def said(findings: Findings) -> str:
    far = max(p["dimensions"] for p in findings["points"][0])
    variance = fmean(
        p["variance"] for each in findings["points"] for p in each
        if p["estimator"] == "score function" and p["dimensions"] == far and p["mu"] == 0
    )  # fmt: skip
    after = findings["model"][PASSES[1]]
    ratios = {
        name: fmean(e["variance"] for e in after[name])
        / fmean(e["variance"] for e in after["reparameterized"])
        for name in ("score", "score-baseline")
    }
    elbos = {name: elbo_text(each["elbos"]) for name, each in findings["trained"].items()}
    return f"""
In {far} dimensions one sample of the score function's gradient of $E\\|z\\|^2$ had a variance of
{variance:,.0f}, where the closed form says {score_function_variance(far, 0):,.0f} and the pathwise gradient has 4.

At the encoder of a trained VAE the score function brought {fmean(arriving(findings, "score", PASSES[1])):.2f} of the
pathwise gradient in the mean, and {fmean(arriving(findings, "score-baseline", PASSES[1])):.2f} with a baseline;
{fmean(arriving(findings, "detached", PASSES[1])):.2f} arrived detached. The variance of a single draw was
{ratios["score"]:,.0f} times the pathwise one's, with a baseline {ratios["score-baseline"]:,.0f} times.

After {findings["steps"]:,} steps the test ELBO stood at {elbos["reparameterized"]} nats with the trick, at
{elbos["score"]} with the score function, at {elbos["score-baseline"]} with its baseline, and at {elbos["detached"]}
where the encoder heard nothing of the reconstruction.
"""


PREDICTIONS = (
    Choice(
        "without", "Without the trick, how much of the gradient reaches the encoder in the mean?",
        ("none", "a part", "all of it, but noisy"), lambda f: which_part(fmean(arriving(f, "score-baseline"))),
    ),
    Guess(
        "orders", "How much larger is the variance of the score function's gradient, in powers of ten?",
        0, 6, 0.5, lambda f: fmean(noisier(f, "score", PASSES[1])), "orders of magnitude",
    ),
    Choice(
        "learns", "Which of the three learns best, after the trick?",
        (NAMES["score"], NAMES["score-baseline"], NAMES["detached"]),
        lambda f: NAMES[max(list(NAMES)[1:], key=lambda name: ended(f["trained"][name]["elbos"]))],
    ),
)  # fmt: skip


def which_part(share: float) -> str:
    return "none" if share < 0.1 else "a part" if share < 0.75 else "all of it, but noisy"


LESSON = Lesson(
    name="reparameterization",
    aliases=("q1",),
    title="Why the reparameterization trick?",
    question="Does the gradient stop at a draw, or is it only too noisy to learn from?",
    text=text,
    predictions=PREDICTIONS,
    tasks=tasks,
    read=read,
    claims=CLAIMS,
    evidence=evidence,
    found=said,
    reflections=(
        "The score function needs no derivative of f. Name a model in which that is worth its noise.",
        "The baseline changes the variance and not the mean. Why must it not depend on the image's own draw?",
        "The detached encoder still has the gradient of the KL term. What does it learn from that alone?",
    ),
    sources=(
        "D. P. Kingma, M. Welling, Auto-Encoding Variational Bayes, ICLR 2014, sections 2.3 and 2.4",
        "R. J. Williams, Simple statistical gradient-following algorithms for connectionist reinforcement learning, 1992",
        "A. Mnih, K. Gregor, Neural Variational Inference and Learning in Belief Networks, ICML 2014",
        "S. Mohamed, M. Rosca, M. Figurnov, A. Mnih, Monte Carlo Gradient Estimation in Machine Learning, JMLR 2020",
    ),
    seeds=SEEDS,
    unresolved="With two seeds an interval is wide, and one learning rate for all may be unfair to some.",
)
