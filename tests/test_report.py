"""The report of a tiny, made-up experiment: whole, self-contained, and careful with names."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from genlab.evaluation.instruments import INSTRUMENTS
from genlab.lessons.estimators import measure_estimators
from genlab.lessons.report.charts import gan_charts, smoothed, thinned, vae_charts
from genlab.lessons.report.content import (
    Directions,
    LiveDecoder,
    ModelEntry,
    NextStep,
    Pixels,
    Reconstructions,
    Report,
    SameLatents,
)
from genlab.lessons.report.numbers import compact, difference, duration, look_up, number, reason
from genlab.lessons.report.write import write_report
from genlab.networks.decoder import Decoder
from genlab.networks.observation import Bernoulli
from genlab.networks.portable import portable
from genlab.runs.events import Metrics
from genlab.runs.store import Run

if TYPE_CHECKING:
    from playwright.sync_api import Page

NASTY = '</script><script>alert("x")</script><img src=x onerror=alert(1)>&amp;'
MODELS = (
    ("vae", "VAE", "vae"),
    ("vae-mixture", "VAE, fitted mixture", "vae"),
    ("gan-from-vae", "GAN from the VAE's decoder", "gan"),
    ("gan", "GAN from random weights", "gan"),
)
VOID = {"meta", "img", "br", "input", "link", "hr"}


def images(count: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (count, 1, 12, 10), dtype=np.uint8)


def measurement(fid: float) -> dict[str, Any]:
    return {
        "protocol": {"networks": {"own": "tiny-01234567"}, "data": "made-up-89abcdef", "count": 640},
        "values": {
            "fid": {"value": fid, "error": fid / 20, "low": fid * 0.9, "high": fid * 1.1},
            "sharpness": {"value": 0.81, "error": 0.01, "low": 0.79, "high": 0.83},
            "c_t": {"unavailable": "the images have no labels"},
        },
    }  # fmt: skip


def some_run(folder: Path, keys: tuple[str, ...]) -> Run:
    folder.mkdir(parents=True)
    run = Run(folder)
    for step in range(1, 200, 3):
        run.append(Metrics(step, {key: 1 / step + index for index, key in enumerate(keys)}, 0.1 * step, step))
    return run


def tiny_decoder(seed: int = 0) -> Decoder:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Decoder(6, (1, 12, 10), width=4, hidden=16).eval()


def tiny_report(folder: Path, name: str = "001-vae-made-up") -> Report:
    vae = some_run(folder / "a", ("elbo", "reconstruction", "kl"))
    gan = some_run(folder / "b", ("discriminator_loss", "generator_loss", "accuracy"))
    models = tuple(
        ModelEntry(key, label, family, "N(0, I)", name, 1200, 75.3, {"decoder": 1234567, "encoder": 4321},
                   measurement(12.5 * (index + 1)), images(70, index))
        for index, (key, label, family) in enumerate(MODELS)
    )  # fmt: skip
    decoders = [portable(tiny_decoder(seed), Bernoulli(), half=True) for seed in (0, 1)]
    axes = np.linalg.qr(np.random.default_rng(3).normal(size=(6, 6)))[0].astype(np.float32)
    directions = Directions(np.zeros(6, np.float32), axes[:4], np.array([2, 1.5, 1, 0.5], np.float32),
                            np.eye(2, 6, dtype=np.float32), images(2))  # fmt: skip
    receipt = {
        "source": name, "weights": "averaged", "tensors": 20, "parameters": 1234567, "max_difference": 0.0,
        "training_difference": 0.25, "reloaded_difference": 0.0,
    }  # fmt: skip
    return Report(
        title="A tiny report", summary="Nothing was trained.", created="2025-06-01T10:20:30+00:00",
        command=f"lab demo {name}", machine={"system": name, "threads": 2}, seed=7, sampling_seed=11,
        dataset=name, wall_seconds=200.0, models=models, real=images(64), floor=measurement(0.4),
        ceiling=measurement(900.0), receipt=receipt,
        reconstructions=Reconstructions(images(20), images(20, 1), "vae"),
        same_z=SameLatents(np.zeros((5, 6), np.float32), (("VAE", images(5)), ("GAN", images(5, 2)))),
        charts=vae_charts(vae) + gan_charts([("GAN from the VAE's decoder", gan, 2), ("GAN", gan, 3)]),
        estimators=tuple(measure_estimators(samples=500)),
        metrics=tuple(INSTRUMENTS[key] for key in ("fid", "recall", "sharpness", "c_t")),
        sees={"fid": "moved by blur"},
        decoders=(LiveDecoder("vae", decoders[0]), LiveDecoder("gan-from-vae", decoders[1])),
        directions=directions, notes=(f"Another seed differs: {name}",),
        next_steps=(NextStep("lab app", "Go on."),),
    )  # fmt: skip


class Outline(HTMLParser):
    """Sections, the elements that load something, and whether every element is closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.sections: list[str] = []
        self.loads: list[str] = []
        self.open: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        if tag == "section":
            self.sections.append(found["id"] or "")
        self.loads += [
            value or "" for key, value in attrs if key in ("src", "href", "srcset", "action", "data")
        ]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def page(tmp_path: Path) -> str:
    return write_report(tmp_path / "out", tiny_report(tmp_path)).read_text("utf-8")


