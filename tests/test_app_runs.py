"""The Runs page: found, named, taken away, thrown away and brought back."""

from __future__ import annotations

import importlib.util
import os
import time
from pathlib import Path
from zipfile import ZipFile

import psutil
import pytest

pytest.importorskip("streamlit")

from app_pages import keys, open_page, texts
from comparisons import record
from streamlit.testing.v1 import AppTest

from genlab.app import entries, launches, reports
from genlab.app.shelf import history, rows, take_away
from genlab.recipes import recipe
from genlab.runs import bin
from genlab.runs.events import Adopted, Changed, Finished, Metrics, Started, Validated, Warned
from genlab.runs.files import write_json
from genlab.runs.notes import Note, read_note, write_note
from genlab.runs.store import Run, create_run, list_runs
from genlab.runs.worker import begun


@pytest.fixture(autouse=True)
def _nothing_comes_along(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(entries, "SHIPPED", tmp_path / "shipped")


def synthetic(family: str = "vae", *assignments: str, note: Note | None = None, **changes: object) -> Run:
    """A finished run that no worker wrote."""
    config = recipe(family, *assignments).model_dump(mode="json") | changes
    run = create_run(f"{family}-mnist", config)
    run.append(Started(0, 100, time.time(), {}))
    for step in range(10, 101, 10):
        run.append(Metrics(step, {"elbo": -200.0 + step}, step * 0.1, step * 128))
    run.append(Finished(100, "completed", 10.0))
    if note:
        write_note(run, note)
    return run


def table(page: AppTest) -> list[str]:
    return list(page.dataframe[0].value["run"])


def test_without_a_run_there_is_an_invitation(runs: Path) -> None:
    page = open_page("runs")
    assert "no run of your own yet" in texts(page)
    assert "train-one" in keys(page)
    assert "The bin is empty." in texts(page)


def test_the_table_tells_what_a_run_is(runs: Path) -> None:
    run = synthetic(note=Note("my first", "blurred", ("keep",)))
    write_json(run.path / "report.json", {"one": {**record(run.name, fid=(24.5, 0.2)), "step": 100}})
    page = open_page("runs")
    (line,) = page.dataframe[0].value.to_dict("records")
    assert (line["run"], line["kind"], line["data"]) == ("001 my first", "VAE", "mnist")
    assert line["steps"] == 100
    assert line["FID"] == 24.5
    assert line["±"] == pytest.approx(2.093 * 0.2)
    assert line["disk"] > 500
    assert list(line["tags"]) == ["keep"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", "123"), ("gan", "2"), ("VAE", "13"), ("blur", "1"), ("keep", "13"), ("keep blur", "1"),
        ("keep gan", ""), ("trained", "123"), ("002", "2"), ("kmnist", "3"), ("first", "1"),
    ],
)  # fmt: skip
def test_words_find_runs(runs: Path, asked: str, found: str) -> None:
    synthetic(note=Note("My First", "so blurred", ("keep",)))
    synthetic("gan")
    synthetic("vae", "data.name=kmnist", note=Note(tags=("keep", "later")))
    names = sorted(entry.name[2] for entry in rows.search(entries.everything(), asked))
    assert "".join(names) == found


def test_the_address_narrows_the_table(runs: Path) -> None:
    synthetic(note=Note(tags=("keep",)))
    synthetic("gan")
    assert table(open_page("runs", q="gan")) == ["002-gan-mnist"]
    assert table(open_page("runs", families="VAE")) == ["001-vae-mnist"]
    assert table(open_page("runs", tags="keep")) == ["001-vae-mnist"]
    assert table(open_page("runs", states="trained")) == ["002-gan-mnist", "001-vae-mnist"]
    page = open_page("runs", q="nothing has this")
    assert not page.dataframe
    assert "No run has all of that" in texts(page)
    assert open_page("runs", families="no such family").dataframe


def test_title_tags_and_note_are_kept_beside_the_run(runs: Path) -> None:
    run = synthetic()
    page = open_page("runs", run=run.name)
    page.text_input(key=f"title-{run.name}").set_value("  My   first ").run()
    page.text_area(key=f"text-{run.name}").set_value("<b>not</b> bold\nat all").run()
    page.multiselect(key=f"tags-{run.name}").set_value(["keep"]).run()
    assert not page.exception
    assert read_note(run) == Note("My first", "<b>not</b> bold\nat all", ("keep",))
    assert table(page) == ["001 My first"]
    assert list_runs()[0].name == run.name, "the folder keeps its name"
    again = open_page("runs", run=run.name)
    assert again.text_input(key=f"title-{run.name}").value == "My first"


def test_what_differs_from_the_recipe_is_told_with_its_meaning(runs: Path) -> None:
    run = synthetic("vae", "objective.beta=4")
    page = open_page("runs", run=run.name, panel="settings")
    (found,) = page.table
    assert list(found.value["setting"]) == ["objective.beta"]
    assert list(found.value["here"]) == ["4.0"]
    assert list(found.value["recipe"]) == ["1.0"]
    assert "KL" in found.value["meaning"][0]
    plain = synthetic()
    assert "Every setting is that of the recipe vae" in texts(
        open_page("runs", run=plain.name, panel="settings")
    )
    strange = synthetic("vae", recipe="of another version")
    assert "no recipe called of another version" in texts(
        open_page("runs", run=strange.name, panel="settings")
    ).replace("\\", "")


