"""Measurements side by side: ratios are of pairs, and a benchmark that was broken off goes on."""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import psutil
import pytest
from side_by_side.catalogue import NETWORKS
from side_by_side.figure import figure
from side_by_side.measuring import Pair, Record, Terms, beside, checked, planned, run
from side_by_side.ratios import Spread, gain, ratio, spread, summary
from side_by_side.settings import environment
from side_by_side.table import text

from genlab.errors import UserError

TERMS = Terms(8.0, 2, False, "0.1.0", "2.13.0+cpu")
MACHINE = {"cpu": "a processor", "cores": 2, "system": "Linux", "python": "3.11"}


def row(pair: int, side: str, rate: float, **more: Any) -> dict[str, Any]:
    keys = {"network": "examples-vae", "setting": "ours", "pair": pair, "side": side, "batch": 128}
    values = {"images_per_second": rate, "flops_per_image": 2e6, "gflops": rate * 2e-3, "images": 1}
    return {**TERMS._asdict(), **keys, **values, **more}


def test_quartiles_are_of_the_values_in_order() -> None:
    values = [1.0, 2.0, 3.0, 4.0, 9.0]
    random.Random(0).shuffle(values)
    assert spread(values) == Spread(3, 2, 4, 1, 9, 5)
    assert spread([2.5]) == Spread(2.5, 2.5, 2.5, 2.5, 2.5, 1)
    assert spread([1.0, 2.0]).median == 1.5


def test_a_machine_that_slows_down_between_pairs_changes_no_ratio() -> None:
    """Both sides three times as slow in the second pair and ten times in the third. The quotient of two
    medians would move with whichever pairs each median falls on."""
    rows = []
    for pair, (drift, truth) in enumerate([(1, 3.0), (3, 3.2), (10, 2.9), (30, 3.1)]):
        rows += [row(pair, "peer", 600 / drift), row(pair, "ours", 600 * truth / drift)]
    found = ratio(rows, "examples-vae", "ours")
    assert found is not None
    assert found.median == pytest.approx(3.05)
    assert (found.least, found.most) == pytest.approx((2.9, 3.2))
    assert found.values == 4


def test_half_a_pair_and_another_setting_are_no_ratio() -> None:
    rows = [row(0, "peer", 100), row(0, "ours", 300), row(1, "peer", 100), row(2, "ours", 900)]
    rows.append(row(1, "ours", 900, setting="plain"))
    found = ratio(rows, "examples-vae", "ours")
    assert found is not None
    assert (found.median, found.values) == (3.0, 1)
    assert ratio(rows, "examples-vae", "ours", "compiled") is None
    assert ratio(rows, "pythae-mlp", "ours") is None


def test_the_share_of_the_peak_is_of_the_peak_of_the_same_pair() -> None:
    rows = []
    for pair, peak in enumerate((100.0, 50.0, 20.0)):
        rows += [row(pair, "gemm", 0, gflops=peak), row(pair, "ours", 1, gflops=0.4 * peak)]
    found = summary(rows, "examples-vae", "ours", "ours")
    assert found is not None
    assert found.of_peak == pytest.approx(0.4)
    assert found.gflops == pytest.approx(20.0)


def test_what_the_settings_give_is_with_for_without() -> None:
    rows = [row(0, "ours", 300), row(0, "ours", 100, setting="plain")]
    found = gain(rows, "examples-vae", "ours")
    assert found is not None
    assert found.median == 3.0


def test_pairs_change_their_order_and_all_networks_come_round() -> None:
    plan = planned(["examples-vae", "recipe-gan"], ["ours", "plain"], 2, None, compiled=False)
    assert [pair.sides for pair in plan if pair.network == "examples-vae" and pair.setting == "ours"] == [
        ("gemm", "peer", "ours"), ("gemm", "ours", "peer")
    ]  # fmt: skip
    assert all(pair.sides == ("gemm", "ours") for pair in plan if pair.network == "recipe-gan")
    assert [pair.network for pair in plan[:4]] == ["examples-vae"] * 2 + ["recipe-gan"] * 2
    assert [pair.setting for pair in plan] == ["ours", "plain"] * 2 + ["plain", "ours"] * 2
    assert {pair.batch for pair in planned(["pythae-mlp"], ["ours"], 1, 128, False)} == {128}
    assert planned(["pythae-mlp"], ["ours"], 1, None, True)[0].sides == ("gemm", "peer", "ours", "compiled")