def outline(page: str) -> Outline:
    parsed = Outline()
    parsed.feed(page)
    parsed.close()
    assert not parsed.open
    return parsed


def test_every_section_is_there_in_order(page: str) -> None:
    assert outline(page).sections == [
        "see", "reconstructions", "network", "same-z", "explore", "yardstick", "curves", "why", "limits",
    ]  # fmt: skip
    assert "one seed: no verdict" in page
    for _, label, _ in MODELS:
        assert label.replace("'", "&#x27;") in page
    assert "{{" not in page


def test_the_page_loads_nothing(page: str) -> None:
    assert all(load.startswith(("data:", "#")) for load in outline(page).loads)
    without_namespace = page.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|@import|url\((?!#)", without_namespace)


def test_names_are_text_and_nothing_else(tmp_path: Path) -> None:
    page = write_report(tmp_path / "out", tiny_report(tmp_path, NASTY)).read_text("utf-8")
    plain = write_report(tmp_path / "plain", tiny_report(tmp_path / "2")).read_text("utf-8")
    assert outline(page).tags == outline(plain).tags
    assert NASTY not in page
    assert "&lt;/script&gt;" in page


def test_the_table_says_what_was_measured_and_why_something_was_not(page: str) -> None:
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.S)
    assert len(rows) == 1 + 4 + 2
    assert "12.5<small>11.2 to 13.8</small>" in rows[1]
    assert "0.81<small>0.79 to 0.83</small>" in rows[1]
    assert "—<small>not measured</small>" in rows[1]
    assert "—<small>the images have no labels</small>" in rows[1]
    assert "floor" in rows[5]
    assert "ceiling" in rows[6]
    assert "<b>" not in "".join(rows)
    assert "N = 640 images a row · feature networks tiny-01234567" in page
    assert "<b>Measured.</b> moved by blur" in page


def test_json_has_every_number_but_weights_and_pixels(tmp_path: Path) -> None:
    report = tiny_report(tmp_path)
    write_report(tmp_path / "out", report)
    path = tmp_path / "out" / "report.json"
    assert path.stat().st_size < 100_000
    read = json.loads(path.read_text("utf-8"))
    assert read["models"][2]["measurement"] == report.models[2].measurement
    assert read["estimators"][0]["exact_variance"] == 4
    assert read["receipt"]["max_difference"] == 0
    assert len(read["same_z"]["latents"]) == 5
    assert "samples" not in read["models"][0]
    assert read["decoders"] == [{"model": "vae"}, {"model": "gan-from-vae"}]


def test_parts_that_are_missing_are_left_out(tmp_path: Path) -> None:
    bare = replace(
        tiny_report(tmp_path), receipt=None, reconstructions=None, same_z=None, charts=(), estimators=(),
        decoders=(), directions=None, notes=(), next_steps=(),
    )  # fmt: skip
    page = write_report(tmp_path / "out", bare).read_text("utf-8")
    assert outline(page).sections == ["see", "network", "yardstick", "limits"]
    assert 'href="#curves"' not in page


def test_numbers_that_json_lacks_become_null(tmp_path: Path) -> None:
    report = tiny_report(tmp_path)
    unmeasured = {**report.floor["values"], "sharpness": float("nan")}
    broken = replace(report, floor={**report.floor, "values": unmeasured})
    page = write_report(tmp_path / "out", broken).read_text("utf-8")
    assert (
        json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))["floor"]["values"]["sharpness"]
        is None
    )
    assert "not measured" in page


def test_numbers_read_well() -> None:
    assert [compact(n) for n in (7, 4321, 1_267_076)] == ["7", "4.32 k", "1.27 M"]
    assert [duration(s) for s in (3.21, 59.6, 200, 7500)] == ["3.2 s", "1 min 0 s", "3 min 20 s", "2 h 5 min"]
    assert difference(0.0) == "0, exactly"
    assert look_up({"values": {"fid": {"value": 3}}}, "fid") == {"value": 3}
    assert reason(look_up({"values": {"classes": {"unavailable": "no classes"}}}, "classes")) == "no classes"
    assert reason(look_up({"values": {}}, "fid")) == "not measured"
    assert number(True) is None


