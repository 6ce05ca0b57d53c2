"""What a disk can do to a run: the last good checkpoint is found, what is damaged is named and set aside."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faults.cases import Prepared, copied, prepare
from faults.nursery import Nursery
from faults.sameness import differences, files, log
from genlab.errors import UserError
from genlab.runs.events import Warned
from genlab.runs.store import DAMAGED, Run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked here")


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as opened:
        yield opened


@pytest.fixture(scope="module")
def prepared(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare("gan from a vae", tmp_path_factory.mktemp("storage") / "case", nursery)


@pytest.fixture
def halfway(prepared: Prepared, nursery: Nursery, tmp_path: Path) -> Run:
    """Killed where it had come about half its way, with two checkpoints."""
    run = copied(prepared.fresh, tmp_path / "half way")
    assert nursery.run("train", run.path, at=prepared.instants // 2).how == "killed"
    assert len(list(run.checkpoints.glob("step-*.safetensors"))) >= 2
    return run


def warnings(run: Run) -> list[Warned]:
    return [event for event in run.all(Warned) if event.detector == "storage"]


# A write that fails


@pytest.mark.parametrize("fault", ["ENOSPC", "EIO", "EROFS", "EDQUOT"])
def test_a_disk_that_fails_once_costs_no_more_than_a_kill(
    prepared: Prepared, nursery: Nursery, tmp_path: Path, fault: str
) -> None:
    rng = random.Random(fault)
    for number in range(4):
        run = copied(prepared.fresh, tmp_path / f"{fault}-{number}")
        at = rng.randint(1, prepared.instants)
        end = nursery.run("train", run.path, at=at, fault=fault)
        assert end.how == "failed", at
        assert os.strerror(getattr(errno, fault)) in end.words
        assert "\n" not in end.words, end.words
        assert nursery.run("train", run.path).how == "done"
        assert differences(run, prepared.whole) == [], at


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.999])
def test_a_write_that_stops_half_way_costs_no_more_than_a_kill(
    prepared: Prepared, nursery: Nursery, tmp_path: Path, share: float
) -> None:
    """No file may be larger than a share of a checkpoint; the bytes up to there are written."""
    run = copied(prepared.fresh, tmp_path / "run")
    largest = max(path.stat().st_size for path in prepared.whole.checkpoints.glob("*.safetensors"))
    end = nursery.run("train", run.path, limit=int(share * largest))
    assert end.how == "failed"
    assert "\n" not in end.words, end.words
    assert nursery.run("train", run.path).how == "done"
    assert differences(run, prepared.whole) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 2 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    words = [mount or "", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if mount is None or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("left", [4, 24, 60, 100, 160])
def test_a_disk_that_is_full_costs_no_more_than_a_kill(
    prepared: Prepared, nursery: Nursery, small_disk: Path, left: int
) -> None:
    """So many KiB are left on it when the training begins; then somebody makes room."""
    run = copied(prepared.fresh, small_disk / "run")
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free - left * 1024))
    end = nursery.run("train", run.path)
    assert end.how == "failed", "there was room for all of it"
    assert os.strerror(errno.ENOSPC) in end.words
    assert "\n" not in end.words, end.words
    ballast.unlink()
    assert nursery.run("train", run.path).how == "done"
    assert differences(run, prepared.whole) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_only_read_is_refused(prepared: Prepared, nursery: Nursery, tmp_path: Path) -> None:
    run = copied(prepared.fresh, tmp_path / "run")
    run.path.chmod(0o555)
    end = nursery.run("train", run.path)
    run.path.chmod(0o755)
    assert end.how == "failed"
    assert "\n" not in end.words


# A checkpoint that is damaged


def truncated(path: Path, rng: random.Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: rng.randrange(len(data))])


def flipped(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def overwritten(path: Path, rng: random.Random) -> None:
    path.write_bytes(b"\0" * path.stat().st_size)


def newest(run: Run) -> Path:
    return max(run.checkpoints.glob("step-*.safetensors"))


@pytest.mark.parametrize("damage", [truncated, flipped, overwritten])
@pytest.mark.parametrize("suffix", [".safetensors", ".json"])
def test_the_checkpoint_before_takes_a_damaged_one_s_place(
    prepared: Prepared, nursery: Nursery, halfway: Run, damage: Callable[..., None], suffix: str
) -> None:
    path = newest(halfway)
    damage(path.with_suffix(suffix), random.Random(suffix))
    end = nursery.run("train", halfway.path)
    assert end.how == "done", end.words
    assert (halfway.checkpoints / f"damaged-{path.name}").exists()
    (warning,) = warnings(halfway)
    assert f"damaged-{path.name}" in warning.sentence
    aside = list(halfway.checkpoints.glob("damaged-*"))
    assert len(aside) == 2
    for each in aside:
        each.unlink()
    assert differences(halfway, prepared.whole) == []


@pytest.mark.parametrize("suffix", [".safetensors", ".json"])
def test_one_that_is_missing_is_as_if_it_had_not_been_written(
    prepared: Prepared, nursery: Nursery, halfway: Run, suffix: str
) -> None:
    newest(halfway).with_suffix(suffix).unlink()
    assert nursery.run("train", halfway.path).how == "done"
    assert differences(halfway, prepared.whole) == []


def test_where_none_is_whole_it_begins_anew_from_the_decoder_it_was_given(
    prepared: Prepared, nursery: Nursery, halfway: Run
) -> None:
    for path in halfway.checkpoints.glob("step-*.safetensors"):
        overwritten(path, random.Random(0))
    end = nursery.run("train", halfway.path)
    assert end.how == "done", end.words
    assert [warning.step for warning in warnings(halfway)] == [0, 0]
    assert all("training begins anew" in warning.sentence for warning in warnings(halfway))
    for path in halfway.checkpoints.glob("damaged-*"):
        path.unlink()
    assert differences(halfway, prepared.whole) == []


def test_a_damaged_line_of_the_log_is_set_aside(prepared: Prepared, nursery: Nursery, halfway: Run) -> None:
    path = halfway.path / "events.jsonl"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    number = next(index for index, line in enumerate(lines) if json.loads(line)["event"] == "samples")
    damaged = lines[number] = lines[number].replace('"', "'", 1)
    path.write_text("".join(lines), "utf-8")
    with pytest.raises(UserError, match=rf"line {number + 1} of .*events\.jsonl is damaged .*--resume"):
        list(halfway.events())
    assert nursery.run("train", halfway.path).how == "done"
    assert (halfway.path / DAMAGED).read_text("utf-8") == damaged
    (warning,) = warnings(halfway)
    assert DAMAGED in warning.sentence
    assert files(halfway) == files(prepared.whole)
    assert len(log(halfway)) == len(log(prepared.whole)) - 1


@pytest.mark.parametrize(
    ("place", "name", "value", "what"),
    [
        ("training", "ema", 0.5, "is not the config that step-"),
        ("optimizer", "learning_rate", 0.5, "is not the config that step-"),
        ("training", "sample_every", 0, ""),  # which may differ
    ],
)
def test_a_config_that_was_changed_is_seen(
    nursery: Nursery, halfway: Run, place: str, name: str, value: float, what: str
) -> None:
    config = halfway.config()
    config[place][name] = value
    (halfway.path / "config.json").write_text(json.dumps(config), "utf-8")
    end = nursery.run("train", halfway.path)
    assert end.how == ("failed" if what else "done"), end.words
    assert what in end.words


# Where it lies, and who else is there


def test_two_can_not_train_one_run(nursery: Nursery, halfway: Run) -> None:
    before = (halfway.path / "events.jsonl").read_bytes()
    halfway.claim()
    try:
        end = nursery.run("train", halfway.path)
        assert end.how == "failed"
        assert "half way is being trained by another process" in end.words
        (halfway.path / "worker.json").unlink()  # nor where the note is gone: the system holds the lock
        assert nursery.run("train", halfway.path).how == "failed"
    finally:
        halfway.release()
    assert (halfway.path / "events.jsonl").read_bytes() == before
    assert nursery.run("train", halfway.path).how == "done"


@pytest.mark.parametrize("name", ["with spaces", "Zahlen – größer, 数字", "x" * 200])
def test_a_run_that_was_moved_goes_on(
    prepared: Prepared, nursery: Nursery, halfway: Run, tmp_path: Path, name: str
) -> None:
    target = tmp_path / "another folder" / name
    target.parent.mkdir()
    shutil.move(halfway.path, target)
    end = nursery.run("train", target)
    assert end.how == "done", end.words
    assert differences(Run(target), prepared.whole) == []


def test_a_clock_that_jumps_back_changes_nothing(prepared: Prepared, nursery: Nursery, halfway: Run) -> None:
    lines = [json.loads(line) for line in (halfway.path / "events.jsonl").read_text("utf-8").splitlines()]
    for line in lines:
        if line["event"] == "started":
            line["time"] += 10**6  # it began in what is now the future
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (halfway.path / "events.jsonl").write_text(text, "utf-8")
    for path in halfway.path.rglob("*"):
        os.utime(path, (4e9, 4e9))
    assert nursery.run("train", halfway.path).how == "done"
    assert differences(halfway, prepared.whole) == []
