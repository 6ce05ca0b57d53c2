"""The board in a real browser: what a drawing becomes, and how it gets to the model and back."""

from __future__ import annotations

import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from genlab.app.component import PARTS
from genlab.cli.bring import free_port
from genlab.experiment import runner
from genlab.experiment.schema import override
from genlab.recipes import recipe

from app_browser import Visitor, chromium, server  # isort: skip
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = pytest.mark.browser

# Rectangles (x, y, width, height, colour) on a black canvas, made small by the board's own functions.
SMALL = """async ([source, side, size, channels, centring, rectangles]) => {
  const { centred, shrunk } = await import(source);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  context.fillRect(0, 0, side, side);
  for (const [x, y, width, height, colour] of rectangles) {
    context.fillStyle = colour;
    context.fillRect(x, y, width, height);
  }
  return Array.from(shrunk(centring ? centred(canvas) : canvas, size, channels));
}"""
SOURCE = "data:text/javascript;base64," + b64encode((PARTS / "drawing.js").read_bytes()).decode()
SEVEN = [(0.25, 0.25), (0.72, 0.25), (0.62, 0.45), (0.5, 0.65), (0.42, 0.82)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def blank(browser: Browser) -> Page:
    return browser.new_page()


def small(
    page: Page,
    rectangles: list[Any],
    *,
    side: int = 280,
    size: int = 28,
    channels: int = 1,
    centring: bool = False,
) -> NDArray[np.float64]:
    """(channels, size, size)"""
    levels = page.evaluate(SMALL, [SOURCE, side, size, channels, centring, rectangles])
    return np.array(levels, np.float64).reshape(channels, size, size)


def tents(side: int, size: int) -> NDArray[np.float64]:
    """(size, side): how much each pixel of a row counts for each of the small ones."""
    middles = (np.arange(size)[:, None] + 0.5) * side / size
    weights = np.clip(1 - np.abs(np.arange(side) + 0.5 - middles) * size / side, 0, None)
    found: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return found


def test_a_pixel_is_the_mean_of_what_lies_around_it(blank: Page) -> None:
    levels = np.zeros((280, 280))
    levels[37:190, 101:144] = 255
    expected = tents(280, 28) @ levels @ tents(280, 28).T
    found = small(blank, [(101, 37, 43, 153, "white")])[0]
    assert np.abs(found - expected).max() <= 0.51
    assert found.max() == 255
    assert ((found > 0) & (found < 255)).sum() > 40  # soft edges


def test_colours_stay_apart(blank: Page) -> None:
    found = small(blank, [(64, 64, 64, 64, "rgb(255, 0, 51)")], side=256, size=64, channels=3)
    assert found[:, 24, 24].tolist() == [255, 0, 51]
    assert found[:, 4, 4].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "rectangle", [(10, 20, 60, 30), (150, 40, 20, 200), (0, 0, 280, 280), (200, 210, 8, 8)]
)
def test_a_digit_is_centred_as_mnist_was(blank: Page, rectangle: tuple[int, ...]) -> None:
    """20 pixels long, centre of mass in the middle; LeCun et al. (1998)."""
    found = small(blank, [(*rectangle, "white")], centring=True)[0]
    rows, columns = found.sum(axis=1), found.sum(axis=0)
    centres = [float((line * (np.arange(28) + 0.5)).sum() / line.sum()) for line in (rows, columns)]
    assert centres == pytest.approx([14, 14], abs=0.15)
    lengths = [line.sum() / line.max() for line in (rows, columns)]
    assert max(lengths) == pytest.approx(20, abs=0.5)
    assert min(lengths) == pytest.approx(20 * min(rectangle[2:]) / max(rectangle[2:]), abs=0.5)


def test_the_middle_is_that_of_the_mass(blank: Page) -> None:
    """Not that of the box: an L stands off its box's middle."""
    found = small(blank, [(40, 40, 40, 160, "white"), (40, 160, 160, 40, "white")], centring=True)[0]
    lines = [found.sum(axis=1), found.sum(axis=0)]
    assert [float((line * (np.arange(28) + 0.5)).sum() / line.sum()) for line in lines] == pytest.approx(
        [14, 14], abs=0.15
    )
    inked = [np.flatnonzero(line > line.max() / 50) for line in lines]
    assert abs(inked[0].mean() - 13.5) > 1
    assert abs(inked[1].mean() - 13.5) > 1


def test_an_empty_board_stays_empty(blank: Page) -> None:
    assert small(blank, [], centring=True).max() == 0


@pytest.fixture
def visitor(browser: Browser, runs: Path, tmp_path: Path) -> Iterator[Visitor]:
    """At the Reconstruct page of a VAE that has just begun to know MNIST."""
    experiment = override(
        recipe("vae"),
        ["training.steps=60", "training.batch_size=64", "training.threads=1", "network.latent_dim=4"],
    )
    run = runner.begin(experiment)
    list(runner.work(run))
    port = free_port(8760)
    with server(tmp_path, port):
        visitor = Visitor(browser, port, "light", tmp_path)
        visitor.visit(f"reconstruct?run={run.name}&from=Draw")
        visitor.sees("Draw something at the left")
        yield visitor
        visitor.page.close()


def stroke(page: Page, board: Locator, points: list[tuple[float, float]]) -> None:
    """With the mouse, through points in [0, 1]."""
    box = board.bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()


