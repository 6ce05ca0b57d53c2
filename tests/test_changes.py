"""What is changed while a run trains belongs to its step: resumed from anywhere, the run is byte for byte the
one that never stopped."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from genlab.data.dataset import Dataset
from genlab.errors import UserError
from genlab.experiment import schema
from genlab.experiment.acceleration import no_compiler
from genlab.experiment.build import build_model, build_objective, build_state
from genlab.experiment.runner import begin, work
from genlab.experiment.schema import Experiment
from genlab.objectives.elbo import Elbo
from genlab.runs.changes import Change, append_change, read_changes
from genlab.runs.events import Changed, Metrics, Started
from genlab.runs.requests import LEVERS, Requests
from genlab.runs.store import Run
from genlab.training.changes import Changes
from genlab.training.state import State

Tiny = Callable[..., Experiment]
Ask = Callable[[Run], None]

pytestmark = pytest.mark.usefixtures("runs")

CASES = {
    "vae, rate": (("vae",), "learning_rate", 0.02),
    "vae, rate that falls": (("vae", "optimizer.final=0.1"), "learning_rate", 0.02),
    "vae, beta": (("vae",), "beta", 7.0),
    "vae, beta that warms up": (("vae", "objective.warmup_steps=9"), "beta", 7.0),
    "iwae, beta": (("iwae",), "beta", 0.0),
    "gan, rate": (("gan",), "learning_rate", 0.02),
    "gan, its discriminator's": (("gan",), "discriminator_rate", 0.02),
    "vaegan, rate": (("vaegan", "optimizer.discriminator_rate=1e-4"), "learning_rate", 0.02),
    "vaegan, its discriminator's": (("vaegan",), "discriminator_rate", 0.02),
    "vaegan, beta": (("vaegan",), "beta", 7.0),
}


def newest(run: Run) -> bytes:
    """Weights, averaged weights and moments."""
    return max(run.checkpoints.glob("step-*.safetensors")).read_bytes()


def log(run: Run) -> list[tuple[str, int]]:
    return [(event.kind, event.step) for event in run.events() if not isinstance(event, Started)]


def go(run: Run, dataset: Dataset, asks: dict[int, Ask] | None = None, crash: int | None = None) -> None:
    """Train `run`, ask what `asks` has for the time after a step, and end after `crash` as by a crash."""
    for event in work(run, dataset=dataset):
        if isinstance(event, Metrics):
            if asks and event.step in asks:
                asks[event.step](run)
            if event.step == crash:
                return


@pytest.mark.parametrize(("given", "what", "value"), CASES.values(), ids=CASES)
def test_a_changed_run_resumes_bitwise(
    tiny: Tiny, dataset: Dataset, given: tuple[str, ...], what: str, value: float
) -> None:
    experiment = tiny(*given, "training.steps=12", "training.checkpoint_every=5")

    def change(run: Run) -> None:
        run.request_change(what, value)

    untouched, whole = (begin(experiment, dataset=dataset) for _ in range(2))
    go(untouched, dataset)
    go(whole, dataset, {7: change})
    assert newest(whole) != newest(untouched), "the change made a difference"
    assert [(each.step, each.what, each.value) for each in whole.changes()] == [(7, what, value)]
    assert whole.all(Changed) == [Changed(7, what, value)]

    later, sooner, both = (begin(experiment, dataset=dataset) for _ in range(3))
    go(later, dataset, {7: change}, crash=9)  # goes on from 5: the change is ahead again
    go(later, dataset)
    go(sooner, dataset, crash=6)
    go(sooner, dataset, {7: change})
    go(both, dataset, {3: Run.request_stop})
    go(both, dataset, {7: change, 9: Run.request_stop})  # goes on from 9: the change is in force
    go(both, dataset)
    for run in (later, sooner, both):
        assert newest(run) == newest(whole)
        assert [each.step for each in run.changes()] == [7]
    assert log(later) == log(sooner) == log(whole)


def test_a_change_at_the_checkpoint_is_taken_once(tiny: Tiny, dataset: Dataset) -> None:
    """Stopped, changed and gone on: the change is of the step that the run stands at, now and ever after."""
    experiment = tiny("gan", "training.steps=12")
    run, other = (begin(experiment, dataset=dataset) for _ in range(2))
    go(run, dataset, {5: Run.request_stop})
    run.request_change("learning_rate", 0.02)
    assert run.changes() == [], "nobody is there to take it"
    go(run, dataset, crash=8)
    assert [each.step for each in run.changes()] == [5]
    go(run, dataset)
    assert run.all(Changed) == [Changed(5, "learning_rate", 0.02)]
    go(other, dataset, {5: lambda each: each.request_change("learning_rate", 0.02)})
    assert newest(run) == newest(other)


def test_a_request_that_outlives_a_crash_is_not_taken_twice(
    tiny: Tiny, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was written down, but its file not yet taken away."""
    experiment = tiny("vae", "training.steps=12")
    run, whole = (begin(experiment, dataset=dataset) for _ in range(2))
    ask: dict[int, Ask] = {7: lambda each: each.request_change("beta", 7)}
    go(whole, dataset, ask)
    withdraw = Requests.withdraw

    def crash(requests: Requests, name: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Requests, "withdraw", crash)
        patched.setattr(Run, "clear_requests", lambda run: None)
        with pytest.raises(KeyboardInterrupt):
            go(run, dataset, ask)
    assert Requests.withdraw is withdraw
    assert [each.step for each in run.changes()] == [7]
    assert run.requests.names()
    go(run, dataset)
    assert [each.step for each in run.changes()] == [7]
    assert run.requests.names() == []
    assert newest(run) == newest(whole)


