from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from genlab.data.batches import to_float
from genlab.data.dataset import Dataset
from genlab.errors import UserError
from genlab.experiment import runner
from genlab.experiment.runner import begin, extend, known_tests, load_data, work
from genlab.experiment.schema import Experiment, parse
from genlab.experiment.trained import blend, open_run, read_prior, write_prior
from genlab.networks.prior import GaussianMixture, fit_mixture
from genlab.runs.events import Adopted, Event, Finished, Metrics, Saved, Started
from genlab.runs.store import Run, find_run, list_runs

Tiny = Callable[..., Experiment]
Train = Callable[[Experiment], Run]

pytestmark = pytest.mark.usefixtures("runs")


@pytest.fixture
def train(dataset: Dataset) -> Train:
    def trained(experiment: Experiment) -> Run:
        run = begin(experiment, dataset=dataset)
        list(work(run, dataset=dataset))
        return run

    return trained


def config(run: Run) -> Experiment:
    return parse(run.config())


def newest(run: Run) -> bytes:
    return max(run.checkpoints.glob("*.safetensors")).read_bytes()


def test_a_new_run_knows_its_data(tiny: Tiny, dataset: Dataset) -> None:
    experiment = tiny("vae")
    run = begin(experiment, dataset=dataset)
    assert run.name == "001-vae-tiny"
    data = config(run).data
    assert (data.shape, data.digest) == (dataset.shape, dataset.digest())
    assert run.status()["state"] == "new"
    assert find_run("latest").name == run.name


def test_what_is_yielded_was_written(tiny: Tiny, dataset: Dataset) -> None:
    run = begin(tiny("gan"), dataset=dataset)
    seen: list[Event] = []
    for event in work(run, dataset=dataset):
        seen.append(event)
        assert list(run.events()) == seen
    assert [type(event) for event in seen] == [Started] + [Metrics] * 5 + [Saved] + [Metrics] * 2 + [
        Saved,
        Finished,
    ]
    assert run.status()["state"] == "completed"
    assert not (run.path / "worker.json").exists()


def stop_by_request(run: Run) -> None:
    run.request_stop()


def stop_by_signal(run: Run) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


ON_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="there it would end this process")


@pytest.mark.parametrize("stop", [stop_by_request, pytest.param(stop_by_signal, marks=ON_POSIX)])
def test_stopped_and_resumed_equals_uninterrupted(
    tiny: Tiny, dataset: Dataset, train: Train, stop: Callable[[Run], None]
) -> None:
    expected = newest(train(tiny("gan")))
    handler = signal.getsignal(signal.SIGTERM)
    run = begin(tiny("gan"), dataset=dataset)
    for event in work(run, dataset=dataset):
        if isinstance(event, Metrics) and event.step == 3:
            stop(run)
    assert (run.status()["state"], run.status()["step"]) == ("stopped", 3)
    assert signal.getsignal(signal.SIGTERM) == handler
    events = list(work(run, dataset=dataset))
    assert isinstance(events[0], Started)
    assert events[0].step == 3
    assert newest(run) == expected
    assert [type(e) for e in run.events()].count(Finished) == 1, "the first end is no longer one"


def test_a_damaged_checkpoint_is_set_aside_for_the_one_before(
    tiny: Tiny, dataset: Dataset, train: Train
) -> None:
    run = train(tiny("vae"))
    expected = newest(run)
    path = max(run.checkpoints.glob("*.safetensors"))
    path.write_bytes(expected[:-1])
    events = list(work(run, dataset=dataset))
    assert isinstance(events[0], Started)
    assert events[0].step == 5
    assert newest(run) == expected
    assert (run.checkpoints / f"damaged-{path.name}").exists()


def test_a_finished_run_stays_as_it_is(tiny: Tiny, dataset: Dataset, train: Train) -> None:
    run = train(tiny("vae"))
    before = newest(run)
    assert [type(event) for event in work(run, dataset=dataset)] == [Started, Finished]
    assert newest(run) == before


