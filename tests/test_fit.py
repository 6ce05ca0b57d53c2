from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from genlab.data.batches import Batch, to_float
from genlab.data.dataset import Dataset
from genlab.experiment.build import build_model, build_objective, build_state
from genlab.experiment.runner import make_batches
from genlab.experiment.schema import Experiment
from genlab.objectives.base import Objective, Update
from genlab.runs.events import Event, Finished, Metrics, Samples, Saved
from genlab.training.ema import tensors
from genlab.training.finite import Finite
from genlab.training.fit import Cadence, Diverged, Sheets, advance, fit
from genlab.training.optim import AdamSettings
from genlab.training.state import State

Tiny = Callable[..., Experiment]


class Bench:
    def __init__(self, experiment: Experiment, dataset: Dataset) -> None:
        self.state: State = build_state(experiment, build_model(experiment, dataset.shape))
        self.objective: Objective = build_objective(experiment.objective)
        self.batches = make_batches(experiment, dataset, self.objective)
        self.tests = to_float(torch.from_numpy(dataset.test.pixels))

    def fit(self, steps: int, **keywords: Any) -> list[Event]:
        return list(fit(self.state, self.objective, self.batches, steps, 0, **keywords))


@pytest.fixture
def vae(tiny: Tiny, dataset: Dataset) -> Bench:
    return Bench(tiny("vae"), dataset)


@pytest.fixture
def gan(tiny: Tiny, dataset: Dataset) -> Bench:
    return Bench(tiny("gan"), dataset)


def steps_of(events: list[Event], kind: type[Event]) -> list[int]:
    return [event.step for event in events if isinstance(event, kind)]


@dataclass
class Poisoned:
    """`objective`, but at `step` the loss of `part` is multiplied by `factor`."""

    objective: Objective
    part: str
    step: int
    factor: float

    @property
    def batches_per_step(self) -> int:
        return self.objective.batches_per_step

    def updates(self, model: Any, batch: Batch, rng: torch.Generator) -> Iterator[Update]:
        for update in self.objective.updates(model, batch, rng):
            bad = update.part == self.part and batch.step == self.step
            yield update._replace(loss=update.loss * self.factor) if bad else update


def everything(state: State, part: str) -> list[Tensor]:
    """What one part's update would move: weights, buffers, moments."""
    found = [t for module in state.model.parts()[part] for t in tensors(module).values()]
    found += state.optimizers[part].moments().values()
    return [tensor.clone() for tensor in found]


