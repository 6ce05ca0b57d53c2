from __future__ import annotations

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import psutil
import pytest

from genlab.errors import UserError
from genlab.runs.events import Adopted, Event, Finished, Metrics, Saved, Started, Warned, to_line
from genlab.runs.files import read_json, replacing, write_json
from genlab.runs.store import Run, create_run, find_run, list_runs, runs_root
from genlab.runs.worker import begun

CONFIG = {"family": "vae"}


def started(step: int = 0, steps: int = 100) -> Started:
    return Started(step, steps, 0.0, {})


def test_runs_are_numbered(runs: Path) -> None:
    names = [create_run(label, CONFIG).name for label in ("vae-mnist", "gan-mnist", "vae-mnist")]
    assert names == ["001-vae-mnist", "002-gan-mnist", "003-vae-mnist"]
    assert [run.name for run in list_runs()] == names
    (runs / "041-by-hand").mkdir()
    assert create_run("vae", CONFIG).name == "042-vae"
    assert "041-by-hand" not in [run.name for run in list_runs()], "no config, no run"


def test_a_run_can_be_put_anywhere(runs: Path, tmp_path: Path) -> None:
    run = create_run("vae", CONFIG, tmp_path / "deep" / "here")
    assert run.path == tmp_path / "deep" / "here"
    assert run.config() == CONFIG
    assert not runs.exists()


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path, tmp_path / "file"):
        with pytest.raises(UserError, match="--out"):
            create_run("vae", CONFIG, out)
    with pytest.raises(UserError, match="--out"):
        create_run("vae", CONFIG, tmp_path / "file" / "below")
    assert (tmp_path / "file").read_text() == "mine"


