"""Start: the first page, the one button, and the runs so far."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from app_pages import keys, open_page, texts, where
from streamlit.testing.v1 import AppTest

from genlab.app import cards, main
from genlab.app.forms import beginning
from genlab.app.launches import Launch
from genlab.app.style import plain
from genlab.app.views import start
from genlab.recipes import recipe
from genlab.runs.events import Finished, Metrics, Samples, Saved, Started
from genlab.runs.files import write_json
from genlab.runs.sheets import write_sheet
from genlab.runs.store import SHIPPED, Run

Asked = list[tuple[str, str, float, list[str], str | None]]


def write(path: Path, family: str, *, done: int = 500, end: str = "", source: Path | None = None) -> Run:
    """A run that no worker wrote, with a sheet of samples."""
    config = recipe(family).model_dump(mode="json")
    config["data"]["shape"], config["start"] = [1, 28, 28], str(source) if source else None
    path.mkdir(parents=True, exist_ok=True)
    write_json(path / "config.json", config)
    run = Run(path)
    run.append(Started(0, 1000, time.time(), {}))
    run.append(Metrics(done, {"elbo": -100.0}, 5.0, done * 128))
    sheet = np.random.default_rng(0).integers(0, 255, (64, 1, 28, 28), dtype=np.uint8)
    write_sheet(path / "samples" / f"samples-{done:07d}.png", sheet, 8, 2)
    run.append(Samples(done, "samples", f"samples/samples-{done:07d}.png"))
    if end:
        run.append(Saved(done, "checkpoints/none"))
        run.append(Finished(done, end, 5.0))
    return run


@pytest.fixture
def asked(runs: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What the page has started, in its order; each leaves the run that a worker would have begun."""
    found: Asked = []

    def launch(
        family: str, data: str, seconds: float, assignments: list[str], options: list[str],
        after: Launch | None = None,
    ) -> Launch:  # fmt: skip
        found.append((family, data, seconds, options, after.path if after else None))
        path = runs.resolve() / f"{len(found):03d}-{family}-mnist"
        write(path, family, source=Path(after.path) if after else None)
        return Launch(str(path), family, 0, 0.0, time.time(), seconds)

    monkeypatch.setattr(beginning, "launch", launch)
    return found


def links(page: AppTest) -> list[str]:
    return [str(each.proto.label) for each in page.get("page_link")]


def test_the_first_visit_says_what_this_is_and_has_one_button(runs: Path) -> None:
    page = open_page()
    said = texts(page)
    for word in (
        "variational autoencoder",
        "generative adversarial network",
        "decoder",
        "generator",
        "measur",
    ):
        assert word in said
    assert keys(page) == {"both"}
    assert start.TAKES in said
    assert plain("digits-gan (comes with genlab)") in said
    assert "Your runs" not in said
    assert any("questions" in label for label in links(page))


def test_the_first_page_does_without_torch(runs: Path) -> None:
    script = (
        "import sys\nfrom streamlit.testing.v1 import AppTest\n"
        f"page = AppTest.from_file({main.__file__!r}, default_timeout=60).run()\n"
        "assert not page.exception and page.button\nprint('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"


def test_the_button_starts_the_vae_and_queues_the_gan_from_its_decoder(asked: Asked, runs: Path) -> None:
    page = open_page()
    page.button(key="both").click().run()
    assert not page.exception
    vae, gan = asked
    path = str(runs.resolve() / "001-vae-mnist")
    assert vae == ("vae", "mnist", start.VAE_SECONDS, [], None)
    assert gan == ("gan", "mnist", start.GAN_SECONDS, ["--from", path], path)
    assert where(page) in ("", "start")  # and it is watched on this very page
    said = texts(page)
    assert "GAN, from the VAE" in said
    assert said.count("The same 64 latents throughout") == 2


def test_a_link_shows_the_same_two_trainings(runs: Path) -> None:
    vae = write(runs / "001-vae-mnist", "vae", end="completed")
    write(runs / "002-gan-mnist", "gan", end="completed", source=vae.path.resolve())
    page = open_page(vae="001-vae-mnist", gan="002-gan-mnist")
    assert {"to-generate", "to-explore", "both"} <= keys(page)
    page.button(key="to-generate").click().run()
    assert where(page) == "generate"
    assert page.query_params["run"] in ("002-gan-mnist", ["002-gan-mnist"])


def test_a_pair_that_is_gone_gives_way_to_the_welcome(runs: Path) -> None:
    page = open_page(vae="001-vae-mnist", gan="002-gan-mnist")
    assert start.TAKES in texts(page)


def test_a_training_that_failed_says_so_here(runs: Path) -> None:
    vae = write(runs / "001-vae-mnist", "vae", end="completed")
    gan = write(runs / "002-gan-mnist", "gan", source=vae.path.resolve())
    gan.append(Finished(500, "failed", 5.0, "the loss is nan"))
    page = open_page(vae="001-vae-mnist", gan="002-gan-mnist")
    assert any("the loss is nan" in each.value for each in page.error)


def test_the_newest_six_runs_are_cards_and_the_rest_a_link(runs: Path) -> None:
    for number in range(1, 9):
        write(runs / f"{number:03d}-vae-mnist", "vae", end="completed")
    page = open_page()
    said = texts(page)
    assert "008-vae-mnist" in said
    assert "003-vae-mnist" in said
    assert "002-vae-mnist" not in said
    assert "All 8 runs" in links(page)
    assert links(page).count("Generate") == start.CARDS + 2


def test_a_run_without_a_checkpoint_leads_to_its_training(runs: Path) -> None:
    write(runs / "001-vae-mnist", "vae")
    page = open_page()
    assert links(page).count("See") == 1
    assert links(page).count("Generate") == 2  # of the shipped ones


def test_the_thumbnail_is_of_the_newest_sheet(runs: Path) -> None:
    from genlab.app.entries import read

    run = write(runs.resolve() / "001-vae-mnist", "vae", done=100)
    run.append(Samples(300, "samples", "samples/samples-0000300.png"))
    assert cards.newest(read(run.path)) is None  # announced, and removed since
    write_sheet(run.samples / "samples-0000300.png", np.zeros((64, 1, 28, 28), np.uint8), 8, 2)
    assert cards.newest(read(run.path)) == run.samples / "samples-0000300.png"
    assert cards.newest(read(SHIPPED / "digits-gan")) is not None
