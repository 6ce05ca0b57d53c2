"""The page's logic, without a browser: what it says and offers, by what the run folders hold."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import psutil
import pytest

pytest.importorskip("streamlit")

from streamlit.testing.v1 import AppTest

from genlab.app import launches, main
from genlab.app.launches import Launch
from genlab.data.dataset import Dataset
from genlab.experiment import runner
from genlab.experiment.schema import Experiment
from genlab.recipes import recipe
from genlab.runs.events import Finished, Metrics, Saved, Started, Validated, Warned
from genlab.runs.files import write_json
from genlab.runs.store import Run, create_run

Tiny = Callable[..., Experiment]
ELBO = {"elbo": -101.0, "reconstruction": 80.0, "kl": 21.0, "beta": 1.0}


def open_page(**address: str) -> AppTest:
    page = AppTest.from_file(main.__file__, default_timeout=60)
    for key, value in address.items():
        page.query_params[key] = value
    page.run()
    assert not page.exception
    return page


def texts(page: AppTest) -> str:
    """Every word on the page."""
    elements = [*page.markdown, *page.caption, *page.info, *page.error, *page.warning]
    return "\n".join(str(element.value) for element in elements)


def keys(page: AppTest) -> set[str]:
    return {str(button.key) for button in page.button}


def synthetic(label: str, *, steps: int = 1000, done: int = 500, end: str = "") -> Run:
    """A run that no worker wrote."""
    run = create_run(label, recipe("vae").model_dump(mode="json"))
    run.append(Started(0, steps, time.time(), {}))
    for step in range(20, done + 1, 20):
        run.append(Metrics(step, ELBO, step * 0.01, step * 128))
    if end:
        run.append(Finished(done, end, done * 0.01, "the loss is nan" if end == "failed" else ""))
    return run


@pytest.fixture
def data(tmp_path: Path, dataset: Dataset) -> Path:
    """The tiny images as a file, for the page opens its data by name."""
    path = tmp_path / "blots.npz"
    np.savez(path, images=np.concatenate([dataset.train.pixels, dataset.test.pixels]).transpose(0, 2, 3, 1))
    return path


@pytest.fixture
def vae(runs: Path, tiny: Tiny, data: Path) -> Run:
    run = runner.begin(tiny("vae", f"data.name={data}", "training.sample_every=3"))
    list(runner.work(run))
    return run


@pytest.fixture
def gan(vae: Run, tiny: Tiny) -> Run:
    experiment = tiny("gan").model_copy(update={"start": str(vae.path.resolve())})
    run = runner.begin(experiment)
    list(runner.work(run))
    return run


@pytest.mark.parametrize("show", ["train", "reconstruct", "generate", "gan"])
def test_without_a_run_every_station_invites_to_train_one(runs: Path, show: str) -> None:
    page = open_page(show=show)
    assert "Train before you" in texts(page)
    assert any(button.label == "Train a VAE" for button in page.button)
    assert not page.error


def test_the_page_does_not_import_torch_to_show_a_training(runs: Path) -> None:
    import subprocess

    synthetic("vae-mnist")
    script = (
        "import sys\nfrom streamlit.testing.v1 import AppTest\n"
        f"page = AppTest.from_file({main.__file__!r}, default_timeout=60).run()\n"
        "assert not page.exception and page.radio\nprint('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"


def test_a_wrong_setting_is_said_in_one_sentence_and_starts_nothing(runs: Path) -> None:
    page = open_page()
    page.text_input(key="first-extra").input("objective.betta=4")
    next(button for button in page.button if button.label == "Train a VAE").click().run()
    assert "unknown key" in page.error[0].value
    assert "objective" in page.error[0].value
    assert not runs.exists() or not launches.unborn()


def test_the_form_starts_the_worker_in_a_folder_of_its_own(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[str, ...]] = []

    def spawn(path: Path, family: str, arguments: list[str], seconds: float | None) -> Launch:
        started.append(tuple(arguments))
        return launch_of(path, os.getpid())

    monkeypatch.setattr(launches, "spawn", spawn)
    page = open_page()
    page.number_input(key="first-seconds").set_value(7)
    page.text_input(key="first-extra").input("training.threads=1")
    next(button for button in page.button if button.label == "Train a VAE").click().run()
    (arguments,) = started
    assert arguments[:3] == ("vae", "--seconds", "7")
    assert arguments[4] == str((runs / "001-vae-mnist").resolve())
    assert "training.threads=1" in arguments
    assert not page.exception
    assert page.radio[0].value == "001-vae-mnist"  # and the page watches it
    assert "Starting a process" in str(page.get("progress")[0].proto)


def launch_of(path: Path, pid: int, said: str = "", seconds: float | None = 60) -> Launch:
    """What a start leaves behind, with the process `pid` as the worker."""
    path.mkdir(parents=True, exist_ok=True)
    launches.folder().mkdir(exist_ok=True)
    launches.log_path(path.name).write_text(said, "utf-8")
    created = psutil.Process(pid).create_time() if psutil.pid_exists(pid) else 0.0
    launch = Launch(str(path.resolve()), "vae", pid, created, time.time(), seconds)
    write_json(launches.folder() / f"{path.name}.json", asdict(launch))
    return launch


def test_the_measuring_before_the_run_is_shown(runs: Path) -> None:
    launch_of(runs / "001-vae-mnist", os.getpid(), "measuring how many steps fit in 60 s …\n")
    page = open_page()
    assert "Measuring how many steps fit in 60 s" in str(page.get("progress")[0].proto)
    assert "cancel" in keys(page)


def test_a_failed_start_shows_its_sentence_and_can_be_removed(runs: Path) -> None:
    launch_of(runs / "001-vae-mnist", 2**22 + 1, "genlab: There is no data set named mnits.\n")
    page = open_page()
    assert "did not start: There is no data set named mnits." in page.error[0].value
    page.button(key="remove").click().run()
    assert not page.error
    assert "Train before you generate" in texts(page)
    assert not (runs / "001-vae-mnist").exists()


def test_a_running_run_shows_its_progress_its_curves_and_a_stop(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = synthetic("vae-mnist")
    monkeypatch.setattr(Run, "alive", lambda self: True)
    page = open_page()
    said = str(page.get("progress")[0].proto)
    assert "step 500 of 1" in said
    assert "5 s left" in said
    assert "12\u202f800 images/s" in said
    assert [title for title in ("ELBO", "Reconstruction", "KL") if f"<b>{title}</b>" in drawn(page)] == [
        "ELBO", "Reconstruction", "KL",
    ]  # fmt: skip
    page.button(key="stop").click().run()
    assert run.stop_requested()


def drawn(page: AppTest) -> str:
    return "\n".join(str(element.proto) for element in page.get("html"))


def test_a_run_that_diverged_says_so(runs: Path) -> None:
    synthetic("vae-mnist", end="failed")
    page = open_page()
    assert "ended early: the loss is nan" in page.error[0].value


def test_a_run_shows_its_newest_warning_and_what_it_was_validated_at(runs: Path) -> None:
    run = synthetic("vae-mnist")
    assert not open_page().warning
    run.append(Warned(320, "posterior collapse", "the code says 0.01 nats", "lower objective.beta"))
    run.append(Warned(340, "divergence", "the loss is [5000] nats", "lower optimizer.learning_rate"))
    run.append(Validated(400, {"nelbo/train": 190.5, "fid/train": 88.25}, 4.0, 51_200))
    page = open_page()
    (warning,) = page.warning
    assert warning.value.replace("\\", "") == (
        "divergence, step 340: the loss is [5000] nats. Try: lower optimizer.learning_rate."
    )
    assert "Validated at step 400 against training images" in texts(page)
    assert "FID 88.25" in texts(page).replace("\\", "")


def test_a_stopped_run_can_be_resumed(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = synthetic("vae-mnist", end="stopped")
    resumed: list[Path] = []
    monkeypatch.setattr(launches, "spawn", lambda path, *rest: resumed.append(path))
    page = open_page()
    page.button(key="resume").click().run()
    assert resumed == [run.path.resolve()]


def test_the_address_keeps_the_run_and_the_station(runs: Path) -> None:
    first, second = synthetic("vae-mnist", end="stopped"), synthetic("vae-mnist", end="stopped")
    assert open_page().radio[0].value == second.name  # the newest, where nothing is asked for
    page = open_page(run=first.name)
    assert page.radio[0].value == first.name
    assert page.query_params["run"] in (first.name, [first.name])
    page.radio[0].set_value(second.name).run()
    assert page.query_params["run"] in (second.name, [second.name])
    assert open_page(run="no-such-run").radio[0].value == second.name


def test_names_are_shown_letter_by_letter(runs: Path) -> None:
    create_run("x", recipe("vae").model_dump(mode="json"), runs / "a_b_ [x](http:) <b>&amp; $z$")
    page = open_page()
    shown = texts(page)
    assert r"\[x\]\(http\:\) \<b\>\&amp; \$z\$" in shown


def test_a_config_that_is_not_one_is_said_to_be_unreadable(runs: Path) -> None:
    run = create_run("vae-mnist", recipe("vae").model_dump(mode="json"))
    (run.path / "config.json").write_text("[1]")
    page = open_page()
    assert "can't be read" in page.error[0].value


def test_a_finished_vae_reconstructs_and_generates(vae: Run) -> None:
    page = open_page(run=vae.name, show="reconstruct")
    assert float(page.metric[0].value) > 0
    assert page.get("image")
    page.button(key="to-generate").click().run()
    assert not page.exception
    assert not page.error
    assert page.get("image")
    before = str(page.get("image")[0].proto)
    page.button(key="reseed").click().run()
    assert page.number_input(key="seed").value == 1
    assert str(page.get("image")[0].proto) != before
    page.slider(key="truncation").set_value(0.0).run()
    assert not page.error


def test_a_gan_shows_its_receipt_and_stands_beside_its_vae(vae: Run, gan: Run) -> None:
    page = open_page(run=gan.name, show="gan")
    figures = {metric.label: metric.value for metric in page.metric}
    assert figures["max │G(z) − Dec(z)│"] == "0"
    assert figures["after saving and reading"] == "0"
    assert int(figures["tensors copied"]) > 0
    page.button(key="to-generate").click().run()
    assert not page.error
    assert len(page.get("image")) == 2
    page = open_page(run=gan.name, show="reconstruct")
    assert f"This is the VAE it came from: {vae.name}" in page.info[0].value


@pytest.mark.slow
def test_the_fitted_prior_is_used_where_there_is_one(vae: Run) -> None:
    page = open_page(run=vae.name, show="generate")
    own = str(page.get("image")[0].proto)
    page.button(key="fit").click().run(timeout=120)
    assert not page.error, page.error[0].value
    assert (vae.path / "prior.safetensors").exists()
    assert page.session_state["prior"] == "fitted"
    assert str(page.get("image")[0].proto) != own


def test_a_run_without_a_checkpoint_leads_back_to_its_training(runs: Path) -> None:
    run = synthetic("vae-mnist", end="stopped")
    page = open_page(run=run.name, show="generate")
    assert "has no checkpoint yet" in page.info[0].value
    page.button(key="see-training").click().run()
    assert page.session_state["show"] == "train"


def test_a_checkpoint_that_is_gone_is_said_in_words(runs: Path) -> None:
    run = synthetic("vae-mnist", end="stopped")
    run.append(Saved(500, "checkpoints/step-0000500.safetensors"))
    page = open_page(run=run.name, show="generate")
    assert not page.exception
    assert len(page.error) == 1
