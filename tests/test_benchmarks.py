"""The likelihood benchmarks run from start to table, and go on where they stopped."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
TINY = ["training.steps=3", "training.batch_size=4", "data.limit=40"]


def run(script: str, *arguments: str) -> str:
    command = [sys.executable, str(BENCHMARKS / script), *arguments]
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "row", "paper"),
    [
        ("iwae_table.py", "1-vae-1", "86.76"),
        ("iwae_table.py", "2-iwae-50", "82.90"),
        ("strong_vae.py", "strong-vae-flow", "78.61"),
    ],
)
def test_a_table_is_trained_measured_and_printed(tmp_path: Path, script: str, row: str, paper: str) -> None:
    options = [
        "--images",
        "5",
        "--samples",
        "60",
        "--folder",
        str(tmp_path),
        "--json",
        str(tmp_path / "rows"),
    ]
    first = run(script, row, *options, "--set", *TINY)
    (printed,) = (line for line in first.splitlines() if line.startswith(row))
    assert paper in printed
    assert "−L_60 in nats on 5 test images" in first
    (kept,) = json.loads((tmp_path / "rows").read_text("utf-8"))
    assert kept["nll"] < -kept["elbo"], "sixty draws bound more closely than one"
    assert f"{kept['nll']:.2f}" in printed
    assert run(script, row, *options, "--set", *TINY) == first, "nothing is trained or measured twice"


@pytest.mark.slow
def test_a_device_s_speed_stands_beside_its_limits(tmp_path: Path) -> None:
    options = ["vae-dense", "--threads", "1", "--rounds", "1", "--seconds", "0.2"]
    printed = run("device.py", *options, "--json", str(tmp_path / "rows"))
    rows = json.loads((tmp_path / "rows").read_text("utf-8"))
    eager = rows[0]
    weights = 784 * 512 + 512 * 64 + 32 * 256 + 256 * 784
    products = (
        2 * 256 * (3 * weights - 784 * 512)
    )  # forwards, to weights and to inputs, of which images need none
    assert eager["flops"] == products
    assert eager["bytes"] > 4 * 7 * weights, "Adam alone moves as much"
    assert 0 < eager["of_gemm_peak"] <= eager["of_roofline"]
    assert f"{eager['images_per_second']:.0f}" in printed
    assert [row["compiled"] for row in rows] in ([False], [False, True])
