"""The best checkpoint is the one whose step had the smallest value, whatever happens to the process."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from genlab.cli import use  # noqa: F401  (adds its commands to `app`)
from genlab.cli.root import app
from genlab.data.dataset import Dataset
from genlab.errors import UserError
from genlab.experiment import runner, validation
from genlab.experiment.runner import begin, work
from genlab.experiment.schema import Experiment
from genlab.experiment.trained import open_reference, open_run
from genlab.networks.model import VAE
from genlab.runs.events import Event, Saved, Started, Validated
from genlab.runs.store import Run
from genlab.training import best, checkpoint

Tiny = Callable[..., Experiment]

# a rate at which the value goes up and down within seven steps, so that the best is neither first nor last
SETTINGS = ("training.validate_every=1", "training.checkpoint_every=3")
LOSS = (9.0, 5.0, 7.0, 4.0, 6.0, 3.0, 8.0)  # of the steps 1 to 7
BEST = 6


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A validation that is a function of the weights, as any is, and cheap: the weights name their step."""

    class Table:
        suffix = ""

        def __init__(self, *_: object) -> None: ...

        def __call__(self, model: torch.nn.Module) -> dict[str, float]:
            key = json.dumps([float(p.double().sum()) for p in model.parameters()])
            if key not in known:
                known[key] = LOSS[len(known)]
            return {"fid": known[key]}

    known: dict[str, float] = {}
    monkeypatch.setattr(validation, "Validator", Table)


@pytest.fixture
def whole(tiny: Tiny, dataset: Dataset, tmp_path: Path) -> Run:
    run = begin(tiny("gan", *SETTINGS), out=tmp_path / "whole", dataset=dataset)
    list(work(run, dataset=dataset))
    return run


def log(run: Run) -> list[dict[str, Any]]:
    """The events without their times; that it began twice aside."""
    kept = [{"kind": event.kind, **asdict(event)} for event in run.events() if not isinstance(event, Started)]
    return [{key: value for key, value in event.items() if key != "seconds"} for event in kept]


def files(run: Run) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(run.checkpoints.glob("*.safetensors"))}


def test_the_best_is_the_checkpoint_of_the_step_with_the_smallest_value(
    tiny: Tiny, dataset: Dataset, tmp_path: Path, whole: Run
) -> None:
    found = [event for event in whole.events() if isinstance(event, Validated)]
    assert tuple(event.values["fid"] for event in found) == LOSS
    note = json.loads((whole.checkpoints / "best.json").read_text())
    assert (note["step"], note["metric"], note["value"]) == (BEST, "fid", 3.0)
    until = begin(tiny("gan", f"training.steps={BEST}"), out=tmp_path / "until", dataset=dataset)
    list(work(until, dataset=dataset))
    assert files(whole)["best.safetensors"] == files(until)[f"step-{BEST:07d}.safetensors"]
    saved = [event.step for event in whole.events() if isinstance(event, Saved) and "best" in event.path]
    assert saved == [1, 2, 4, 6]


def test_a_metric_that_is_not_asked_for_keeps_no_best(tiny: Tiny, dataset: Dataset, tmp_path: Path) -> None:
    settings = (*SETTINGS, "training.keep_best=none")
    run = begin(tiny("gan", *settings), out=tmp_path / "run", dataset=dataset)
    list(work(run, dataset=dataset))
    assert not (run.checkpoints / "best.safetensors").exists()
    assert [event.step for event in run.events() if isinstance(event, Saved)] == [3, 6, 7]


