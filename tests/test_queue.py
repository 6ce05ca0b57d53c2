"""Trainings that are started from the app take turns, in the order in which they were started."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

pytest.importorskip("streamlit")

from working import until

from genlab.app import entries, launches
from genlab.app.launches import Launch
from genlab.recipes import recipe
from genlab.runs.events import Finished, Metrics, Started
from genlab.runs.store import Run, create_run

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="a script with a #! line stands in for Python"
)

# The turn is the real one; in the place of `genlab train` stands one that says so, until it is let go.
PYTHON = """#!{python}
import sys, time
from pathlib import Path

if sys.argv[1:3] == ["-m", "genlab.app.turn"]:
    from genlab.app import turn

    turn.main(sys.argv[3:])
assert sys.argv[1:4] == ["-m", "genlab.cli", "train"], sys.argv
run = Path(sys.argv[sys.argv.index("--out" if "--out" in sys.argv else "--resume") + 1])
with open("{order}", "a") as file:
    file.write(run.name + "\\n")
print("it trains", flush=True)
while not (run.parent / ("let-go-" + run.name)).exists():
    time.sleep(0.01)
"""


@pytest.fixture
def order(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The names of those that have begun to train, one a line; whoever is left in the end is ended."""
    script, path = tmp_path / "python", tmp_path / "order"
    script.write_text(PYTHON.format(python=sys.executable, order=path))
    script.chmod(0o755)
    path.touch()
    monkeypatch.setattr(sys, "executable", str(script))
    yield path
    for launch in launches.every():
        launches.cancel(launch)


def begin(label: str, after: Launch | None = None) -> Launch:
    return launches.begin("vae", label, 5, [], after)


def let_go(launch: Launch, checkpoint: bool = False) -> None:
    """Let one that trains end."""
    path = Path(launch.path)
    if checkpoint:
        (path / "checkpoints").mkdir()
        (path / "checkpoints" / "step-0000001.json").touch()
    (path.parent / f"let-go-{path.name}").touch()
    until(lambda: not launch.alive())


def began(order: Path) -> list[str]:
    return order.read_text().split()


def state(launch: Launch) -> str:
    return entries.read(Path(launch.path)).state


def test_one_at_a_time_in_their_order(order: Path) -> None:
    first, second, third = (begin(label) for label in "abc")
    until(lambda: began(order) == [first.name])
    assert [launches.waiting_for(each) for each in (first, second, third)] == [[], [first], [first, second]]
    assert [state(each) for each in (first, second, third)] == ["starting", "waiting", "waiting"]
    assert second.log() == []
    time.sleep(1.2)
    assert began(order) == [first.name]
    let_go(first)
    until(lambda: began(order) == [first.name, second.name])
    assert launches.waiting_for(third) == [second]
    assert launches.find(Path(second.path)) == second
    assert second.alive(), "it is the process that was started, and trains now"
    assert second.log() == ["it trains"]
    let_go(second)
    until(lambda: began(order) == [first.name, second.name, third.name])
    let_go(third)
    assert launches.waiting_for(third) == []


def test_who_waits_can_be_cancelled_and_leaves_nothing(order: Path, runs: Path) -> None:
    first, second, third = (begin(label) for label in "abc")
    until(lambda: began(order) == [first.name])
    launches.cancel(second)
    assert not second.alive()
    assert not Path(second.path).exists()
    assert [path.name for path in launches.folder().glob("*-b*")] == []
    assert launches.waiting_for(third) == [first]
    let_go(first)
    until(lambda: began(order) == [first.name, third.name])


def test_who_was_ended_from_outside_is_not_waited_for(order: Path) -> None:
    first, second = begin("a"), begin("b")
    until(lambda: began(order) == [first.name])
    psutil.Process(first.pid).kill()
    until(lambda: began(order) == [first.name, second.name])
    assert state(first) == "not started"


@pytest.mark.slow
def test_several_servers_at_one_moment(order: Path, tmp_path: Path) -> None:
    """Each has its own turn, and no two train at once."""
    body = (
        f"import sys, time\nsys.executable = {str(tmp_path / 'python')!r}\nfrom genlab.app import launches\n"
        "import filelock\ntime.sleep(max(0, float(sys.argv[1]) - time.time()))\n"
        "print(launches.begin('vae', sys.argv[2], 5, []).turn)"
    )
    python, moment = (tmp_path / "python").read_text().splitlines()[0][2:], time.time() + 2
    servers = [
        subprocess.Popen([python, "-c", body, str(moment), label], stdout=subprocess.PIPE, text=True)
        for label in "abcd"
    ]
    turns = [int(server.communicate(timeout=60)[0]) for server in servers]
    assert sorted(turns) == [1, 2, 3, 4]
    for done in range(4):
        until(lambda done=done: len(began(order)) == done + 1)  # type: ignore[misc]
        time.sleep(0.7)
        assert len(began(order)) == done + 1
        (launch,) = [each for each in launches.every() if each.name == began(order)[-1]]
        assert launch.turn == done + 1
        let_go(launch)


