"""The Compare page: the numbers of `genlab compare`, what is missing and why, how it comes to be measured."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

pytest.importorskip("streamlit")

from app_pages import keys, open_page, texts
from comparisons import bounds, everything
from streamlit.testing.v1 import AppTest

from genlab.app import entries, evaluating, reports
from genlab.app.comparing import chosen, curves, grids, settings, table, tracks
from genlab.experiment import measured, runner
from genlab.experiment.schema import Experiment
from genlab.recipes import recipe
from genlab.runs.configs import differing, flat
from genlab.runs.events import Finished, Metrics, Saved, Started, Validated
from genlab.runs.files import read_json, write_json
from genlab.runs.store import Run, create_run
from genlab.runs.worker import begun

Record = dict[str, Any]
Tiny = Callable[..., Experiment]


@pytest.fixture(autouse=True)
def _kept_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No models that come with genlab, and a cache of one's own, with the bounds of made-up records."""
    monkeypatch.setattr(entries, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setattr(measured, "cache_folder", lambda: tmp_path / "cache")
    protocol = bounds()[0]["protocol"]
    path = measured.bounds_file(protocol["data"].rpartition("-")[2], protocol["networks"], "10000", False)
    write_json(path, bounds())


@pytest.fixture
def both(runs: Path, tiny: Tiny, tmp_path: Path) -> tuple[Run, Run]:
    """A VAE and the GAN made of it, trained on images enough to be measured against."""
    draw = np.random.default_rng(0)
    path = tmp_path / "squares.npz"
    np.savez(path, images=draw.integers(0, 256, (450, 8, 8, 1)).astype(np.uint8))
    vae = runner.begin(tiny("vae", f"data.name={path}"))
    list(runner.work(vae))
    gan = runner.begin(tiny("gan").model_copy(update={"start": str(vae.path.resolve())}))
    list(runner.work(gan))
    return vae, gan


def synthetic(family: str = "vae", *assignments: str, seconds: float = 10.0, **changes: object) -> Run:
    """A finished run that no worker wrote."""
    config = recipe(family, *assignments).model_dump(mode="json") | changes
    config["data"] |= {"digest": "0123456789abcdef", "shape": [1, 28, 28]}
    run = create_run(f"{family}-mnist", config)
    run.append(Started(0, 1000, time.time(), {}))
    term = "elbo" if family == "vae" else "accuracy"
    for step in range(10, 1001, 10):
        run.append(Metrics(step, {term: -1.0 / step}, seconds * step / 1000, step * 128))
    run.append(Validated(500, {"fid": 30.0}, 5.0, 64_000))
    run.append(Saved(1000, "checkpoints/step-0001000.safetensors"))
    run.append(Finished(1000, "completed", seconds))
    return run


def reported(run: Run, shift: float = 0.0, **changes: Any) -> Record:
    """A report of every instrument for a run."""
    gan = run.config()["family"] == "gan"
    found = everything(run.name, shift, config=run.name, gan=gan) | changes
    write_json(run.path / "report.json", {"it": found})
    return found


def drawn(page: AppTest) -> str:
    return "\n".join(str(each.proto.body) for each in page.get("html"))


def test_without_a_run_there_is_an_invitation(runs: Path) -> None:
    page = open_page("compare")
    assert "Train before you compare" in texts(page)
    assert "see-training" in keys(page)


def test_the_newest_gan_stands_beside_its_vae_where_nothing_is_asked(runs: Path) -> None:
    vae = synthetic()
    synthetic()
    gan = synthetic("gan", start=str(vae.path.resolve()))
    assert open_page("compare").multiselect(key="runs").value == [vae.name, gan.name]


def test_the_address_says_what_is_compared_and_is_kept(runs: Path) -> None:
    first, _, third = synthetic(), synthetic(), synthetic()
    page = open_page("compare", runs=first.name, side="settings")
    assert page.multiselect(key="runs").value == [first.name]
    page.multiselect(key="runs").set_value([third.name, first.name]).run()
    assert page.query_params["runs"] == [third.name, first.name]
    assert page.query_params["side"] in ("settings", ["settings"])
    assert open_page("compare", runs="no such run").multiselect(key="runs").value != []


def test_the_numbers_are_those_of_the_command(both: tuple[Run, Run], monkeypatch: pytest.MonkeyPatch) -> None:
    from genlab.cli.compare import compared
    from genlab.cli.progress import console
    from genlab.lessons.comparison.plain import as_csv

    monkeypatch.setattr(reports, "COUNT", 40)
    names = [run.name for run in both]
    theirs = compared(names, 40, 0, False, "own", None, console(quiet=True))
    models = chosen.offered()
    ours = table.compared([models[name] for name in names])
    assert as_csv(ours) == as_csv(theirs)
    page = open_page("compare")
    assert not page.error
    assert not page.warning
    for row in theirs.shown():
        assert row.instrument.heading in drawn(page)
    assert "a GAN" in texts(page), "and why a GAN has no likelihood"


def test_best_and_ties_are_told_apart(runs: Path) -> None:
    a, b, c = synthetic(), synthetic(), synthetic()
    for run, fid in ((a, (10.0, 0.1)), (b, (10.1, 0.1)), (c, (30.0, 0.1))):
        values = reported(run)["values"]
        value, error = fid
        values["fid"] = {"value": value, "error": error, "low": value - 0.2, "high": value + 0.2}
        reported(run, values=values)
    page = open_page("compare", runs=a.name)
    page.multiselect(key="runs").set_value([a.name, b.name, c.name]).run()
    html = drawn(page)
    (line,) = [line for line in html.split("<tr>") if ">FID ↓<" in line]
    assert f"{table.BEST} 10.0" in line
    assert f"{table.TIED} 10.1" in line
    assert ">30.0" in line
    assert "best: A; within noise: B" in line
    assert "lower is better" in line
    assert "2.9" in line, "the floor"
    assert "900.0" in line, "the ceiling"


def test_text_from_outside_stays_text(runs: Path) -> None:
    run, other = synthetic(), synthetic()
    reported(run)
    reported(other)
    write_json(run.path / "note.json", {"title": "<img src=x onerror=alert(1)>"})
    assert "<img" not in drawn(open_page("compare"))


@pytest.mark.parametrize("count", [1, 7])
def test_one_run_and_many_have_a_table(runs: Path, count: int) -> None:
    names = []
    for index in range(count):
        names.append(synthetic("vae" if index % 2 else "gan").name)
        reported(Run(runs / names[-1]), index)
    page = open_page("compare", runs=names[0])
    page.multiselect(key="runs").set_value(names).run()
    assert not page.exception
    assert not page.warning
    assert "FID" in drawn(page)


def test_a_run_that_trained_on_is_not_measured_as_it_is_now(runs: Path) -> None:
    run, other = synthetic(), synthetic()
    reported(run, step=500)
    reported(other)
    models = chosen.offered()
    assert reports.record(models[run.name].entry, run.name) is None
    assert reports.record(models[other.name].entry, other.name) is not None
    page = open_page("compare")
    assert "evaluate" in keys(page)
    assert "Not measured as it is now" in texts(page)
    (entry,) = [each for each in entries.everything() if each.name == run.name]
    found = reports.quality(entry)
    assert found is not None
    assert found[1] == 500


def test_different_images_are_refused_in_a_sentence(runs: Path) -> None:
    run, other = synthetic(), synthetic()
    protocol = reported(run)["protocol"]
    reported(other, protocol={**protocol, "data": "kmnist-ffff"})
    page = open_page("compare")
    assert "can't stand in one table" in page.warning[0].value.replace("\\", "")


def test_without_bounds_the_table_still_stands(runs: Path, tmp_path: Path) -> None:
    run, other = synthetic(), synthetic()
    reported(run)
    reported(other, 1)
    for path in (tmp_path / "cache" / "references").iterdir():
        path.write_text("torn")
    page = open_page("compare")
    assert not page.warning
    assert "evaluate a run anew" in drawn(page)


def test_priors_and_checkpoints_are_told_apart(runs: Path) -> None:
    run = synthetic()
    (run.path / "checkpoints").mkdir()
    write_json(run.path / "checkpoints" / "best.json", {"step": 500})
    found = everything(run.name)
    fitted = {**found, "prior": "Gaussian mixture fitted to the codes"}
    write_json(run.path / "report.json", {"own": found, "best": {**found, "step": 500}, "fitted": fitted})
    import torch
    from safetensors.torch import save_file

    zero = torch.zeros(2)
    save_file(
        {"weights": zero, "means": zero.clone(), "scales": zero.clone()}, run.path / "prior.safetensors"
    )
    (entry,) = entries.everything()
    names = reports.references(entry)
    assert names == [run.name, f"{run.name}@best", f"{run.name}:fitted"]
    own, best, mixture = (reports.record(entry, name) for name in names)
    assert own is not None
    assert best is not None
    assert mixture is not None
    assert (own["step"], own["prior"], own["checkpoint"]) == (1000, "N(0, I)", None)
    assert (best["step"], best["checkpoint"]) == (500, "best")
    assert mixture["prior"].startswith("Gaussian mixture")
    save_file({"layers.0.net.0.weight": zero}, run.path / "prior.safetensors")
    assert reports.record(entry, names[2]) is None, "another prior was fitted since"


# Curves ------------------------------------------------------------------------------------------


def test_curves_are_thinned_means_and_validations_stay_as_they_are(runs: Path) -> None:
    synthetic()
    (entry,) = entries.everything()
    found = tracks.tracks(entry)
    assert found[True, "fid"].values == [30.0]
    elbo = found[False, "elbo"]
    assert (elbo.steps[-1], elbo.images[-1], elbo.seconds[-1]) == (1000, 128_000, 10.0)
    assert elbo.values[0] == -0.1
    middle = np.mean([-1.0 / step for step in range(400, 601, 10)])
    assert elbo.values[elbo.steps.index(500)] == pytest.approx(middle)
    long = tracks.Track(*([float(i) for i in range(5000)] for _ in range(4)))
    kept = tracks.drawn(long, smooth=False)
    assert len(kept.values) < 2 * tracks.POINTS
    assert kept.values[-1] == 4999.0


def test_the_page_says_what_a_curve_is_worth(runs: Path) -> None:
    synthetic()
    synthetic("gan")
    page = open_page("compare", side="curves")
    assert page.selectbox(key="curve").value == "validation-fid", "what compares families comes first"
    page = open_page("compare", side="curves", curve="accuracy", over="images")
    assert page.selectbox(key="curve").value == "accuracy"
    assert "not how good the images are" in texts(page)
    assert "Not recorded by 001" in texts(page)
    assert curves.quantity(False, "generator_loss").sentence == curves.GAME
    assert "learned by heart" in curves.quantity(True, "fid/train").sentence


def test_a_family_has_its_colour_and_its_runs_their_dashes(runs: Path) -> None:
    synthetic()
    synthetic()
    synthetic("gan")
    look = chosen.looks(entries.everything(), dark=False)
    vaes = [look["001-vae-mnist"], look["002-vae-mnist"]]
    assert vaes[0][0] == vaes[1][0] != look["003-gan-mnist"][0]
    assert vaes[0][1] != vaes[1][1]


# Samples, settings -------------------------------------------------------------------------------


def test_samples_of_one_z_stand_together(small_vae: Run, small_gan: Run) -> None:
    page = open_page("compare", side="samples")
    assert not page.exception
    assert not page.warning
    assert "From the same z" in texts(page)
    assert len(page.get("image")) == 3, "two models and the real images"
    same, other = np.zeros((4, 2), np.float32), np.ones((4, 2), np.float32)
    pixels = np.zeros((4, 1, 8, 8), np.uint8)
    sheets = [grids.Drawn(pixels, z) for z in (other, same, same)]
    assert grids.together(sheets) == [[1, 2], [0]]


@pytest.mark.parametrize("width", [8, 28, 32, 64, 128, 256])
def test_a_sheet_fits_and_its_pixels_stay_whole(width: int) -> None:
    columns = grids.across(np.zeros((1, 1, width, width), np.uint8))
    natural = columns * (width + 1) - 1
    assert natural <= max(grids.WIDE, 2 * width + 1)
    assert columns >= 2


def test_settings_tell_what_differs_and_whether_it_is_fair(runs: Path) -> None:
    vae = synthetic()
    synthetic("vae", "objective.beta=4", "training.seed=7", seconds=40)
    synthetic("gan", start=str(vae.path.resolve()))
    page = open_page("compare", runs="001-vae-mnist", side="settings")
    page.multiselect(key="runs").set_value(["001-vae-mnist", "002-vae-mnist"]).run()
    said = texts(page)
    assert "**Same images**" in said
    assert "**Different budgets**: 10 s to 40 s of training" in said
    assert "**Different seeds** (0, 7)" in said
    assert list(page.table[0].value["setting"]) == ["objective.beta", "training.seed"]
    page.multiselect(key="runs").set_value(["001-vae-mnist", "003-gan-mnist"]).run()
    assert "**Same time**" in texts(page)
    assert "began from the decoder of 001" in texts(page)


def test_different_images_are_no_comparison() -> None:
    configs = [{"data": {"digest": "a", "name": "mnist"}}, {"data": {"digest": "b", "name": "kmnist"}}]
    fair, sentence = settings.same_data(configs)
    assert not fair
    assert "no number compares these runs" in sentence


def test_configs_side_by_side() -> None:
    first = {"a": 1, "b": {"c": [1], "d": None}}
    assert dict(flat(first)) == {"a": 1, "b.c": [1], "b.d": None}
    assert differing([first, first]) == {}
    assert differing([first, {"a": 1, "b": {"c": [2]}, "e": 5}]) == {
        "b.c": ([1], [2]), "b.d": (None, "–"), "e": ("–", 5),
    }  # fmt: skip


# Evaluating --------------------------------------------------------------------------------------


def test_the_button_starts_the_command_for_what_is_not_measured(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, other = synthetic(), synthetic()
    reported(run)
    asked: list[list[str]] = []
    monkeypatch.setattr(evaluating, "begin", lambda names: asked.append(list(names)))
    page = open_page("compare")
    assert [each.label for each in page.button if each.key == "evaluate"] == ["Evaluate 1 run"]
    page.button(key="evaluate").click().run()
    assert asked == [[other.name]]


def test_an_evaluation_shows_where_it_is_and_can_be_cancelled(runs: Path) -> None:
    synthetic()
    synthetic()
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        at_work(process.pid, "1 of 2: 001-vae-mnist\n2 of 2: 002-vae-mnist\nlikelihood: 3 of 8\n")
        page = open_page("compare")
        shown = str(page.get("progress")[0].proto)
        assert "2 of 2" in shown
        assert "likelihood" in shown
        assert "evaluate" not in keys(page)
        with pytest.raises(Exception, match="other runs are being evaluated"):
            evaluating.begin(["001-vae-mnist"])
        page.button(key="cancel-evaluation").click().run()
        assert not psutil.pid_exists(process.pid)
        assert evaluating.current() is None
    finally:
        process.kill()


def at_work(pid: int, said: str) -> None:
    created = begun(psutil.Process(pid)) if psutil.pid_exists(pid) else 0.0
    note = {"runs": ["001-vae-mnist", "002-vae-mnist"], "pid": pid, "created": created, "began": time.time()}
    write_json(evaluating.note(), note)
    evaluating.log().write_text(said)


def test_what_could_not_be_measured_is_said_until_it_is_dismissed(runs: Path) -> None:
    synthetic()
    at_work(2**22 + 1, "1 of 1: 001-vae-mnist\ngenlab: the images are gone; restore them\n")
    page = open_page("compare")
    assert "001-vae-mnist: the images are gone" in page.error[0].value.replace("\\", "")
    page.button(key="dismiss-evaluation").click().run()
    assert not page.error
    assert evaluating.current() is None


def test_the_process_evaluates_one_run_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a stand-in for the command, which takes its time."""
    asked: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: asked.append(command))
    evaluating.main(["a", "b:fitted"])
    assert [command[1:] for command in asked] == [
        ["-m", "genlab.cli", "evaluate", "a"], ["-m", "genlab.cli", "evaluate", "b:fitted"],
    ]  # fmt: skip


@pytest.mark.slow
def test_a_run_is_evaluated_by_a_process_of_its_own(
    both: tuple[Run, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vae = both[0]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "of-its-own"))
    evaluation = evaluating.begin([vae.name, "no such run"])
    assert evaluation.pid != os.getpid()
    for _ in range(1200):
        if not evaluation.alive():
            break
        time.sleep(0.1)
    assert read_json(vae.path / "report.json")
    assert evaluating.standing() is not None
    (complaint,) = evaluating.complaints()
    assert complaint.startswith("no such run: no run is called")
