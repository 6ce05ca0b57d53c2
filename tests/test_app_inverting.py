"""Reconstruct, for a GAN: inversion by the encoder of the VAE it came from, and the search for z."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

pytest.importorskip("streamlit")

from genlab.app import entries, inverting
from genlab.app.held_out import HeldOut, held_out
from genlab.app.inverting import Progress, Request
from genlab.app.reconstructing import searching
from genlab.data.batches import to_float, to_uint8
from genlab.evaluation.inversion import invert
from genlab.experiment import runner
from genlab.experiment.schema import Experiment
from genlab.experiment.trained import open_run
from genlab.runs.store import Run

from app_pages import keys, open_page, shown, texts  # isort: skip

Tiny = Callable[..., Experiment]


@pytest.fixture
def tests(small_gan: Run) -> HeldOut:
    return held_out(entries.read(small_gan.path))


@pytest.fixture
def lone_gan(runs: Path, tiny: Tiny, blots: Path) -> Run:
    """A GAN that came from no VAE."""
    run = runner.begin(tiny("gan", f"data.name={blots}"))
    list(runner.work(run))
    return run


def test_a_gan_has_no_elbo_and_says_why(small_gan: Run) -> None:
    page = open_page("reconstruct", run=small_gan.name)
    assert not page.metric
    assert "A GAN has no posterior and no ELBO" in texts(page)
    assert "**Inversion by encoder**" in texts(page)
    assert "**Inversion by search**" in texts(page)
    assert "not searched yet" in texts(page)
    assert {"search"} <= keys(page)


def test_a_gan_of_no_vae_can_be_searched_alone(lone_gan: Run) -> None:
    page = open_page("reconstruct", run=lone_gan.name)
    assert "**Inversion by search**" in texts(page)
    assert "encoder**" not in texts(page)
    assert {"search"} <= keys(page)


def test_the_code_of_the_vae_is_drawn_by_the_gan(small_gan: Run, small_vae: Run, tests: HeldOut) -> None:
    gan, vae = open_run(small_gan), open_run(small_vae)
    drawn, error = searching.decoded(vae, gan, tests.pixels[0])
    image = to_float(torch.tensor(tests.pixels[:1]))
    expected = gan.decode(vae.encode(image))
    np.testing.assert_array_equal(drawn, to_uint8(expected)[0].numpy())
    assert error == pytest.approx(float(((expected - image) / 2).square().mean()), rel=1e-5)


def request_for(gan: Run, vae: Run | None, steps: int = 12) -> Request:
    entry = entries.read(gan.path)
    source = None if vae is None else entries.read(vae.path)
    assert entry.saved is not None
    where, step = (None, None) if source is None else (str(source.path.resolve()), source.saved)
    return Request(str(entry.path.resolve()), entry.saved, where, step, steps, 2)


def wait(folder: Path, until: Callable[[Progress], bool]) -> Progress:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        progress = inverting.look(folder)
        assert progress is not None
        if until(progress):
            return progress
        time.sleep(0.1)
    raise AssertionError("the search did not come so far")


@pytest.mark.slow
def test_a_search_finds_what_inversion_finds(small_gan: Run, small_vae: Run, tests: HeldOut) -> None:
    request = request_for(small_gan, small_vae)
    folder = inverting.begin(request, tests.pixels[0])
    progress = wait(folder, lambda progress: not progress.alive)
    assert progress.done, progress.complaint
    image = to_float(torch.tensor(tests.pixels[:1]))
    model, codes = open_run(small_gan).model, open_run(small_vae).encode(image)
    expected = invert(model, image, codes=codes, steps=12, starts=2)
    assert progress.image is not None
    assert np.abs(progress.image.astype(int) - to_uint8(expected.images)[0].numpy()).max() <= 1
    assert len(progress.errors) == 13
    assert list(progress.errors) == sorted(progress.errors, reverse=True)
    assert progress.errors[-1] == pytest.approx(float(expected.errors[0]), rel=1e-4)
    page = open_page("reconstruct", run=small_gan.name)
    assert inverting.folder_for(request, tests.pixels[0]) == folder  # but the page asks for 120 steps
    assert "not searched yet" in texts(page)


@pytest.mark.slow
def test_the_page_searches_and_shows_what_was_found(small_gan: Run) -> None:
    page = open_page("reconstruct", run=small_gan.name)
    page.button(key="search").click().run()
    folder = Path(page.session_state[searching.LAST])
    wait(folder, lambda progress: not progress.alive)
    page.run()
    assert not page.exception
    assert "not searched yet" not in texts(page)
    assert "search-again" in keys(page)
    assert "cancel-search" not in keys(page)
    assert "step by step" in texts(page)


def test_a_search_is_cancelled_and_leaves_nothing(small_gan: Run, tests: HeldOut) -> None:
    folder = inverting.begin(request_for(small_gan, None, steps=10**6), tests.pixels[0])
    worker = inverting.running(folder)
    assert worker is not None
    left = wait(folder, lambda progress: len(progress.errors) > 20).left
    assert left is not None
    assert left > 1
    inverting.cancel(folder)
    assert not folder.exists()
    assert inverting.look(folder) is None
    assert not psutil.pid_exists(worker.pid) or worker.status() == psutil.STATUS_ZOMBIE


def test_cancel_on_the_page(small_gan: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "STEPS", [120, 10**6])
    page = open_page("reconstruct", run=small_gan.name, **{"search-steps": str(10**6)})
    page.button(key="search").click().run()
    folder = Path(page.session_state[searching.LAST])
    assert "searching …" in texts(page)
    assert "of 1000000" in shown(page, "progress") or "Opening the model" in shown(page, "progress")
    page.button(key="cancel-search").click().run()
    assert not folder.exists()
    assert {"search"} <= keys(page)


def test_a_search_that_fails_says_why(small_gan: Run, tests: HeldOut) -> None:
    request = request_for(small_gan, None)
    folder = inverting.begin(Request(request.run, 999, None, None, 12, 2), tests.pixels[0])
    progress = wait(folder, lambda progress: not progress.alive)
    assert not progress.done
    assert "no checkpoint at step 999" in progress.complaint


@pytest.mark.slow
def test_old_searches_make_room(small_gan: Run, tests: HeldOut, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inverting, "KEPT", 2)
    made = [inverting.begin(request_for(small_gan, None, steps), tests.pixels[0]) for steps in (1, 2)]
    for folder in made:
        wait(folder, lambda progress: not progress.alive)
    third = inverting.begin(request_for(small_gan, None, 3), tests.pixels[0])
    assert [each.exists() for each in (*made, third)] == [False, True, True]
    inverting.cancel(third)


@pytest.mark.slow
def test_a_gan_of_no_vae_walks_between_what_a_search_finds(lone_gan: Run) -> None:
    page = open_page("reconstruct", run=lone_gan.name, **{"walk-steps": "5"})
    assert "without an encoder each must be searched for" in shown(page, "info")
    assert "walk-png" not in shown(page, "download_button")
    page.button(key="search-both").click().run()
    assert not page.exception
    tests = held_out(entries.read(lone_gan.path))
    request = request_for(lone_gan, None, steps=120)
    for pixels in tests.pixels[:2]:
        found = wait(inverting.folder_for(request, pixels), lambda progress: not progress.alive)
        assert found.latents is not None
        drawn = to_uint8(open_run(lone_gan).decode(torch.from_numpy(found.latents)[None]))[0].numpy()
        np.testing.assert_array_equal(drawn, found.image)
    page.run()
    assert not page.exception
    assert "First test image 0" in texts(page)
    assert "walk-png" in shown(page, "download_button")
    assert "search-again" in keys(page)


def test_a_search_of_the_walk_that_fails_says_why(lone_gan: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = request_for(lone_gan, None)
    lost = Request(asked.run, 999, None, None, 120, 2)
    monkeypatch.setattr(searching, "asked", lambda entry, vae: lost)
    tests = held_out(entries.read(lone_gan.path))
    wait(inverting.begin(lost, tests.pixels[1]), lambda progress: not progress.alive)
    page = open_page("reconstruct", run=lone_gan.name)
    assert any("no checkpoint at step 999" in error.value for error in page.error)
    assert {"search-both"} <= keys(page)
