"""How fast the app answers, and what it weighs: in a real browser, on the models that come with genlab.

    genlab bench pages                    starts, reruns, frames, memory
    genlab bench pages --reruns 1000      and whether the memory stays flat

First visit: from the start of the server's process to the app's first page, to the first digits of an own
model after its one button was pressed, and to a page of digits drawn by the GAN that was trained from it.
First page: from the start of the server's process to the page's heading, and apart from it the first page
that needs torch. Rerun: from a step back in the browser, which runs the page's script again as a widget does,
to the end of that run as the browser sees it, so the way there and back is in it; the median of a page's.
Frame: what the Explore page says of its own decoder while it is dragged. Memory: resident, of the server
alone. Needs the test extra (Playwright) and a Chromium; run it alone on the machine.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from genlab.errors import UserError
from genlab.runs.files import write_json

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGES = (
    "",
    "data",
    "train",
    "vae-to-gan",
    "generate",
    "explore",
    "reconstruct",
    "compare",
    "runs",
    "lessons",
)
DEAR = "generate"  # the first that is opened of those that need torch
CHROMIUM = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage")
RUN_AGAIN = """() => new Promise((done) => {
  const app = document.querySelector('[data-testid="stApp"]');
  const push = (again) => history.pushState(history.state, "", `${location.pathname}?again=${again}`);
  push(Math.random());
  push(0);
  const began = performance.now();
  let ran = false;
  const watcher = new MutationObserver(() => {
    const state = app.dataset.testScriptState;
    if (state === "running") ran = true;
    if (ran && state === "notRunning") { watcher.disconnect(); done(performance.now() - began); }
  });
  watcher.observe(app, { attributes: true });
  setTimeout(() => { watcher.disconnect(); done(null); }, 3000);
  history.back();
})"""


@contextmanager
def server(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The app on an empty folder of runs."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "genlab.cli", "app", "--no-browser", "--port", str(port)]
    environment = {**os.environ, "GENLAB_RUNS": str(folder / "runs"), "HOME": str(folder)}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


@contextmanager
def browser() -> Iterator[Page]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise UserError("this benchmark needs Playwright: install the project with [test]") from error
    path = os.environ.get("GENLAB_CHROMIUM") or "/usr/bin/chromium"
    if not Path(path).exists():
        raise UserError(f"there is no Chromium at {path}: install one, or name it in GENLAB_CHROMIUM")
    with sync_playwright() as player:
        opened = player.chromium.launch(executable_path=path, args=CHROMIUM)
        yield opened.new_page(viewport={"width": 1280, "height": 720})
        opened.close()


def arrive(page: Page, port: int, place: str) -> float:
    """Open a page and wait until its script has run. Returns the seconds that took."""
    began = time.perf_counter()
    while not listens(port):
        time.sleep(0.05)
    page.goto(f"http://127.0.0.1:{port}/{place}")
    page.wait_for_selector('[data-testid="stMainBlockContainer"] h3', timeout=120_000)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=120_000)
    return time.perf_counter() - began


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def resident(process: subprocess.Popen[bytes]) -> float:
    """MiB of the server: of the command that starts it and of its children."""
    whole = psutil.Process(process.pid)
    return float(sum(each.memory_info().rss for each in [whole, *whole.children(recursive=True)]) / 2**20)


def first_pages(folder: Path, port: int, times: int) -> list[float]:
    """Seconds from a start of the server to its first page, `times` times."""
    found = []
    for index in range(times):
        with browser() as page:
            began = time.perf_counter()
            with server(folder, port + index):
                arrive(page, port + index, "")
                found.append(time.perf_counter() - began)
    return found


def first_visit(folder: Path, port: int) -> dict[str, float]:
    """Seconds from the start of the server, on an empty folder of runs: to the first page, to the button that
    is pressed at once, to the first digits of the VAE and of the GAN, to a page of the GAN's digits."""
    found = {}
    with browser() as page:
        began = time.perf_counter()

        def reached(what: str) -> None:
            found[what] = time.perf_counter() - began

        with server(folder / "visit", port):
            arrive(page, port, "")
            reached("first page")
            page.get_by_role("button", name="Train both, while I watch").click()
            reached("asked for")
            drawn = page.locator('img[alt^="samples after"]')
            drawn.first.wait_for(timeout=120_000)
            reached("first digits of the VAE")
            page.locator('img[alt^="samples after"] >> nth=1').wait_for(timeout=300_000)
            reached("first digits of the GAN")
            page.get_by_role("button", name="Generate", exact=True).click(timeout=300_000)
            page.locator('img[alt*="generated images"]').first.wait_for(timeout=60_000)
            reached("64 digits of the GAN")
    return found


