"""A first visit in a real browser, against the real server, with real (short) trainings on MNIST.

Screenshots go to $GENLAB_SCREENSHOTS, where it is set: they are there to be looked at.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("streamlit")
pytest.importorskip("playwright.sync_api")

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright

from genlab.cli.bring import free_port

pytestmark = pytest.mark.browser

SWITCHES = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip
PATIENCE = 120_000  # ms; a busy machine needs them, an idle one a tenth
expect.set_options(timeout=PATIENCE)


@contextmanager
def server(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "HOME": str(folder), "GENLAB_RUNS": str(folder / "runs")}
    command = [sys.executable, "-m", "genlab.cli", "app", "--no-browser", "--port", str(port)]
    log = (folder / "server.log").open("ab")
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)  # as Ctrl-C does, with pages still open
        try:
            process.wait(20)
        finally:
            process.kill()
            log.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = os.environ.get("GENLAB_CHROMIUM") or "/usr/bin/chromium"
    if not Path(path).exists():
        pytest.skip("no Chromium here: install one, or name it in GENLAB_CHROMIUM")
    with sync_playwright() as player:
        chromium = player.chromium.launch(executable_path=path, args=SWITCHES)
        yield chromium
        chromium.close()


class Visitor:
    """A page, with what its console and its requests have to answer for."""

    def __init__(self, browser: Browser, port: int, theme: str, shots: Path) -> None:
        self.address, self.theme, self.shots = f"http://127.0.0.1:{port}", theme, shots
        self.complaints: list[str] = []
        self.page: Page = browser.new_page(
            viewport={"width": 1280, "height": 720},
            color_scheme="dark" if theme == "dark" else "light",
        )
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self.heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda asked: self.outside(asked.url))

    def heard(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.complaints.append(said.text)

    def outside(self, url: str) -> None:
        if not url.startswith((self.address, self.address.replace("http", "ws"), "data:", "blob:")):
            self.complaints.append(f"asked for {url}")

    def visit(self, query: str = "") -> None:
        for _ in range(100):
            try:
                self.page.goto(f"{self.address}/{query}")
                return
            except Exception as error:
                if "ERR_CONNECTION_REFUSED" not in str(error):
                    raise
                self.page.wait_for_timeout(200)
        raise AssertionError("the server did not come up")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def press(self, name: str) -> None:
        self.button(name).click()

    def settings(self, seconds: int) -> None:
        self.page.get_by_role("spinbutton", name="Seconds of training").fill(str(seconds))
        self.page.get_by_text("More settings").click()
        self.page.get_by_role("textbox", name="Any field of the config").fill("training.threads=1")

    def sees(self, text: str) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible()

    def pictures(self) -> Locator:
        return self.page.get_by_test_id("stImageContainer").locator("img")

    def shoot(self, name: str) -> None:
        expect(self.page.get_by_test_id("stStatusWidget")).to_have_count(0)
        self.page.wait_for_timeout(700)
        self.page.screenshot(path=self.shots / f"{self.theme}-{name}.png")

    def pleased(self) -> None:
        assert not self.complaints, self.complaints


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("GENLAB_SCREENSHOTS") or tmp_path / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_a_first_visit(browser: Browser, tmp_path: Path, shots: Path) -> None:
    port = free_port(8700)
    visitor = Visitor(browser, port, "light", shots)
    with server(tmp_path, port):
        train_a_vae(visitor)
        visitor.pleased()
    with server(tmp_path, port):  # a new server, while the training of the old one goes on
        visitor.visit("?run=001-vae-mnist")
        visitor.complaints.clear()  # that the old server went away is no fault of the page
        finish_it(visitor)
        use_it(visitor)
        make_a_gan(visitor)
        visitor.pleased()
        in_the_dark(Visitor(browser, port, "dark", shots))


def train_a_vae(visitor: Visitor) -> None:
    visitor.visit("?show=generate")
    visitor.sees("Train before you generate")
    visitor.visit()
    visitor.sees("Train before you generate")
    visitor.shoot("1-first")
    visitor.settings(25)
    visitor.press("Train a VAE")
    visitor.sees("Measuring how many steps fit in 25 s")
    visitor.shoot("2-measuring")
    visitor.sees("nats per image")
    assert "run=001-vae-mnist" in visitor.page.url
    visitor.page.reload()
    expect(visitor.button("Stop")).to_be_visible()
    first = visitor.page.get_by_test_id("stProgress").inner_text()
    expect(visitor.page.get_by_test_id("stProgress")).not_to_have_text(first)  # it is alive
    visitor.sees("images/s")
    visitor.shoot("3-training")


def finish_it(visitor: Visitor) -> None:
    expect(visitor.button("Stop")).to_be_visible()
    visitor.press("Stop")
    visitor.press("Resume")
    expect(visitor.button("Next: reconstruct →")).to_be_visible()
    visitor.shoot("4-trained")


def use_it(visitor: Visitor) -> None:
    visitor.press("Next: reconstruct →")
    visitor.sees("mean squared error")
    expect(visitor.pictures()).to_have_count(1)
    assert visitor.pictures().evaluate("image => getComputedStyle(image).imageRendering") == "pixelated"
    visitor.shoot("5-reconstruct")
    visitor.press("Next: generate →")
    visitor.sees("None of these is in the data")
    expect(visitor.button("Download PNG")).to_be_visible()
    first = visitor.pictures().get_attribute("src")
    visitor.press("Next seed")
    expect(visitor.pictures()).not_to_have_attribute("src", str(first))
    visitor.page.wait_for_url("**seed=1**")
    visitor.shoot("6-generate")
    with visitor.page.expect_download() as download:
        visitor.press("Download PNG")
    assert download.value.path().read_bytes().startswith(b"\x89PNG")


def make_a_gan(visitor: Visitor) -> None:
    visitor.press("Next: make a GAN of this decoder →")
    visitor.sees("Make a GAN from the decoder of")
    visitor.settings(8)
    visitor.shoot("7-hand-over")
    visitor.press("Make the GAN, and train it")
    visitor.sees("Receipt: the decoder of")
    expect(visitor.page.get_by_test_id("stMetricValue").nth(2)).to_have_text("0")
    visitor.shoot("8-gan-training")
    visitor.press("Next: generate →")
    visitor.sees("The same z at the same place")
    expect(visitor.pictures()).to_have_count(2)
    visitor.shoot("9-side-by-side")


def in_the_dark(visitor: Visitor) -> None:
    for number, (run, show) in enumerate(
        [("001-vae-mnist", "train"), ("002-gan-mnist", "gan"), ("002-gan-mnist", "generate")]
    ):
        visitor.visit(f"?run={run}&show={show}")
        expect(visitor.pictures().first).to_be_visible()
        visitor.shoot(f"{number + 1}-{show}")
    visitor.pleased()
