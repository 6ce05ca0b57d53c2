"""Each detector speaks on a training that really shows its fault, and on none that does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from genlab.data.dataset import Dataset
from genlab.data.source import load
from genlab.experiment.build import build_model, build_objective, build_state
from genlab.experiment.runner import make_batches
from genlab.experiment.schema import Experiment, override
from genlab.recipes import recipe
from genlab.runs.events import Event, Metrics, Warned
from genlab.training.detectors import DETECTORS, LONGER, PATIENCE, Watch, divergence, vae_loss
from genlab.training.fit import Cadence, Diverged, fit

Tiny = Callable[..., Experiment]
STEPS = PATIENCE + 40
SMALL = ("network.decoder.width=8", "network.discriminator.width=8", "network.encoder.hidden=64",
         "network.latent_dim=8", "training.batch_size=16")  # fmt: skip


def happened(experiment: Experiment, dataset: Dataset, steps: int) -> tuple[list[Event], bool]:
    """The events of a training, and whether it was lost."""
    state = build_state(experiment, build_model(experiment, dataset.shape))
    objective = build_objective(experiment.objective)
    batches = make_batches(experiment, dataset, objective)
    events: list[Event] = []
    try:
        for event in fit(state, objective, batches, steps, 0, cadence=Cadence(log=20)):
            events.append(event)
    except Diverged:
        return events, True
    return events, False


def warnings(events: Iterable[Event]) -> list[tuple[str, int]]:
    return [(event.detector, event.step) for event in events if isinstance(event, Warned)]


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return load("mnist", limit=1000)


# Real trainings, sick and healthy.


def test_posterior_collapse(tiny: Tiny, dataset: Dataset) -> None:
    events, _ = happened(tiny("vae", *SMALL, "objective.beta=50"), dataset, STEPS)
    assert warnings(events) == [("posterior collapse", 320)]
    said = next(event for event in events if isinstance(event, Warned))
    assert "in 0 active dimensions" in said.sentence
    assert "objective.beta" in said.advice


def test_mode_collapse_of_a_generator_whose_judge_stands_still(tiny: Tiny, dataset: Dataset) -> None:
    settings = ("optimizer.discriminator_rate=1e-7", "network.decoder.norm=none")
    events, _ = happened(tiny("gan", *SMALL, *settings), dataset, LONGER + 40)
    assert warnings(events) == [("mode collapse", 620)]


def test_a_discriminator_that_has_won(digits: Dataset) -> None:
    """Without a dense layer, whose batch statistics hold it back."""
    rates = ("optimizer.learning_rate=1e-6", "optimizer.discriminator_rate=2e-3")
    experiment = override(recipe("gan"), [*SMALL, *rates, "network.discriminator.depth=0"])
    events, _ = happened(experiment, digits, STEPS)
    assert warnings(events) == [("discriminator won", 320)]


@pytest.mark.parametrize("name", ["vae", "vaegan"])
def test_divergence_is_said_as_the_run_is_lost(tiny: Tiny, dataset: Dataset, name: str) -> None:
    events, lost = happened(tiny(name, *SMALL, "optimizer.learning_rate=10"), dataset, STEPS)
    assert lost
    assert warnings(events) == [("divergence", 1)]
    assert isinstance(events[-1], Warned)


@pytest.mark.parametrize(("name", "rate"), [("gan", 10), ("vae", 0.05)])
def test_divergence_is_said_before_the_run_is_lost(digits: Dataset, name: str, rate: float) -> None:
    """Losses run away, and are finite still."""
    experiment = override(recipe(name), [*SMALL, f"optimizer.learning_rate={rate}",
                                         f"optimizer.discriminator_rate={rate}"])  # fmt: skip
    events, lost = happened(experiment, digits, 40)
    assert not lost
    assert [name for name, _ in warnings(events)] == ["divergence"], "once, though it goes on"
    assert warnings(events)[0][1] <= 10


@pytest.mark.parametrize("name", ["vae", "gan", "vaegan"])
def test_small_healthy_runs_get_no_warning(tiny: Tiny, dataset: Dataset, name: str) -> None:
    events, lost = happened(tiny(name, *SMALL), dataset, LONGER + 40 if name == "gan" else STEPS)
    assert (warnings(events), lost) == ([], False)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vae", "gan", "vaegan"])
def test_the_recipes_get_no_warning(name: str) -> None:
    """As they are, on MNIST; no value comes near the bounds either."""
    experiment = override(recipe(name), ["training.threads=1"])
    steps = LONGER + 20 if name == "gan" else STEPS
    events, lost = happened(experiment, load("mnist", limit=20_000), steps)
    assert (warnings(events), lost) == ([], False)
    late = [event.values for event in events if isinstance(event, Metrics) and event.step > PATIENCE]
    assert min(values.get("kl", 99) for values in late) > 5
    assert min(values.get("diversity", 99) for values in late) > 0.5
    assert min(values.get("discriminator_loss", 99) for values in late) > 0.1


def test_large_colour_images_do_not_throw_the_code_out() -> None:
    """Adam's first steps move a dense encoder's code in proportion to its pixels, unless kept from it."""
    experiment = override(recipe("vae"), ["data.name=shapes", "training.batch_size=16"])
    events, lost = happened(experiment, load("shapes", limit=500), 20)
    assert (warnings(events), lost) == ([], False)
    assert max(event.values["kl"] for event in events if isinstance(event, Metrics)) < 2000


# What a watch makes of what it sees.


def looks(
    values: Callable[[int], dict[str, float]], last: int, every: int = 20, first: int = 1
) -> list[Metrics]:
    steps = [step for step in range(first, last + 1) if step <= 10 or step % every == 0]
    return [Metrics(step, values(step), 0.0, 0) for step in steps]


def watched(metrics: Iterable[Metrics], watch: Watch | None = None) -> list[tuple[str, int]]:
    watch = watch or Watch()
    return warnings(warning for event in metrics for warning in watch.see(event))


SICK, WELL = {"kl": 0.01, "active_units": 0.0}, {"kl": 20.0, "active_units": 9.0}


@pytest.mark.parametrize("every", [1, 7, 20, 50])
def test_a_symptom_must_last(every: int) -> None:
    found = watched(looks(lambda step: SICK, 1000, every))
    assert [name for name, _ in found] == ["posterior collapse"]
    assert PATIENCE < found[0][1] <= PATIENCE + every + 1


def test_few_looks_are_not_enough() -> None:
    assert watched(looks(lambda step: SICK, 4000, 1000, first=1000)) == []
    assert watched(looks(lambda step: SICK, 5000, 1000, first=1000)) == [("posterior collapse", 5000)]


def test_a_start_that_is_like_a_sickness_is_none() -> None:
    assert watched(looks(lambda step: SICK if step <= 280 else WELL, 3000)) == []


def test_it_speaks_once_in_an_episode_and_again_in_the_next() -> None:
    found = watched(looks(lambda step: SICK if step % 2000 < 1000 else WELL, 5000))
    assert [step // 2000 for _, step in found] == [0, 1, 2]
    assert [step % 2000 for _, step in found][1:] == [220, 220], "12 of the last 15 looks are sick"


def test_an_odd_look_changes_nothing() -> None:
    every_seventh = watched(looks(lambda step: WELL if step // 20 % 7 == 0 else SICK, 4000))
    assert len(every_seventh) == 1, "it neither hides the symptom nor ends the episode"
    assert watched(looks(lambda step: SICK if step // 20 % 7 == 0 else WELL, 4000)) == []


def test_a_loss_that_runs_away_now_and_then_does_not() -> None:
    """As with the first steps at a high β, or a bad batch."""

    def judge(step: int) -> dict[str, float]:
        return {"discriminator_loss": 5e4 if step in (2, 3) or step % 100 == 0 else 1.0}

    assert watched(looks(judge, 3000)) == []


def test_a_loss_that_stays_away_is_said_to_at_the_fifth_look() -> None:
    def judge(step: int) -> dict[str, float]:
        return {"discriminator_loss": 5e4 if 500 < step < 1000 and step % 100 else 1.0}

    assert watched(looks(judge, 3000)) == [("divergence", 580)], "once, though it flickers"


def test_values_that_are_not_logged_are_not_judged() -> None:
    assert watched(looks(lambda step: {"bound": -90.0}, 3000)) == []
    assert watched(looks(lambda step: {"kl": 20.0}, 3000)) == [], "nor are dimensions that have no KL"


@pytest.mark.parametrize("loss", [-30.0, -0.5, 0.4, 2.0])
def test_a_critic_may_be_sure_where_its_loss_has_no_end(loss: float) -> None:
    assert watched(looks(lambda step: {"discriminator_loss": loss}, 3000)) == []


def test_logits_that_are_far_apart_run_away_though_the_loss_is_small() -> None:
    def judged(real: float, fake: float) -> list[tuple[str, int]]:
        values = {"discriminator_loss": 0.4, "real_logit": real, "fake_logit": fake}
        return watched(looks(lambda step: values, 200))

    assert judged(2e5, -7e4) == judged(-7e4, 2e5) == [("divergence", 5)]
    assert judged(8000.0, 7900.0) == [], "a critic's offset is free"


def test_the_weight_of_the_kl_decides_what_runs_away() -> None:
    """While β is low the KL may grow beyond any bound, and the loss does not."""

    def warming(step: int) -> dict[str, float]:
        return {"reconstruction": 550.0 / step**0.3, "kl": 3000.0, "beta": step / 1e5}

    assert watched(looks(warming, 3000)) == []
    assert watched(looks(lambda step: {**warming(step), "beta": 1.0 if step > 100 else 0.0}, 3000)) == [
        ("divergence", 180)
    ]
    assert vae_loss({"reconstruction": 100.0, "kl": 20.0}) == 120
    assert vae_loss({"kl": 20.0}) is None


def test_a_loss_that_was_never_sane_is_said_to_run_away() -> None:
    """It does not leave where it began."""
    assert watched(looks(lambda step: {"reconstruction": 500.0, "kl": 1e12}, 100)) == [("divergence", 5)]


@pytest.mark.parametrize(("first", "lowest"), [(550.0, 100.0), (-700.0, -2000.0), (3.0, 2.0), (0.0, 0.0)])
def test_a_loss_runs_away_from_where_it_began_and_not_from_where_it_came_to(
    first: float, lowest: float
) -> None:
    watch = Watch()
    for step, loss in ((1, first), (20, lowest), (40, first)):
        watch.see(Metrics(step, {"reconstruction": loss, "kl": 0.0}, 0.0, 0))
    assert divergence({"reconstruction": first, "kl": 0.0}, watch.past) is None
    far = first + max(abs(first), 10.0) + 2 * (first - lowest) + 1
    assert divergence({"reconstruction": far, "kl": 0.0}, watch.past) is not None


@pytest.mark.parametrize("cut", [1, 9, 160, 319, 320, 340, 1500, 2240])
def test_a_watch_resumes_from_the_log(cut: int) -> None:
    """What was said is not said again, and what would have been said is."""
    metrics = looks(lambda step: SICK if step % 2000 < 1000 else WELL, 5000)
    whole = Watch()
    log: list[Event] = []
    for event in metrics:
        log += [event, *whole.see(event)]
    resumed = Watch(event for event in log if event.step <= cut)
    again = watched((event for event in metrics if event.step > cut), resumed)
    assert again == [(name, step) for name, step in warnings(log) if step > cut]


def test_a_run_that_is_lost_is_said_to_be_once() -> None:
    watch = Watch()
    first = watch.lost(7)
    assert warnings(first) == [("divergence", 7)]
    assert Watch(first).lost(7) == [], "tried again from the step it was lost after, it is lost again"
    loud = Watch()
    metrics = [Metrics(step, {"discriminator_loss": 1e6}, 0.0, 0) for step in range(1, 8)]
    assert watched(metrics, loud) == [("divergence", 5)]
    assert loud.lost(8) == []


def test_every_detector_has_advice_that_names_fields_that_there_are() -> None:
    from genlab.experiment.schema import fields

    known = {path for path, _ in fields()}
    for name, detector in DETECTORS.items():
        words = detector.advice.replace("(", " ").replace(")", " ").replace(",", " ").split()
        named = [word.partition("=")[0].rstrip(":;.") for word in words if "." in word.rstrip(".")]
        named = [word for word in named if word.partition(".")[0] in {"objective", "optimizer", "network"}]
        assert named, name
        assert set(named) <= known, name


def test_a_warning_is_the_same_after_a_kill(
    tiny: Tiny, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runner hands the log on: a run that was killed before, at and after its warning ends with the log
    of the run that never was."""
    from genlab.experiment.runner import begin, work
    from genlab.runs.store import Run
    from genlab.training import detectors

    monkeypatch.setattr(detectors, "PATIENCE", 30)
    sick = detectors.Detector(detectors.posterior_collapse, 30, "try again")
    monkeypatch.setitem(detectors.DETECTORS, "posterior collapse", sick)
    settings = [
        "objective.beta=1000",
        "optimizer.learning_rate=0.02",
        "training.steps=70",
        "training.log_every=5",
        "training.checkpoint_every=20",
    ]

    def log(run: Run) -> list[Event]:
        kept = [event for event in run.events() if isinstance(event, Metrics | Warned)]
        return [Metrics(e.step, e.values, 0.0, 0) if isinstance(e, Metrics) else e for e in kept]

    experiment = tiny("vae", *settings)
    whole = begin(experiment, out=tmp_path / "whole", dataset=dataset)
    list(work(whole, dataset=dataset))
    (spoken,) = whole.all(Warned)
    assert spoken.detector == "posterior collapse"
    for kill in (spoken.step - 5, spoken.step, spoken.step + 10):
        run = begin(experiment, out=tmp_path / f"{kill}", dataset=dataset)
        for event in work(run, dataset=dataset):
            if event.step == kill:
                break
        list(work(run, dataset=dataset))
        assert log(run) == log(whole), kill