def test_several_changes_of_one_thing(tiny: Tiny, dataset: Dataset) -> None:
    """In the order in which they were asked for; one that is asked for while an earlier life's is still ahead
    holds until that one's step."""
    experiment = tiny("gan", "training.steps=12")

    def rate(value: float) -> Ask:
        return lambda run: run.request_change("learning_rate", value)

    def two(run: Run) -> None:
        rate(0.3)(run)
        rate(0.02)(run)

    run, whole = (begin(experiment, dataset=dataset) for _ in range(2))
    go(run, dataset, {7: two}, crash=9)
    assert [each.value for each in run.changes()] == [0.3, 0.02]
    go(run, dataset, {6: rate(0.1)})
    go(whole, dataset, {6: rate(0.1), 7: rate(0.02)})
    assert newest(run) == newest(whole)
    assert [(each.step, each.value) for each in run.all(Changed)] == [(6, 0.1), (7, 0.3), (7, 0.02)]


def test_a_run_that_was_extended_keeps_its_changes(tiny: Tiny, dataset: Dataset) -> None:
    from genlab.experiment.runner import extend

    run, whole = (begin(tiny("gan", f"training.steps={n}"), dataset=dataset) for n in (7, 12))
    ask: dict[int, Ask] = {3: lambda each: each.request_change("learning_rate", 0.02)}
    go(run, dataset, ask)
    extend(run, 12)
    go(run, dataset)
    go(whole, dataset, ask)
    assert newest(run) == newest(whole)


@pytest.fixture
def gan(tiny: Tiny, dataset: Dataset) -> State:
    return build_state(tiny("gan"), build_model(tiny("gan"), dataset.shape))


def rates(state: State, step: int = 0) -> dict[str, float]:
    return {part: each.settings.rate_at(step, 100) for part, each in state.optimizers.items()}


def test_who_has_a_rate_of_its_own(tiny: Tiny, gan: State) -> None:
    objective, changes = build_objective(tiny("gan").objective), Changes()

    def change(what: str, value: float) -> dict[str, float]:
        assert changes.take(Change(0, what, value, 0.0), gan, objective) is objective
        return rates(gan)

    assert change("learning_rate", 0.5) == {"discriminator": 0.5, "generator": 0.5}
    assert change("discriminator_rate", 0.2) == {"discriminator": 0.2, "generator": 0.5}
    assert change("learning_rate", 0.1) == {"discriminator": 0.2, "generator": 0.1}
    changes = Changes(own_rate=True)  # by the config
    assert change("learning_rate", 0.3) == {"discriminator": 0.2, "generator": 0.3}


def test_schedules_stay(tiny: Tiny, dataset: Dataset) -> None:
    experiment = tiny("vae", "optimizer.final=0.1", "objective.warmup_steps=10")
    state = build_state(experiment, build_model(experiment, dataset.shape))
    objective, changes = build_objective(experiment.objective), Changes()
    changes.take(Change(0, "learning_rate", 2.0, 0.0), state, objective)
    assert [rates(state, step)["vae"] for step in (0, 50, 100)] == pytest.approx([2.0, 1.1, 0.2])
    heavier = changes.take(Change(0, "beta", 4.0, 0.0), state, objective)
    assert isinstance(heavier, Elbo)
    assert [heavier.warmup(step) for step in (0, 4, 9, 50)] == pytest.approx([0.4, 2.0, 4.0, 4.0])