def test_a_crash_before_any_event_changes_neither_best_nor_log(
    tiny: Tiny, dataset: Dataset, tmp_path: Path, whole: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every event of the steps that have most of them: a checkpoint at 3, a new best at 4, both at 6."""
    append = Run.append
    happened = [event for event in whole.events() if event.step in (3, 4, 6)]
    assert len(happened) == 3 * 2 + 5
    for lost in happened:
        run = begin(tiny("gan", *SETTINGS), out=tmp_path / f"{happened.index(lost)}", dataset=dataset)

        def crash(self: Run, event: Event, lost: Event = lost) -> None:
            if (event.kind, event.step, named(event)) == (lost.kind, lost.step, named(lost)):
                raise KeyboardInterrupt
            append(self, event)

        with monkeypatch.context() as patch:
            patch.setattr(Run, "append", crash)
            with pytest.raises(KeyboardInterrupt):
                list(work(run, dataset=dataset))
        list(work(run, dataset=dataset))
        assert files(run) == files(whole), lost
        assert log(run) == log(whole), lost


def named(event: Event) -> str:
    return event.path if isinstance(event, Saved) else ""


@pytest.mark.parametrize("lost", [best.NAME, "best.json", "step-0000004.safetensors", "step-0000004.json"])
def test_a_crash_before_any_file_changes_neither_best_nor_log(
    tiny: Tiny, dataset: Dataset, tmp_path: Path, whole: Run, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    """At step 4, which is the best so far: its checkpoint, its note, and both of the best."""
    run = begin(tiny("gan", *SETTINGS), out=tmp_path / "run", dataset=dataset)
    replace = os.replace

    def crash(source: Any, target: Any) -> None:
        reached = max((event.step for event in run.events()), default=0)
        if Path(target).name == lost and reached == 4:
            raise KeyboardInterrupt
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", crash)
        with pytest.raises(KeyboardInterrupt):
            list(work(run, dataset=dataset))
    if lost == best.NAME:
        trained = open_run(run, step="best")
        assert trained.step == 2, "the best before it is whole, though the note is new"
    list(work(run, dataset=dataset))
    assert files(run) == files(whole)
    assert log(run) == log(whole)


def test_a_best_from_the_future_is_dropped(tiny: Tiny, dataset: Dataset, tmp_path: Path, whole: Run) -> None:
    """All later checkpoints are lost: the run begins anew, and no best is named until it comes by one."""
    final, events = files(whole), log(whole)
    for path in checkpoint.list_checkpoints(whole.checkpoints):
        path.unlink()
    seen = []
    for event in work(whole, dataset=dataset):
        if isinstance(event, Validated):
            seen.append((whole.checkpoints / best.NAME).exists())
    assert seen[0] is False
    assert files(whole) == final
    assert log(whole) == events


def test_a_run_opens_at_its_best(whole: Run) -> None:
    newest, chosen = open_run(whole), open_run(whole, step="best")
    assert (newest.step, chosen.step, newest.best, chosen.best) == (7, BEST, False, True)
    assert torch.equal(open_run(whole, step=BEST).sample(3).images, chosen.sample(3).images)
    assert not torch.equal(newest.sample(3).images, chosen.sample(3).images)
    for reference in (f"{whole.path}@best", f"{whole.path}@best:own", f"{whole.path}@{BEST}"):
        assert torch.equal(open_reference(reference).sample(3).images, chosen.sample(3).images)
    assert open_reference(str(whole.path)).step == 7
    with pytest.raises(UserError, match="has no checkpoint at step 1 any more; it keeps those at 6 and 7"):
        open_reference(f"{whole.path}@1")


def test_a_run_that_was_never_validated_has_no_best(tiny: Tiny, dataset: Dataset, tmp_path: Path) -> None:
    run = begin(tiny("gan"), out=tmp_path / "run", dataset=dataset)
    list(work(run, dataset=dataset))
    with pytest.raises(UserError, match=r"kept no best checkpoint.*training\.validate_every"):
        open_run(run, step="best")


def test_generate_from_the_best(whole: Run, tmp_path: Path) -> None:
    def generate(*arguments: str) -> tuple[bytes, int]:
        out = tmp_path / "sheet.png"
        said = CliRunner().invoke(app, ["generate", *arguments, "-n", "4", "--out", str(out), "--json"])
        assert said.exit_code == 0, said.output
        return out.read_bytes(), json.loads(said.stdout)["step"]

    assert generate(str(whole.path), "--best") == generate(f"{whole.path}@best")
    assert generate(str(whole.path), "--best")[1] == BEST
    assert generate(str(whole.path)) != generate(str(whole.path), "--best")


def test_the_best_has_a_fitted_prior_of_its_own(
    tiny: Tiny, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = (*SETTINGS, "training.keep_best=fid", "optimizer.learning_rate=0.01")
    run = begin(tiny("vae", *settings), out=tmp_path / "run", dataset=dataset)
    list(work(run, dataset=dataset))
    monkeypatch.setattr(runner, "load", lambda *_, **__: dataset)
    with pytest.raises(UserError, match=f"run@best has no fitted prior.*genlab fit-prior {run.name}@best"):
        open_reference(f"{run.path}@best:fitted")
    said = CliRunner().invoke(app, ["fit-prior", f"{run.path}@best", "--components", "2", "--json"])
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)["path"].endswith("prior-best.safetensors")
    assert isinstance(open_reference(f"{run.path}@best:fitted").model, VAE)
    with pytest.raises(UserError, match="no fitted prior"):
        open_reference(f"{run.path}:fitted")