def test_curves_keep_their_ends_and_their_mean() -> None:
    assert smoothed([5.0] * 50) == [5.0] * 50
    assert smoothed([float(i) for i in range(50)])[0] == 0
    x, y = thinned(list(range(10_000)), list(range(10_000)))
    assert len(x) <= 252
    assert (x[0], x[-1]) == (0, 9999) == (y[0], y[-1])


CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
in_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Page]:
    """The tiny report in a window of 1280 × 720; nothing may be said on the console, or fetched."""
    from playwright.sync_api import sync_playwright

    path = write_report(tmp_path / "out", tiny_report(tmp_path))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 720}, color_scheme="light")
        said: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        yield page
        browser.close()
    assert said == []
    assert asked[0].startswith("file:")
    assert all(url.startswith("data:") for url in asked[1:])


def drawn(page: Page) -> list[str]:
    """What the canvases of the two networks show, once the next frames are drawn."""
    found: list[str] = page.evaluate(
        """async () => {
          for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
          return [...document.querySelectorAll(".outputs canvas")].map((canvas) => canvas.toDataURL());
        }"""
    )
    return found


def all_changed(before: list[str], after: list[str]) -> bool:
    return len(before) == len(after) == 2 and all(a != b for a, b in zip(before, after, strict=True))


@pytest.mark.browser
@in_browser
def test_dragging_decodes_anew_through_both_networks(opened: Page) -> None:
    pad = opened.locator(".pad")
    pad.scroll_into_view_if_needed()
    first = drawn(opened)
    box = pad.bounding_box()
    assert box is not None
    opened.mouse.move(box["x"] + 60, box["y"] + 60)
    assert drawn(opened) == first  # the pointer is not down yet
    opened.mouse.down()
    opened.mouse.move(box["x"] + 300, box["y"] + 90, steps=5)
    opened.mouse.up()
    dragged = drawn(opened)
    assert all_changed(first, dragged)
    pad.press("Shift+ArrowLeft")
    stepped = drawn(opened)
    assert all_changed(dragged, stepped)
    opened.locator(".sliders input").first.press("Home")
    slid = drawn(opened)
    assert all_changed(stepped, slid)
    opened.get_by_role("button", name="Random z").click()
    assert all_changed(slid, drawn(opened))


@pytest.mark.browser
@in_browser
def test_the_browser_decodes_as_pytorch_does(opened: Page) -> None:
    decoder, z = tiny_decoder(), torch.linspace(-2, 2, 6)
    decode = "z => GenlabDecoder.load(JSON.parse(document.getElementById('data').textContent)"
    images = opened.evaluate(f"{decode}.decoders[0].net).decode(z).join()", z.tolist())
    with torch.no_grad():
        expected = Bernoulli().image(decoder(z.unsqueeze(0))).flatten()
    answer = torch.tensor([float(pixel) for pixel in images.split(",")])
    torch.testing.assert_close(answer, expected, atol=2e-3, rtol=0)  # the page's weights are float16
    exact = portable(decoder, Bernoulli())
    images = opened.evaluate("([net, z]) => GenlabDecoder.load(net).decode(z).join()", [exact, z.tolist()])
    answer = torch.tensor([float(pixel) for pixel in images.split(",")])
    torch.testing.assert_close(answer, expected, atol=1e-4, rtol=0)


@pytest.mark.browser
@in_browser
def test_the_page_is_read_by_keyboard_in_both_themes(opened: Page) -> None:
    assert opened.locator(".chart .plot").count() == 3 + 3 + 2
    plot = opened.locator("[data-chart=elbo] .plot")
    plot.press("ArrowRight")
    assert "ELBO: 1" in plot.locator(".tip").inner_text()
    assert opened.locator("[data-ruler] g").count() == 6
    background = "() => getComputedStyle(document.body).backgroundColor"
    light = opened.evaluate(background)
    opened.locator("#theme").press("Enter")
    assert opened.evaluate(background) != light
    opened.locator(".enlarge").first.press("Enter")
    assert opened.locator("dialog").is_visible()
    opened.keyboard.press("Escape")
    assert not opened.locator("dialog").is_visible()
    for width in (1280, 1920, 390):
        opened.set_viewport_size({"width": width, "height": 720})
        assert opened.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), width
