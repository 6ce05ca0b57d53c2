"""One update at a time: what is told of it is true, and training does not notice."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from working import until

from genlab.data.dataset import Dataset
from genlab.experiment.build import build_model, build_objective, build_state
from genlab.experiment.runner import begin, make_batches, work
from genlab.experiment.schema import Experiment
from genlab.randomness import generator
from genlab.runs.events import Metrics
from genlab.runs.store import Run

Tiny = Callable[..., Experiment]

pytestmark = pytest.mark.usefixtures("runs")

NO_NORM = "network.discriminator.norm=none"
CASES = {
    "vae": ("vae",),
    "vae with batch statistics": ("vae", "network.encoder.kind=conv", "network.encoder.norm=batch",
                                  "network.encoder.blocks=1", "network.decoder.blocks=1"),
    "flow": ("vae", "network.prior.kind=flow"),
    "two layers": ("vae", "network.second_latent=2"),
    "iwae": ("iwae",),
    "gan": ("gan",),
    "spectral": ("gan", "network.discriminator.spectral=true", NO_NORM),
    "penalised, two updates of D": ("gan", "objective.discriminator_steps=2", "objective.r1=1", NO_NORM),
    "packs": ("gan", "network.discriminator.pack=2"),
    "vaegan": ("vaegan",),
}  # fmt: skip
PARTS = {"vae": ["vae"], "gan": ["discriminator", "generator"],
         "vaegan": ["encoder", "decoder", "discriminator"]}  # fmt: skip


@contextmanager
def beside(act: Callable[[], None]) -> Iterator[None]:
    """`act`, beside what is done meanwhile; its failure is ours."""
    failed: list[BaseException] = []

    def guarded() -> None:
        try:
            act()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    yield
    thread.join()
    if failed:
        raise failed[0]


def stepped(run: Run, dataset: Dataset, *, pause: int, updates: int) -> list[dict[str, Any]]:
    """Train `run`, paused after the step `pause`, then taken so many updates one by one, then let go. What
    was told of each, its images read."""
    told: list[dict[str, Any]] = []

    def teach() -> None:
        until(run.pause_requested)
        try:
            for _ in range(updates):
                run.request_step()
                until(lambda: (run.moment() or {}).get("time", 0) > (told[-1]["time"] if told else 0))
                told.append(run.moment() or {})
                told[-1]["pixels"] = pictures(run, told[-1]["images"])
        finally:
            run.request_go_on()

    with beside(teach):
        for event in work(run, dataset=dataset):
            if isinstance(event, Metrics) and event.step == pause:
                run.request_pause()
    return told


def pictures(run: Run, images: dict[str, Any]) -> dict[str, Any]:
    """The sheets as arrays, before and after."""

    def read(path: str) -> Any:
        with Image.open(run.path / path) as image:
            return np.asarray(image)

    return {
        name: {when: read(path) for when, path in found.items()} if isinstance(found, dict) else read(found)
        for name, found in images.items()
    }


def newest(run: Run) -> bytes:
    return max(run.checkpoints.glob("*.safetensors")).read_bytes()


@pytest.mark.parametrize("updates", [1, 5])
@pytest.mark.parametrize("given", CASES.values(), ids=CASES)
def test_stepped_and_let_go_equals_never_paused(
    tiny: Tiny, dataset: Dataset, given: tuple[str, ...], updates: int
) -> None:
    """Also where it goes on in the middle of a step."""
    experiment = tiny(*given)
    plain, run = (begin(experiment, dataset=dataset) for _ in range(2))
    list(work(plain, dataset=dataset))
    told = stepped(run, dataset, pause=2, updates=updates)
    assert len(told) == updates
    assert newest(run) == newest(plain)
    values = [[(e.step, e.values) for e in each.all(Metrics)] for each in (run, plain)]
    assert values[0] == values[1]


@pytest.mark.parametrize("given", CASES.values(), ids=CASES)
def test_what_is_told_of_two_steps(tiny: Tiny, dataset: Dataset, given: tuple[str, ...]) -> None:
    experiment = tiny(*given)
    parts = PARTS[experiment.family]
    if "objective.discriminator_steps=2" in given:
        parts = ["discriminator", *parts]
    run = begin(experiment, dataset=dataset)
    told = stepped(run, dataset, pause=2, updates=2 * len(parts))
    assert [each["part"] for each in told] == 2 * parts
    assert [each["next"] for each in told] == [*parts[1:], *parts[:1]] * 2
    assert [each["step"] for each in told] == [3] * len(parts) + [4] * len(parts)
    metrics = {event.step: event.values for event in run.all(Metrics)}
    for each in told:
        assert 0 < each["moved"] < 1
        assert each["gradient_norm"] > 0
        if "objective.discriminator_steps=2" not in given:  # of two updates of D the second is logged
            assert each["values"].items() <= metrics[each["step"]].items()
        check_images(each, experiment)


def check_images(told: dict[str, Any], experiment: Experiment) -> None:
    """What the updated part has no hand in stays; what it has, moves."""
    pixels, part = told["pixels"], told["part"]
    assert pixels["reals"].shape == (2 * 8, 2 * (4 * 9 - 1)), "the four of the batch, in one row"
    assert (told["scores"] is not None) == (experiment.family != "vae")
    assert (told["elbo"] is not None) == (experiment.family != "gan")
    if told["scores"]:
        judged, fakes = (moved(told["scores"][name]) for name in ("reals", "fakes"))
        assert judged == (part == "discriminator")
        assert fakes == (part != "encoder")
        pack = experiment.network.discriminator.pack
        counts = [len(told["scores"][name]["before"]) for name in ("reals", "fakes")]
        assert counts == [12 // pack, 16 // pack]
        assert not same(pixels["fakes"]) or part != "generator"
        assert same(pixels["fakes"]) or part not in ("discriminator", "encoder")
    if told["elbo"]:
        assert moved(told["elbo"]) == (part != "discriminator")
        before, after = told["elbo"]["before"], told["elbo"]["after"]
        assert before["elbo"] == pytest.approx(-(before["reconstruction"] + before["kl"]), rel=1e-5)
        assert same(pixels["reconstructions"]) or part != "discriminator"
        if experiment.family == "vae":
            assert after["elbo"] > before["elbo"], "a step down the loss of these very images"


def moved(pair: dict[str, Any]) -> bool:
    return bool(pair["before"] != pair["after"])


def same(pair: dict[str, Any]) -> bool:
    return bool(np.array_equal(pair["before"], pair["after"]))


@pytest.mark.parametrize("name", ["vae", "gan"])
def test_the_numbers_are_those_of_the_update(tiny: Tiny, dataset: Dataset, name: str) -> None:
    """Against the first update of that step, taken here by hand."""
    experiment = tiny(name, "optimizer.final=0.5")
    told = stepped(begin(experiment, dataset=dataset), dataset, pause=1, updates=1)[0]

    state = build_state(experiment, build_model(experiment, dataset.shape))
    objective = build_objective(experiment.objective)
    batches = make_batches(experiment, dataset, objective)
    for step in range(2):
        updates = objective.updates(state.model.train(), batches(step), generator(0, "noise", step))
        for update in updates:
            adam = state.optimizers[update.part]
            if step == 1:
                break
            adam.descend(update.loss, step, 7)
        state.step += 1
    before = [p.detach().clone() for p in adam.parameters]
    gradients = torch.autograd.grad(update.loss, adam.parameters, retain_graph=True)
    adam.descend(update.loss, 1, 7)

    def norm(found: Any) -> float:
        return math.sqrt(sum(float(tensor.double().square().sum()) for tensor in found))

    way = norm(now.detach() - old for now, old in zip(adam.parameters, before, strict=True))
    assert told["loss"] == pytest.approx(update.loss.item(), rel=1e-6)
    assert told["gradient_norm"] == pytest.approx(norm(gradients), rel=1e-3)
    assert told["moved"] == pytest.approx(way / norm(before), rel=1e-3)
    assert told["learning_rate"] == adam.settings.rate_at(1, 7)


def test_a_pause_begins_without_the_last_one_s_moment(tiny: Tiny, dataset: Dataset) -> None:
    """And of older images only those of the last moment are kept."""
    run = begin(tiny("gan"), dataset=dataset)
    told = stepped(run, dataset, pause=2, updates=5)
    assert run.moment() is not None
    kept = {path.name for path in (run.path / "moment").iterdir()}
    assert kept == {each["images"]["reals"].split("/")[1] for each in told[-2:]}
    run = begin(tiny("gan", "training.steps=9"), dataset=dataset)
    stepped(run, dataset, pause=2, updates=1)
    for event in work(run, dataset=dataset):
        assert event
    assert stepped(begin(tiny("gan"), dataset=dataset), dataset, pause=2, updates=0) == []


def test_stopped_in_the_middle_of_a_step_it_ends_with_that_step(tiny: Tiny, dataset: Dataset) -> None:
    plain, run = (begin(tiny("vaegan"), dataset=dataset) for _ in range(2))
    list(work(plain, dataset=dataset))

    def teach() -> None:
        until(run.pause_requested)
        run.request_step()
        until(lambda: run.moment() is not None)
        run.request_change("learning_rate", 1e-9)  # for after this step
        run.request_stop()

    with beside(teach):
        for event in work(run, dataset=dataset):
            if isinstance(event, Metrics) and event.step == 2:
                run.request_pause()
    assert (run.status()["state"], run.status()["step"]) == ("stopped", 3)
    assert [change.step for change in run.changes()] == [3]
    (run.path / "changes.jsonl").unlink()
    list(work(run, dataset=dataset))
    assert newest(run) == newest(plain)