def reruns(page: Page, times: int) -> list[float]:
    """Milliseconds of each of `times` reruns of the page that is open, after one that is not counted. A step
    back that falls together with the page's own writing of its address is not heard, and is asked again."""
    page.wait_for_timeout(500)
    page.evaluate(RUN_AGAIN)
    found: list[float] = []
    unheard = 0
    while len(found) < times:
        took = page.evaluate(RUN_AGAIN)
        if took is None:
            unheard += 1
            if unheard > 10 + times // 10:
                raise UserError(f"{page.url} did not run again within 3 seconds, {unheard} times")
        else:
            found.append(float(took))
        page.wait_for_timeout(100)
    return found


def drag(page: Page, port: int, seconds: float) -> dict[str, float]:
    """Frames drawn, and their median in milliseconds, while the pad of the Explore page is dragged."""
    arrive(page, port, "explore")
    root = page.locator("[data-frames]").first
    root.wait_for()
    pad = page.locator('[data-at="pad"]').first
    box = pad.bounding_box()
    assert box is not None
    before, began = int(root.get_attribute("data-frames") or 0), time.perf_counter()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    index = 0
    while time.perf_counter() - began < seconds:
        index += 1
        page.mouse.move(
            box["x"] + box["width"] * (0.2 + 0.6 * (index * 7 % 50) / 50),
            box["y"] + box["height"] * (0.2 + 0.6 * (index * 11 % 50) / 50),
        )
    page.mouse.up()
    frames = int(root.get_attribute("data-frames") or 0) - before
    return {
        "frames": frames, "per second": frames / seconds,
        "median ms": float(root.get_attribute("data-median-ms") or "nan"),
    }  # fmt: skip


def measured(folder: Path, port: int, times: int, many: int) -> dict[str, Any]:
    found: dict[str, Any] = {"first visit": first_visit(folder, port + 20)}
    found |= {"first page": first_pages(folder, port, 3), "pages": {}}
    with browser() as page, server(folder, port + 10) as process:
        arrive(page, port + 10, "")
        page.wait_for_timeout(2000)
        found["idle"] = resident(process)
        found["first page with torch"] = arrive(page, port + 10, DEAR)
        for place in PAGES:
            opened = arrive(page, port + 10, place)
            found["pages"][place or "start"] = {"opened": opened, "reruns": reruns(page, times)}
        found["drag"] = drag(page, port + 10, 5.0)
        found["after all pages"] = resident(process)
        if many:
            arrive(page, port + 10, DEAR)
            found["memory"] = [(0, resident(process))]
            for done in range(100, many + 1, 100):
                reruns(page, 100)
                found["memory"].append((done, resident(process)))
    return found


def table(found: dict[str, Any]) -> str:
    starts = found["first page"]
    lines = [f"{seconds:>6.1f} s  {what}" for what, seconds in found["first visit"].items()] + [
        "",
        f"first page: {statistics.median(starts):.1f} s after the start "
        f"({min(starts):.1f} to {max(starts):.1f})",
        f"first page that needs torch: {found['first page with torch']:.1f} s",
        f"\n{'page':<12}  {'opened':>8}  {'rerun, median':>13}  {'slowest':>8}",
    ]
    for place, each in found["pages"].items():
        milliseconds = each["reruns"]
        lines.append(
            f"{place:<12}  {each['opened']:>6.2f} s  {statistics.median(milliseconds):>10.0f} ms"
            f"  {max(milliseconds):>5.0f} ms"
        )
    drag = found["drag"]
    lines.append(
        f"\nExplore, dragged: {drag['per second']:.0f} frames a second, "
        f"a frame {drag['median ms']:.1f} ms (median)"
    )
    lines.append(
        f"memory of the server: {found['idle']:.0f} MiB idle, "
        f"{found['after all pages']:.0f} MiB after all pages"
    )
    lines += [f"  after {count:>5} more reruns: {mib:.0f} MiB" for count, mib in found.get("memory", [])]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="genlab bench pages", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--times", type=int, default=15, help="reruns of each page")
    parser.add_argument("--reruns", type=int, default=0, help="reruns over which memory is watched")
    parser.add_argument("--port", type=int, default=8811)
    parser.add_argument("--json", type=Path, help="where everything is kept")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), chosen.port, chosen.times, chosen.reruns)
    print(table(found))
    if chosen.json:
        write_json(chosen.json, found)


if __name__ == "__main__":
    main()
