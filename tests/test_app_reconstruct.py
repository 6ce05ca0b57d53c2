"""Reconstruct: where the image comes from, what is said of it, and the walk to another."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("streamlit")

from genlab.app import drawing
from genlab.app.held_out import HeldOut
from genlab.app.reconstructing import error_map, picking, posterior, walking
from genlab.app.reconstructing.picking import as_picture
from genlab.app.style import BLUE, ORANGE, plain
from genlab.app.views import reconstruct
from genlab.data.batches import to_float, to_uint8
from genlab.errors import UserError
from genlab.experiment import runner
from genlab.experiment.schema import Experiment
from genlab.experiment.trained import open_run
from genlab.functional.gaussian import DiagonalGaussian, kl_divergence
from genlab.runs.store import Run

from app_pages import open_page, texts  # isort: skip

Tiny = Callable[..., Experiment]
SHAPE = (1, 8, 8)


@pytest.fixture
def tests(small_vae: Run) -> HeldOut:
    """The held-out images of the small run, and two classes for them."""
    experiment = open_run(small_vae).experiment
    pixels = runner.load_data(experiment).test.pixels
    return HeldOut(pixels, np.arange(len(pixels)) % 2, ("even", "odd"))


def as_bytes(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, format=kind)
    return buffer.getvalue()


# What is said of an image


def test_the_account_of_an_image_is_what_the_model_says(small_vae: Run, tests: HeldOut) -> None:
    trained = open_run(small_vae)
    found = posterior.account(trained, tests.pixels[1])
    image, model = to_float(torch.tensor(tests.pixels[1:2])), trained.autoencoder
    q = model.encode(image)
    assert isinstance(q, DiagonalGaussian)
    assert found.rate == pytest.approx(float(kl_divergence(q)), rel=1e-5)
    assert found.per_dimension is not None
    assert found.per_dimension.sum() == pytest.approx(found.rate, rel=1e-5)
    np.testing.assert_allclose(found.spread, (q.log_var[0] / 2).exp().numpy(), rtol=1e-5)
    torch.testing.assert_close(found.again, trained.reconstruct(image))
    assert found.error == pytest.approx(float(((found.again - image) / 2).square().mean()), rel=1e-5)
    z = q.sample(torch.randn(4000, 1, 3, generator=torch.Generator().manual_seed(0)))[:, 0]
    costs = model.observation.nll(model.raw(z), image.expand(4000, *SHAPE))
    error = float(costs.std()) / posterior.DRAWS**0.5
    assert abs(found.distortion - float(costs.mean())) < 5 * error
    assert found.elbo == pytest.approx(-(found.distortion + found.rate))


def test_every_test_image_is_measured_as_one_that_comes_alone(small_vae: Run, tests: HeldOut) -> None:
    trained, seen = open_run(small_vae), []
    known = posterior.measure(trained, tests, lambda done, total: seen.append(done / total))
    alone = [posterior.account(trained, pixels) for pixels in tests.pixels]
    np.testing.assert_allclose(known.elbo, [each.elbo for each in alone], rtol=1e-5)
    np.testing.assert_allclose(known.codes, [each.mean for each in alone], atol=1e-5)
    assert known.per_dimension is not None
    each = np.mean([one.per_dimension for one in alone if one.per_dimension is not None], axis=0)
    np.testing.assert_allclose(known.per_dimension, each, rtol=1e-4)
    best = max(alone, key=lambda one: one.elbo)
    assert known.share_below(best.elbo + 1) == 1
    assert known.share_below(best.elbo - 1e-3) == pytest.approx(1 - 1 / len(tests))
    assert seen[-1] == 1
    assert seen == sorted(seen)


@pytest.mark.parametrize("prior", ["network.prior.kind=flow", "network.second_latent=2"])
def test_where_the_kl_is_no_sum_over_dimensions_none_is_shown(
    runs: Path, tiny: Tiny, blots: Path, prior: str
) -> None:
    run = runner.begin(tiny("vae", f"data.name={blots}", prior))
    list(runner.work(run))
    found = posterior.account(open_run(run), np.zeros(SHAPE, np.uint8))
    assert found.per_dimension is None
    assert np.isfinite(found.elbo)
    page = open_page("reconstruct", run=run.name, more="The code")
    assert "grey band is the prior" in texts(page)
    assert "idle" not in texts(page)


def test_samples_differ_by_their_seed_alone(small_vae: Run, tests: HeldOut) -> None:
    trained = open_run(small_vae)
    first, again, other = (posterior.samples(trained, tests.pixels[0], seed) for seed in (0, 0, 1))
    assert first.shape == (posterior.DRAWS, *SHAPE)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not torch.equal(first[0], first[1])


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "Lower than all of 1\u202f000 test images:** it is unlike"),
        (0.004, "Lower than 99 % of the test images:** it is unlike"),
        (0.03, "Lower than 97 % of the test images:** it is unlike"),
        (0.4, "Higher than 40 % of the test images:** it is like"),
        (0.97, "Higher than 97 % of the test images:** easier"),
        (1.0, "Higher than all of 1\u202f000 test images:** easier"),
    ],
)
def test_the_verdict_in_words(share: float, words: str) -> None:
    assert words in posterior.verdict(share, 1000)


def test_the_map_is_z_itself_where_that_is_flat() -> None:
    codes = np.random.default_rng(0).normal(size=(50, 2))
    plane = posterior.plane_of(codes)
    np.testing.assert_array_equal(plane.place(codes), codes)
    assert plane.names == ("z1", "z2")


def test_the_map_shows_the_widest_two_directions_else() -> None:
    rng = np.random.default_rng(0)
    codes = 3 + rng.normal(size=(400, 5)) * [0.1, 5, 0.1, 2, 0.1]
    plane = posterior.plane_of(codes)
    assert np.abs(plane.axes).argmax(axis=1).tolist() == [1, 3]
    placed = plane.place(codes)
    np.testing.assert_allclose(placed.mean(axis=0), 0, atol=1e-9)
    share = placed[:, 0].var() / codes.var(axis=0).sum()
    assert plane.names[0] == f"principal component 1 ({share:.0%} of the variance)"
    assert posterior.plane_of(codes[:, :1]).place(codes[:, :1]).shape == (400, 2)


def test_the_error_map_says_which_way_and_how_far() -> None:
    image = np.zeros((1, 2, 2), np.uint8)
    again = np.array([[[255, 0], [51, 0]]], np.uint8)
    apart = error_map.differences(image, again)
    np.testing.assert_allclose(apart, np.array([[1, 0], [0.2, 0]]))
    np.testing.assert_allclose(error_map.differences(again, image), -apart)
    map_ = error_map.coloured(np.array([[1.0, -1.0, 0.0, 9.0]]), 1.0, dark=False)[:, 0].T
    orange, blue = error_map.rgb(ORANGE), error_map.rgb(BLUE)
    np.testing.assert_array_equal(map_, [orange, blue, error_map.MIDDLE[False], orange])
    assert [error_map.scale_of(np.full((9, 9), at)) for at in (0.05, 0.2, 0.7)] == [0.1, 0.25, 1.0]


def test_the_error_of_colours_is_the_mean_over_channels() -> None:
    again = np.zeros((3, 1, 1), np.uint8)
    again[0] = 255
    np.testing.assert_allclose(error_map.differences(np.zeros((3, 1, 1), np.uint8), again), [[1 / 3]])


# Where the image comes from


def test_the_page_opens_on_a_test_image_with_all_that_is_said_of_it(small_vae: Run, tests: HeldOut) -> None:
    page = open_page("reconstruct", run=small_vae.name)
    known = posterior.measure(open_run(small_vae), tests)
    figures = {metric.label: metric.value for metric in page.metric}
    assert figures["ELBO, nats"] == f"{known.elbo[0]:.1f}".replace("-", "−")
    assert posterior.verdict(known.share_below(known.elbo[0]), len(tests)) in texts(page)
    assert "test image 0" in texts(page)


def test_the_test_image_is_in_the_address(small_vae: Run) -> None:
    page = open_page("reconstruct", run=small_vae.name, image="2")
    assert "test image 2" in texts(page)
    page.number_input(key="image").set_value(1).run()
    assert "test image 1" in texts(page)


def test_what_another_models_data_had_is_let_go(
    small_vae: Run, tests: HeldOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = HeldOut(np.tile(tests.pixels, (3, 1, 1, 1)), np.arange(3 * len(tests)) % 2, tests.names)
    with monkeypatch.context() as patch:
        patch.setattr(reconstruct, "held_out", lambda entry: more)
        page = open_page("reconstruct", run=small_vae.name)
        page.selectbox(key="class").set_value("odd").run()
        assert r"test image 1 \(class odd\)" in texts(page)
        page.number_input(key="image").set_value(12).run()
        assert r"test image 12 \(class even\)" in texts(page)
    page.run()
    assert not page.exception
    assert f"test image {len(tests) - 1}" in texts(page)


@pytest.mark.parametrize(
    ("tab", "words"),
    [
        ("Sampled reconstructions", "decoded from another draw of it"),
        ("The code", "dimensions are idle"),
        ("On the map", "the diamond is test image 0"),
        ("Walk to another", "linear interpolation"),
        ("Many at once", "Each row of test images stands above its reconstructions"),
    ],
)
def test_every_section_opens_by_its_address(small_vae: Run, tab: str, words: str) -> None:
    assert words in texts(open_page("reconstruct", run=small_vae.name, more=tab))


def test_a_drawing_is_asked_for_and_then_measured(small_vae: Run, tests: HeldOut) -> None:
    page = open_page("reconstruct", run=small_vae.name, **{"from": "Draw"})
    assert "Draw something at the left" in texts(page)
    assert not page.metric
    drawn = {"pixels": b64encode(tests.pixels[3].tobytes()).decode(), "strokes": [], "centre": True}
    page.session_state["drawn kept"] = drawn
    page.run()
    assert not page.exception
    elbo = posterior.account(open_run(small_vae), tests.pixels[3]).elbo
    assert page.metric[0].value == f"{elbo:.1f}".replace("-", "−")
    assert "your drawing" in texts(page)


@pytest.mark.parametrize(
    "sent", [None, {}, {"pixels": ""}, {"pixels": "%%"}, {"pixels": "AAAA"}, {"pixels": 3}]
)
def test_what_is_no_drawing_is_none(sent: object) -> None:
    assert drawing.as_image(sent, SHAPE) is None


def test_an_upload_is_asked_for(small_vae: Run) -> None:
    page = open_page("reconstruct", run=small_vae.name, **{"from": "Upload one"})
    assert "Choose a picture at the left" in texts(page)
    assert "made 8 × 8 px as the training images were" in texts(page)


def test_a_picture_is_made_as_the_data_were() -> None:
    photo = np.zeros((60, 90, 3), np.uint8)
    photo[:, 30:60] = 255  # the middle third, of which a square crop keeps all but the edges
    crop, pad = (as_picture(as_bytes(photo, "JPEG"), "a.jpg", SHAPE, fit) for fit in ("crop", "pad"))
    assert crop.shape == pad.shape == SHAPE
    assert crop[0, :, 3:5].min() > 240
    assert pad[0, 0].max() < 20  # the black above
    assert as_picture(as_bytes(photo), "a.png", (3, 16, 16), "crop").shape == (3, 16, 16)


NOISE = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not a picture"),
        (b"<svg onload='alert(1)'/>", "not a picture"),
        (as_bytes(NOISE)[:500], "damaged"),
        (as_bytes(np.zeros((4, 4), np.uint8)), "at least"),
        (as_bytes(np.zeros((9000, 9000), np.uint8)), "more than 64 million pixels"),
    ],
    ids=["empty", "markup", "damaged", "tiny", "huge"],
)
def test_what_is_no_picture_is_refused_in_words(data: bytes, why: str) -> None:
    with pytest.raises(
        UserError, match=rf"holiday\.png cannot be used as a picture: .*{why}.*; choose a PNG"
    ):
        as_picture(data, "holiday.png", SHAPE, "crop")


def test_a_bad_upload_is_said_where_it_was_given(small_vae: Run) -> None:
    page = open_page("reconstruct", run=small_vae.name, **{"from": "Upload one"})
    page.file_uploader[0].set_value(("notes.png", b"not one", "image/png")).run()
    said = [each.value for each in page.error]
    assert said == [
        plain("notes.png cannot be used as a picture: not a picture; choose a PNG, JPEG or WebP file")
    ]
    assert not page.metric


def test_a_good_upload_is_reconstructed(small_vae: Run, tests: HeldOut) -> None:
    page = open_page("reconstruct", run=small_vae.name, **{"from": "Upload one"})
    page.file_uploader[0].set_value(("blot.png", as_bytes(tests.pixels[0, 0]), "image/png")).run()
    assert not page.exception
    elbo = posterior.account(open_run(small_vae), tests.pixels[0]).elbo
    assert page.metric[0].value == f"{elbo:.1f}".replace("-", "−")
    page.toggle(key="swap").set_value(True).run()
    assert page.metric[0].value != f"{elbo:.1f}".replace("-", "−")


def test_classes_and_numbers(tests: HeldOut) -> None:
    assert tests.of("odd").tolist() == list(range(1, len(tests), 2))
    assert tests.of("any").tolist() == list(range(len(tests)))
    assert tests.called(1) == "test image 1 (class odd)"
    few = picking.some(np.arange(100, 200), 0)
    assert few.tolist() == list(range(100, 100 + picking.SHOWN))
    others = picking.some(np.arange(100, 200), 1)
    assert len(set(others)) == picking.SHOWN
    assert set(others) <= set(range(100, 200))
    assert others.tolist() != few.tolist()


# The walk


@pytest.mark.parametrize("arc", [False, True])
def test_a_walk_leads_from_one_reconstruction_to_the_other(small_vae: Run, tests: HeldOut, arc: bool) -> None:
    trained = open_run(small_vae)
    codes = trained.encode(to_float(torch.tensor(tests.pixels[[0, 4]])))
    frames = walking.between(trained, codes, 7, arc)
    assert frames.shape == (7, *SHAPE)
    ends = to_uint8(trained.reconstruct(to_float(torch.tensor(tests.pixels[[0, 4]])))).numpy()
    assert np.abs(frames[[0, -1]].astype(int) - ends).max() <= 1


def test_the_film_goes_there_and_back() -> None:
    frames = np.arange(6, dtype=np.uint8)[:, None, None, None] * np.full((1, *SHAPE), 40, np.uint8)
    with Image.open(BytesIO(walking.film(frames))) as film:
        shades: list[Any] = []
        waits = []
        for index in range(getattr(film, "n_frames", 1)):
            film.seek(index)
            shades.append(film.convert("L").getpixel((0, 0)))
            waits.append(film.info["duration"])
    assert shades[0] == 0
    assert max(shades) == 200
    assert shades.index(200) < len(shades) - 1  # it comes back
    assert sum(waits) == walking.MILLISECONDS * (5 + 6 + 5 + 4)