def test_a_run_that_is_extended_equals_a_longer_one(tiny: Tiny, dataset: Dataset, train: Train) -> None:
    run = train(tiny("gan"))
    extend(run, 12)
    list(work(run, dataset=dataset))
    assert newest(run) == newest(train(tiny("gan", "training.steps=12")))


def test_a_run_whose_rate_ends_with_it_can_not_be_extended(tiny: Tiny, dataset: Dataset) -> None:
    run = begin(tiny("vae", "optimizer.final=0.1"), dataset=dataset)
    with pytest.raises(UserError, match="learning rate towards step 7"):
        extend(run, 12)
    extend(run, 7)
    assert config(run).training.steps == 7


@pytest.mark.parametrize("steps", [0, -3])
def test_a_length_that_is_none_leaves_the_run_alone(tiny: Tiny, dataset: Dataset, steps: int) -> None:
    run = begin(tiny("gan"), dataset=dataset)
    with pytest.raises(UserError, match=r"training\.steps"):
        extend(run, steps)
    assert config(run).training.steps == 7


def test_other_images_than_it_was_trained_on_are_refused(
    tiny: Tiny, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin(tiny("vae"), dataset=dataset)
    monkeypatch.setattr(runner, "load", lambda *_, **__: dataset)
    assert load_data(config(run)) is dataset
    other = Dataset("tiny", dataset.test, dataset.train, dataset.class_names)
    monkeypatch.setattr(runner, "load", lambda *_, **__: other)
    with pytest.raises(UserError, match="not those the run was trained on"):
        list(work(run))
    assert not (run.path / "worker.json").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
def test_a_device_that_is_not_there(tiny: Tiny, dataset: Dataset) -> None:
    with pytest.raises(UserError, match="no CUDA device"):
        begin(tiny("vae", "training.device=cuda"), dataset=dataset)
    assert not Path(os.environ["GENLAB_RUNS"]).exists(), "nothing was begun"


def test_the_untrained_and_the_missing_get_a_sentence(tiny: Tiny, dataset: Dataset) -> None:
    with pytest.raises(UserError, match="train one first, with `genlab train vae`"):
        find_run("latest")
    run = begin(tiny("vae"), dataset=dataset)
    with pytest.raises(UserError, match="no trained model yet: train it first, with `genlab train"):
        open_run(run)


def test_what_a_trained_run_can_do(tiny: Tiny, dataset: Dataset, train: Train) -> None:
    vae = open_run(train(tiny("vae")))
    assert vae.step == 7
    drawn = vae.sample(5, seed=3)
    assert drawn.images.shape == (5, 1, 8, 8)
    assert drawn.images.abs().max() <= 1
    assert torch.equal(vae.decode(drawn.latents), drawn.images)
    assert torch.equal(vae.sample(5, seed=3).images, drawn.images)
    assert not torch.equal(vae.sample(5, seed=4).images, drawn.images)
    assert torch.allclose(vae.sample(5, seed=3, truncation=0.5).latents, drawn.latents / 2)

    images = to_float(torch.from_numpy(dataset.test.pixels))
    assert vae.encode(images).shape == (12, 3)
    assert torch.equal(vae.reconstruct(images), vae.decode(vae.encode(images)))

    first, last = drawn.latents[:2], drawn.latents[2:4]
    row = vae.interpolate(first, last, 4).view(2, 4, 1, 8, 8)
    assert torch.allclose(row[:, 0], vae.decode(first), atol=1e-6)
    assert torch.allclose(row[:, -1], vae.decode(last), atol=1e-6)


def test_more_images_than_one_chunk(tiny: Tiny, train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    gan = open_run(train(tiny("gan")))
    whole = gan.sample(10).images
    monkeypatch.setattr("genlab.experiment.trained.CHUNK", 3)
    assert torch.allclose(gan.sample(10).images, whole, atol=1e-6)


def test_the_arc_keeps_its_distance_from_the_origin() -> None:
    first, last = torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 3.0]])
    half = blend(first, last, torch.tensor(0.5), spherical=True)
    assert torch.allclose(half, torch.full((1, 2), 3 / 2**0.5))
    assert torch.allclose(blend(first, last, torch.tensor(0.5), spherical=False), torch.full((1, 2), 1.5))


