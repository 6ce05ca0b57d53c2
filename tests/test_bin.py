"""The bin: what is thrown away comes back as it was, until the bin is emptied."""

from __future__ import annotations

from pathlib import Path

import pytest

from genlab.errors import UserError
from genlab.runs import bin, disk
from genlab.runs.store import SHIPPED, Run, create_run, list_runs

CONFIG = {"family": "vae"}


def made(label: str = "vae-mnist") -> Run:
    run = create_run(label, CONFIG)
    (run.path / "checkpoints").mkdir()
    (run.path / "checkpoints" / "step-0000007.safetensors").write_bytes(bytes(range(256)))
    return run


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_run_comes_back_byte_for_byte_with_what_lay_beside_it(runs: Path) -> None:
    run, beside = made(), runs / ".launches" / "001-vae-mnist.log"
    beside.parent.mkdir()
    beside.write_text("trained")
    before = contents(runs)
    each = bin.throw_away(run, [beside, runs / ".launches" / "there is none"])
    assert not run.path.exists()
    assert not beside.exists()
    assert list_runs() == []
    assert [found.name for found in bin.binned()] == ["001-vae-mnist"]
    assert bin.restore(each).path == run.path.absolute()
    assert contents(runs) == before
    assert bin.binned() == []
    with pytest.raises(UserError, match="not in the bin any more"):
        bin.restore(each)


def test_a_number_in_the_bin_is_not_given_again_even_when_the_bin_is_empty(runs: Path) -> None:
    made()
    bin.throw_away(made())
    assert made().name == "003-vae-mnist"
    bin.throw_away(Run(runs / "003-vae-mnist"))
    assert len(bin.binned()) == 2
    bin.empty()
    assert bin.binned() == []
    assert made().name == "004-vae-mnist"


def test_a_run_at_work_stays(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = made()
    before = contents(runs)
    monkeypatch.setattr(Run, "alive", lambda self: True)
    with pytest.raises(UserError, match="is being trained: stop it first"):
        bin.throw_away(run)
    assert contents(runs) == before


def test_a_shipped_run_stays(runs: Path) -> None:
    with pytest.raises(UserError, match="only read"):
        bin.throw_away(Run(SHIPPED / "vae-mnist"))


def test_another_run_of_that_name_is_not_overwritten(runs: Path) -> None:
    run = made()
    each = bin.throw_away(run)
    create_run("another", {"family": "gan"}, run.path)
    with pytest.raises(UserError, match="is there again, and is not overwritten"):
        bin.restore(each)
    assert Run(run.path).config() == {"family": "gan"}
    assert len(bin.binned()) == 1
    (run.path / "config.json").rename(runs / "elsewhere.json")
    run.path.rmdir()
    assert contents(bin.restore(each).path)["checkpoints/step-0000007.safetensors"] == bytes(range(256))


def test_the_same_run_twice_in_a_second(runs: Path) -> None:
    places = set()
    for _ in range(3):
        run = create_run("again", CONFIG, runs / "009-again")
        places.add(bin.throw_away(run).place)
    assert len(places) == len(bin.binned()) == 3


def test_emptying_frees_the_bytes_and_what_is_not_ours_stays(runs: Path) -> None:
    bin.throw_away(made())
    (bin.bin_folder() / "mine").mkdir()
    (bin.bin_folder() / "mine" / "bin.json").write_text('{"home": 3}')
    assert disk.used(bin.bin_folder()) > 256
    bin.empty()
    assert disk.used(bin.bin_folder()) < 256
    assert (bin.bin_folder() / "mine" / "bin.json").exists()


def test_used_counts_files_and_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "a").write_bytes(bytes(1000))
    (tmp_path / "large").write_bytes(bytes(9000))
    (tmp_path / "in" / "link").symlink_to(tmp_path, target_is_directory=True)
    assert 1000 <= disk.used(tmp_path / "in") < 2000
    assert disk.used(tmp_path / "nowhere") == 0
    assert disk.free(tmp_path / "nowhere" / "yet") > 0


def test_the_command_lists_the_bin_and_brings_a_run_back(runs: Path) -> None:
    from typer.testing import CliRunner

    from genlab.cli import look  # noqa: F401  (adds its commands to `app`)
    from genlab.cli.root import app

    def said(*words: str) -> str:
        done = CliRunner().invoke(app, ["runs", *words])
        if isinstance(done.exception, UserError):
            return str(done.exception)
        assert done.exit_code == 0, done.output
        return done.output

    made()
    assert "the bin is empty" in said("--bin")
    assert said("--restore", "001-vae-mnist") == "no run in the bin is called '001-vae-mnist'; it is empty"
    bin.throw_away(Run(runs / "001-vae-mnist"))
    assert "  001-vae-mnist" in said("--bin")
    assert '"name": "001-vae-mnist"' in said("--bin", "--json")
    assert "there are 001-vae-mnist" in said("--restore", "002")
    assert "restored" in said("--restore", "001-vae-mnist")
    assert [run.name for run in list_runs()] == ["001-vae-mnist"]
