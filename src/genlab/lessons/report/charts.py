"""From what was recorded to charts: the curves of a run, the estimators' points."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from genlab.lessons.estimators import Point, pathwise_variance, score_function_variance
from genlab.lessons.report.content import Chart, Series
from genlab.runs.events import Metrics, Validated
from genlab.runs.store import Run

MOST_POINTS = 250  # in a drawn line
WINDOW = 21  # logged values in a running mean


def history(run: Run, key: str) -> tuple[list[float], list[float]]:
    """Steps and values of the logged term `key`; empty where the run never logged it."""
    logged = [e for e in run.events() if isinstance(e, Metrics) and key in e.values]
    return [float(e.step) for e in logged], [e.values[key] for e in logged]


def smoothed(values: Sequence[float], window: int = WINDOW) -> list[float]:
    """The mean of each value and those on either side: up to `window // 2` of them, and fewer at the start,
    where a log scale shows single steps."""
    reaches = [min(window // 2, i // 4) for i in range(len(values))]
    parts = [values[i - reach : i + reach + 1] for i, reach in enumerate(reaches)]
    return [sum(part) / len(part) for part in parts]


def thinned(x: Sequence[float], y: Sequence[float]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """At most about `MOST_POINTS` of the points, evenly, the last one always."""
    every = max(1, len(x) // MOST_POINTS)
    chosen = sorted({*range(0, len(x), every), len(x) - 1} if x else ())
    return tuple(x[i] for i in chosen), tuple(y[i] for i in chosen)


def curve(run: Run, key: str, label: str, colour: int | None) -> tuple[Series, ...]:
    """The term as logged, faint, and its running mean."""
    x, y = history(run, key)
    if not x:
        return ()
    return (
        Series(f"{label}, as logged", *thinned(x, y), colour=colour, style="faint"),
        Series(label, *thinned(x, smoothed(y)), colour=colour),
    )


def vae_charts(run: Run, colour: int = 0) -> tuple[Chart, ...]:
    """The ELBO and its two terms, in nats per training image, as they were on the batch at hand."""
    steps = "step (log scale)"
    return (
        Chart(
            "elbo", "vae", "ELBO",
            "Higher is better: it bounds from below the log-probability that the model gives to an image.",
            steps, "nats per image", curve(run, "elbo", "ELBO", colour), log_x=True,
        ),
        Chart(
            "reconstruction", "vae", "Reconstruction term",
            "Lower is better: the cost of describing the image when its code z is known.",
            steps, "nats per image", curve(run, "reconstruction", "reconstruction", colour), log_x=True,
        ),
        Chart(
            "kl", "vae", "KL term",
            "Neither low nor high is good in itself: it is what the code says about the image, and it rises "
            "as the model learns to use z.",
            steps, "nats per image", curve(run, "kl", "KL(q(z|x) ‖ N(0, I))", colour), log_x=True,
        ),
    )  # fmt: skip


def quality_charts(runs: Sequence[tuple[str, Run, int]]) -> tuple[Chart, ...]:
    """What each (label, run, colour) was validated at on the way, over seconds and over images; nothing where
    none was."""
    sentence = (
        "Lower is better. 2 000 samples of the averaged weights each time, against training images: for the "
        "course of things, not for the table, whose N and images are others."
    )
    axes = {"seconds": "seconds of training", "images": "training images seen"}
    charts: list[Chart] = []
    for axis, label in axes.items():
        series: list[Series] = []
        for name, run, colour in runs:
            seen = [e for e in run.events() if isinstance(e, Validated) and "fid/train" in e.values]
            x = tuple(float(getattr(event, axis)) for event in seen)
            if x:
                series.append(Series(name, x, tuple(e.values["fid/train"] for e in seen), colour))
        if series:
            title = f"Fréchet distance over {axis}"
            charts.append(
                Chart(f"fid-{axis}", "quality", title, sentence, label, "squared feature units (log scale)",
                      tuple(series), log_y=True)
            )  # fmt: skip
    return tuple(charts)


def gan_charts(runs: Sequence[tuple[str, Run, int]]) -> tuple[Chart, ...]:
    """Both players' losses for each (label, run, colour), and the discriminators' accuracies together."""
    losses = tuple(
        Chart(
            f"losses-{index}", "gan", label,
            "A falling GAN loss does not mean better images: each player is scored against the other, who "
            "moves too. Look for neither running away.",
            "step", "loss, nats",
            curve(run, "discriminator_loss", "discriminator D", None)
            + curve(run, "generator_loss", "generator G", colour),
        )
        for index, (label, run, colour) in enumerate(runs)
    )  # fmt: skip
    accuracies = tuple(s for label, run, colour in runs for s in curve(run, "accuracy", label, colour))
    accuracy = Chart(
        "accuracy", "gan", "How often D is right",
        "At 0.5 the discriminator can only guess; at 1 it is never fooled, and then it teaches the generator "
        "little.",
        "step", "accuracy on real and generated images", accuracies,
    )  # fmt: skip
    return (*losses, accuracy)


def estimator_charts(points: Sequence[Point]) -> tuple[Chart, ...]:
    """Measured variances on their closed-form lines: over D at μ = 0, over μ at D = 1."""
    over_d = [p for p in points if p.mu == 0]
    over_mu = [p for p in points if p.dimensions == 1]
    top_d = max((p.dimensions for p in over_d), default=1)
    top_mu = max((p.mu for p in over_mu), default=1.0)
    y_label = "variance of the gradient from one sample (log scale)"
    return (
        Chart(
            "variance-over-dimensions", "estimators", "More dimensions, at μ = 0",
            "The score function's variance grows as the square of the dimension, the pathwise stays at 4.",
            "dimension D of z (log scale)", y_label,
            on_lines(over_d, lambda p: p.dimensions, [(d, d, 0.0) for d in powers(top_d)]),
            log_x=True, log_y=True,
        ),
        Chart(
            "variance-over-means", "estimators", "Further from the origin, in one dimension",
            "It grows as the fourth power of the distance, the pathwise stays at 4.",
            "μ, the distance of z's mean from the origin", y_label,
            on_lines(over_mu, lambda p: p.mu, [(m, 1.0, m) for m in evenly(top_mu)]),
            log_y=True,
        ),
    )  # fmt: skip


def on_lines(
    points: Sequence[Point], place: Callable[[Point], float], grid: Sequence[tuple[float, float, float]]
) -> tuple[Series, ...]:
    """Each estimator's points with their standard errors, at `place`, on its closed form over the grid of
    (place, D, μ). The detached one is left out: a log scale has no 0."""
    forms = {"pathwise": (pathwise_variance, 0), "score function": (score_function_variance, 2)}
    series: list[Series] = []
    for name, (form, colour) in forms.items():
        mine = [p for p in points if p.estimator == name]
        if not mine:
            continue
        line = tuple(form(d, mu) for _, d, mu in grid)
        series.append(Series(f"{name}, closed form", tuple(x for x, _, _ in grid), line, colour))
        errors = tuple(p.standard_error for p in mine)
        at, values = tuple(map(place, mine)), tuple(p.variance for p in mine)
        series.append(Series(f"{name}, measured", at, values, colour, "points", errors))
    return tuple(series)


def powers(top: float, count: int = 41) -> list[float]:
    return [top ** (i / (count - 1)) for i in range(count)]


def evenly(top: float, count: int = 41) -> list[float]:
    return [top * i / (count - 1) for i in range(count)]