def test_the_history_is_told_in_short(runs: Path) -> None:
    run = synthetic()
    for event in (
        Started(100, 300, time.time(), {}), Validated(120, {"fid": 30.0}, 12.0, 0),
        Validated(140, {"fid": 20.0}, 14.0, 0), Changed(150, "learning_rate", 0.001),
        Warned(160, "divergence", "the loss is [5000]", "a lower rate"), Finished(200, "stopped", 20.0),
    ):  # fmt: skip
        run.append(event)
    (entry,) = entries.everything()
    said = [line.text for line in history.lines(entry)]
    assert [text.split(",")[0].split(":")[0] for text in said] == [
        "began", "completed", "went on", "validated at step 140", "learning rate 0.001 from step 151 on",
        "divergence", "stopped",
    ]  # fmt: skip
    (shown,) = open_page("runs", run=run.name, panel="history").table
    told = "\n".join(shown.value["what happened"])
    assert "FID 20.00" in told
    assert r"\[5000\]" in told
    (run.path / "events.jsonl").write_text('{"event": "of another version"}\n')
    assert history.lines(entry) == ()
    synthetic("gan").append(Adopted(0, {"source": "001-vae-mnist"}))


def test_away_and_back(runs: Path) -> None:
    run = synthetic()
    synthetic("gan")
    write_json(launches.folder() / f"{run.name}.json", launched(run))
    launches.log_path(run.name).write_text("trained\n")
    before = {path: path.read_bytes() for path in runs.rglob("*") if path.is_file()}
    page = open_page("runs", run=run.name)
    page.button(key="throw-away").click().run()
    assert not page.exception
    assert not run.path.exists()
    assert table(page) == ["002-gan-mnist"], "and no launch is left that never became a run"
    assert "is in the bin" in texts(page)
    page.button(key="undo").click().run()
    assert not page.exception
    assert {path: path.read_bytes() for path in runs.rglob("*") if path.is_file()} == before
    assert page.selectbox(key="run").value == run.name


def launched(run: Run) -> dict[str, object]:
    return {
        "path": str(run.path.resolve()), "family": "vae", "pid": 2**22 + 1, "created": 0.0, "began": 0.0,
        "seconds": 60.0,
    }  # fmt: skip


def test_where_the_name_is_taken_again_undo_says_so(runs: Path) -> None:
    run = synthetic()
    synthetic("gan")
    page = open_page("runs", run=run.name)
    page.button(key="throw-away").click().run()
    create_run("another", {"family": "gan"}, run.path)
    page.button(key="undo").click().run()
    assert "is there again" in page.error[0].value
    assert Run(run.path).config() == {"family": "gan"}


def test_a_run_at_work_offers_no_bin(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = synthetic()
    me = psutil.Process(os.getppid())
    write_json(run.path / "worker.json", {"pid": me.pid, "created": begun(me)})
    page = open_page("runs", run=run.name)
    assert "stop it first" in texts(page)
    assert "throw-away" not in keys(page)


def test_the_source_of_a_gan_is_asked_about_first(runs: Path) -> None:
    vae = synthetic()
    synthetic("gan", start=str(vae.path.resolve()))
    page = open_page("runs", run=vae.name)
    page.button(key="throw-away").click().run()
    assert vae.path.exists()
    assert "002-gan-mnist came from" in texts(page).replace("\\", "")
    page.button(key="confirm-throw-away").click().run()
    assert not vae.path.exists()


def test_the_bin_is_emptied_after_a_question(runs: Path) -> None:
    run = synthetic()
    synthetic("gan")
    bin.throw_away(run)
    page = open_page("runs")
    assert "001-vae-mnist" in texts(page).replace("\\", "")
    page.button(key="empty-bin").click().run()
    assert len(bin.binned()) == 1
    assert "deleted for good" in texts(page)
    page.button(key="confirm-empty").click().run()
    assert bin.binned() == []
    assert "The bin is empty." in texts(page)


@pytest.fixture
def shipped(runs: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    run = synthetic()
    home = runs.parent / "shipped"
    home.mkdir()
    run.path.rename(home / "vae-mnist")
    monkeypatch.setattr(entries, "SHIPPED", home)
    return Run(home / "vae-mnist")


def test_what_comes_with_genlab_is_only_read(shipped: Run) -> None:
    page = open_page("runs", run=shipped.name)
    assert "comes with genlab and is only read" in texts(page)
    assert "throw-away" not in keys(page)
    assert not any(str(each.key).startswith("title-") for each in page.text_input)


def test_the_panel_offers_the_zip_the_code_and_onnx(small_vae: Run, tmp_path: Path) -> None:
    page = open_page("runs", run=small_vae.name, panel="take")
    code = [each.value for each in page.code]
    assert str(small_vae.path.resolve()) in code[0]
    assert "genlab generate" in code[1]
    assert "onnx" in keys(page)
    entry = entries.read(small_vae.path.resolve())
    (tmp_path / "it.zip").write_bytes(take_away.zipped(entry))
    assert f"{small_vae.name}/README.txt" in ZipFile(tmp_path / "it.zip").namelist()


@pytest.mark.slow
def test_onnx_is_made_on_demand(small_vae: Run) -> None:
    page = open_page("runs", run=small_vae.name, panel="take")
    page.button(key="onnx").click().run(timeout=120)
    assert not page.error
    offered = {str(each.key) for each in page.get("download_button")}
    assert {"get-decoder.onnx", "get-encoder.onnx"} <= offered


def test_without_the_extra_it_is_said_how_to_have_it(small_vae: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "onnxscript" else find(name)
    )
    page = open_page("runs", run=small_vae.name, panel="take")
    assert "genlab[onnx]" in texts(page)
    assert "onnx" not in keys(page)


def test_a_report_that_is_none_is_no_quality(runs: Path) -> None:
    run = synthetic()
    for text in ("[1]", "{", '{"a": {"protocol": 3}}', '{"a": {"values": {"fid": 1}}}'):
        (run.path / "report.json").write_text(text)
        os.utime(run.path / "report.json", ns=(0, hash(text) % 10**9 + 1))
        assert reports.quality(entries.everything()[0]) is None
