"""The app in a real browser: the real server, and a visitor whose console and requests are watched."""

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

SWITCHES = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip
PAGES = ("data", "train", "vae-to-gan", "generate", "explore", "reconstruct", "compare", "runs", "lessons")
PROBES = ("/_stcore/health", "/_stcore/host-config")  # where Streamlit seeks its server, from a page's path
PATIENCE = 120_000  # ms; a busy machine needs them, an idle one a tenth
expect.set_options(timeout=PATIENCE)


@contextmanager
def server(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """`genlab app` on its runs in `folder`, ended as Ctrl-C does it, with pages still open."""
    environment = {**os.environ, "HOME": str(folder), "GENLAB_RUNS": str(folder / "runs")}
    command = [sys.executable, "-m", "genlab.cli", "app", "--no-browser", "--port", str(port)]
    log = (folder / "server.log").open("ab")
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        finally:
            process.kill()
            log.close()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's, or the one that GENLAB_CHROMIUM names; a test is skipped where there is none."""
    path = os.environ.get("GENLAB_CHROMIUM") or "/usr/bin/chromium"
    if not Path(path).exists():
        pytest.skip("no Chromium here: install one, or name it in GENLAB_CHROMIUM")
    with sync_playwright() as player:
        opened = player.chromium.launch(executable_path=path, args=SWITCHES)
        yield opened
        opened.close()


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
        url = said.location["url"]
        # an image of a page that was left or loaded anew meanwhile; those that are there, `pleased` looks at
        left = "/media/" in url and "404" in said.text
        left |= said.text.startswith(f"Client Error: Image source error - {self.address}/media/")
        if said.type == "error" and not left and not url.endswith(PROBES):
            self.complaints.append(f"{said.text} {url}")

    def outside(self, url: str) -> None:
        if not url.startswith((self.address, self.address.replace("http", "ws"), "data:", "blob:")):
            self.complaints.append(f"asked for {url}")

    def visit(self, place: str = "") -> None:
        """Open `place`, a page's name with its query, once the server answers."""
        for _ in range(100):
            try:
                self.page.goto(f"{self.address}/{place}")
                return
            except Exception as error:
                if "ERR_CONNECTION_REFUSED" not in str(error):
                    raise
                self.page.wait_for_timeout(200)
        raise AssertionError("the server did not come up")

    def goes(self, name: str) -> None:
        """To another page, by the navigation at the left."""
        self.page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
        expect(self.page.get_by_role("heading", name=name, exact=True)).to_be_visible()

    def button(self, name: str) -> Locator:
        """One of the app's; while a page runs, Streamlit's own header has a "Stop", too."""
        of_the_app = self.page.locator(':not([data-testid="stBaseButton-header"])')
        return self.page.get_by_role("button", name=name, exact=True).and_(of_the_app)

    def press(self, name: str) -> None:
        self.button(name).click()

    def sees(self, text: str) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible()

    def pictures(self) -> Locator:
        return self.page.get_by_test_id("stImageContainer").locator("img")

    def settle(self) -> None:
        """Wait until nothing is drawn any more."""
        expect(self.page.get_by_test_id("stStatusWidget")).to_have_count(0)
        self.page.wait_for_timeout(700)

    def shoot(self, name: str) -> None:
        self.settle()
        self.page.screenshot(path=self.shots / f"{self.theme}-{name}.png")

    def pleased(self) -> None:
        """No complaint, and no image that is not there."""
        assert not self.complaints, self.complaints
        self.page.wait_for_function(LOADED)


LOADED = "() => [...document.images].every((each) => each.complete && (each.naturalWidth > 0 || !each.src))"