def test_one_that_starts_from_another_waits_for_its_checkpoint(order: Path) -> None:
    vae = begin("a")
    gan = begin("b", after=vae)
    until(lambda: began(order) == [vae.name])
    assert gan.after == vae.path
    let_go(vae, checkpoint=True)
    until(lambda: began(order) == [vae.name, gan.name])


@pytest.mark.parametrize("end", [let_go, launches.cancel])
def test_without_one_it_says_so_and_the_next_goes_on(order: Path, end: Callable[[Launch], None]) -> None:
    vae = begin("a")
    gan, other = begin("b", after=vae), begin("c")
    until(lambda: began(order) == [vae.name])
    end(vae)
    until(lambda: began(order) == [vae.name, other.name])
    until(lambda: not gan.alive())
    assert gan.complaint() == (
        f"{vae.name}, which this one starts from, ended before it had a checkpoint; train that one, then "
        "start this one again"
    )
    assert len(gan.log()) == 1
    assert entries.read(Path(gan.path)).state == "not started"
    assert not Path(gan.path, "config.json").exists()


def test_to_resume_is_to_wait_too(order: Path) -> None:
    run = create_run("vae-mnist", recipe("vae").model_dump(mode="json"))
    run.append(Started(0, 100, time.time(), {}))
    run.append(Metrics(10, {"elbo": -100.0}, 1.0, 640))
    run.append(Metrics(20, {"elbo": -100.0}, 2.0, 1280))
    run.append(Finished(20, "stopped", 2.0))
    first = begin("a")
    until(lambda: began(order) == [first.name])
    second = launches.resume(run)
    assert state(second) == "waiting"
    assert launches.resume(run) == second, "pressed in two tabs, it is one resumption"
    third = begin("c")
    assert launches.waiting_for(third) == [first, second]
    assert launches.seconds_left([first]) == 5, "its budget, as it has not begun"
    assert launches.seconds_left([first, second]) == pytest.approx(5 + 8)
    assert launches.seconds_left([]) == 0
    launches.cancel(second)
    assert entries.read(run.path).state == "stopped"
    assert run.status()["step"] == 20
    assert launches.waiting_for(third) == [first]


def test_what_is_left_of_a_paused_run_nobody_knows(order: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = begin("a")
    assert launches.seconds_left([first]) == 5
    monkeypatch.setattr(Run, "working", lambda run: "paused")
    assert launches.seconds_left([first]) is None


def test_who_waits_is_small_and_still(order: Path) -> None:
    first, second = begin("a"), begin("b")
    process = psutil.Process(second.pid)

    def used() -> float:
        return float(sum(process.cpu_times()[:2]))

    def has_begun() -> bool:
        before = used()
        time.sleep(0.5)
        return 0 < before == used()

    until(has_begun)
    before = used()
    assert process.memory_info().rss < 40 * 2**20
    time.sleep(2)
    assert used() - before <= 0.03
    assert launches.waiting_for(second) == [first]


def test_notes_of_before_there_was_a_queue_are_read(order: Path) -> None:
    import json

    first = begin("a")
    note = launches.folder() / f"{first.name}.json"
    kept = json.loads(note.read_text())
    del kept["turn"], kept["after"]
    note.write_text(json.dumps(kept))
    second = begin("b")
    assert [each.name for each in launches.waiting_for(second)] == [first.name]


@pytest.mark.slow
def test_a_paused_training_keeps_its_turn_and_its_gan_comes_after(runs: Path) -> None:
    """With `genlab train` itself."""
    small = ["--set", "data.limit=256", "--set", "training.threads=1", "--set", "training.log_every=1"]
    vae = launches.begin("vae", "mnist", 600, small)
    gan = launches.begin("gan", "mnist", 2, ["--from", vae.path, *small], vae)
    run, heir = Run(Path(vae.path)), Run(Path(gan.path))
    try:
        until(lambda: run.status()["step"] > 20)
        run.request_change("learning_rate", 1e-4)
        run.request_pause()
        until(lambda: state(vae) == "paused")
        time.sleep(1.5)
        assert (state(vae), state(gan)) == ("paused", "waiting")
        assert launches.seconds_left(launches.waiting_for(gan)) is None
        run.request_step()
        until(lambda: run.moment() is not None)
        run.request_stop()
        until(lambda: not vae.alive())
        assert state(vae) == "stopped"
        assert any("learning rate 0.0001 from step" in line for line in vae.log())
        until(lambda: not gan.alive())
        assert state(gan) == "completed", gan.log()
        receipt = heir.receipt()
        assert receipt is not None
        assert receipt["source"] == run.name
    finally:
        for launch in (gan, vae):
            if launch.alive():
                psutil.Process(launch.pid).kill()