@pytest.mark.parametrize("deferred", [False, True])
@pytest.mark.parametrize("factor", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(("name", "part"), [("vae", "vae"), ("gan", "discriminator"), ("gan", "generator"),
                                            ("vaegan", "encoder"), ("vaegan", "decoder")])  # fmt: skip
def test_a_loss_that_is_not_finite_stops_before_the_step(
    tiny: Tiny, dataset: Dataset, name: str, part: str, factor: float, deferred: bool
) -> None:
    """Also where the host only hears of it later, as on a GPU: nothing of the part, nor of its average, has
    moved since."""
    bench = Bench(tiny(name), dataset)
    bench.state.finite, steps = Finite(deferred), 12 if deferred else 2
    bench.fit(steps)
    before, averaged = everything(bench.state, part), list(tensors(bench.state.averaged.model).values())
    averaged = [tensor.clone() for tensor in averaged]
    bench.objective = Poisoned(bench.objective, part, step=steps, factor=factor)
    with pytest.raises(
        Diverged, match=f"loss of the {part} is -?(nan|inf) at step {steps + 1}.*learning rate"
    ):
        bench.fit(40, cadence=Cadence(log=20))
    assert bench.state.step == steps
    pairs = zip(everything(bench.state, part), before, strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    pairs = zip(tensors(bench.state.averaged.model).values(), averaged, strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


@dataclass
class Steep:
    """`objective`, but at `step` the slope of its loss is infinite and the loss is not."""

    objective: Objective
    step: int
    batches_per_step: int = 1

    def updates(self, model: Any, batch: Batch, rng: torch.Generator) -> Iterator[Update]:
        for update in self.objective.updates(model, batch, rng):
            wall = sum((0 * p).sum().sqrt() for p in model.encoder.parameters())
            yield update._replace(loss=update.loss + wall) if batch.step == self.step else update


def test_weights_that_are_not_finite_are_not_kept(vae: Bench, tmp_path: Path) -> None:
    vae.objective = Steep(vae.objective, step=3)
    with pytest.raises(Diverged, match="weights are not finite after step 4"):
        vae.fit(9, folder=tmp_path, cadence=Cadence(checkpoint=1))
    assert max(p.name for p in (tmp_path / "checkpoints").glob("*.safetensors")) == "step-0000003.safetensors"


def test_the_step_before_is_kept_and_can_be_resumed(vae: Bench, tmp_path: Path) -> None:
    vae.objective = Poisoned(vae.objective, "vae", step=3, factor=float("nan"))
    with pytest.raises(Diverged):
        vae.fit(9, folder=tmp_path, cadence=Cadence(checkpoint=1))
    assert max(p.name for p in (tmp_path / "checkpoints").glob("*.safetensors")) == "step-0000003.safetensors"


def test_metrics_come_at_the_first_ten_steps_then_as_asked_then_at_the_last(vae: Bench) -> None:
    events = vae.fit(19, cadence=Cadence(log=4))
    assert steps_of(events, Metrics) == [*range(1, 11), 12, 16, 19]
    assert [type(event) for event in events] == [Metrics] * 13 + [Finished]


def test_files_come_as_asked_each_before_its_event(vae: Bench, tmp_path: Path) -> None:
    sheets = Sheets(vae.state.model, vae.tests, seed=0, count=4, columns=2)
    cadence = Cadence(log=100, samples=5, checkpoint=8)
    seen: list[Event] = []
    for event in fit(
        vae.state, vae.objective, vae.batches, 12, 0, cadence=cadence, sheets=sheets, folder=tmp_path
    ):
        seen.append(event)
        if isinstance(event, Samples | Saved):
            assert (tmp_path / event.path).stat().st_size > 0
    assert steps_of(seen, Saved) == [8, 12]
    assert steps_of([e for e in seen if isinstance(e, Samples) and e.content == "samples"], Samples) == [
        5,
        10,
        12,
    ]
    assert steps_of(seen, Samples) == [5, 5, 10, 10, 12, 12], "samples and reconstructions"
    assert seen[-1] == Finished(12, "completed", vae.state.seconds)


def test_the_first_steps_are_shown_besides(gan: Bench, tmp_path: Path) -> None:
    sheets = Sheets(gan.state.model, gan.tests, seed=0, count=4, columns=2)
    events = gan.fit(31, cadence=Cadence(samples=20), sheets=sheets, folder=tmp_path)
    assert steps_of(events, Samples) == [10, 20, 30, 31]


def test_without_a_folder_nothing_is_written(
    gan: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sheets = Sheets(gan.state.model, gan.tests, seed=0)
    events = gan.fit(3, cadence=Cadence(1, 1, 1), sheets=sheets)
    assert {type(event) for event in events} == {Metrics, Finished}
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_a_checkpoint(vae: Bench, tmp_path: Path) -> None:
    events = vae.fit(100, folder=tmp_path, cadence=Cadence(), interrupted=lambda: vae.state.step == 3)
    assert steps_of(events, Saved) == [3]
    assert events[-1] == Finished(3, "stopped", vae.state.seconds)
    events = vae.fit(6, folder=tmp_path, cadence=Cadence())
    assert steps_of(events, Saved) == [6]
    assert events[-1] == Finished(6, "completed", vae.state.seconds)


def test_an_interruption_before_the_first_step_leaves_nothing(vae: Bench, tmp_path: Path) -> None:
    events = vae.fit(100, folder=tmp_path, interrupted=lambda: True)
    assert events == [Finished(0, "stopped", 0.0)]
    assert list(tmp_path.iterdir()) == []


def test_a_run_at_its_end_only_says_so(vae: Bench, tmp_path: Path) -> None:
    vae.fit(2)
    assert vae.fit(2, folder=tmp_path) == [Finished(2, "completed", vae.state.seconds)]


@pytest.mark.parametrize("beta", [0.5, 4])
def test_the_reported_elbo_is_the_elbo_whatever_beta_is(tiny: Tiny, dataset: Dataset, beta: float) -> None:
    bench = Bench(tiny("vae", f"objective.beta={beta}", "objective.free_bits=1"), dataset)
    plain = Bench(tiny("vae"), dataset)
    for event, reference in zip(bench.fit(1), plain.fit(1), strict=True):
        if isinstance(event, Metrics) and isinstance(reference, Metrics):
            values = event.values
            assert values["elbo"] == pytest.approx(-(values["reconstruction"] + values["kl"]), rel=1e-6)
            assert values["elbo"] == reference.values["elbo"]
            assert (values["beta"], reference.values["beta"]) == (beta, 1)


def test_images_seen_are_counted(tiny: Tiny, dataset: Dataset) -> None:
    bench = Bench(tiny("gan", "objective.discriminator_steps=3", "training.batch_size=4"), dataset)
    first = bench.fit(1)[0]
    assert isinstance(first, Metrics)
    assert first.images == 12


def test_training_learns(tiny: Tiny, dataset: Dataset) -> None:
    """The loop, and not only its book-keeping."""
    bench = Bench(tiny("vae", "network.decoder.width=4", "optimizer.learning_rate=0.01"), dataset)
    events = [event for event in bench.fit(150, cadence=Cadence(log=1)) if isinstance(event, Metrics)]
    first, last = (np.mean([e.values["elbo"] for e in part]) for part in (events[:10], events[-10:]))
    assert last > first + 10


def test_advance_is_a_function_of_the_state_s_step(tiny: Tiny, dataset: Dataset) -> None:
    """No step's noise depends on what was drawn before it, nor on torch's own generator."""
    one, other = Bench(tiny("gan"), dataset), Bench(tiny("gan"), dataset)
    torch.manual_seed(1)
    first = advance(one.state, one.objective, one.batches, 10, 0)
    torch.manual_seed(2)
    second = advance(other.state, other.objective, other.batches, 10, 0)
    assert {key: value.item() for key, value in first.items()} == {k: v.item() for k, v in second.items()}


def test_sheets_show_the_same_latents_and_the_averaged_model(gan: Bench, tmp_path: Path) -> None:
    sheets = Sheets(gan.state.model, gan.tests, seed=0, count=4, columns=2)
    gan.fit(10, sheets=sheets, folder=tmp_path, cadence=Cadence(samples=10))
    with Image.open(tmp_path / "samples" / "samples-0000010.png") as image:
        assert image.size == (2 * (2 * 8 + 1), 2 * (2 * 8 + 1))
        drawn = np.asarray(image)[::2, ::2]
    (expected,) = sheets(gan.state.averaged.model)  # type: ignore[arg-type]
    assert np.array_equal(drawn[:8, :8], expected.pixels[0, 0])
    assert np.array_equal(drawn[9:, 9:], expected.pixels[3, 0])


def test_each_step_draws_noise_of_its_own(vae: Bench) -> None:
    """The same images and the same weights again, and yet another number: the noise is the step's."""
    batch = vae.batches(0)
    vae.batches = lambda step: Batch(batch.images, batch.labels, 0)  # type: ignore[assignment]
    vae.state.optimizers["vae"].settings = AdamSettings(rate=0.0)
    first, second = (advance(vae.state, vae.objective, vae.batches, 9, 0)["reconstruction"] for _ in range(2))
    assert first != second


def test_the_average_takes_in_every_step(vae: Bench) -> None:
    vae.state.averaged.decay = 0.999  # so that the rising decay is seen as it rises
    bias = vae.state.model.get_parameter("encoder.head.bias")
    expected = bias.detach().clone()
    for step in (1, 2, 3):
        vae.fit(step)
        expected.lerp_(bias.detach(), 9 / (10 + step))
    found = vae.state.averaged.model.get_parameter("encoder.head.bias")
    assert torch.allclose(found, expected, atol=1e-7)


def test_judged_late_or_at_once_a_step_is_the_same(tiny: Tiny, dataset: Dataset) -> None:
    """Parameters, moments and buffers bit for bit; the average is the same sum in another order."""
    states = []
    for deferred in (False, True):
        bench = Bench(tiny("gan", "network.discriminator.spectral=true"), dataset)
        bench.state.finite = Finite(deferred)
        bench.fit(15)
        states.append(bench.state)
    for part in states[0].optimizers:
        assert all(map(torch.equal, everything(states[0], part), everything(states[1], part)))
    averaged = zip(*(tensors(state.averaged.model).values() for state in states), strict=True)
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in averaged)


def test_what_is_logged_does_not_depend_on_how_often(tiny: Tiny, dataset: Dataset) -> None:
    """Nor does what is learned."""
    often, seldom = Bench(tiny("gan"), dataset), Bench(tiny("gan"), dataset)
    every = {e.step: e.values for e in often.fit(24, cadence=Cadence(log=1)) if isinstance(e, Metrics)}
    few = {e.step: e.values for e in seldom.fit(24, cadence=Cadence(log=6)) if isinstance(e, Metrics)}
    assert list(few) == [*range(1, 11), 12, 18, 24]
    assert all(every[step] == values for step, values in few.items())
    assert all(map(torch.equal, tensors(often.state.model).values(), tensors(seldom.state.model).values()))


def test_nothing_is_logged_that_nobody_asked_for(gan: Bench) -> None:
    assert advance(gan.state, gan.objective, gan.batches, 9, 0, logs=False) == {}
    assert "diversity" in advance(gan.state, gan.objective, gan.batches, 9, 0)
