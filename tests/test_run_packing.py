"""A run in a zip: everything needed is in it, nothing else, the same bytes each time, and it can be used."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tracemalloc
from pathlib import Path
from zipfile import ZipFile

import pytest

from genlab.experiment.trained import open_run
from genlab.runs.files import read_json
from genlab.runs.packing import command, pack, safe, snippet
from genlab.runs.store import Run, create_run, find_run


def packed(run: Run, tmp_path: Path, name: str = "run.zip") -> ZipFile:
    pack(run, tmp_path / name)
    return ZipFile(tmp_path / name)


def test_what_is_in_it(small_vae: Run, tmp_path: Path) -> None:
    (small_vae.path / "worker.json").write_text("{}")
    (small_vae.path / "note.json").write_text('{"title": "mine"}')
    archive = packed(small_vae, tmp_path)
    names = archive.namelist()
    root = small_vae.name
    steps = sorted(path.name for path in small_vae.checkpoints.glob("step-*.safetensors"))
    assert len(steps) == 2
    assert f"{root}/checkpoints/{steps[1]}" in names
    assert f"{root}/checkpoints/{steps[0]}" not in names, "the newest alone"
    for name in ("README.txt", "config.json", "events.jsonl", "note.json"):
        assert f"{root}/{name}" in names
    assert f"{root}/worker.json" not in names
    assert any(name.startswith(f"{root}/samples/") for name in names)
    assert len(names) == len(set(names))
    for name in names[1:]:
        assert archive.read(name) == (small_vae.path / name.removeprefix(f"{root}/")).read_bytes()


def test_the_best_checkpoint_comes_along(small_vae: Run, tmp_path: Path) -> None:
    newest = sorted(small_vae.checkpoints.glob("step-*.safetensors"))[-1]
    for kind in (".safetensors", ".json"):
        (small_vae.checkpoints / f"best{kind}").write_bytes(newest.with_suffix(kind).read_bytes())
    archive = packed(small_vae, tmp_path)
    assert f"{small_vae.name}/checkpoints/best.safetensors" in archive.namelist()
    assert f"{small_vae.name}@best" in archive.read(f"{small_vae.name}/README.txt").decode()


def test_equal_runs_give_equal_bytes(small_vae: Run, tmp_path: Path) -> None:
    digests = set()
    for name in ("a.zip", "b.zip"):
        packed(small_vae, tmp_path, name)
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1


def test_unpacked_elsewhere_it_is_the_same_model(small_vae: Run, tmp_path: Path) -> None:
    packed(small_vae, tmp_path).extractall(tmp_path / "elsewhere")
    there = open_run(Run(tmp_path / "elsewhere" / small_vae.name))
    assert there.sample(4).images.equal(open_run(small_vae).sample(4).images)


@pytest.mark.slow
def test_the_snippet_and_the_readmes_own_are_true(
    small_vae: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = packed(small_vae, tmp_path)
    archive.extractall(tmp_path / "elsewhere")
    readme = archive.read(f"{small_vae.name}/README.txt").decode()
    lines = readme.partition("or in Python:\n\n")[2].partition("\n\nPut this folder")[0].splitlines()
    for where, code in (
        (tmp_path, snippet(str(small_vae.path.resolve()))),
        (tmp_path / "elsewhere", "\n".join(line[2:] for line in lines)),
    ):
        subprocess.run([sys.executable, "-c", code], cwd=where, check=True)
        assert (where / "samples.png").read_bytes().startswith(b"\x89PNG")
        (where / "samples.png").unlink()


def test_the_command_is_true(small_vae: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shlex

    from typer.testing import CliRunner

    from genlab.cli import use  # noqa: F401  (adds its commands to `app`)
    from genlab.cli.root import app

    monkeypatch.chdir(tmp_path)
    words = shlex.split(command(str(small_vae.path.resolve())))
    assert words[0] == "genlab"
    done = CliRunner().invoke(app, words[1:])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "samples.png").exists()


def test_links_and_strange_names_stay_outside(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mine alone")
    run = create_run("x", {"family": "vae"}, tmp_path / "../odd name; <b>".removeprefix("../"))
    run.samples.mkdir()
    (run.samples / "samples-0000001.png").symlink_to(tmp_path / "secret")
    (run.path / "report.json").symlink_to(tmp_path / "secret")
    archive = packed(run, tmp_path)
    assert archive.namelist() == ["odd-name-b/README.txt", "odd-name-b/config.json"]
    assert safe("../..") == "run"
    assert safe("a/b\\c") == "a-b-c"


def test_a_large_run_is_packed_in_little_memory(runs: Path, tmp_path: Path) -> None:
    run = create_run("vae-mnist", {"family": "vae"})
    run.checkpoints.mkdir()
    with (run.checkpoints / "step-0000001.safetensors").open("wb") as file:
        file.truncate(64 << 20)
    (run.checkpoints / "step-0000001.json").write_text(json.dumps({"step": 1}))
    tracemalloc.start()
    pack(run, tmp_path / "run.zip")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "run.zip").stat().st_size > 64 << 20
    assert peak < 16 << 20


def test_find_run_takes_an_unpacked_run(
    small_vae: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed(small_vae, tmp_path).extractall(tmp_path / "runs-of-another")
    monkeypatch.setenv("GENLAB_RUNS", str(tmp_path / "runs-of-another"))
    assert find_run("latest").config() == read_json(small_vae.path / "config.json")