def test_runs_are_found(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = create_run("vae-mnist", CONFIG), create_run("gan-mnist", CONFIG)
    third = create_run("vae-kmnist", CONFIG)
    for index, run in enumerate((first, third, second)):
        os.utime(run.path / "config.json", (index, index))
    assert find_run("latest").name == second.name
    assert find_run("002").name == second.name
    assert find_run(first.name).name == first.name
    assert find_run(str(first.path)).path == first.path
    monkeypatch.chdir(runs)
    assert find_run("003-vae-kmnist").path.resolve() == third.path.resolve()


def test_a_whole_name_wins_over_longer_ones(runs: Path) -> None:
    run = create_run("", CONFIG, runs / "001-vae")
    create_run("", CONFIG, runs / "001-vae-mnist")
    assert find_run("001-vae").path == run.path


def test_runs_that_are_not_there(runs: Path) -> None:
    with pytest.raises(UserError, match=r"no run in .*genlab train"):
        find_run("latest")
    create_run("vae-mnist", CONFIG), create_run("vae-kmnist", CONFIG)
    with pytest.raises(UserError, match=r"fits 2 runs .*001-vae-mnist, 002-vae-kmnist"):
        find_run("00")
    with pytest.raises(UserError, match=r"no run is called '003'.*genlab runs"):
        find_run("003")


def test_the_root_is_the_environment_s(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert runs_root() == runs
    monkeypatch.delenv("GENLAB_RUNS")
    assert runs_root() == Path("runs")


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert list(run.events()) == []
    run.append(started())
    with (tmp_path / "events.jsonl").open("ab") as file:
        file.write('{"event": "saved", "path": "é'.encode()[:-1])  # in the middle of a character
    assert list(run.events()) == [started()]
    run.rewind(0)
    run.append(Saved(0, "x"))
    assert list(run.events()) == [started(), Saved(0, "x")]


def test_a_line_that_grows_while_it_is_read_is_not_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that comes to the end of the file in the middle of a line finds the rest at its next look."""
    run = Run(tmp_path)
    run.append(started())
    whole, more = to_line(started()), to_line(Saved(0, "x"))
    looks = iter([whole, more[:20], more[20:]])
    monkeypatch.setattr(Path, "open", lambda *_, **__: nullcontext(looks))
    assert list(run.events()) == [started()]


def test_rewinding_drops_what_came_later_and_every_end(tmp_path: Path) -> None:
    run = Run(tmp_path)
    metrics = [Metrics(step, {}, float(step), step) for step in range(6)]
    happened: list[Event] = [started(), *metrics, Finished(5, "stopped", 5.0)]
    for event in happened:
        run.append(event)
    run.rewind(3)
    assert list(run.events()) == [started(), *metrics[:4]]


def test_the_status_of_a_run(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert (run.status()["state"], run.status()["step"]) == ("new", 0)
    run.append(started(steps=9))
    assert run.status()["state"] == "interrupted", "begun, no end, nobody there"
    run.append(Metrics(4, {"elbo": -1.0}, 2.5, 40))
    run.append(Finished(4, "failed", 2.5, "why"))
    expected = {"state": "failed", "step": 4, "steps": 9, "seconds": 2.5, "detail": "why"}
    assert run.status() == {**expected, "metrics": {"elbo": -1.0}, "warning": None}
    run.append(started(step=4, steps=9))
    assert (run.status()["state"], run.status()["detail"]) == ("interrupted", "")
    for step in (5, 7):
        run.append(Warned(step, "divergence", "the loss runs away", "learn slower"))
    assert run.status()["warning"] == {
        "step": 7, "detector": "divergence", "sentence": "the loss runs away", "advice": "learn slower",
    }  # fmt: skip
    assert [event.step for event in run.all(Warned)] == [5, 7]


def test_the_receipt_is_the_log_s(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert run.receipt() is None
    run.append(Adopted(0, {"tensors": 3}))
    run.append(Saved(0, "x"))
    assert run.receipt() == {"tensors": 3}


def test_one_worker_at_a_time(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert not run.alive()
    run.claim()
    assert not run.alive(), "this very process is no other one"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        noted = {"pid": other.pid, "created": begun(psutil.Process(other.pid))}
        write_json(tmp_path / "worker.json", noted)
        assert run.alive()
        assert run.status()["state"] == "running"
        with pytest.raises(UserError, match="another process"):
            run.claim()
        write_json(tmp_path / "worker.json", {**noted, "created": noted["created"] - 60})
        assert not run.alive(), "a later process of the same number"
        write_json(tmp_path / "worker.json", noted)
        other.communicate(b"\n")
    assert not run.alive(), "it has ended"
    run.claim()
    run.release()
    assert not (tmp_path / "worker.json").exists()
    run.release()


@pytest.mark.parametrize("noted", [{}, [], {"pid": "x", "created": 1}, {"pid": -5, "created": 1}, 7])
def test_a_strange_note_is_nobody(tmp_path: Path, noted: object) -> None:
    write_json(tmp_path / "worker.json", noted)
    assert not Run(tmp_path).alive()


def test_requests(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert not run.stop_requested()
    run.request_stop()
    run.request_stop()
    assert run.stop_requested()
    run.clear_requests()
    run.clear_requests()
    assert not run.stop_requested()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_json(path, {"a": 1})

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert read_json(path) == {"a": 1}
    assert os.listdir(tmp_path) == ["file.json"], "nothing is left behind"


@pytest.mark.parametrize("text", ["", "{", "nan,", "\xff" * 3, "[" * 100_000])
def test_what_is_no_json_gets_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match="not valid JSON"):
        read_json(path)


def test_a_config_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        Run(tmp_path).config()
    write_json(tmp_path / "config.json", [1])
    with pytest.raises(UserError, match="not the config of a run"):
        Run(tmp_path).config()
    (tmp_path / "config.json").unlink()
    with (tmp_path / "config.json").open("wb") as file:
        file.truncate(2**27)
    with pytest.raises(UserError, match="larger than 64 MB"):
        Run(tmp_path).config()


def test_where_a_file_system_has_no_locks_the_note_alone_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import filelock

    def none(*_: object, **__: object) -> None:
        raise NotImplementedError("this file system has no locks")

    monkeypatch.setattr(filelock.FileLock, "acquire", none)
    run = create_run("vae", CONFIG, tmp_path / "run")
    run.claim()
    assert (run.path / "worker.json").exists()
    run.release()
    assert not (run.path / "worker.json").exists()
    other = psutil.Process(os.getppid())
    write_json(run.path / "worker.json", {"pid": other.pid, "created": begun(other), "paused": False})
    with pytest.raises(UserError, match="is being trained by another process"):
        run.claim()
