"""The docs' tables of the benchmarks: numbers stand where they belong, goals are judged by them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import performance
import quality as clock
import search
from in_markdown import quality, speed
from in_markdown.places import documented, markdown
from overhead import BARE, FULL
from side_by_side.catalogue import NETWORKS
from startup import COMMANDS, TORCH
from under_the_clock.studies import STUDIES

MACHINE = {"cpu": "a processor", "cores": 2, "system": "Linux", "python": "3.11"}


def test_a_table_takes_its_place_and_leaves_the_rest_of_the_page() -> None:
    page = "above\n\n<!-- one -->\n\nold\n\n<!-- /one -->\n\nbelow <!-- two --> no table of ours"
    new = documented(page, {"one": lambda: "\nnew\n", "three": lambda: "nowhere"})
    assert new == page.replace("old", "new")
    assert documented(new, {"one": lambda: "new"}) == new


def test_a_table_has_a_line_for_each_row() -> None:
    assert markdown(("a", "b"), [("1", "2")]) == "| a | b |\n|---|---|\n| 1 | 2 |"


def measured(pair: int, side: str, setting: str, rate: float, **more: Any) -> dict[str, Any]:
    return {
        "network": "examples-vae", "setting": setting, "pair": pair, "side": side, "batch": 128,
        "busy": False, "threads": 2, "torch": "2", "images_per_second": rate, "flops_per_image": 1e9,
        "gflops": rate, **more,
    }  # fmt: skip


def kept() -> dict[str, Any]:
    rows = []
    for pair in range(3):
        for setting, peer in (("ours", 60.0), ("plain", 40.0)):
            rows.append(measured(pair, "gemm", setting, 0.0, gflops=100.0))
            rows.append(measured(pair, "peer", setting, peer))
            rows.append(measured(pair, "ours", setting, 80.0 if setting == "ours" else 50.0))
            rows.append(measured(pair, "compiled", setting, 90.0))
    rows.append(measured(9, "peer", "plain", 1.0, busy=True))
    return {"machine": MACHINE, "measurements": rows}


def test_as_run_is_ours_with_settings_against_the_peer_without() -> None:
    first, second = speed.as_run(speed.alone(kept())).splitlines()[2:]
    assert first == "| pytorch/examples vae | 128 | 40 | 80 | **2.00×** [2.00, 2.00] | ≥ 3×: missed |"
    assert second.startswith("| pytorch/examples vae, compiled |")
    assert "**2.25×**" in second


def test_the_sentence_has_the_least_and_the_largest_ratio_and_how_many_reach_their_goals() -> None:
    faster = [
        measured(0, side, setting, rate, network="pythae-conv")
        for side, setting, rate in (("ours", "ours", 90.0), ("peer", "plain", 60.0))
    ]
    said = speed.in_a_sentence({"measurements": [*speed.alone(kept())["measurements"], *faster]})
    assert "trains 1.5 to 2.0 times as fast" in said
    assert "2 networks, 1 pairs each" in said
    assert said.endswith("1 of 2 reach the goals set before.")


def test_on_equal_terms_the_bound_is_the_peak_over_the_peer() -> None:
    bound, plain = speed.same_settings(speed.alone(kept())).splitlines()[2:]
    assert "| with | 60 (60%) | 80 (80%) | **1.33×** [1.33, 1.33] | **1.50×** [1.50, 1.50] | 1.7× |" in bound
    assert "| without | 40 (40%) | 50 (50%) | **1.25×**" in plain
    assert plain.endswith("| 2.5× |")


def test_the_machine_is_named_with_its_peak() -> None:
    said = speed.machine(speed.alone(kept()))
    assert "a processor, 2 cores, Linux" in said
    assert "100 GFLOP/s in the median of 6 times" in said


def test_our_recipes_stand_beside_the_peak_s_goal() -> None:
    rows = [measured(0, "gemm", "ours", 0.0, network="recipe-vae", gflops=100.0)]
    rows.append(measured(0, "ours", "ours", 80.0, network="recipe-vae"))
    (line,) = speed.own({"machine": MACHINE, "measurements": rows}).splitlines()[2:]
    assert line == f"| {NETWORKS['recipe-vae'].label} | with | 80 | 1000.0 | 80 | 80% | ≥ 75%: met |"


def test_where_a_step_goes_is_shares_of_it() -> None:
    products = [
        {"operation": "mm", "shapes": ["2 × 3", "3 × 4"], "calls": 1, "seconds": 0.004, "flops": 2e8},
        {"operation": "addmm", "shapes": ["4", "2 × 3"], "calls": 2, "seconds": 0.002, "flops": 1.5e8},
    ]
    each = {"network": "recipe-gan", "step": 0.01, "peak": 100.0, "products": products}
    (line,) = speed.layers([each]).splitlines()[2:]
    assert "| 10.0 ms | 35% | 60% | 58% | 40% | `mm` 2×3, 3×4: 40%, at 50% |" in line


def test_threads_are_medians_over_rounds_in_their_columns() -> None:
    rows = [
        {"round": number, "busy": busy, "network": "recipe-vae", "setting": "bound", "rate": rate}
        for busy, rates in ((0, (1000.0, 3000.0, 2000.0)), (1, (500.0,)))
        for number, rate in enumerate(rates)
    ]
    rows.append({"round": 0, "busy": 1, "network": "recipe-vae", "setting": "free", "rate": 70.0})
    head, _, bound, free = speed.threads(rows).splitlines()
    assert head == "| threads | vae, alone | vae, beside one busy program |"
    assert (bound, free) == ("| bound | 2,000 | 500 |", "| free | – | 70 |")


def test_a_start_is_judged_by_its_median() -> None:
    rounds = [
        {TORCH: 1.5, **{command.name: value for command in COMMANDS}} for value in (0.1, 0.31, 5.0)
    ]  # fmt: skip
    lines = speed.startup({"imports": {}, "seconds": rounds}).splitlines()[2:]
    assert lines[0] == f"| `{TORCH}` | 1.50 s | 1.50 … 1.50 |  |"
    assert lines[1] == "| `genlab --help` | 0.31 s | 0.10 … 5.00 | ≤ 0.3 s: missed |"
    assert lines[-2] == "| `genlab train vae --steps 1`, beyond importing torch | 0.31 s | 0.10 … 5.00 |  |"
    assert lines[-1] == "| `genlab generate`, beyond importing torch | 0.31 s | 0.10 … 5.00 | ≤ 1 s: met |"


def test_what_keeping_a_run_adds_is_a_share_of_its_bare_steps() -> None:
    each = {
        "recipe": "vae", "step": 0.02, "resident": 0.47, "shares": {"logging": 0.01, "checkpoints": 0.002},
        "seconds": {FULL: [1.1, 2.04], BARE: [1.0, 2.0]},
    }  # fmt: skip
    (line,) = speed.overhead([each]).splitlines()[2:]
    assert line == ("| vae | 20.0 ms | 6.0% [4.0%, 8.0%] | 1.2%: logging 1.0%, checkpoints 0.2% | 0.47 GiB |")


def test_a_look_that_ours_never_reached_says_so() -> None:
    looks = [
        {"arm": "a", "seconds": 30.2, "distance": 9.96, "ours": 3.04, "times": 9.93},
        {"arm": "a", "seconds": 60.0, "distance": 1.0, "ours": None, "times": None},
    ]
    assert quality.sooner(looks, {"a": "peer"}).splitlines()[2:] == [
        "| peer | 30 s | 10.0 | 3 s | 10× |", "| peer | 60 s | 1.0 | never | – |"
    ]  # fmt: skip


def raced(model: str, seed: int, value: float, **more: Any) -> dict[str, Any]:
    row = {"arm": "x", "model": model, "data": "mnist", "budget": 60.0, "seed": seed, "seconds": 61.0}
    return {**row, "own_seconds": 51.0, "steps": 9, "wall": 62.0, "fid": {"classifier": value}, **more}


def test_quality_is_a_mean_with_its_ends_and_is_held_against_the_goal() -> None:
    rows = [raced("VAE, z ~ N(0, I)", seed, value) for seed, value in enumerate((70.0, 80.0, 75.0))]
    rows += [raced("VAE, z ~ N(0, I)", 0, 50.5, budget=600.0)]
    rows = clock.with_floor(rows, "mnist", {"classifier": 3.0})
    head, _, line = quality.quality(rows, "mnist").splitlines()
    assert head == "| on classifier; training images 3.0 | 60 s | 600 s |"
    assert "| 75.0 [70.0, 80.0] in 61 s; ≤ 80: met |" in line
    assert "| 50.5, one seed in 61 s; ≤ 50: missed |" in line


def test_a_mean_of_two_seeds_says_so() -> None:
    rows = [raced("GAN", seed, value) for seed, value in enumerate((6.0, 7.0))]
    assert quality.cell(rows, "classifier") == "6.5 [6.0, 7.0], two seeds in 61 s"


def test_a_goal_is_of_its_scale_and_data_set() -> None:
    model = "VAE, z ~ N(0, I)"
    assert "met" not in quality.quality([raced(model, 0, 1.0, data="fashion-mnist")], "fashion-mnist")
    assert "met" not in quality.quality([raced(model, 0, 1.0, fid={"genlab-mnist": 1.0})], "mnist")
    assert "Not measured yet" in quality.quality([raced(model, 0, 1.0)], "fashion-mnist")


def test_the_floor_stands_once_for_each_data_set_on_every_scale() -> None:
    rows = clock.with_floor([raced("a", 0, 1.0)], "mnist", {"one": 1.0})
    rows = clock.with_floor(clock.with_floor(rows, "mnist", {"two": 2.0}), "fashion-mnist", {"one": 3.0})
    assert [row["fid"] for row in rows if row["model"] == quality.FLOOR] == [
        {"one": 1.0, "two": 2.0}, {"one": 3.0}
    ]  # fmt: skip
    assert "a" in clock.table(rows)


def test_a_gan_is_charged_for_what_came_before_it() -> None:
    (line,) = quality.charged([raced("GAN from the VAE's decoder", 0, 5.0)], "mnist").splitlines()[2:]
    assert line == "| GAN from the VAE's decoder | 10 + 51 s |"


def test_what_was_not_measured_says_by_which_command_it_would_be(tmp_path: Path) -> None:
    page = "<!-- startup --><!-- /startup -->"
    assert "`genlab bench startup`" in performance.written(page, tmp_path)


def test_the_search_writes_its_tables_by_the_same_rule() -> None:
    page = "<!-- gan-rate -->\n\nold\n\n<!-- /gan-rate -->"
    new = search.documented(page, argparse.Namespace(data="mnist", seeds=1), [])
    assert STUDIES["gan-rate"].question in new
    assert "old" not in new
