"""The app's pages without a browser: how a test opens one, and what it reads on it."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import pytest

pytest.importorskip("streamlit")

from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from genlab.app import launches, main
from genlab.app.launches import Launch
from genlab.recipes import recipe
from genlab.runs.events import Finished, Metrics, Started
from genlab.runs.files import write_json
from genlab.runs.store import Run, create_run
from genlab.runs.worker import begun

ELBO = {"elbo": -101.0, "reconstruction": 80.0, "kl": 21.0, "beta": 1.0}


def open_page(name: str = "start", checked: bool = True, /, **address: str) -> AppTest:
    """The page called `name` in the app's navigation, with `address` as its query."""
    page = AppTest.from_file(main.__file__, default_timeout=60)
    for key, value in address.items():
        page.query_params[key] = value
    page._page_hash = calc_hash(name) if name != "start" else ""  # AppTest.switch_page knows only files
    page.run()
    if checked:
        assert not page.exception, [each.value for each in page.exception]
    return page


def where(page: AppTest) -> str:
    """The name of the page that is shown, as in its address; "" for the first."""
    found: Any = page._registered_pages.get(page._finished_page_script_hash, {})
    return str(found.get("url_pathname", ""))


def texts(page: AppTest) -> str:
    """Every word on the page."""
    elements = [*page.markdown, *page.caption, *page.info, *page.error, *page.warning]
    return "\n".join(str(element.value) for element in elements)


def keys(page: AppTest) -> set[str]:
    return {str(button.key) for button in page.button}


def shown(page: AppTest, kind: str) -> str:
    """Everything of one kind that AppTest has no class for, as "progress" or "html"."""
    return "\n".join(str(element.proto) for element in page.get(kind))


def synthetic(label: str, *, steps: int = 1000, done: int = 500, end: str = "") -> Run:
    """A run that no worker wrote."""
    run = create_run(label, recipe("vae").model_dump(mode="json"))
    run.append(Started(0, steps, time.time(), {}))
    for step in range(20, done + 1, 20):
        run.append(Metrics(step, ELBO, step * 0.01, step * 128))
    if end:
        run.append(Finished(done, end, done * 0.01, "the loss is nan" if end == "failed" else ""))
    return run


def launch_of(path: Path, pid: int, said: str = "", seconds: float | None = 60) -> Launch:
    """What a start leaves behind, with the process `pid` as the worker."""
    path.mkdir(parents=True, exist_ok=True)
    launches.folder().mkdir(exist_ok=True)
    launches.log_path(path.name).write_text(said, "utf-8")
    created = begun(psutil.Process(pid)) if psutil.pid_exists(pid) else 0.0
    launch = Launch(str(path.resolve()), "vae", pid, created, time.time(), seconds)
    write_json(launches.folder() / f"{path.name}.json", asdict(launch))
    return launch