def test_a_gan_can_not_reconstruct(tiny: Tiny, train: Train) -> None:
    gan = open_run(train(tiny("gan")))
    with pytest.raises(UserError, match="is a GAN and has no encoder"):
        gan.reconstruct(torch.zeros(1, 1, 8, 8))


@pytest.mark.parametrize("family", ["gan", "vaegan"])
def test_a_decoder_goes_from_run_to_run_with_a_receipt(
    tiny: Tiny, dataset: Dataset, train: Train, family: str
) -> None:
    source = train(
        tiny("vae", "network.latent_dim=5", "observation.kind=gaussian", "network.decoder.width=3")
    )
    run = begin(tiny(family).model_copy(update={"start": source.name}), dataset=dataset)
    heir, past = config(run), config(source)
    assert heir.network.decoder == past.network.decoder
    assert (heir.network.latent_dim, heir.observation) == (5, past.observation)
    assert heir.start == str(source.path.resolve())

    for event in work(run, dataset=dataset):
        if isinstance(event, Saved) and event.step == 0:
            untouched = open_run(run, step=0)
            drawn = open_run(source).sample(9, seed=1)
            assert torch.equal(untouched.decode(drawn.latents), drawn.images)
    receipt = run.receipt()
    assert receipt is not None
    assert receipt["max_difference"] == receipt["reloaded_difference"] == 0
    assert receipt["training_difference"] > 0, "the decoder has batch statistics"
    assert (receipt["source"], receipt["weights"]) == (source.name, "averaged")
    assert not torch.equal(open_run(run).decode(drawn.latents), drawn.images), "and then it was trained"

    before = newest(run)
    list(work(run, dataset=dataset))
    assert run.receipt() == receipt
    assert newest(run) == before


def test_a_run_that_starts_from_another_resumes_bitwise(tiny: Tiny, dataset: Dataset, train: Train) -> None:
    source = train(tiny("vae"))
    heir = tiny("gan").model_copy(update={"start": source.name})
    whole, broken = train(heir), begin(heir, dataset=dataset)
    for event in work(broken, dataset=dataset):
        if isinstance(event, Adopted):
            break  # as abruptly as a generator can end
    assert not (broken.path / "worker.json").exists()
    for event in work(broken, dataset=dataset):
        if event.step == 3:
            broken.request_stop()
    list(work(broken, dataset=dataset))
    assert newest(broken) == newest(whole)
    assert broken.receipt() == whole.receipt()


@pytest.mark.parametrize("lost", [Adopted, Saved])
def test_a_crash_between_a_file_and_its_event_loses_neither(
    tiny: Tiny, dataset: Dataset, train: Train, monkeypatch: pytest.MonkeyPatch, lost: type[Event]
) -> None:
    heir = tiny("gan").model_copy(update={"start": train(tiny("vae")).name})
    whole, broken = train(heir), begin(heir, dataset=dataset)
    append = Run.append

    def crash(run: Run, event: Event) -> None:
        if isinstance(event, lost) and event.step == steps.pop(0):
            raise KeyboardInterrupt
        append(run, event)

    steps = [0] if lost is Adopted else [9, 5]  # at the hand-over; at the first checkpoint after it
    monkeypatch.setattr(Run, "append", crash)
    with pytest.raises(KeyboardInterrupt):
        list(work(broken, dataset=dataset))
    monkeypatch.setattr(Run, "append", append)
    list(work(broken, dataset=dataset))
    assert newest(broken) == newest(whole)
    assert [(e.kind, e.step) for e in broken.events() if not isinstance(e, Started)] == [
        (e.kind, e.step) for e in whole.events() if not isinstance(e, Started)
    ]
    assert broken.receipt() == whole.receipt()


