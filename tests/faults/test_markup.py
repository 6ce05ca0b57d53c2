"""What people write is text, wherever it is shown: a browser looks for what would have become of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
import small
from PIL import Image

from genlab.cli.bring import free_port
from genlab.experiment.runner import begin, work
from genlab.runs.events import Finished, Warned
from genlab.runs.files import read_json, write_json
from genlab.runs.store import Run

from app_browser import PAGES, Visitor, chromium, server  # isort: skip
from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

TAG = '<b class="planted">P</b>'
PLANTED = (
    f'{TAG}<img src=x onerror="window.planted=1"> **planted** [planted](javascript:window.planted=1) '
    "$x_planted$ `planted` :red[planted]"
)
NAME = '<b class="planted">P<b> **planted** $x_planted$ `planted` :red[planted]'  # of a file: it has no slash
BECAME = """() => [
    ...(window.planted === undefined ? [] : ["it ran"]),
    ...[...document.querySelectorAll(
        '.planted, a[href^="javascript:"], strong, em, code, a, .katex, [style*="color"]')]
        .filter((each) => each.matches('.planted, a[href^="javascript:"]')
            || /^\\s*x?_?planted\\s*$/.test(each.textContent))
        .map((each) => `${each.closest('[data-testid]')?.dataset.testid}: ${each.outerHTML.slice(0, 99)}`),
]"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs, a set of pictures with classes, and all that was written about them, by somebody with ideas."""
    folder = tmp_path_factory.mktemp("home")
    rng = np.random.default_rng(0)
    for label in (NAME, "plain"):
        (folder / NAME / label).mkdir(parents=True)
        for number in range(12):
            pixels = rng.integers(0, 256, (8, 8), np.uint8)
            Image.fromarray(pixels).save(folder / NAME / label / f"{number}.png")
    for family in ("vae", "gan"):
        run = begin(
            small.tiny(family, "training.sample_every=3").model_copy(
                update={"data": small.tiny(family, f"data.name={folder / NAME}", "data.size=8").data}
            ),
            out=folder / "runs" / f"{family} {NAME}",
        )
        for _ in work(run):
            pass
        write_json(run.path / "note.json", {"title": PLANTED, "text": PLANTED, "tags": [TAG, PLANTED]})
        spoil(run)
    return folder


def spoil(run: Run) -> None:
    """Words of a run that nobody but its worker writes, if it is an honest one."""
    config = read_json(run.path / "config.json")
    write_json(run.path / "config.json", config | {"recipe": PLANTED})
    run.append(Warned(7, PLANTED, PLANTED, PLANTED))
    run.append(Finished(7, "failed", 1.0, PLANTED))


def test_on_every_page_it_stays_text(browser: Browser, home: Path, tmp_path: Path) -> None:
    port = free_port(8900)
    visitor = Visitor(browser, port, "light", tmp_path)
    seen, became = [], {}
    with server(home, port):
        for page in ("", *PAGES):
            for run in ("", f"vae {NAME}", f"gan {NAME}"):
                visitor.visit(page + (f"?run={quote(run)}" if run else ""))
                visitor.settle()
                became[f"{page} of {run or 'no run'}"] = visitor.page.evaluate(BECAME)
                text = visitor.page.locator("body").inner_text()
                seen += [page] if TAG in text or NAME in text else []
                assert "Traceback" not in text
    assert {place: what for place, what in became.items() if what} == {}
    assert {"runs", "train", "generate"} <= set(seen), "it was hardly shown at all"
    assert not [words for words in visitor.complaints if "planted" in words]
