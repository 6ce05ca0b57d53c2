"""Same config, seed and machine: same bytes, whoever started the run, and whatever ran before it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from faults.sameness import files, log
from genlab.runs.store import Run

SETTINGS = ("training.steps=25", "training.log_every=5", "training.sample_every=10", "training.seed=3")


def settings(threads: int) -> list[str]:
    return [*SETTINGS, f"training.threads={threads}"]


def python(code: str, *arguments: str) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OMP_")}
    subprocess.run([sys.executable, "-c", textwrap.dedent(code), *arguments], check=True, env=environment)


def by_command(family: str, threads: int, folder: Path) -> None:
    """`genlab train`, after which the process is over."""
    assigned = [word for each in settings(threads) for word in ("--set", each)]
    command = "from genlab.cli import main; main()"
    python(command, "train", family, "--out", str(folder), *assigned)


def by_library(family: str, threads: int, folder: Path) -> None:
    """`genlab.train` in a process that has computed other things before, and has used up other noise."""
    python(
        """
        import sys, random, numpy, torch
        from pathlib import Path
        from genlab.experiment.runner import train
        from genlab.experiment.schema import override
        from genlab.recipes import recipe

        family, folder, *assigned = sys.argv[1:]
        torch.manual_seed(99), numpy.random.seed(99), random.seed(99)
        torch.nn.Linear(300, 300)(torch.randn(64, 300)).sum().backward()
        train(override(recipe("gan"), [*assigned, "training.steps=3", "training.seed=8"]),
              out=Path(folder).with_name(Path(folder).name + "-before"))
        train(override(recipe(family), assigned), out=Path(folder))
        """,
        family, str(folder), *settings(threads),
    )  # fmt: skip


def by_app(family: str, threads: int, folder: Path) -> None:
    """As the page starts it."""
    python(
        """
        import sys, time
        from pathlib import Path
        from genlab.app import launches

        family, folder, *assigned = sys.argv[1:]
        options = [word for each in assigned for word in ("--set", each)]
        launch = launches.begin(family, "app", None, options)
        while launch.alive():
            time.sleep(0.1)
        assert not launch.complaint(), launch.log()
        Path(launch.path).rename(folder)
        """,
        family, str(folder), *settings(threads),
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("family", "threads"), [("vae", 2), ("gan", 1)])
def test_app_command_and_library_give_the_same_bytes(
    family: str, threads: int, runs: Path, tmp_path: Path
) -> None:
    started: dict[str, Callable[[str, int, Path], None]] = {
        "command": by_command, "library": by_library, "app": by_app,
    }  # fmt: skip
    made = {}
    for name, start in started.items():
        start(family, threads, tmp_path / name)
        made[name] = Run(tmp_path / name)
    first, *others = made.values()
    assert first.status()["state"] == "completed"
    assert any(name.endswith(".safetensors") for name in files(first))
    for other in others:
        assert files(other) == files(first), other.name
        assert log(other) == log(first), other.name
        assert other.config() == first.config(), other.name