def test_bounds_are_the_schema_s() -> None:
    fields = {path.rpartition(".")[2]: field for path, field in schema.fields()}
    for name, lever in LEVERS.items():
        limits = {
            key: getattr(m, key)
            for m in fields[name].metadata
            for key in ("gt", "ge", "le")
            if hasattr(m, key)
        }
        assert limits == {"gt" if lever.above else "ge": lever.low, "le": lever.high}
    for family, objectives in schema.OBJECTIVES.items():
        kinds = [kind for kind in (schema.Elbo, schema.Importance, schema.Adversarial, schema.Hybrid)
                 if kind.model_fields["name"].default in objectives]  # fmt: skip
        assert (family in LEVERS["beta"].families) == all("beta" in kind.model_fields for kind in kinds)
        assert (family in LEVERS["discriminator_rate"].families) == ("discriminator" in schema.PARTS[family])


@pytest.mark.parametrize(
    ("family", "what", "value", "sentence"),
    [
        ("gan", "beta", 1, "a gan has no 'beta' to change while it trains; it has learning_rate"),
        ("vae", "discriminator_rate", 1e-3, "a vae has no 'discriminator_rate'"),
        ("vae", "seed", 1, "a vae has no 'seed'.*it has learning_rate, beta"),
        ("vae", "learning_rate", 0, "learning_rate can't be 0: give a number > 0 and ≤ 100"),
        ("vae", "learning_rate", float("nan"), "can't be nan"),
        ("vae", "learning_rate", float("inf"), "can't be inf"),
        ("vae", "beta", -1, "beta can't be -1: give a number ≥ 0 and ≤ 1000"),
        ("vae", "beta", 1001, "can't be 1001"),
    ],
)
def test_what_can_not_be_changed_is_said_at_once(
    tiny: Tiny, dataset: Dataset, family: str, what: str, value: float, sentence: str
) -> None:
    run = begin(tiny(family), dataset=dataset)
    with pytest.raises(UserError, match=sentence):
        run.request_change(what, value)
    assert run.requests.names() == []


def test_what_is_no_request_stops_nothing(tiny: Tiny, dataset: Dataset) -> None:
    """Others may write into the folder; training goes on, and nothing of theirs is taken."""
    run, plain = (begin(tiny("gan"), dataset=dataset) for _ in range(2))
    for number, text in enumerate(["", "[]", '{"what": "beta", "value": 1, "time": 0}', "\x00",
                                   '{"what": "learning_rate", "value": 1e9, "time": 0}']):  # fmt: skip
        run.requests.leave(f"change-{number}.json")
        (run.requests.folder / f"change-{number}.json").write_text(text)
    go(run, dataset)
    go(plain, dataset)
    assert newest(run) == newest(plain)
    assert run.requests.names() == []
    assert run.changes() == []


def test_a_log_that_does_not_fit_the_run_is_refused(tiny: Tiny, dataset: Dataset) -> None:
    run = begin(tiny("gan"), dataset=dataset)
    run.append_change(Change(3, "beta", 1.0, 0.0))
    with pytest.raises(UserError, match=r"changes\.jsonl: a gan has no 'beta'.*remove that line"):
        go(run, dataset)


def test_the_log_only_grows(tmp_path: Path) -> None:
    path = tmp_path / "changes.jsonl"
    first, second = Change(3, "beta", 0.1, 1.5), Change(7, "learning_rate", 1e-5, 2.5)
    assert read_changes(path) == []
    append_change(path, first)
    with path.open("a") as file:
        file.write('{"step": 5, "what": "be')  # torn by a crash
    assert read_changes(path) == [first]
    append_change(path, second)
    assert read_changes(path) == [first, second]
    assert path.read_text().count("\n") == 3


def test_asking_costs_next_to_nothing(tiny: Tiny, dataset: Dataset) -> None:
    """Before every step of a default run, which takes some 15 ms; half a percent of it is 75 µs."""
    run = begin(tiny("vae"), dataset=dataset)
    for _ in range(2):
        spent = []
        for _ in range(300):
            began = time.perf_counter()
            run.requests.names()
            spent.append(time.perf_counter() - began)
        assert statistics.median(spent) < 75e-6
        run.requests.leave("gone")
        run.requests.withdraw("gone")  # the folder is there from now on


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.skipif(bool(no_compiler("cpu")), reason=no_compiler("cpu"))
def test_compiled_code_takes_changes_too(tiny: Tiny, dataset: Dataset) -> None:
    """Neither the rate nor β is baked into it."""

    def logged(*given: str, change: bool = True) -> list[float]:
        run = begin(tiny("vae", "training.steps=9", *given), dataset=dataset)
        asks: dict[int, Ask] = {
            2: lambda each: each.request_change("beta", 30),
            5: lambda each: each.request_change("learning_rate", 0.05),
        }
        go(run, dataset, asks if change else {})
        return [event.values["elbo"] for event in run.all(Metrics)]

    eager, compiled = logged(), logged("training.compile=true")
    assert compiled == pytest.approx(eager, rel=2e-3)
    assert compiled != pytest.approx(logged(change=False), rel=2e-2)
    torch.compiler.reset()