def picture(visitor: Visitor, title: str) -> Locator:
    return visitor.page.get_by_role("img", name=title, exact=True)


def test_a_seven_is_drawn_and_reconstructed(visitor: Visitor) -> None:
    page = visitor.page
    board = page.get_by_role("application")
    stroke(page, board, SEVEN)
    began = time.monotonic()
    visitor.sees("of the test images")
    assert time.monotonic() - began < 60  # the model wakes up, and is measured once
    visitor.settle()
    first = picture(visitor, "Original").get_attribute("src")
    assert picture(visitor, "Reconstruction").evaluate("image => image.naturalWidth") == 196
    assert picture(visitor, "Original").evaluate("i => getComputedStyle(i).imageRendering") == "pixelated"

    stroke(page, board, [(0.35, 0.5), (0.65, 0.55)])  # its bar
    expect(picture(visitor, "Original")).not_to_have_attribute("src", str(first))
    visitor.press("↶ Undo")
    expect(picture(visitor, "Original")).to_have_attribute("src", str(first))
    visitor.press("Clear")
    visitor.sees("Draw something at the left")
    expect(visitor.button("Clear")).to_be_disabled()

    keys = [" ", *["ArrowDown"] * 8, " "]  # a one, by the keys
    board.focus()
    for key in keys:
        page.keyboard.press(key)
    expect(picture(visitor, "Original")).to_be_visible()
    visitor.pleased()


def finger(page: Page, board: Locator, points: list[tuple[float, float]]) -> None:
    """As `stroke`, with a finger; a second one rests beside it from half way on."""
    box = board.bounding_box()
    assert box is not None
    places = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in points]
    second = {"x": box["x"] + 20, "y": box["y"] + 20}
    device = page.context.new_cdp_session(page)
    device.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})
    device.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": places[:1]})
    for number, place in enumerate(places[1:]):
        touching = [place, second] if number >= len(places) // 2 else [place]
        device.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": touching})
    device.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_seven_is_drawn_with_a_finger(visitor: Visitor) -> None:
    page = visitor.page
    before = page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop")
    finger(page, page.get_by_role("application"), SEVEN)
    expect(picture(visitor, "Original")).to_be_visible()
    visitor.settle()
    assert page.locator("[data-strokes]").first.get_attribute("data-strokes") == "1"
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == before
    assert middle_of(picture(visitor, "Original")) == pytest.approx((0.5, 0.5), abs=0.03)
    visitor.pleased()


def test_a_drawing_stays_when_the_page_is_left(visitor: Visitor) -> None:
    stroke(visitor.page, visitor.page.get_by_role("application"), SEVEN)
    expect(picture(visitor, "Original")).to_be_visible()
    visitor.settle()
    first = picture(visitor, "Original").get_attribute("src")
    visitor.goes("Generate")
    visitor.goes("Reconstruct")
    visitor.page.get_by_test_id("stMain").get_by_text("Draw", exact=True).click()
    expect(picture(visitor, "Original")).to_have_attribute("src", str(first))
    expect(visitor.button("Clear")).to_be_enabled()
    visitor.pleased()


def test_centring_is_a_choice(visitor: Visitor) -> None:
    page = visitor.page
    stroke(page, page.get_by_role("application"), [(0.1, 0.1), (0.1, 0.4)])
    expect(picture(visitor, "Original")).to_be_visible()
    visitor.settle()
    assert middle_of(picture(visitor, "Original")) == pytest.approx((0.5, 0.5), abs=0.03)
    before = str(picture(visitor, "Original").get_attribute("src"))
    page.get_by_text("centre it as MNIST was").click()
    expect(picture(visitor, "Original")).not_to_have_attribute("src", before)
    visitor.settle()
    assert middle_of(picture(visitor, "Original")) == pytest.approx((0.1, 0.25), abs=0.03)
    visitor.pleased()


def middle_of(image: Locator) -> tuple[float, float]:
    """Where the mass of an image on the page is, across and down, in [0, 1]."""
    data = image.evaluate(
        """image => {
          const canvas = document.createElement("canvas");
          [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
          canvas.getContext("2d").drawImage(image, 0, 0);
          return [canvas.toDataURL("image/png").split(",")[1], canvas.width, canvas.height];
        }"""
    )
    from io import BytesIO

    from PIL import Image

    levels = np.asarray(Image.open(BytesIO(b64decode(data[0]))).convert("L"), np.float64)
    height, width = levels.shape
    across = (levels.sum(axis=0) * (np.arange(width) + 0.5)).sum() / levels.sum() / width
    down = (levels.sum(axis=1) * (np.arange(height) + 0.5)).sum() / levels.sum() / height
    return float(across), float(down)


def test_a_test_image_is_chosen_by_pressing_it_and_walked_to(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_test_id("stMain").get_by_text("Pick a test image", exact=True).first.click()
    page.get_by_role("button", name="test image 4 (class 4)").click()
    visitor.sees("The line: test image 4")
    page.wait_for_url("**image=4**")
    page.get_by_role("tab", name="Walk to another").click()
    visitor.sees("linear interpolation")
    with page.expect_download() as film:
        visitor.press("Download GIF")
    assert film.value.path().read_bytes().startswith(b"GIF89a")
    page.reload()
    visitor.sees("First test image 4")
    visitor.pleased()