def test_to_start_from_an_untrained_run_says_so(tiny: Tiny, dataset: Dataset) -> None:
    source = begin(tiny("vae"), dataset=dataset)
    with pytest.raises(UserError, match=f"{source.name} has no trained model yet"):
        begin(tiny("gan").model_copy(update={"start": source.name}), dataset=dataset)
    assert [run.name for run in list_runs()] == [source.name], "nothing was begun"


def test_a_fitted_prior_stands_behind_the_decoder_and_is_inherited(
    tiny: Tiny, dataset: Dataset, train: Train
) -> None:
    source = train(tiny("vae"))
    with pytest.raises(UserError, match=r"no fitted prior: fit one first"):
        open_run(source, prior="fitted")
    images = to_float(torch.from_numpy(dataset.train.pixels))
    prior = fit_mixture(open_run(source).encode(images), 4, seed=0)
    write_prior(source, prior)
    kept = read_prior(source)
    assert isinstance(kept, GaussianMixture)
    assert torch.equal(kept.means, prior.means)
    fitted = open_run(source, prior="fitted").sample(50)
    assert not torch.equal(fitted.latents, open_run(source).sample(50).latents)

    heir = tiny("gan", "network.prior.kind=mixture").model_copy(update={"start": source.name})
    run = train(heir)
    assert config(run).network.prior.components == 4
    assert torch.equal(open_run(run).sample(50).latents, fitted.latents)


def test_every_z_begins_at_the_mean_of_the_images_where_asked(
    tiny: Tiny, dataset: Dataset, train: Train
) -> None:
    dense = ["network.decoder.kind=mlp", "network.decoder.norm=none", "network.decoder.mean_bias=true"]
    experiment = tiny("vae", *dense, "optimizer.learning_rate=1e-30", "network.decoder.init=glorot")
    decoder = open_run(train(experiment)).model.decoder
    mean = torch.from_numpy(dataset.train.pixels.mean(axis=0) / 255).clamp(1e-3, 1 - 1e-3).float()
    bias = decoder.layers[-2].bias
    assert torch.allclose(torch.sigmoid(bias).view(1, 8, 8), mean)  # type: ignore[arg-type]


def test_a_run_on_binarised_images_shows_black_and_white(tiny: Tiny, dataset: Dataset) -> None:
    grey, drawn = (
        known_tests(tiny("vae", f"data.binarise={how}"), dataset, 8) for how in ("none", "dynamic")
    )
    assert torch.equal(grey, to_float(torch.from_numpy(dataset.test.pixels[:8])))
    assert set(drawn.unique().tolist()) == {-1.0, 1.0}
    assert torch.equal(drawn, known_tests(tiny("vae", "data.binarise=dynamic"), dataset, 8))


def test_the_stairs_of_the_rate_fix_the_length(tiny: Tiny, dataset: Dataset) -> None:
    run = begin(tiny("vae", "optimizer.schedule=burda", "optimizer.final=1"), dataset=dataset)
    with pytest.raises(UserError, match="length can't change"):
        extend(run, 100)


def test_a_foreign_file_is_no_prior(tiny: Tiny, dataset: Dataset, train: Train) -> None:
    run = train(tiny("vae"))
    (run.path / "prior.safetensors").write_bytes(newest(run))
    with pytest.raises(UserError, match="is a 'genlab-checkpoint', not a genlab-prior"):
        read_prior(run)


def test_the_raw_weights_can_be_had_too(tiny: Tiny, train: Train) -> None:
    run = train(tiny("gan"))
    latents = torch.randn(4, 3)
    averaged, raw = open_run(run), open_run(run, weights="model")
    assert not torch.equal(averaged.decode(latents), raw.decode(latents))
    assert not averaged.model.training
    assert not any(parameter.requires_grad for parameter in averaged.model.parameters())
