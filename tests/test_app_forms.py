"""The form that starts a training: every field of the schema is in it, and what it starts is what the command
line that it shows would start."""

from __future__ import annotations

import os
import shlex
import time
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from genlab.app import launches
from genlab.app.forms.asked import recipes
from genlab.app.forms.settings import APART, GROUPS, leaves, offered, packed, unpacked
from genlab.app.launches import Launch
from genlab.cli import train
from genlab.cli.root import app
from genlab.errors import UserError
from genlab.experiment.schema import Experiment, fields, override
from genlab.recipes import RECIPES, recipe
from genlab.runs.events import Saved
from genlab.runs.store import Run

from app_pages import keys, launch_of, open_page, synthetic, texts  # isort: skip

FAMILIES = {"vae": "Train a VAE", "gan": "Train a GAN", "vaegan": "Train a VAE-GAN"}


@pytest.fixture
def started(runs: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The arguments of each `genlab train` that a page would have started."""
    found: list[list[str]] = []

    def spawn(
        path: Path, family: str, arguments: list[str], seconds: float | None, after: str | None
    ) -> Launch:
        found.append(arguments)
        return launch_of(path, os.getpid(), seconds=seconds)

    monkeypatch.setattr(launches, "spawn", spawn)
    return found


class Parsed(Exception):
    pass


def configured(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[Experiment, str | None]:
    """What `genlab train` makes of its arguments: the config, and the run that it starts from."""
    found: list[tuple[Experiment, str | None]] = []

    def start_run(experiment: Experiment, start: str | None, *_: object) -> Run:
        found.append((experiment, start))
        raise Parsed

    monkeypatch.setattr(train, "start_run", start_run)
    outcome = CliRunner().invoke(app, ["train", *arguments])
    assert isinstance(outcome.exception, Parsed), outcome.output
    return found[0]


def fill(page: AppTest, values: dict[str, Any]) -> AppTest:
    """Set the widgets of these fields, each in the part of "All settings" that it is in."""
    page.session_state["more"] = True
    for path, value in values.items():
        page.session_state["group"] = path.rpartition(".")[0]
        page.run()
        key = f"set-{path}"
        for kind in (page.number_input, page.selectbox, page.toggle, page.text_input):
            if key in {each.key for each in kind}:
                kind(key=key).set_value(value).run()
                break
        else:
            raise AssertionError(f"{path} is not drawn")
    return page


def shown_command(page: AppTest) -> list[str]:
    return shlex.split(page.code[0].value)


def drawn(page: AppTest) -> set[str]:
    """The paths of the fields that have a widget on the page."""
    widgets = [*page.number_input, *page.selectbox, *page.toggle, *page.text_input]
    return {str(each.key)[4:] for each in widgets if str(each.key).startswith("set-")}


@pytest.mark.parametrize("name", RECIPES)
def test_every_field_of_a_recipe_has_a_widget_with_its_sentence(runs: Path, name: str) -> None:
    experiment = recipe(name)
    page = open_page("train", family=experiment.family, recipe=name)
    page.session_state["more"] = True
    found = set()
    for group in GROUPS:
        if any(each.group == group for each in offered(experiment).values()):
            page.session_state["group"] = group
            page.run()
            assert not page.exception, [each.value for each in page.exception]
            found |= drawn(page)
            for each in [*page.number_input, *page.selectbox, *page.toggle]:
                assert each.help, each.label
    assert found == set(offered(experiment))


def test_the_forms_together_have_every_field_of_the_schema() -> None:
    everywhere = {path for name in RECIPES for path in offered(recipe(name))}
    assert everywhere == {path for path, _ in fields()} - APART
    assert all(each.group in GROUPS for name in RECIPES for each in offered(recipe(name)).values())


def test_the_form_of_a_newcomer_is_short_and_its_button_starts_the_recipe(
    started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page("train")
    assert [each.label for each in page.number_input] == ["Seconds of training", "Seed", "Dimensions of z"]
    assert [each.label for each in page.selectbox] == ["Images", "Recipe"]
    page.button(key="begin").click().run()
    experiment, start = configured(started[0], monkeypatch)
    assert experiment == override(recipe("vae"), ["training.seconds=60"])
    assert start is None
    assert page.query_params["run"] == "001-vae-mnist"  # and the page watches it
    assert "begin" not in keys(page)


CHANGES: dict[str, dict[str, Any]] = {
    "vae": {"network.latent_dim": 2, "objective.beta": 4.0, "network.encoder.kind": "conv",
            "data.channels": 3, "data.limit": 500, "observation.kind": "gaussian"},
    "gan": {"objective.loss": "hinge", "network.discriminator.spectral": True, "training.seed": 7,
            "optimizer.discriminator_rate": 1e-4, "network.discriminator.norm": "none"},
    "vaegan": {"objective.deceit": 2.5, "training.batch_size": 32, "training.device": "cuda:1"},
}  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_changed_is_what_is_trained_and_what_the_command_says(
    started: list[list[str]], monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    page = fill(open_page("train", family=family), CHANGES[family])
    page.number_input(key="seconds").set_value(7).run()
    assert page.button(key="begin").label == FAMILIES[family]
    command = shown_command(page)
    page.button(key="begin").click().run()
    assert not page.exception
    wanted = override(recipe(family), [*packed(CHANGES[family]).split(","), "training.seconds=7"])
    assert configured(started[0], monkeypatch)[0] == wanted
    assert command[:2] == ["genlab", "train"]
    assert configured(command[2:], monkeypatch)[0] == wanted


def test_steps_take_the_place_of_the_seconds(
    started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = fill(open_page("train"), {"training.steps": 250})
    assert page.number_input(key="seconds").disabled
    page.button(key="begin").click().run()
    experiment = configured(started[0], monkeypatch)[0]
    assert (experiment.training.steps, experiment.training.seconds) == (250, None)


def test_changes_are_listed_and_can_be_reset(runs: Path) -> None:
    page = fill(open_page("train"), {"network.latent_dim": 2, "objective.beta": 4.0})
    labels = {each.label.replace("\\", "") for each in page.button}
    assert {"network.latent_dim 32 → 2", "objective.beta 1 → 4", "Reset all"} <= labels
    page.button(key="reset-network.latent_dim").click().run()
    assert page.number_input(key="set-network.latent_dim").value == 32
    assert "--latent-dim" not in shown_command(page)
    assert "objective.beta=4.0" in shown_command(page)


def test_the_address_keeps_what_was_chosen(runs: Path) -> None:
    page = fill(open_page("train", family="gan"), {"objective.loss": "hinge", "network.latent_dim": 2})
    address = {key: "".join(page.query_params[key]) for key in ("family", "set")}
    assert address == {"family": "gan", "set": "network.latent_dim=2,objective.loss=hinge"}
    again = open_page("train", **address)
    assert shown_command(again) == shown_command(page)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ({"set": "network.latent=2"}, "the address sets 'network.latent', which is no setting here; did you"),
        ({"set": "network.latent_dim=0"}, "network.latent_dim can't be 0"),
        ({"set": "network.latent_dim"}, "network.latent_dim can't be ''"),
        ({"set": "training.seed=" + "9" * 5000}, "training.seed can't be"),
        ({"family": "diffusion"}, "the address asks for 'diffusion'"),
        ({"recipe": "gan"}, "the recipes of a VAE are vae, auto"),
        ({"seconds": "nan"}, "'nan' seconds"),
    ],
)
def test_a_broken_address_is_one_sentence_and_a_whole_form(
    runs: Path, address: dict[str, str], said: str
) -> None:
    page = open_page("train", **address)
    assert said.lower() in page.warning[0].value.replace("\\", "").lower()
    assert shown_command(page) == shlex.split("genlab train vae --data mnist --seconds 60")
    page.number_input(key="set-training.seed").set_value(1).run()
    assert not page.warning


def test_settings_that_do_not_go_together_are_said_before_anything_starts(started: list[list[str]]) -> None:
    page = fill(open_page("train", family="gan"), {"objective.r1": 1.0})
    assert "set network.discriminator.norm=none" in page.error[0].value.replace("\\", "")
    assert page.button(key="begin").disabled
    fill(page, {"network.discriminator.norm": "none"})
    assert not page.error
    assert not page.button(key="begin").disabled
    assert not started


def test_images_that_are_not_there_are_said_and_nothing_starts(started: list[list[str]]) -> None:
    page = open_page("train", data="mnits")
    page.button(key="begin").click().run()
    assert "no data set named mnits" in page.error[0].value
    assert not started


def test_a_setting_is_found_by_its_words(runs: Path) -> None:
    page = open_page("train")
    page.session_state["more"] = True
    page.run()
    page.text_input(key="find").set_value("adam step").run()
    assert drawn(page) == {"optimizer.learning_rate", "network.latent_dim", "training.seed"}
    page.text_input(key="find").set_value("no such thing").run()
    assert "0 of" in texts(page)


def test_auto_says_what_it_chose_and_what_to_expect(
    started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = fill(open_page("train", family="gan", recipe="auto"), {"training.seed": 3})
    said = texts(page).replace("\\", "")
    assert "`network.decoder.width=" in said
    assert "Expected: 60 s of training on" in said
    command = shown_command(page)
    assert command[3:5] == ["--recipe", "auto"]
    page.button(key="begin").click().run()
    assert configured(started[0], monkeypatch) == configured(command[2:], monkeypatch)


def test_a_gan_from_a_decoder_inherits_what_it_brings(
    started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    vae = synthetic("vae-mnist", end="completed")
    vae.append(Saved(500, "checkpoints/step-500.safetensors"))
    page = open_page("train", family="gan", decoder=vae.name)
    assert page.number_input(key="set-network.latent_dim").disabled
    assert page.text_input(key="inherited-images").value == "mnist"
    fill(page, {"objective.loss": "hinge"})
    page.session_state["group"] = "network.decoder"
    page.run()
    assert all(each.disabled for each in page.number_input if str(each.key).startswith("set-network.decoder"))
    page.button(key="begin").click().run()
    experiment, start = configured(started[0], monkeypatch)
    assert start == vae.name
    assert experiment == override(recipe("gan"), ["objective.loss=hinge", "training.seconds=60"])


def test_the_recipes_of_a_family_are_its_own(runs: Path) -> None:
    for family in FAMILIES:
        for name in recipes(family):
            assert name == "auto" or recipe(name).family == family
    page = open_page("train", family="gan")
    page.selectbox(key="recipe").set_value("stacked-mnist").run()
    assert page.selectbox(key="images").value == "stacked-mnist"  # a recipe brings its images
    page.segmented_control(key="family").set_value("vae").run()
    assert page.selectbox(key="recipe").value == "vae"


def test_a_run_is_watched_and_the_form_is_one_click_away(runs: Path) -> None:
    run = synthetic("vae-mnist", end="completed")
    page = open_page("train", run=run.name)
    assert "begin" not in keys(page)
    next(each for each in page.button if each.label == "New training").click().run()
    assert "begin" in keys(page)
    assert "run" not in page.query_params


def test_a_choice_survives_the_address() -> None:
    known = {path: each for name in RECIPES for path, each in leaves(recipe(name)).items()}
    chosen = {"network.latent_dim": 2, "data.size": None, "objective.beta": 0.5, "training.compile": True}
    assert unpacked(packed(chosen), known) == chosen
    with pytest.raises(UserError, match=r"objective\.beta"):
        unpacked("objective.beta=NaN", known)


def test_a_rerun_with_all_settings_open_is_quick(runs: Path) -> None:
    """Measured without the browser; far above what it takes, so that a busy machine passes."""
    page = open_page("train")
    page.session_state["more"] = True
    page.session_state["group"] = "training"
    page.run()
    times = []
    for seed in range(5):
        began = time.perf_counter()
        page.number_input(key="set-training.seed").set_value(seed + 1).run()
        times.append(time.perf_counter() - began)
    assert min(times) < 0.3
