"""The page of a comparison: whole, self-contained, careful with names; and what it reads from the runs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from comparisons import bounds, everything, protocol
from conftest import Tiny

from genlab.data.dataset import Dataset
from genlab.evaluation.compare import Comparison, compare
from genlab.experiment.runner import train
from genlab.lessons.comparison.gather import Curve, Gathered, Sheet, differing, gather, history
from genlab.lessons.comparison.page import render, write_page
from genlab.lessons.comparison.planes import charts, planes
from genlab.runs.events import Metrics
from genlab.runs.store import Run

if TYPE_CHECKING:
    from playwright.sync_api import Page

NASTY = '</script><script>alert("x")</script><img src=x onerror=alert(1)>&amp;'
VOID = {"meta", "img", "br", "input", "link", "hr"}


def compared(count: int, name: str = "{:03d}-run") -> Comparison:
    records = [everything(name.format(i), i, f"c{i}", gan=i % 2 == 1) for i in range(count)]
    return compare(records, *bounds())


def gathered(count: int, name: str = "x") -> Gathered:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 1, 8, 8), dtype=np.uint8)
    seconds = (1.0, 2.0, 4.0)
    curves = [
        Curve((i,), key, valid, seconds, (100.0, 200.0, 400.0), (9.0 - i, 5.0 - i, 3.0 - i))
        for i in range(1, count)
        for key, valid in (("fid", True), ("elbo", False))
        if key == "fid" or i % 2 == 0  # odd ones are GANs
    ]
    sheets = tuple(Sheet(i, pixels, 0 if i < 2 else i) for i in range(count))
    settings = (("start", tuple(f"{name}{i}" for i in range(count))),)
    return Gathered(sheets, pixels, tuple(curves), settings, ((1, 0),), 3)


class Outline(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.sections: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.loads: list[str] = []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "section":
            self.sections.append(dict(attrs)["id"] or "")
        self.loads += [value or "" for key, value in attrs if key in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("count", [2, 4, 9])
def test_every_section_is_there_and_nothing_is_loaded(count: int) -> None:
    page = render(compared(count), gathered(count))
    outline = Outline(page)
    assert outline.sections == ["yardstick", "see", "planes", "curves", "settings", "costs"]
    assert all(load.startswith(("data:", "#")) for load in outline.loads)
    assert not re.search(r"https?://|@import", page.replace("http://www.w3.org/2000/svg", ""))
    assert "{{" not in page
    assert page.count("<img") == count + 1  # a sheet each, and the real one


def test_names_are_text_and_nothing_else() -> None:
    page = render(compared(3, name=f"{{}}{NASTY}"), gathered(3, NASTY))
    assert Outline(page).tags == Outline(render(compared(3), gathered(3))).tags
    assert NASTY not in page
    assert "&lt;/script&gt;" in page


def test_the_page_says_what_the_numbers_are_of() -> None:
    comparison = compared(3)
    page = render(comparison, gathered(3))
    for said in (
        "10,000 samples each", "genlab-mnist-42c84762", "random-conv-1a2b3c4d", "sampling seed",
        "B began as A's decoder", "A had no validation while training",
        "training.validate_every", "a GAN defines no likelihood",
    ):  # fmt: skip
        assert said in page, said
    for row in comparison.shown():
        assert escape(row.instrument.blind) in page
    assert "about these models" in page


def test_planes_have_the_points_that_there_are() -> None:
    specs = planes(compared(4))
    assert [s["letter"] for s in specs["plane-rate"]["series"]] == ["A", "C"]  # the VAEs
    assert [s["name"] for s in specs["plane-precision"]["series"]][4:] == ["floor", "ceiling"]
    comparison = compared(4)
    rate = next(row for row in comparison.rows if row.instrument.key == "rate").cells[0]
    assert specs["plane-rate"]["series"][0]["x"] == [rate.value]  # type: ignore[union-attr]
    gans = compare([everything(str(i), config=str(i), gan=True) for i in range(2)], *bounds())
    assert "plane-rate" not in planes(gans)


def test_curves_come_over_seconds_and_over_images() -> None:
    specs = charts(compared(3), gathered(3).curves)
    assert list(specs) == [
        "validated-fid-seconds", "validated-fid-images", "logged-elbo-seconds", "logged-elbo-images",
    ]  # fmt: skip
    assert specs["validated-fid-images"]["series"][0]["x"] == [100, 200, 400]
    assert [s["letter"] for s in specs["validated-fid-images"]["series"]] == ["B", "C"]
    assert [s["letter"] for s in specs["logged-elbo-seconds"]["series"]] == ["C"]


def test_curves_of_nats_on_two_measures_are_two_charts() -> None:
    records = [everything(name, config=name) for name in "ab"]
    records[1]["protocol"] = protocol(likelihood="density on [-1, 1] (Gaussian)")
    curves = [Curve((i,), "nelbo/train", True, (1.0,), (64.0,), (100.0,)) for i in range(2)]
    specs = list(charts(compare(records, *bounds()), curves).values())
    assert [[s["letter"] for s in spec["series"]] for spec in specs] == [["A"], ["A"], ["B"], ["B"]]
    assert specs[2]["title"] == "−ELBO ↓, per second"
    assert "Against training images" in specs[2]["sentence"]
    assert specs[2]["sentence"].endswith("Measured as density on [-1, 1] (Gaussian).")


def test_a_run_tells_its_history(tmp_path: Path) -> None:
    run = Run(tmp_path)
    for step in range(1, 50):
        run.append(Metrics(step, {"elbo": -100.0, "kl": 5.0}, 0.5 * step, 64 * step))
    ((key, validated, seconds, images, values),) = history(run)
    assert (key, validated) == ("elbo", False)
    assert (seconds[-1], images[-1], set(values)) == (24.5, 3136, {-100.0})


def test_only_settings_that_differ_are_told() -> None:
    one: dict[str, Any] = {"family": "vae", "training": {"seed": 0, "steps": 5}, "objective": {"beta": 1.0}}
    other = {
        **one,
        "training": {"seed": 1, "steps": 5},
        "objective": {"loss": "hinge"},
        "start": "/runs/001-a",
    }
    assert differing([one, other]) == (
        ("objective.beta", ("1.0", "–")), ("objective.loss", ("–", "hinge")), ("start", ("–", "001-a")),
    )  # fmt: skip


def test_everything_is_gathered_from_the_runs(
    runs: Path, tiny: Tiny, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genlab.experiment.runner.load_data", lambda experiment: dataset)
    monkeypatch.setattr("genlab.lessons.comparison.gather.load_data", lambda experiment: dataset)
    short = "training.steps=1"
    vae = train(tiny("vae", short))
    gan = train(tiny("gan", "objective.loss=hinge", short), start=vae)
    other = train(tiny("vae", "network.latent_dim=2", short))
    records = [
        {**everything(t.run.name, config=t.run.name), "reference": t.run.name} for t in (vae, gan, other)
    ]
    found = gather(compare(records, *bounds()), seed=0)
    assert [sheet.latents for sheet in found.sheets] == [0, 0, 1]  # two dimensions are another z
    assert found.origins == ((1, 0),)
    np.testing.assert_array_equal(found.real, dataset.test.pixels[:64])
    assert ("network.latent_dim", ("3", "3", "2")) in found.settings
    assert {(curve.key, curve.entries) for curve in found.curves} == {
        ("elbo", (0,)), ("accuracy", (1,)), ("elbo", (2,)),
    }  # fmt: skip
    page = render(compare(records, *bounds()), found)
    assert "B began as A's decoder" in page


def opened(tmp_path: Path, count: int, scheme: str) -> Iterator[Page]:
    sync = pytest.importorskip("playwright.sync_api")
    chromium = os.environ.get("GENLAB_CHROMIUM") or "/usr/bin/chromium"
    if not Path(chromium).exists():
        pytest.skip("no Chromium here: install one, or name it in GENLAB_CHROMIUM")
    content = replace(gathered(count), origins=())
    path = write_page(tmp_path / f"{count}.html", compared(count), content)
    with sync.sync_playwright() as player:
        browser = player.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 720}, color_scheme=scheme)
        page.set_default_timeout(120_000)  # a busy machine needs them
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(path.as_uri())
        yield page
        browser.close()
    assert said == []


@pytest.mark.browser
@pytest.mark.parametrize(("count", "scheme"), [(3, "light"), (30, "dark")])
def test_the_page_in_a_browser(tmp_path: Path, count: int, scheme: str) -> None:
    for page in opened(tmp_path, count, scheme):
        for width in (1280, 1920, 390):
            page.set_viewport_size({"width": width, "height": 720})
            assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), width
        page.set_viewport_size({"width": 1280, "height": 720})
        plot = page.locator("[data-plane=plane-precision] .plot")
        assert plot.locator(".disc").count() == count + 2
        plot.press("ArrowRight")
        assert plot.locator(".tip").inner_text().startswith("A 000-run\nprecision 0.")
        plot.press("ArrowDown")
        assert plot.locator(".tip").inner_text().startswith("B 001-run")
        plot.press("ArrowDown")
        assert "C 002-run" in plot.locator(".tip").inner_text()
        curve = page.locator("[data-plane=validated-fid-seconds] .plot")
        curve.press("End")
        assert "seconds of training 4" in curve.locator(".tip").inner_text()
        page.locator(".enlarge").first.press("Enter")
        assert page.locator("dialog").is_visible()
