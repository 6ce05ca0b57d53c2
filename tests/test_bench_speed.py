"""The benchmarks of start-up and overhead, from the command to the line, as small as they go."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import overhead
import pytest
import startup
from side_by_side.ratios import spread
from side_by_side.settings import BENCHMARKS, environment

TINY = ("network.decoder.width=2", "network.encoder.hidden=8", "training.batch_size=4", "training.threads=1",
        "data.limit=100", "training.sample_every=10")  # fmt: skip


def run(script: str, *arguments: str) -> str:
    command = [sys.executable, str(BENCHMARKS / script), *arguments]
    return subprocess.run(
        command, check=True, capture_output=True, encoding="utf-8", env=environment("plain")
    ).stdout


def test_cost_is_block_by_block() -> None:
    blocks = {overhead.FULL: [1.1, 2.4, 10.3], overhead.BARE: [1.0, 2.0, 10.0]}
    found = {"recipe": "vae", "block": 500, "seconds": blocks, "step": 0.002, "shares": {"logging": 0.001}}
    assert overhead.cost(found).median == pytest.approx(0.1)
    shown = overhead.show(found)
    for words in ("2.00 ms a bare step", "adds 10.0%", "logging 0.10%", "goal ≤ 3%: missed"):
        assert words in shown


def test_a_goal_is_met_by_the_median() -> None:
    assert "met" in startup.line("x", spread([0.2, 0.25, 0.9]), 0.3, ["rich"])
    assert "missed" in startup.line("x", spread([0.2, 0.35, 0.4]), 0.3, [])


@pytest.mark.slow
def test_start_up_is_measured_and_what_was_imported(tmp_path: Path) -> None:
    kept = tmp_path / "startup.json"
    printed = run("startup.py", "--rounds", "1", "--json", str(kept))
    assert "no list and no help imported torch" in printed
    found = json.loads(kept.read_text("utf-8"))
    assert "torch" in found["imports"]["genlab generate"]
    assert found["seconds"][0].keys() == {startup.TORCH, *(each.name for each in startup.COMMANDS)}


@pytest.mark.slow
def test_overhead_and_memory_are_measured(tmp_path: Path) -> None:
    kept = tmp_path / "overhead.json"
    printed = run(
        "overhead.py", "--recipes", "vae", "--rounds", "2", "--block", "20", "--memory-steps", "3", "--json",
        str(kept), "--set", *TINY,
    )  # fmt: skip
    (found,) = json.loads(kept.read_text("utf-8"))
    assert found["shares"].keys() == {"averaged weights", "logging", "sample sheets", "checkpoints"}
    assert all(share > 0 for share in found["shares"].values())
    assert {len(blocks) for blocks in found["seconds"].values()} == {2}
    assert f"{found['resident']:.2f} GiB resident at most" in printed
    assert 0.1 < found["resident"] < 2