class Machine:
    """Measures by counting, and breaks off after so many measurements."""

    def __init__(self, limit: float = float("inf")) -> None:
        self.asked: list[tuple[int, str]] = []
        self.limit = limit

    def __call__(self, pair: Pair, side: str, terms: Terms) -> dict[str, Any]:
        if len(self.asked) == self.limit:
            raise KeyboardInterrupt
        self.asked.append((pair.pair, side))
        rate = {"gemm": 0.0, "peer": 10.0, "ours": 30.0}[side]
        return {"images_per_second": rate, "gflops": 100.0, "flops_per_image": 1.0, "images": 1}


def attempt(path: Path, machine: Machine, terms: Terms = TERMS) -> Record:
    record = Record(path, terms, MACHINE)
    plan = planned(["examples-vae"], ["ours"], 3, None, compiled=False)
    run(plan, record, lambda line: None, machine)
    return record


def test_a_benchmark_that_was_broken_off_goes_on_at_the_pair_it_was_in(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "peers.json"
    first = Machine(limit=5)  # a pair, the next one's peak and its first side
    with pytest.raises(KeyboardInterrupt):
        attempt(path, first)
    kept = json.loads(path.read_text("utf-8"))
    assert [(each["pair"], each["side"]) for each in kept["measurements"]] == first.asked
    assert kept["machine"] == MACHINE

    second = Machine()
    record = attempt(path, second)
    assert second.asked == [
        (1, "gemm"), (1, "ours"), (1, "peer"), (2, "gemm"), (2, "peer"), (2, "ours"),
    ], "sides of one pair stand side by side in time"  # fmt: skip
    assert len(record.ours) == 9
    assert attempt(path, third := Machine()).ours == record.ours
    assert third.asked == []


def test_measurements_on_other_terms_are_kept_and_not_counted(tmp_path: Path) -> None:
    path = tmp_path / "peers.json"
    attempt(path, Machine())
    for other in (TERMS._replace(seconds=1.0), TERMS._replace(busy=True), TERMS._replace(torch="2.14.0")):
        machine = Machine()
        assert len(attempt(path, machine, other).ours) == 9
        assert len(machine.asked) == 9
    assert len(Record(path, TERMS, MACHINE).rows) == 36


def test_another_file_is_not_taken_for_measurements(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"family": "vae"}', "utf-8")
    with pytest.raises(UserError, match="holds no measurements"):
        Record(path, TERMS, MACHINE)


def test_both_sides_run_one_torch_and_one_network() -> None:
    (pair,) = planned(["pythae-mlp"], ["ours"], 1, None, False)
    good = {"torch": "2.13.0", "parameters": NETWORKS["pythae-mlp"].parameters}
    assert "parameters" in checked(pair, "peer", TERMS, dict(good))
    with pytest.raises(UserError, match=r"2\.12\.0 beside our 2\.13\.0"):
        checked(pair, "peer", TERMS, good | {"torch": "2.12.0"})
    with pytest.raises(AssertionError):
        checked(pair, "peer", TERMS, good | {"parameters": 1})


def test_nothing_of_the_shell_reaches_a_measurement() -> None:
    shell = {"OMP_NUM_THREADS": "1", "OMP_PROC_BIND": "true", "MALLOC_TOP_PAD_": "1", "GENLAB_PLAIN": "1",
             "MKL_NUM_THREADS": "1", "PATH": "/bin", "PYTHONPATH": "mine"}  # fmt: skip
    ours, plain = environment("ours", shell), environment("plain", shell)
    assert ours.keys() == {"PATH", "PYTHONPATH"}
    assert ours["PYTHONPATH"].endswith(os.pathsep + "mine")
    assert plain == ours | {"GENLAB_PLAIN": "1"}


def test_the_foreign_process_is_busy_and_ends() -> None:
    before = {process.pid for process in psutil.Process().children()}
    with beside(False):
        assert {process.pid for process in psutil.Process().children()} <= before
    with beside(True):
        (new,) = [each for each in psutil.Process().children() if each.pid not in before]
        assert new.cmdline()[0] == sys.executable
        assert "while" in " ".join(new.cmdline())
    assert not psutil.pid_exists(new.pid) or new.pid not in {p.pid for p in psutil.Process().children()}


def test_table_and_figure_show_every_pair(tmp_path: Path) -> None:
    rows = attempt(tmp_path / "peers.json", Machine()).ours
    shown = text(rows, MACHINE)
    for words in ("3.00×", "goal 3×", "a processor, 2 cores", "GEMM peak 100 GFLOP/s", "after vae/main.py"):
        assert words in shown
    root = ElementTree.fromstring(figure(rows))
    names = "{http://www.w3.org/2000/svg}"
    dots = [each for each in root.iter(f"{names}circle") if each.get("fill-opacity")]
    assert len(dots) == 3 + 1, "three pairs and the legend's"
    written = {each.text for each in root.iter(f"{names}text")}
    assert {"pytorch/examples vae", "with our settings, on both sides", "3×"} <= written
