"""Explore in a real browser: dragged, clicked, led by keys, found again by its address; and the server in
the place of a decoder that is too large."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import numpy as np
import pytest

from genlab.cli.bring import free_port
from genlab.experiment import runner
from genlab.runs.store import Run

from app_browser import Visitor, chromium, server  # isort: skip
from conftest import Tiny
from playwright.sync_api import Browser, Locator, expect

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def visitor(browser: Browser, tmp_path: Path, runs: Path) -> Iterator[Visitor]:
    """Somebody in an app of their own, nothing of which may complain."""
    port = free_port(8740)
    with server(tmp_path, port):
        found = Visitor(browser, port, "light", tmp_path)
        yield found
        found.pleased()
        found.page.close()


def explorer(visitor: Visitor, query: str) -> Locator:
    """The component, once it has drawn."""
    visitor.visit(f"explore?{query}")
    root = visitor.page.locator("[data-frames]")
    expect(root).not_to_have_attribute("data-frames", "0")
    visitor.settle()
    return root


def shown(root: Locator) -> str:
    """The image that stands there, with the next frame."""
    return str(
        root.locator('[data-at="image"]').evaluate(
            """async (canvas) => {
              for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
              return canvas.toDataURL();
            }"""
        )
    )


def frames(root: Locator) -> int:
    return int(root.get_attribute("data-frames") or 0)


def drag(root: Locator, start: tuple[float, float], end: tuple[float, float], steps: int = 30) -> None:
    """From and to, as shares of the pad's width and height."""
    box = root.locator('[data-at="pad"]').bounding_box()
    assert box is not None
    mouse = root.page.mouse
    mouse.move(box["x"] + start[0] * box["width"], box["y"] + start[1] * box["height"])
    mouse.down()
    mouse.move(box["x"] + end[0] * box["width"], box["y"] + end[1] * box["height"], steps=steps)
    mouse.up()


def test_a_drag_and_the_keys_move_the_image_in_the_page(visitor: Visitor) -> None:
    root = explorer(visitor, "run=digits-vae")
    before, drawn = shown(root), frames(root)
    drag(root, (0.5, 0.5), (0.15, 0.2))
    dragged = shown(root)
    assert dragged != before
    assert frames(root) >= drawn + 10
    root.locator('[data-at="pad"]').press("Shift+ArrowRight")
    stepped = shown(root)
    assert stepped != dragged
    root.get_by_role("slider").first.press("ArrowRight")
    assert shown(root) != stepped
    root.get_by_role("button", name="Reset").click()
    assert shown(root) == before


def test_a_click_on_a_code_decodes_it(visitor: Visitor) -> None:
    """The same z as the code that was sent: what is said of its length shows it."""
    root = explorer(visitor, "run=digits-vae")
    before = root.locator('[data-at="said"]').inner_text()
    pad, tip = root.locator('[data-at="pad"]'), root.locator('[data-at="tip"]')
    box = pad.bounding_box()
    assert box is not None
    for offset in range(0, 120, 4):  # there is a code somewhere here
        visitor.page.mouse.move(box["x"] + 200 + offset, box["y"] + 150)
        if tip.is_visible():
            break
    expect(tip).to_be_visible()
    visitor.page.mouse.down()
    visitor.page.mouse.up()
    shown(root)
    said = root.locator('[data-at="said"]').inner_text()
    norm = float(re.findall(r"[\d.]+", said)[0])
    assert said != before
    assert norm > 2  # a drag from the middle reaches in two directions only; a code in all of them


def test_the_address_leads_back_to_the_same_image(visitor: Visitor) -> None:
    root = explorer(visitor, "run=digits-vae")
    root.get_by_role("button", name="Random z").click()
    there = shown(root)
    visitor.page.wait_for_url(re.compile(r"[?&]z="))
    z = [float(value) for value in parse_qs(urlparse(visitor.page.url).query)["z"][0].split(",")]
    assert np.std(z) > 0.5
    again = explorer(visitor, visitor.page.url.partition("?")[2])
    assert mean_difference(there, shown(again)) < 1.0  # of 255: the address keeps two decimals
    visitor.goes("Data")
    visitor.goes("Explore")
    back = visitor.page.locator("[data-frames]")
    expect(back).not_to_have_attribute("data-frames", "0")
    assert mean_difference(there, shown(back)) < 1.0


def mean_difference(first: str, second: str) -> float:
    """Of the pixels of two images as data addresses."""
    from base64 import b64decode
    from io import BytesIO

    from PIL import Image

    a, b = (
        np.asarray(Image.open(BytesIO(b64decode(each.partition(",")[2]))).convert("L"), float)
        for each in (first, second)
    )
    return float(np.abs(a - b).mean())


@pytest.fixture
def large(runs: Path, tiny: Tiny, blots: Path) -> Run:
    """A VAE whose decoder is more than a browser is asked to hold."""
    run = runner.begin(
        tiny("vae", f"data.name={blots}", "network.decoder.hidden=2000", "network.decoder.depth=2",
             "training.steps=1")
    )  # fmt: skip
    list(runner.work(run))
    return run


def test_the_server_answers_the_latest_z_and_then_rests(large: Run, visitor: Visitor) -> None:
    root = explorer(visitor, f"run={large.name}")
    visitor.sees("The server decodes")
    expect(root.locator('[data-at="image"]')).to_have_js_property("width", 8)
    before = shown(root)
    drag(root, (0.5, 0.5), (0.9, 0.1))
    visitor.settle()
    visitor.page.wait_for_timeout(1000)
    there, drawn = shown(root), frames(root)
    assert there != before
    visitor.page.wait_for_timeout(1500)
    assert frames(root) == drawn  # nothing is asked for any more
    straight = explorer(visitor, f"run={large.name}&{address(visitor)}")
    visitor.page.wait_for_timeout(1000)
    assert mean_difference(there, shown(straight)) < 1.0


def address(visitor: Visitor) -> str:
    """The z in the address."""
    return "z=" + parse_qs(urlparse(visitor.page.url).query)["z"][0]
