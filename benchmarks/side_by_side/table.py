"""The result as text: what was compared, ratios with their spread, and the share of the machine's peak."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from side_by_side.catalogue import NETWORKS, PEAK_GOAL, SETTINGS
from side_by_side.ratios import Measurement, Spread, by_pair, chosen, gain, ratio, spread, summary

SPREAD = f"{'median':>8}  {'quartiles':<15}{'least … most':<16}{'pairs':>5}"
SIDE_NAMES = {"peer": "peer", "ours": "ours", "compiled": "ours --compile"}


def text(rows: Sequence[Measurement], machine: dict[str, Any]) -> str:
    return "\n".join(
        [*heading(rows, machine), "", *rates(rows), "", *comparisons(rows), "", *gains(rows), *notes(rows)]
    )


def measured(rows: Sequence[Measurement]) -> list[tuple[str, str]]:
    """(network, setting) in the catalogue's order."""
    have = {(row["network"], row["setting"]) for row in rows}
    return [(name, setting) for name in NETWORKS for setting in SETTINGS if (name, setting) in have]


def heading(rows: Sequence[Measurement], machine: dict[str, Any]) -> Iterator[str]:
    peaks = spread(row["gflops"] for row in chosen(rows, side="gemm"))
    row = rows[0]
    yield f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}; Python {machine['python']}"
    yield f"torch {row['torch']}, genlab {row['genlab']}, {row['threads']} threads, float32"
    yield f"{row['seconds']:g} s of training in each measurement"
    if row["busy"]:
        yield "one foreign process keeps a core busy throughout"
    ends = f"{peaks.least:.0f} … {peaks.most:.0f} over {peaks.values} times"
    yield f"GEMM peak {peaks.median:.0f} GFLOP/s ({ends})"


def rates(rows: Sequence[Measurement]) -> Iterator[str]:
    columns = f"{'images/s':>10}{'MFLOP/image':>13}{'GFLOP/s':>9}{'of peak':>9}"
    yield f"{'network':<24}{'settings':<10}{'side':<16}{columns}"
    for name, setting in measured(rows):
        for side, words in SIDE_NAMES.items():
            found = summary(rows, name, side, setting)
            if found is None:
                continue
            goal = f"  goal {PEAK_GOAL:.0%}" if not NETWORKS[name].peer and side == "ours" else ""
            yield (
                f"{NETWORKS[name].label:<24}{setting:<10}{words:<16}{found.images_per_second:>10,.0f}"
                f"{found.flops_per_image / 1e6:>13,.1f}{found.gflops:>9.1f}{found.of_peak:>9.0%}{goal}"
            )


def comparisons(rows: Sequence[Measurement]) -> Iterator[str]:
    yield f"{'ours / peer':<24}{'settings':<10}{'side':<16}{SPREAD}"
    for name, setting in measured(rows):
        network = NETWORKS[name]
        for side, goal in (("ours", network.goal), ("compiled", network.compiled_goal)):
            found = ratio(rows, name, setting, side)
            if found is not None:
                wanted = f"  goal {goal:g}×" if goal else ""
                yield f"{network.label:<24}{setting:<10}{SIDE_NAMES[side]:<16}{words(found)}{wanted}"


def words(found: Spread) -> str:
    quartiles, ends = f"{found.lower:.2f} … {found.upper:.2f}", f"{found.least:.2f} … {found.most:.2f}"
    return f"{found.median:>7.2f}×  {quartiles:<15}{ends:<16}{found.values:>5}"


def gains(rows: Sequence[Measurement]) -> Iterator[str]:
    """What the settings alone give each side."""
    found = {
        (name, side): gain(rows, name, side) for name in NETWORKS for side in SIDE_NAMES
    }  # fmt: skip
    if not any(found.values()):
        return
    yield f"{'with / without settings':<34}{'side':<16}{SPREAD}"
    for (name, side), each in found.items():
        if each is not None:
            yield f"{NETWORKS[name].label:<34}{SIDE_NAMES[side]:<16}{words(each)}"
    yield ""


def notes(rows: Sequence[Measurement]) -> Iterator[str]:
    for setting in SETTINGS:
        if chosen(rows, setting=setting):
            yield f"settings {setting}: {SETTINGS[setting]}, on both sides"
    yield "Every number is a median over pairs; a ratio is of two measurements that were made side by side."
    yield "FLOPs are torch's count of one step, both passes; the peak is the best fp32 matrix product."
    for name, network in NETWORKS.items():
        if network.peer and by_pair(rows, "images", network=name, side="peer"):
            batch = next(iter(chosen(rows, network=name)))["batch"]
            yield f"{network.label}: batch {batch}; the peer is {network.peer}"
