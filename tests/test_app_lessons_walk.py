"""A lesson in a real browser: predict, see, write, run, stop, take the report along."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from genlab.cli.bring import free_port
from genlab.lessons.catalogue import lesson_called, names
from genlab.lessons.record import shipped

from app_browser import Visitor, chromium, server  # isort: skip
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.browser
LESSON = "lessons?lesson=reparameterization&size=quick&seed=7"
WORDS = "Where the model draws a discrete code, which has no derivative."


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def test_a_lesson_from_its_question_to_its_report(browser: Browser, tmp_path: Path) -> None:
    port = free_port(8720)
    shots = Path(os.environ.get("GENLAB_SCREENSHOTS") or tmp_path / "screenshots")
    shots.mkdir(parents=True, exist_ok=True)
    with server(tmp_path, port):
        visitor = Visitor(browser, port, "light", shots)
        choose(visitor)
        predict(visitor)
        write(visitor)
        take_along(visitor, tmp_path)
        run_and_stop(visitor)
        visitor.pleased()
        every_lesson(Visitor(browser, port, "dark", shots))


def choose(visitor: Visitor) -> None:
    visitor.visit("lessons")
    visitor.sees("What the course says, claim by claim")
    expect(visitor.page.get_by_role("button", name="Open", exact=True)).to_have_count(len(names()))
    visitor.shoot("20-lessons")


def predict(visitor: Visitor) -> None:
    """What was measured opens by itself when all predictions are made, not before."""
    visitor.visit(LESSON)
    visitor.sees("Before you run it: what do you expect?")
    expect(visitor.page.get_by_text("You see the run that comes with genlab")).to_have_count(0)
    for question, answer in (("Without the trick", "none"), ("Which of the three", "detached")):
        group = visitor.page.get_by_role("radiogroup", name=question)
        group.get_by_text(answer, exact=True).click()
    visitor.page.get_by_role("spinbutton").last.fill("2")
    visitor.page.keyboard.press("Enter")
    visitor.sees("You see the run that comes with genlab")
    visitor.sees("The claims, and what became of them")
    visitor.shoot("21-predicted")


def write(visitor: Visitor) -> None:
    """Words are there again when the page is."""
    box = visitor.page.get_by_role("textbox", name="1.")
    box.fill(WORDS)
    box.blur()
    visitor.settle()
    visitor.page.reload()
    expect(visitor.page.get_by_role("textbox", name="1.")).to_have_value(WORDS)


def take_along(visitor: Visitor, folder: Path) -> None:
    with visitor.page.expect_download() as waiting:
        visitor.press("Lab report (zip)")
    path = folder / "report.zip"
    waiting.value.save_as(path)
    with zipfile.ZipFile(path) as report:
        assert "reparameterization/reparameterization.html" in report.namelist()


def run_and_stop(visitor: Visitor) -> None:
    visitor.press("Run it here")
    visitor.sees(" left · ")
    visitor.shoot("22-running")
    visitor.press("Stop")
    expect(visitor.button("Run it here")).to_be_visible()


def every_lesson(visitor: Visitor) -> None:
    """Those that come with a run: none complains; each shows a figure, and its verdicts."""
    for name in filter(shipped, names()):
        visitor.visit(f"lessons?lesson={name}&seen=true")
        visitor.sees(lesson_called(name).title)
        visitor.sees("The claims, and what became of them")
        expect(visitor.page.get_by_test_id("stVegaLiteChart").first).to_be_visible()
        visitor.shoot(f"23-{name}")
    visitor.pleased()
