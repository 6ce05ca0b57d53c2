"""The Train page as it watches: what it says and offers, by what the run folders hold."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from genlab.app import launches, main
from genlab.recipes import recipe
from genlab.runs.events import Samples, Saved, Validated, Warned
from genlab.runs.sheets import write_sheet
from genlab.runs.store import Run, create_run

from app_pages import keys, launch_of, open_page, shown, synthetic, texts, where  # isort: skip


def test_no_page_imports_torch_to_show_a_training(runs: Path) -> None:
    synthetic("vae-mnist")
    script = (
        "import sys\nsys.path.insert(0, 'tests')\nfrom app_pages import open_page\n"
        "open_page()\nopen_page('train', run='001-vae-mnist')\nprint('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    assert done.stdout.split()[-1] == "False"


def test_the_measuring_before_the_run_is_shown(runs: Path) -> None:
    launch_of(runs / "001-vae-mnist", os.getpid(), "measuring how many steps fit in 60 s …\n")
    page = open_page("train", run="001-vae-mnist")
    assert "Measuring how many steps fit in 60 s" in shown(page, "progress")
    assert "cancel" in keys(page)


def test_a_failed_start_shows_its_sentence_and_can_be_removed(runs: Path) -> None:
    launch_of(runs / "001-vae-mnist", 2**22 + 1, "genlab: There is no data set named mnits.\n")
    page = open_page("train", run="001-vae-mnist")
    assert "did not start: There is no data set named mnits." in page.error[0].value
    page.button(key="remove").click().run()
    assert not page.error
    assert not (runs / "001-vae-mnist").exists()


def test_a_running_run_shows_its_progress_its_curves_and_a_stop(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = synthetic("vae-mnist")
    monkeypatch.setattr(Run, "working", lambda self: "running")
    page = open_page("train", run=run.name)
    said = shown(page, "progress")
    assert "step 500 of 1" in said
    assert "5 s left" in said
    assert "12\u202f800 images/s" in said
    drawn = shown(page, "html")
    for title in ("ELBO", "Reconstruction", "KL"):
        assert f"<b>{title}</b>" in drawn
    assert {"stop", "pause"} <= keys(page)
    page.button(key="stop").click().run()
    assert run.stop_requested()


def test_a_running_run_is_paused_and_goes_on(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = synthetic("vae-mnist")
    monkeypatch.setattr(Run, "working", lambda self: "running")
    page = open_page("train", run=run.name)
    page.button(key="pause").click().run()
    assert run.pause_requested()


def test_a_new_learning_rate_is_asked_of_the_worker(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = synthetic("vae-mnist")
    monkeypatch.setattr(Run, "working", lambda self: "running")
    asked: list[tuple[str, float]] = []
    monkeypatch.setattr(Run, "request_change", lambda self, what, value: asked.append((what, value)))
    page = open_page("train", run=run.name)
    page.number_input(key=f"lever-beta-{run.name}").set_value(4.0)
    page.button(key="set-beta").click().run()
    assert asked == [("beta", 4.0)]
    assert not any(key.startswith("set-discriminator") for key in keys(page))  # a VAE has none


def test_a_run_that_diverged_says_so(runs: Path) -> None:
    run = synthetic("vae-mnist", end="failed")
    assert "ended early: the loss is nan" in open_page("train", run=run.name).error[0].value


def test_a_run_shows_its_newest_warning_and_what_it_was_validated_at(runs: Path) -> None:
    run = synthetic("vae-mnist")
    assert not open_page("train", run=run.name).warning
    run.append(Warned(320, "posterior collapse", "the code says 0.01 nats", "lower objective.beta"))
    run.append(Warned(340, "divergence", "the loss is [5000] nats", "lower optimizer.learning_rate"))
    run.append(Validated(400, {"nelbo/train": 190.5, "fid/train": 88.25}, 4.0, 51_200))
    page = open_page("train", run=run.name)
    (warning,) = page.warning
    assert warning.value.replace("\\", "") == (
        "divergence, step 340: the loss is [5000] nats. Try: lower optimizer.learning_rate."
    )
    assert "Validated at step 400 against training images" in texts(page)
    assert "FID 88.25" in texts(page).replace("\\", "")


def test_a_stopped_run_can_be_resumed(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = synthetic("vae-mnist", end="stopped")
    resumed: list[Path] = []
    monkeypatch.setattr(launches, "resume", lambda run: resumed.append(run.path))
    page = open_page("train", run=run.name)
    page.button(key="resume").click().run()
    assert [path.name for path in resumed] == [run.name]


def test_the_address_keeps_the_run_and_the_page(runs: Path) -> None:
    first, second = synthetic("vae-mnist", end="stopped"), synthetic("vae-mnist", end="stopped")
    page = open_page("train", run=first.name)
    assert page.selectbox(key="run").value == first.name
    page.selectbox(key="run").set_value(second.name).run()
    assert page.query_params["run"] in (second.name, [second.name])
    assert where(page) == "train"
    assert open_page("train", run="no-such-run").selectbox(key="run").value == ""  # a new training


def test_names_are_shown_letter_by_letter(runs: Path) -> None:
    run = create_run("x", recipe("vae").model_dump(mode="json"), runs / "a_b_ [x](http:) <b>&amp; $z$")
    assert r"\[x\]\(http\:\) \<b\>\&amp; \$z\$" in texts(open_page("train", run=run.name))


def test_a_config_that_is_not_one_is_said_to_be_unreadable(runs: Path) -> None:
    run = create_run("vae-mnist", recipe("vae").model_dump(mode="json"))
    (run.path / "config.json").write_text("[1]")
    assert "can't be read" in open_page("train", run=run.name).error[0].value


def test_who_looks_back_gets_all_sheets_and_a_gif(small_vae: Run) -> None:
    page = open_page("train", run=small_vae.name)
    assert "what moves is learning" in texts(page)
    page.toggle(key=f"back-{small_vae.name}").set_value(True).run()
    assert not page.exception
    assert "the same latents in all of them" in texts(page)


def test_of_very_many_sheets_a_hundred_are_shown_and_the_newest(runs: Path, tmp_path: Path) -> None:
    import numpy as np

    from genlab.app import entries
    from genlab.app.live import looking_back

    run = synthetic("vae-mnist", steps=2000, done=1000, end="stopped")
    pixels = np.zeros((4, 1, 8, 8), np.uint8)
    for step in range(1, 301):
        write_sheet(run.path / f"samples/samples-{step:07d}.png", pixels, 2, scale=2)
    run.append(Samples(300, "samples", "samples/samples-0000300.png"))
    found = looking_back.sheets(entries.read(run.path), "samples")
    assert len(found) <= looking_back.AT_MOST
    assert found[-1].step == 300
    strides = {later.step - earlier.step for earlier, later in pairwise(found)}
    assert strides == {3}


def test_a_film_becomes_a_gif_that_rests_on_its_last_sheet(small_vae: Run) -> None:
    from io import BytesIO

    from PIL import Image

    from genlab.app import entries
    from genlab.app.live import looking_back

    found = looking_back.sheets(entries.read(small_vae.path), "samples")
    small = looking_back.small_sheets(tuple(str(each.path) for each in found), 0)
    with Image.open(BytesIO(looking_back.animated(tuple(small)))) as film:
        frames = getattr(film, "n_frames", 1)
        film.seek(frames - 1)
        last = film.convert("L").tobytes()
    with Image.open(BytesIO(small[-1])) as sheet:
        assert last == sheet.convert("L").tobytes()
    assert 2 <= frames <= len(found) + 8  # equal frames may be one that is shown for longer


def test_a_finished_run_leads_on(small_vae: Run) -> None:
    page = open_page("train", run=small_vae.name)
    page.button(key="to-reconstruct").click().run()
    assert where(page) == "reconstruct"


def test_a_checkpoint_that_is_gone_is_said_in_words(runs: Path) -> None:
    run = synthetic("vae-mnist", end="stopped")
    run.append(Saved(500, "checkpoints/step-0000500.safetensors"))
    page = open_page("generate", run=run.name)
    assert not page.exception
    assert len(page.error) == 1


def test_a_run_without_a_checkpoint_leads_back_to_its_training(runs: Path) -> None:
    run = synthetic("vae-mnist", end="stopped")
    page = open_page("generate", run=run.name)
    assert "has no checkpoint yet" in page.info[0].value
    page.button(key="see-training").click().run()
    assert where(page) == "train"


def test_the_app_starts_where_it_is_told(runs: Path) -> None:
    assert main.__file__
    assert where(open_page()) == ""
