"""Reading a run as it grows, starting a worker, and the curves."""

from __future__ import annotations

import base64
import re
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import psutil
import pytest

pytest.importorskip("streamlit")

from genlab.app import launches
from genlab.app.following import POINTS, Curves, Follower
from genlab.app.live import curves as charts
from genlab.app.style import plain
from genlab.recipes import recipe
from genlab.runs.events import Finished, Metrics, Samples, Saved, Started, to_line
from genlab.runs.store import Run, create_run


@pytest.fixture
def run(runs: Path) -> Run:
    return create_run("vae-mnist", recipe("vae").model_dump(mode="json"))


def log(run: Run, first: int, last: int) -> None:
    with (run.path / "events.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(to_line(metrics(step)) for step in range(first, last + 1))


def metrics(step: int) -> Metrics:
    return Metrics(step, {"elbo": -100 - 100 / step}, step * 0.5, step * 64)


def test_a_follower_looks_only_at_what_was_added(run: Run) -> None:
    follower = Follower(run.path)
    log(run, 1, 30)
    assert follower.read().curves.steps == list(range(1, 31))
    events = run.path / "events.jsonl"
    with events.open("r+b") as file:  # what was read is made unreadable, in place
        file.write(b"#" * (events.stat().st_size - 1))
    log(run, 31, 40)
    assert follower.read().curves.steps == list(range(1, 41))


def test_a_follower_waits_for_the_end_of_a_torn_line(run: Run) -> None:
    follower = Follower(run.path)
    whole = to_line(metrics(1))
    with (run.path / "events.jsonl").open("a", encoding="utf-8") as file:
        file.write(whole[:20])
        file.flush()
        assert follower.read().step == 0
        file.write(whole[20:])
    assert follower.read().step == 1


def test_a_follower_starts_over_where_the_events_were_rewound(run: Run) -> None:
    follower = Follower(run.path)
    log(run, 1, 30)
    run.append(Finished(30, "stopped", 15.0))
    assert follower.read().state == "stopped"
    run.rewind(20)
    run.append(Started(20, 100, time.time(), {}))
    progress = follower.read()
    assert progress.curves.steps == list(range(1, 21))
    assert progress.state == "interrupted"  # no worker is alive


def test_what_a_follower_says_is_what_the_run_says(run: Run) -> None:
    run.append(Started(0, 100, time.time(), {}))
    log(run, 1, 50)
    run.append(Samples(50, "samples", "samples/samples-0000050.png"))
    run.append(Saved(50, "checkpoints/step-0000050.safetensors"))
    progress, status = Follower(run.path).read(), run.status()
    for key in ("state", "step", "steps", "seconds", "detail"):
        assert getattr(progress, key) == status[key]
    assert progress.saved == 50
    assert progress.sheets == {"samples": "samples/samples-0000050.png"}
    assert progress.rate == pytest.approx(128)
    assert progress.left == pytest.approx(25)


def test_curves_stay_small_and_keep_their_ends() -> None:
    curves = Curves()
    for step in range(1, 100_001):
        curves.add(metrics(step))
    assert POINTS // 2 < len(curves.steps) <= POINTS
    assert curves.steps[0] == 1
    assert curves.steps[-1] > 99_000
    assert len(curves.raw["elbo"]) == len(curves.smooth["elbo"]) == len(curves.steps)
    assert curves.memory["elbo"] == pytest.approx(-100, abs=0.01)


def test_every_chart_is_a_picture_with_its_unit_its_values_and_its_sentence() -> None:
    for chart in charts.CHARTS:
        curves = Curves()
        for step in range(1, 50):
            curves.add(Metrics(step, {line.key: 1 / step for line in chart.lines}, step, step))
        shown = charts.markup(chart, list(chart.lines), curves, 100, dark=False)
        assert chart.unit in shown
        assert chart.sentence in shown
        assert 'alt="' in shown
        (source,) = re.findall(r"base64,([^\"]+)", shown)
        picture = ElementTree.fromstring(base64.b64decode(source))
        paths = picture.findall("{http://www.w3.org/2000/svg}path[@stroke-linejoin]")
        assert len(paths) == 2 * len(chart.lines)
        assert len({path.get("stroke") for path in paths}) == len(chart.lines)


@pytest.mark.parametrize("values", [(0.0, 0.0), (3.0, 3.0), (-1e-9, 1e-9), (-550.0, -90.0), (1e6, 2e6)])
def test_a_scale_holds_its_values_between_few_round_ticks(values: tuple[float, float]) -> None:
    curves = Curves([1, 2], {"elbo": list(values)}, {"elbo": list(values)})
    low, high, ticks = charts.scale(curves, list(charts.CHARTS[0].lines), None)
    assert low <= min(values) <= max(values) <= high
    assert 2 <= len(ticks) <= 6
    assert ticks[0] == low
    assert ticks[-1] == high


def test_plain_leaves_nothing_to_markdown() -> None:
    assert plain("001-vae-mnist") == "001-vae-mnist"
    assert plain("a\n<b>") == r"a \<b\>"


def python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: str) -> None:
    """Let `launches` start a script in the place of genlab."""
    script = tmp_path / "python"
    script.write_text(f"#!{sys.executable}\n{body}\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))


@pytest.mark.skipif(sys.platform == "win32", reason="a script with a #! line stands in for Python")
def test_a_worker_is_detached_found_again_and_cancelled(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python(monkeypatch, tmp_path, "import sys, time; print(sys.argv[1:], flush=True); time.sleep(60)")
    launch = launches.begin("vae", "mnist", 5, ["--set", "training.threads=1"])
    process = psutil.Process(launch.pid)
    import os

    assert os.getsid(launch.pid) == launch.pid != os.getsid(0)  # type: ignore[attr-defined,unused-ignore]
    (again,) = launches.unborn()
    assert again == launch
    assert again.alive()
    deadline = time.monotonic() + 10
    while not launch.log() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert launch.log()[0].startswith("['-m', 'genlab.cli', 'train', 'vae', '--seconds', '5', '--out'")
    launches.cancel(launch)
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    assert launches.unborn() == []
    assert not Path(launch.path).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="a script with a #! line stands in for Python")
@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("import sys; sys.exit('genlab: there is no such thing')", "there is no such thing"),
        ("raise MemoryError('all of it')", "MemoryError: all of it"),
        ("pass", "it ended without a word"),
        ("print('trained')", ""),
    ],
)
def test_the_last_words_of_a_worker_are_its_complaint(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, complaint: str
) -> None:
    python(monkeypatch, tmp_path, body)
    launch = launches.begin("vae", "mnist", 5, [])
    deadline = time.monotonic() + 10
    while launch.alive() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert launch.complaint() == complaint


def test_two_starts_get_two_folders(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths: list[Path] = []
    monkeypatch.setattr(launches, "spawn", lambda path, *rest: paths.append(path))
    launches.begin("vae", "mnist", 5, [])
    launches.begin("vae", "mnist", 5, [])
    assert [path.name for path in paths] == ["001-vae-mnist", "002-vae-mnist"]
