"""Reconstruct as a whole: what the page says and gives away, held against the model and the equations."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

pytest.importorskip("streamlit")

from streamlit.testing.v1 import AppTest

from genlab.app import entries, models
from genlab.app.held_out import HeldOut, held_out
from genlab.app.reconstructing import charts, picking, posterior, walking
from genlab.data.batches import to_float, to_uint8
from genlab.data.dataset import Dataset
from genlab.experiment import runner
from genlab.experiment.schema import Experiment
from genlab.experiment.trained import Trained, open_run
from genlab.functional.gaussian import DiagonalGaussian, kl_divergence
from genlab.randomness import generator
from genlab.runs.store import SHIPPED, Run

from app_pages import open_page, texts  # isort: skip

Tiny = Callable[..., Experiment]
Pixels = NDArray[np.uint8]


def by_hand(trained: Trained, pixels: Pixels) -> tuple[float, float]:
    """−ln p(x|z), the mean over the page's draws of z, and the KL of an image (C, H, W), straight from the
    equations."""
    model, image = trained.autoencoder, to_float(torch.tensor(pixels[None]))
    with torch.no_grad():
        q = model.encode(image)
        assert isinstance(q, DiagonalGaussian)
        noise = torch.randn(posterior.DRAWS, q.mean.shape[1], generator=generator(0, "evaluate/common"))
        z = q.sample(noise[:, None])[:, 0]
        nll = model.observation.nll(model.raw(z), image.expand(len(z), -1, -1, -1))
        return float(nll.double().mean()), float(kl_divergence(q).double())


def figures(page: AppTest) -> dict[str, float]:
    return {metric.label: float(metric.value.replace("−", "-")) for metric in page.metric}


def tells_of(page: AppTest, trained: Trained, pixels: Pixels) -> None:
    """The numbers on the page are this image's, to the digit that is shown."""
    distortion, rate = by_hand(trained, pixels)
    shown = figures(page)
    assert shown["Reconstruction, nats"] == pytest.approx(distortion, abs=0.051)
    assert shown["KL, nats"] == pytest.approx(rate, abs=0.051)
    assert shown["ELBO, nats"] == pytest.approx(-distortion - rate, abs=0.051)


def test_the_numbers_on_the_page_are_those_of_the_equations(small_vae: Run) -> None:
    trained, tests = open_run(small_vae), held_out(entries.read(small_vae.path))
    page = open_page("reconstruct", run=small_vae.name, image="3")
    tells_of(page, trained, tests.pixels[3])
    elbos = [-sum(by_hand(trained, pixels)) for pixels in tests.pixels]
    share = sum(elbo < elbos[3] for elbo in elbos) / len(elbos)
    assert posterior.verdict(share, len(tests)) in texts(page)
    images = to_float(torch.tensor(tests.pixels[3:4]))
    error = float((trained.reconstruct(images) - images).square().mean()) / 4
    assert f"MSE {error:.4f}" in texts(page)


def test_sampled_reconstructions_are_decoded_from_the_posterior(small_vae: Run) -> None:
    trained, tests = open_run(small_vae), held_out(entries.read(small_vae.path))
    q = trained.autoencoder.encode(to_float(torch.tensor(tests.pixels[:1])))
    noise = torch.randn(posterior.DRAWS, q.mean.shape[1], generator=generator(3, "app/posterior"))
    expected = trained.decode(q.sample(noise[:, None])[:, 0])
    assert torch.allclose(posterior.samples(trained, tests.pixels[0], 3), expected, atol=1e-5)


def test_another_draw_is_in_the_address(small_vae: Run) -> None:
    page = open_page("reconstruct", run=small_vae.name)
    page.button(key="sample-seed-next").click().run()
    assert page.query_params["sample-seed"] == "1"
    page.button(key="sample-seed-next").click().run()
    assert page.number_input(key="sample-seed").value == 2


def test_rows_of_test_images_have_the_error_of_the_model(small_vae: Run) -> None:
    trained, tests = open_run(small_vae), held_out(entries.read(small_vae.path))
    page = open_page("reconstruct", run=small_vae.name, more="Many at once", pairs="8")
    images = to_float(torch.tensor(tests.pixels[:8]))
    expected = float((trained.reconstruct(images) - images).square().mean()) / 4
    assert figures(page)["mean squared error"] == pytest.approx(expected, abs=6e-5)


def test_an_image_that_a_smaller_test_set_lacks_is_let_go(small_vae: Run) -> None:
    address = {"class": "3", "more": "Walk to another", "to-image": "800"}
    page = open_page("reconstruct", run="digits-vae", image="900", **address)
    assert page.number_input(key="image").value == 900
    page.selectbox(key="run").set_value(small_vae.name).run()
    assert not page.exception
    last = len(held_out(entries.read(small_vae.path))) - 1
    assert int(page.number_input(key="image").value or 0) <= last
    assert int(page.number_input(key="to-image").value or 0) <= last
    assert "ELBO, nats" in figures(page)


def test_a_class_brings_its_first_image() -> None:
    page = open_page("reconstruct", run="digits-vae")
    page.selectbox(key="class").set_value("3").run()
    assert not page.exception
    tests = held_out(entries.read(SHIPPED / "digits-vae"))
    assert tests.labels is not None
    assert page.number_input(key="image").value == np.flatnonzero(tests.labels == 3)[0]
    assert r"\(class 3\)" in texts(page)
    assert set(tests.labels[picking.some(tests.of("3"), 5)]) == {3}


