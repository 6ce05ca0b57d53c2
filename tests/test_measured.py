"""What a run's report keeps: found again where nothing has changed, measured again where something has."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from genlab.data.dataset import Dataset, Images
from genlab.errors import UserError
from genlab.evaluation.instruments import INSTRUMENTS
from genlab.experiment import measured
from genlab.experiment.measured import (
    bounds,
    evaluate_run,
    images_seen,
    kept,
    records,
    references,
    repetition,
)
from genlab.experiment.runner import begin, work
from genlab.experiment.schema import Experiment
from genlab.experiment.trained import open_run
from genlab.runs.store import Run

Tiny = Callable[..., Experiment]

COUNT = 40


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(measured, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def trained(experiment: Experiment, dataset: Dataset) -> Run:
    run = begin(experiment, dataset=dataset)
    list(work(run, dataset=dataset))
    return run


@pytest.fixture
def dataset() -> Dataset:
    """100 + 60 images of noise, brighter above or below, and which."""
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 2, 160)
    pixels = draw.integers(0, 128, (160, 1, 8, 8)).astype(np.uint8)
    for image, label in zip(pixels, labels, strict=True):
        image[0, 4 * label : 4 * label + 4] += 100
    return Dataset(
        "tiny", Images(pixels[:100], labels[:100]), Images(pixels[100:], labels[100:]), ("up", "down")
    )


@pytest.fixture
def runs_of_both(tiny: Tiny, dataset: Dataset, runs: Path, monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    monkeypatch.setattr(measured, "load_data", lambda experiment: dataset)
    return [trained(tiny(name), dataset) for name in ("vae", "gan")]


def test_both_families_get_the_same_record(runs_of_both: list[Run]) -> None:
    found, floor, ceiling = records([run.name for run in runs_of_both], count=COUNT)
    vae, gan = found
    assert vae["values"].keys() == gan["values"].keys() <= INSTRUMENTS.keys()
    assert floor["values"].keys() == ceiling["values"].keys() <= vae["values"].keys()
    for key in ("data", "count", "references", "networks", "seed", "full"):
        assert vae["protocol"][key] == gan["protocol"][key]
    assert "value" in vae["values"]["elbo"]
    assert "unavailable" in gan["values"]["elbo"]
    assert "unavailable" in vae["values"]["inversion_mse"]
    assert "value" in gan["values"]["inversion_mse"]
    assert (vae["step"], vae["training_seed"], vae["family"]) == (7, 0, "vae")
    assert vae["cost"]["images_seen"] == 7 * 4
    json.dumps(found, allow_nan=False)
    assert (runs_of_both[1].path / "generated" / "nearest-own.png").stat().st_size > 100


def test_what_is_kept_is_not_measured_again(runs_of_both: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    name = runs_of_both[0].name
    first, floor, _ = records([name], count=COUNT)
    monkeypatch.setattr(measured, "evaluate", None)
    monkeypatch.setattr(measured, "floor", None)
    again, same, _ = records([name], count=COUNT)
    assert (again, same) == (first, floor)
    for other in ({"count": COUNT + 1}, {"seed": 1}, {"full": True}, {"fresh": True}):
        with pytest.raises(TypeError, match="not callable"):
            records([name], **{"count": COUNT, **other})  # type: ignore[arg-type]


def test_a_record_of_another_version_is_not_read(runs_of_both: list[Run], dataset: Dataset) -> None:
    opened, real = open_run(runs_of_both[0]), references(dataset)
    evaluate_run(opened, real, count=COUNT)
    assert kept(opened, real, count=COUNT, seed=0, full=False) is not None
    path = opened.run.path / "report.json"
    path.write_text(path.read_text("utf-8").replace('"version": 2', '"version": 1'), "utf-8")
    assert kept(opened, real, count=COUNT, seed=0, full=False) is None


def test_torn_bounds_are_made_again(dataset: Dataset, cache: Path) -> None:
    real = references(dataset)
    first = bounds(real, COUNT)
    (path,) = (cache / "references").glob("bounds-*.json")
    path.write_text("[1", "utf-8")
    assert bounds(real, COUNT) == first


def test_runs_on_other_images_are_refused(
    runs_of_both: list[Run], tiny: Tiny, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Dataset("other", dataset.test, dataset.train, dataset.class_names)
    stranger = trained(tiny("vae"), other)
    with pytest.raises(UserError, match="trained on different images"):
        records([runs_of_both[0].name, stranger.name], count=COUNT)


def test_repetitions_differ_in_their_seed_alone(tiny: Tiny) -> None:
    one = tiny("vae")
    assert repetition(one) == repetition(tiny("vae", "training.seed=3"))
    assert repetition(one) == repetition(tiny("vae", "training.threads=2", "training.log_every=7"))
    for change in ("objective.beta=2", "training.steps=8", "network.latent_dim=4", "training.batch_size=5"):
        assert repetition(one) != repetition(tiny("vae", change))
    timed = tiny("vae", "training.seconds=5")
    assert repetition(timed) == repetition(tiny("vae", "training.seconds=5", "training.steps=9"))
    assert repetition(timed) != repetition(tiny("vae", "training.seconds=6"))


def test_a_start_counts_by_what_it_is_and_not_by_where_it_lies(
    tiny: Tiny, dataset: Dataset, runs: Path
) -> None:
    def warm(*assignments: str) -> str:
        vae = trained(tiny("vae", *assignments), dataset)
        return repetition(tiny("gan").model_copy(update={"start": str(vae.path)}))

    assert warm("training.seed=0") == warm("training.seed=1") != warm("objective.beta=3")


def test_images_are_counted_with_the_extra_batches_of_a_discriminator(
    tiny: Tiny, dataset: Dataset, runs: Path
) -> None:
    run = trained(tiny("gan", "objective.discriminator_steps=3"), dataset)
    assert images_seen(open_run(run)) == 7 * 4 * 3


def test_too_few_images_to_measure_against_are_refused(dataset: Dataset) -> None:
    few = Dataset("few", dataset.train, dataset.test.take(np.arange(30)), dataset.class_names)
    with pytest.raises(UserError, match="few has 30 test and 100 training images, too few to measure"):
        bounds(references(few), COUNT)
