"""The lesson pages: predictions kept as they are made, evidence behind them, a report to hand in."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("streamlit")

from app_pages import keys, open_page, texts

from genlab.app.schooling import page as lesson_page
from genlab.app.schooling import shown
from genlab.app.schooling.evidence import frames
from genlab.lessons.catalogue import lesson_called, names
from genlab.lessons.lesson import Setting
from genlab.lessons.record import SHIPPED, Record, keep, kept, said, shipped
from genlab.lessons.standing import Standing, standing
from genlab.runs.sheets import png

pytestmark = pytest.mark.usefixtures("runs")

LESSON = lesson_called("q1")
QUICK = Setting("quick")
FINDINGS = json.loads((Path(__file__).parent / "data" / "reparameterization.json").read_text("utf-8"))


@pytest.fixture
def record() -> Record:
    found = Record(
        LESSON.name,
        QUICK,
        FINDINGS,
        {"system": "Test", "python": "3", "torch": "2"},
        "2026-01-02T03:04",
        61.0,
    )
    keep(found)
    return found


def test_every_lesson_has_a_card() -> None:
    page = open_page("lessons")
    assert {f"open {name}" for name in names()} <= set(keys(page))


def test_a_wrong_name_is_told_which_there_are() -> None:
    assert "no lesson is called" in texts(open_page("lessons", lesson="q99"))


def test_a_lesson_says_nothing_of_its_outcome_before_the_reader_wants_it(record: Record) -> None:
    page = open_page("lessons", lesson="q1", size="quick")
    assert "In your own words" not in texts(page)
    page.toggle(key="seen").set_value(True).run()
    assert "In your own words" in texts(page)
    assert r"2026-01-02 03\:04" in texts(page)


def test_predictions_are_kept_and_open_the_evidence(record: Record) -> None:
    page = open_page("lessons", lesson="q1", size="quick")
    page.radio[0].set_value("none").run()
    page.number_input(key=f"{LESSON.name}/{QUICK}/orders").set_value(2.5).run()
    page.radio[1].set_value("detached").run()
    assert said(LESSON.name, QUICK)["predictions"] == {"without": "none", "orders": 2.5, "learns": "detached"}
    assert "In your own words" in texts(page)
    assert not page.toggle


def test_words_are_kept(record: Record) -> None:
    page = open_page("lessons", lesson="q1", size="quick", seen="true")
    page.text_area[1].set_value("Because <b>it</b> would be biased.").run()
    again = kept(LESSON.name, QUICK)
    assert again is not None
    assert again.reflections == {"2": "Because <b>it</b> would be biased."}


def test_the_address_sets_a_class_s_start() -> None:
    page = open_page("lessons", lesson="q1", size="full", seed="7", hide="size,seed")
    assert [each.label for each in page.text_input] == ["Images"]
    page.toggle(key="seen").set_value(True).run()
    assert "You see the run that comes with genlab" in texts(page)
    wrong = open_page("lessons", lesson="q1", size="huge")
    assert "size is one of quick, default, full, not 'huge'" in texts(wrong)


def test_a_lesson_without_a_run_says_that_nothing_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genlab.app.schooling.shown.shipped", lambda name: None)
    page = open_page("lessons", lesson="q1", size="full", seed="7")
    assert "Nothing was measured yet" in texts(page)
    assert "You see the run" not in texts(page)


def test_what_runs_is_shown_and_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    note = Standing(LESSON.name, QUICK)
    note.tell(0.25, 40, "a training")
    page = open_page("lessons", lesson="q1", size="quick")
    assert "stop lesson" in keys(page)
    note.end(failed="a training: out of <memory>")
    assert standing(LESSON.name, QUICK) == {**note.process, "failed": "a training: out of <memory>"}
    page = open_page("lessons", lesson="q1", size="quick")
    assert "out of" in texts(page)
    assert "run lesson" in keys(page)


def test_the_report_is_whole(record: Record) -> None:
    found = shown.record_of(LESSON, QUICK)
    assert found is not None
    with zipfile.ZipFile(io.BytesIO(lesson_page.archive(LESSON, found))) as file:
        assert {Path(name).suffix for name in file.namelist()} == {".html", ".md", ".ipynb", ".svg"}


def test_the_same_z_are_a_film_of_rows_below_the_first(tmp_path: Path) -> None:
    rows = np.arange(4, dtype=np.uint8).repeat(3)[:, None, None, None] * np.full((1, 1, 8, 8), 60, np.uint8)
    path = tmp_path / "film.png"
    path.write_bytes(png(rows, 3, 2))
    found = frames(str(path), 0, 3)
    assert len(found) == 3
    for number, frame in enumerate(found, 1):
        with Image.open(io.BytesIO(base64.b64decode(frame))) as image:
            levels = np.asarray(image.convert("L"))
        assert levels.shape[1] == (8 * 3 + 2) * 2
        assert levels[4, 4] == 0
        assert levels[18 + 4, 4] == 60 * number


def test_the_shipped_films_are_as_long_as_their_steps() -> None:
    lesson = lesson_called("decoder-to-generator")
    record = shipped(lesson.name)
    assert record is not None
    films = [each for each in lesson.evidence(record.findings).pictures if each.steps]
    assert films
    for film in films:
        with Image.open(SHIPPED / lesson.name / film.path) as image:
            assert image.height == (8 * 7 + 2) * (len(film.steps) + 1) - 2  # 28 px and a gap, twice as large
    page = open_page("lessons", lesson=lesson.name, seen="true")
    assert not page.exception
    assert "step by step" in texts(page)
