"""Generate: what is drawn, what is taken away, and that it can be had without the app, pixel by pixel."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from app_pages import keys, open_page, texts, where
from numpy.typing import NDArray
from PIL import Image
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from genlab.app import cards
from genlab.app.entries import Entry
from genlab.app.generating import arithmetic, interpolating, lengths, takeaway
from genlab.app.generating.interpolating import Chosen
from genlab.app.generating.takeaway import Made
from genlab.cli import use  # noqa: F401
from genlab.cli.root import app as commands
from genlab.data.dataset import Dataset
from genlab.experiment import runner
from genlab.experiment.schema import Experiment
from genlab.runs.sheets import sheet
from genlab.runs.store import Run

Tiny = Callable[..., Experiment]
Drawn = list[tuple[Entry, Made, NDArray[np.uint8]]]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    """What a page offers to download, in the order in which it does."""
    found: Drawn = []
    offered = takeaway.downloads

    def downloads(entry: Entry, made: Made, pixels: NDArray[np.uint8], picture: bytes) -> None:
        found.append((entry, made, pixels))
        offered(entry, made, pixels, picture)

    monkeypatch.setattr(takeaway, "downloads", downloads)
    return found


def again(page: AppTest, drawn: Drawn) -> Drawn:
    """What the page offers when it is drawn once more."""
    drawn.clear()
    page.run()
    assert not page.exception
    return list(drawn)


def natural(path: Path, width: int) -> NDArray[np.uint8]:
    """A sheet at one pixel a pixel."""
    with Image.open(path) as image:
        scale = image.width // width
        return np.asarray(image)[::scale, ::scale]


PAGES: list[dict[str, str]] = [
    {"run": "digits-gan", "seed": "3", "truncation": "0.7"},
    {"run": "digits-gan", "prior": "fitted", "n": "16"},
    {"run": "digits-vae", "prior": "fitted"},
    {"run": "digits-vae"},
    {"run": "digits-gan", "tab": "Interpolation", "steps": "5", "along": "Spherical", "seed": "2"},
    {"run": "digits-gan", "tab": "Interpolation", "shape": "Corners", "prior": "fitted", "steps": "4"},
    {"run": "digits-vae", "tab": "Interpolation", "shape": "Corners"},
    {"run": "digits-vae", "tab": "Interpolation"},
    {"run": "digits-gan", "tab": "Arithmetic"},
    {"run": "digits-vae", "tab": "Arithmetic", "a": "Sample", "b": "Test image", "a-sample": "5"},
]


@pytest.mark.parametrize("address", PAGES, ids=lambda a: "-".join(a.values()).replace(" ", ""))
def test_code_and_command_make_the_very_pixels_of_the_page(
    runs: Path, drawn: Drawn, address: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page("generate", **address)
    shown = again(page, drawn)
    assert len(shown) == (2 if address["run"] == "digits-gan" else 1)
    python, command = (str(block.value) for block in page.code)
    monkeypatch.chdir(tmp_path)
    exec(compile(python, "snippet", "exec"), {})  # the page's own words, which is the point
    same(tmp_path, shown)
    for entry, made, pixels in shown:
        (tmp_path / f"{entry.name}-{made.what}.png").unlink()
        (tmp_path / f"{entry.name}-{made.what}.npz").write_bytes(takeaway.packed(entry, made, pixels))
    for line in command.splitlines():
        done = CliRunner().invoke(commands, shlex.split(line)[1:], catch_exceptions=False)
        assert done.exit_code == 0, done.output
    same(tmp_path, shown)


def same(folder: Path, shown: Drawn) -> None:
    for entry, made, pixels in shown:
        expected = np.asarray(sheet(pixels, made.columns))
        found = natural(folder / f"{entry.name}-{made.what}.png", expected.shape[1])
        assert np.array_equal(found, expected)
        assert expected.std() > 20  # a picture, not a black sheet


def test_a_link_to_a_run_that_is_gone_says_so_once(runs: Path) -> None:
    page = open_page("generate", run="007-lost")
    (said,) = page.toast
    assert "007-lost" in said.value
    assert "is not here" in said.value
    assert "007-lost" not in str(page.query_params["run"])
    page.run()
    assert not page.toast


def test_the_next_seed_draws_others_and_is_in_the_address(runs: Path, drawn: Drawn) -> None:
    page = open_page("generate", run="digits-gan", seed="4")
    first = again(page, drawn)
    page.button(key="reseed").click().run()
    after = again(page, drawn)
    assert page.number_input(key="seed").value == 5
    assert page.query_params["seed"] in ("5", ["5"])
    assert not np.array_equal(first[0][2], after[0][2])
    back = open_page("generate", run="digits-gan", seed="4")
    assert np.array_equal(again(back, drawn)[0][2], first[0][2])


def test_a_gan_stands_beside_its_vae_from_the_same_z(runs: Path, drawn: Drawn) -> None:
    for tab in ("Samples", "Interpolation", "Arithmetic"):
        page = open_page("generate", run="digits-gan", tab=tab)
        left, right = again(page, drawn)
        assert (left[0].name, right[0].name) == ("digits-vae", "digits-gan")
        assert np.array_equal(left[1].latents, right[1].latents)
        assert not np.array_equal(left[2], right[2])


def test_truncation_scales_z_and_the_fitted_prior_moves_it(runs: Path, drawn: Drawn) -> None:
    whole = again(open_page("generate", run="digits-vae"), drawn)[0][1].latents
    half = again(open_page("generate", run="digits-vae", truncation="0.5"), drawn)[0][1].latents
    assert np.allclose(half, whole / 2)
    fitted = again(open_page("generate", run="digits-vae", prior="fitted"), drawn)[0][1].latents
    assert not np.allclose(fitted, whole)


def test_what_is_taken_away_can_be_read_without_genlab(runs: Path, drawn: Drawn) -> None:
    page = open_page("generate", run="digits-vae", tab="Interpolation", steps="4", seed="9")
    ((entry, made, pixels),) = again(page, drawn)
    with np.load(BytesIO(takeaway.packed(entry, made, pixels)), allow_pickle=False) as held:
        assert held["images"].shape == (24, 28, 28, 1)
        assert held["images"].dtype == np.uint8
        assert held["latents"].shape == (24, 16)
        assert held["latents"].dtype == np.float32
        assert (int(held["seed"]), str(held["run"])) == (9, "digits-vae")
    assert made.film is not None
    with Image.open(BytesIO(made.film(pixels))) as film:
        assert film.format == "GIF"
        assert getattr(film, "n_frames", 1) > 4


def test_the_film_of_a_square_goes_once_around_it() -> None:
    assert interpolating.border(3) == [0, 1, 2, 5, 8, 7, 6, 3]


def test_the_arc_keeps_to_the_shell_that_the_line_leaves() -> None:
    ends = np.random.default_rng(0).normal(size=(12, 64)).astype(np.float32)
    ends *= 8 / np.linalg.norm(ends, axis=1, keepdims=True)
    line, arc = (interpolating.path_lengths(ends, "rows", spherical) for spherical in (False, True))
    assert np.allclose(arc, 8, atol=1e-3)
    assert lengths.middle(line) == pytest.approx(8 / np.sqrt(2), rel=0.1)
    said = interpolating.sentence({"line": line, "arc": arc}, "rows", 64)
    assert "√64 = 8.00" in said
    assert "8.00 on the arc" in said


def test_the_corners_of_the_square_are_the_latents_it_was_made_of() -> None:
    ends = np.random.default_rng(1).normal(size=(4, 5)).astype(np.float32)
    for way in ("line", "arc"):
        found = interpolating.between(ends, Chosen("square", way, 3, 0)).reshape(3, 3, 5)
        corners = found[[0, 0, 2, 2], [0, 2, 0, 2]]
        assert np.allclose(corners, ends, atol=1e-5)
    middle = interpolating.between(ends, Chosen("square", "line", 3, 0)).reshape(3, 3, 5)[1, 1]
    assert np.allclose(middle, ends.mean(axis=0), atol=1e-6)


def test_a_sum_shows_its_operands_the_result_and_real_neighbours(runs: Path, drawn: Drawn) -> None:
    page = open_page("generate", run="digits-vae", tab="Arithmetic")
    ((_, made, _),) = again(page, drawn)
    a, b, c, result = made.latents[:4]
    assert np.allclose(result, a - b + c, atol=1e-6)
    assert np.array_equal(made.latents[4], a)
    assert np.allclose(made.latents[-1], result, atol=1e-6)
    said = texts(page)
    assert r"test image 0 \(class 7\)" in said
    assert "the mean of the codes of class 4" in said
    assert arithmetic.HONEST in said
    assert "Of the classes 4" in said  # a seven less sevens plus fours lands among the fours


def test_while_only_shipped_models_are_here_one_is_invited_to_train(runs: Path) -> None:
    page = open_page("generate")
    assert "Train before you generate?" in texts(page)
    assert not page.error
    page.button(key="invited").click().run()
    assert where(page) == "train"


@pytest.fixture
def own(runs: Path, tiny: Tiny, dataset: Dataset, tmp_path: Path) -> Run:
    """A GAN from random weights, without a VAE behind it."""
    path = tmp_path / "blots.npz"
    np.savez(path, images=np.concatenate([dataset.train.pixels, dataset.test.pixels]).transpose(0, 2, 3, 1))
    run = runner.begin(tiny("gan", f"data.name={path}"))
    list(runner.work(run))
    return run


@pytest.mark.parametrize("tab", ["Samples", "Interpolation", "Arithmetic"])
def test_a_gan_without_an_encoder_generates_alone(runs: Path, own: Run, drawn: Drawn, tab: str) -> None:
    page = open_page("generate", run=own.name, tab=tab)
    ((entry, _, pixels),) = again(page, drawn)
    assert entry.name == own.name
    assert pixels.shape[1:] == (1, 8, 8)
    assert "invited" not in keys(page)
    if tab == "Arithmetic":
        assert [box.options for box in page.selectbox if box.key in arithmetic.NAMES] == [["Sample"]] * 3
        assert "no encoder here" in texts(page)


def test_a_sheet_has_room_for_whole_pixels() -> None:
    for side, number, columns in ((28, 64, 8), (28, 60, 10), (28, 400, 20), (64, 64, 8), (8, 16, 4)):
        beside, scale = takeaway.layout(np.zeros((number, 1, side, side), np.uint8), columns)
        wide = (columns * (side + 1) - 1) * scale
        assert wide <= (takeaway.HALF if beside else takeaway.PAGE)
        assert isinstance(scale, int)
        assert scale >= 1


def test_a_card_shows_whole_pixels_of_the_sheet(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (64, 1, 28, 28), dtype=np.uint8)
    whole = np.asarray(sheet(pixels, 8))
    path = tmp_path / "samples-0000001.png"
    Image.fromarray(np.repeat(np.repeat(whole, 2, 0), 2, 1)).save(path)
    for side, scale in ((cards.SMALL, 1), (cards.LARGE, 2)):
        with Image.open(BytesIO(cards.cropped(str(path), 0, 28, side))) as image:
            found = np.asarray(image)
        assert np.array_equal(found[::scale, ::scale], whole[:115, :115])
        assert found.shape[0] <= side


def test_a_rerun_takes_no_time_beyond_decoding(runs: Path) -> None:
    import time

    page = open_page("generate", run="digits-gan")
    page.run()
    spent: list[float] = []
    for _ in range(5):
        began = time.perf_counter()
        page.run()
        spent.append(time.perf_counter() - began)
    assert min(spent) < 0.25  # 55 ms on an idle machine; a busy one is forgiven