def test_a_walk_begins_by_default_at_another_image_than_it_ends(small_vae: Run) -> None:
    page = open_page("reconstruct", run=small_vae.name, more="Walk to another")
    assert page.number_input(key="image").value == 0
    assert page.number_input(key="to-image").value == 1


def test_a_bad_upload_to_walk_to_is_said_there(small_vae: Run) -> None:
    address = {"to-from": "Upload one", "more": "Walk to another"}
    page = open_page("reconstruct", run=small_vae.name, **address)
    page.file_uploader(key="to-file").set_value(("my_cat*.png", b"no picture at all", "image/png")).run()
    assert not page.exception
    (error,) = page.error
    assert error.value.startswith("my\\_cat\\*.png cannot be used as a picture")
    assert "ELBO, nats" in figures(page)  # the image itself is still there


def test_half_way_is_the_decoded_middle(small_vae: Run) -> None:
    trained, tests = open_run(small_vae), held_out(entries.read(small_vae.path))
    codes = trained.encode(to_float(torch.tensor(tests.pixels[:2])))
    half = to_uint8(trained.decode(codes.mean(dim=0, keepdim=True))).numpy().astype(int)
    frames = walking.between(trained, codes, 5, False)
    assert np.abs(frames[2] - half[0]).max() <= 1


def test_the_sheet_and_the_film_of_a_walk(small_vae: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, bytes] = {}
    monkeypatch.setattr(walking, "save", lambda data, name, key: kept.__setitem__(name, data))
    monkeypatch.setattr(walking, "offer", lambda what, data, name, mime, key: kept.__setitem__(name, data()))
    address = {"more": "Walk to another", "image": "2", "to-image": "4", "walk-steps": "4", "way": "Arc"}
    page = open_page("reconstruct", run=small_vae.name, **address)
    assert "spherical interpolation" in texts(page)
    trained, tests = open_run(small_vae), held_out(entries.read(small_vae.path)).pixels
    codes = trained.encode(to_float(torch.tensor(tests[[2, 4]])))
    way = walking.between(trained, codes, 4, arc=True)
    name = f"{small_vae.name}-test-2-to-test-4"
    with Image.open(BytesIO(kept[f"{name}.png"])) as sheet:
        scale = sheet.height // 8
        pixels = np.asarray(sheet.convert("L"))[::scale, ::scale]
    shown = [pixels[:8, 9 * column : 9 * column + 8] for column in range(6)]
    assert np.array_equal(shown, np.concatenate([tests[2], *way, tests[4]]))
    with Image.open(BytesIO(kept[f"{name}.gif"])) as film:
        scale = film.width // 8
        assert np.array_equal(np.asarray(film.convert("L"))[::scale, ::scale], way[0, 0])


def test_the_map_has_a_middle_for_each_class_that_there_is() -> None:
    tests = HeldOut(np.zeros((4, 1, 8, 8), np.uint8), np.array([0, 0, 0, 2]), ("a", "b", "c"))
    found = charts.middles(np.array([[0.0, 0], [1, 1], [5, 2], [7, 7]]), tests)
    assert found["class"] == ["a", "c"]
    assert list(found["x"]) == [1, 7]
    assert list(found["y"]) == [1, 7]


def test_a_vae_of_colours_in_two_dimensions(runs: Path, tiny: Tiny, tmp_path: Path, dataset: Dataset) -> None:
    pixels = np.repeat(dataset.train.pixels.transpose(0, 2, 3, 1), 3, axis=3)
    assert dataset.train.labels is not None
    np.savez(tmp_path / "colours.npz", images=pixels, labels=dataset.train.labels)
    run = runner.begin(tiny("vae", f"data.name={tmp_path / 'colours.npz'}", "network.latent_dim=2"))
    list(runner.work(run))
    page = open_page("reconstruct", run=run.name, more="On the map")
    assert not page.error
    entry = entries.read(run.path)
    tells_of(page, models.opened(entry), held_out(entry).pixels[0])
    assert posterior.known(entry).plane.names == ("z1", "z2")


def test_data_that_is_gone_is_one_sentence(small_vae: Run, blots: Path) -> None:
    blots.unlink()
    page = open_page("reconstruct", run=small_vae.name)
    assert len(page.error) == 1
    assert "blots" in page.error[0].value


def test_a_run_that_has_not_trained_yet_invites(runs: Path, tiny: Tiny, blots: Path) -> None:
    run = runner.begin(tiny("vae", f"data.name={blots}"))
    page = open_page("reconstruct", run=run.name)
    assert "Train before you reconstruct" in page.info[0].value


def test_a_gan_walks_by_the_codes_of_its_vae(small_gan: Run, small_vae: Run) -> None:
    page = open_page("reconstruct", run=small_gan.name, more="Walk to another")
    assert "encoder; the GAN draws what lies between" in texts(page)
    gan, vae = open_run(small_gan), open_run(small_vae)
    tests = held_out(entries.read(small_vae.path)).pixels
    codes = vae.encode(to_float(torch.tensor(tests[:2])))
    frames = walking.between(gan, codes, 4, False)
    ends = to_uint8(gan.decode(codes)).numpy().astype(int)
    assert np.abs(frames[[0, -1]] - ends).max() <= 1
