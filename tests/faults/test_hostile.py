"""No file that is read executes anything, hangs, or ends in a traceback. (`scripts/faults` tries 100 000.)"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("files are given a time limit by a signal that Windows lacks", allow_module_level=True)

import small

from faults.hostile import Outcome, bomb, campaign, largest
from faults.targets import Target, targets
from genlab.data.npz import read_npz
from genlab.errors import UserError
from genlab.experiment.runner import begin, work
from genlab.experiment.trained import open_run

NAMES = (
    "checkpoint", "checkpoint note", "config", "event log", "change log", "note", "request", "picture",
    "npz", "idx", "report", "shards' manifest", "shard", "zip of pictures", "downloaded zip",
    "in a downloaded zip", "downloaded tar",
)  # fmt: skip


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Target]:
    return targets(tmp_path_factory.mktemp("hostile"))


def test_all_of_them_are_tried(readers: dict[str, Target]) -> None:
    assert readers.keys() == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_sound_files_are_taken(readers: dict[str, Target], name: str, tmp_path: Path) -> None:
    for file, data in readers[name].files.items():
        (tmp_path / file).write_bytes(data)
        readers[name].read(tmp_path / file)


@pytest.mark.parametrize("name", NAMES)
def test_changed_files_are_taken_or_refused_in_a_sentence(
    readers: dict[str, Target], name: str, tmp_path: Path
) -> None:
    outcome = campaign(readers[name], tmp_path, tries=300, seed=0)
    assert outcome.finds == []
    assert outcome.grown < 1024


def test_finds_would_be_told(tmp_path: Path) -> None:
    def clumsy(path: Path) -> object:
        return path.read_bytes().decode("ascii")

    outcome: Outcome = campaign(Target({"a.txt": b"all ascii, for now"}, clumsy), tmp_path, 100, 0)
    assert outcome.finds
    assert all("UnicodeDecodeError" in find for find in outcome.finds)
    assert len(list(tmp_path.glob("find-*"))) == len(outcome.finds)


def test_a_process_that_a_file_started_would_be_told(tmp_path: Path) -> None:
    def careless(path: Path) -> object:
        import subprocess

        return subprocess.run([sys.executable, "-c", ""], check=True)

    outcome = campaign(Target({"a.txt": b"x" * 99}, careless), tmp_path, 1, 0)
    assert "subprocess.Popen" in outcome.finds[0]


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        ("encoder", "hidden", 8192), ("decoder", "width", 1024), ("", "latent_dim", 2048),
        ("shape", "", [1, 10**6, 10**6]), ("shape", "", [3, 1024, 1024]),
    ],
)  # fmt: skip
def test_a_config_of_a_model_that_would_fill_the_memory_is_refused(
    tmp_path: Path, blots: Path, place: str, name: str, value: object
) -> None:
    run = begin(small.tiny("vae", f"data.name={blots}"), out=tmp_path / "run")
    list(work(run))
    config = run.config()
    if place == "shape":
        config["data"]["shape"] = value
    else:
        section = config["network"][place] if place else config["network"]
        section |= {name: value, **({"depth": 8} if name == "hidden" else {})}
    (run.path / "config.json").write_text(json.dumps(config), "utf-8")
    before = largest()
    with pytest.raises(UserError, match=r"made by another|another config|has shape"):
        open_run(run)
    assert largest() - before < 256


def test_an_archive_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    path.write_bytes(bomb())
    with pytest.raises(UserError, match=r"claims the shape|would expand|would take"):
        read_npz(path)
