"""Codes and scores of images, from runs on blots of light."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from genlab.data.batches import to_float
from genlab.data.dataset import Dataset, Pixels
from genlab.data.given import Given, of_test_set
from genlab.errors import UserError
from genlab.evaluation.extractor import NetworkExtractor
from genlab.evaluation.references import References, references_for
from genlab.experiment.encoding import as_trained, posteriors, write_codes
from genlab.experiment.runner import begin, work
from genlab.experiment.schema import Experiment
from genlab.experiment.scoring import exceeded, score, write_scores
from genlab.experiment.trained import Trained, open_run
from genlab.metrics.unavailable import Unavailable
from genlab.networks.model import GAN

Tiny = Callable[..., Experiment]
LIKELIHOODS = ("elbo", "nll", "distortion", "rate", "novelty_likelihood")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("runs")
        patch.setenv("GENLAB_RUNS", str(root))
        yield root


def trained(tiny: Tiny, dataset: Dataset, family: str, *assignments: str) -> Trained:
    run = begin(tiny(family, "training.log_every=1000", *assignments), dataset=dataset)
    list(work(run, dataset=dataset))
    return open_run(run)


@pytest.fixture(scope="module")
def vae(folder: Path, tiny: Tiny, dataset: Dataset) -> Trained:
    return trained(
        tiny, dataset, "vae", "training.steps=150", "training.batch_size=20", "training.checkpoint_every=150"
    )


@pytest.fixture(scope="module")
def ink(folder: Path, tiny: Tiny, dataset: Dataset) -> Trained:
    return trained(tiny, dataset, "vae", "data.binarise=dynamic")


@pytest.fixture(scope="module")
def gan(folder: Path, tiny: Tiny, dataset: Dataset) -> Trained:
    return trained(tiny, dataset, "gan")


@pytest.fixture(scope="module")
def real(dataset: Dataset) -> References:
    return references_for(dataset, NetworkExtractor("pixels", dataset.shape, nn.Flatten(), None))


def given(pixels: Pixels, *names: str) -> Given:
    return Given(pixels, names or tuple(map(str, range(len(pixels)))), ("",) * len(pixels))


def table(run: Trained, images: Given, real: References, k: int = 16) -> dict[str, Tensor | Unavailable]:
    return {column.name: column.values for column in score(run, images, real, k=k)}


def tensor(value: Tensor | Unavailable) -> Tensor:
    assert isinstance(value, Tensor), value
    return value


def test_noise_is_new_and_a_training_image_is_none(vae: Trained, dataset: Dataset, real: References) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1, 1, 8, 8), dtype=np.uint8)
    found = table(vae, given(np.concatenate([noise, dataset.train.pixels[7:8]])), real)
    strange, known = zip(
        *(tensor(found[f"novelty_{kind}"]).tolist() for kind in ("likelihood", "features")), strict=True
    )
    assert strange == (1, 1)
    assert max(known) < 1
    assert tensor(found["nearest_distance"])[1] == 0
    assert tensor(found["nearest_training_image"])[1] == 7
    assert tensor(found["mse"])[0] > tensor(found["mse"])[1]


def test_test_images_are_ordinary_by_definition(vae: Trained, dataset: Dataset, real: References) -> None:
    found = table(vae, of_test_set(dataset), real)
    for kind in ("likelihood", "features"):
        assert tensor(found[f"novelty_{kind}"]).mean().item() == pytest.approx(0.5, abs=1e-6)


def test_the_columns_belong_together(vae: Trained, dataset: Dataset, real: References) -> None:
    found = table(vae, of_test_set(dataset), real, k=200)
    elbo, nll, distortion, rate = (tensor(found[name]) for name in LIKELIHOODS[:4])
    assert torch.allclose(elbo, -(distortion + rate))
    assert nll.mean() < -elbo.mean()
    images = to_float(torch.from_numpy(dataset.test.pixels))
    again = vae.reconstruct(images)
    assert torch.allclose(tensor(found["mse"]).float(), (again - images).square().mean((1, 2, 3)) / 4)


@pytest.mark.parametrize("name", ["vae", "ink", "gan"])
def test_a_score_is_the_image_s_own_whatever_stands_beside_it(
    request: pytest.FixtureRequest, name: str, dataset: Dataset, real: References
) -> None:
    run: Trained = request.getfixturevalue(name)
    pixels = dataset.test.pixels
    whole, alone = (table(run, given(some), real) for some in (pixels, pixels[5:6]))
    for column, values in whole.items():
        if isinstance(values, Tensor):
            room = (
                1 / 24 if column.startswith("novelty") else 1e-4
            )  # it is a test image, and ties with itself
            assert torch.allclose(values[5:6].double(), tensor(alone[column]).double(), atol=room + 1e-6), (
                column
            )


def test_a_gan_has_no_likelihood_but_a_discriminator(
    gan: Trained, dataset: Dataset, real: References
) -> None:
    columns = {column.name: column for column in score(gan, of_test_set(dataset), real)}
    for name in LIKELIHOODS:
        value = columns[name].values
        assert isinstance(value, Unavailable)
        assert "defines no likelihood" in value.reason
    assert isinstance(columns["mse"].values, Unavailable)
    assert "no probability" in columns["logit"].meaning
    assert isinstance(gan.model, GAN)
    with torch.no_grad():
        expected = gan.model.discriminator(to_float(torch.from_numpy(dataset.test.pixels)))
    assert torch.allclose(tensor(columns["logit"].values), expected, atol=1e-6)
    assert tensor(columns["novelty_features"].values).mean().item() == pytest.approx(0.5)


def test_a_vae_has_no_discriminator_and_a_hybrid_has_both(
    vae: Trained, folder: Path, tiny: Tiny, dataset: Dataset, real: References
) -> None:
    assert isinstance(table(vae, of_test_set(dataset), real)["logit"], Unavailable)
    hybrid = table(trained(tiny, dataset, "vaegan"), of_test_set(dataset), real)
    assert all(isinstance(value, Tensor) for value in hybrid.values())


def test_pixels_drawn_black_or_white_are_scored_as_such(
    ink: Trained, vae: Trained, dataset: Dataset, real: References
) -> None:
    columns = {column.name: column for column in score(ink, of_test_set(dataset), real, k=2)}
    assert "probability of binarised pixels (Bernoulli)" in columns["elbo"].meaning
    seen = as_trained(dataset.test.pixels, ink.experiment)
    assert set(seen.unique().tolist()) == {-1, 1}
    assert torch.equal(as_trained(dataset.test.pixels[3:4], ink.experiment), seen[3:4])
    grey = as_trained(dataset.test.pixels, vae.experiment)
    assert torch.equal(grey, to_float(torch.from_numpy(dataset.test.pixels)))


def test_the_share_that_lies_below_counts_equals_by_half() -> None:
    others = torch.tensor([1.0, 2.0, 2.0, 4.0])
    assert exceeded(torch.tensor([0.0, 1.0, 2.0, 3.0, 9.0]), others).tolist() == [0, 0.125, 0.5, 0.75, 1]


def test_the_file_says_what_it_holds_and_can_be_read(
    gan: Trained, dataset: Dataset, real: References, tmp_path: Path
) -> None:
    names = ("plain.png", 'quo"te, comma#hash.png', "two\nlines.png")
    images = given(dataset.test.pixels[:3], *names)
    columns = score(gan, images, real)
    path = tmp_path / "scores.csv"
    write_scores(path, gan, images, columns)
    text = path.read_text("utf-8")
    comments = [line for line in text.splitlines() if line.startswith("# ")]
    assert [line.split(":")[0] for line in comments[1:]] == [f"# {column.name}" for column in columns]
    assert "# elbo: " in text
    assert "empty: a GAN defines no likelihood" in text
    body = text[text.index('"name"') :]
    rows = list(csv.DictReader(body.splitlines(keepends=True)))
    assert [row["name"] for row in rows] == list(names)
    assert [row["elbo"] for row in rows] == [""] * 3
    logits = tensor(columns[-1].values).tolist()
    assert [float(row["logit"]) for row in rows] == pytest.approx(logits, rel=1e-5)


def test_the_header_and_the_table_are_what_pandas_reads(
    vae: Trained, dataset: Dataset, real: References, tmp_path: Path
) -> None:
    pandas = pytest.importorskip("pandas")
    path, images = tmp_path / "scores.csv", given(dataset.test.pixels[:2], "a#b.png", "c.png")
    write_scores(path, vae, images, score(vae, images, real, k=2))
    frame = pandas.read_csv(path, comment="#")
    assert frame["name"].tolist() == ["a#b.png", "c.png"]
    assert frame["elbo"].dtype == float
    assert frame["logit"].isna().all()


def test_more_images_than_one_piece(
    vae: Trained, dataset: Dataset, real: References, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = of_test_set(dataset)
    whole = table(vae, images, real)
    for name in ("scoring.PIECE", "scoring.CHUNK", "encoding.CHUNK"):
        monkeypatch.setattr(f"genlab.experiment.{name}", 5)
    said: list[tuple[str, int, int]] = []
    score(vae, images, real, k=16, progress=lambda what, done, of: said.append((what, done, of)))
    assert said[-1] == ("likelihood of test images", 12 * 16, 12 * 16)
    parts = table(vae, images, real)
    for name, values in whole.items():
        if isinstance(values, Tensor):
            room = 1 / 24 if name.startswith("novelty") else 1e-4
            assert torch.allclose(values.double(), tensor(parts[name]).double(), atol=room + 1e-6), name


def test_codes_are_plain_arrays_with_names(vae: Trained, dataset: Dataset, tmp_path: Path) -> None:
    path, images = tmp_path / "codes.npz", of_test_set(dataset)
    shapes = write_codes(path, vae, images)
    with np.load(path, allow_pickle=False) as file:
        held = dict(file)
    assert {name: array.shape for name, array in held.items()} == shapes
    assert shapes == {"mean": (12, 3), "log_var": (12, 3), "names": (12,), "labels": (12,), "run": ()}
    assert held["mean"].dtype == held["log_var"].dtype == np.float32
    assert all(held[name].dtype.kind == "U" for name in ("names", "labels", "run"))
    assert held["names"].tolist() == list(images.names)
    expected = vae.encode(to_float(torch.from_numpy(dataset.test.pixels)))
    assert np.allclose(held["mean"], expected.numpy(), atol=1e-6)


def test_without_labels_there_is_no_array_of_them(vae: Trained, dataset: Dataset, tmp_path: Path) -> None:
    shapes = write_codes(tmp_path / "codes.npz", vae, given(dataset.test.pixels))
    assert "labels" not in shapes


def test_a_posterior_without_variances_gives_its_means_alone(
    vae: Trained, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OnlyMean:
        def __init__(self, mean: Tensor) -> None:
            self.mean = mean

    encode = vae.autoencoder.encode
    monkeypatch.setattr(vae.model, "encode", lambda images: OnlyMean(encode(images).mean))
    mean, log_var = posteriors(vae, dataset.test.pixels)
    assert mean.shape == (12, 3)
    assert log_var is None


def test_wrong_endings_and_missing_encoders_are_said(
    vae: Trained, gan: Trained, dataset: Dataset, tmp_path: Path
) -> None:
    images = of_test_set(dataset)
    with pytest.raises(UserError, match=r"ends in \.npz"):
        write_codes(tmp_path / "codes.csv", vae, images)
    with pytest.raises(UserError, match=r"ends in \.csv"):
        write_scores(tmp_path / "scores.npz", vae, images, [])
    with pytest.raises(UserError, match="is a GAN and has no encoder"):
        write_codes(tmp_path / "codes.npz", gan, images)
