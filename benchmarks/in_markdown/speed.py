"""Images a second of peers and ours, where a step's time goes, what threads, a start and a run's keeping
cost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from overhead import GOAL, MEMORY_GOAL, cost
from side_by_side.catalogue import NETWORKS, PEAK_GOAL
from side_by_side.ratios import Measurement, Spread, by_pair, chosen, quotients, ratio, spread, summary
from startup import COMMANDS, TORCH
from threads import medians

from in_markdown.places import judged, markdown

RATE = "images_per_second"
COMPARED = {name: network for name, network in NETWORKS.items() if network.peer}
OWN = [name for name, network in NETWORKS.items() if not network.peer]
SIDES = {"ours": "ours", "compiled": "ours, compiled"}


def said(found: Spread | None) -> str:
    return "–" if found is None else f"**{found.median:.2f}×** [{found.lower:.2f}, {found.upper:.2f}]"


def goal_of(name: str, side: str) -> float | None:
    network = NETWORKS[name]
    return network.goal if side == "ours" else network.compiled_goal


def machine(kept: dict[str, Any]) -> str:
    """One sentence on what it was measured on."""
    about, rows = kept["machine"], kept["measurements"]
    peaks = spread(row["gflops"] for row in chosen(rows, side="gemm"))
    return (
        f"{about['cpu']}, {about['cores']} cores, {about['system']}, no GPU; Python {about['python']}, "
        f"torch {rows[0]['torch']}, {rows[0]['threads']} threads, float32. The fastest product of two square "
        f"matrices went at {peaks.median:.0f} GFLOP/s in the median of {peaks.values} times, "
        f"{peaks.least:.0f} to {peaks.most:.0f}."
    )


def ratio_as_run(rows: Sequence[Measurement], name: str, side: str) -> Spread | None:
    """The peer as its user runs it against ours as a command runs it: with our settings, the peer without.
    None where no pair has both."""
    ours = by_pair(rows, RATE, network=name, side=side, setting="ours")
    peers = by_pair(rows, RATE, network=name, side="peer", setting="plain")
    both = quotients(ours, peers)
    return spread(both) if both else None


def in_a_sentence(kept: dict[str, Any]) -> str:
    """From the least to the largest ratio as each is run, not compiled, and how many reach their goals."""
    found = {name: ratio_as_run(kept["measurements"], name, "ours") for name in COMPARED}
    ratios = {name: each for name, each in found.items() if each}
    low, high = (pick(each.median for each in ratios.values()) for pick in (min, max))
    met = sum(each.median >= (goal_of(name, "ours") or math.inf) for name, each in ratios.items())
    pairs = min(each.values for each in ratios.values())
    return (
        f"The same network trains {low:.1f} to {high:.1f} times as fast as in the peers' own loops "
        f"(pytorch/examples, PyTorch-GAN, pythae; {len(ratios)} networks, {pairs} pairs each, ours as a "
        f"command runs it and theirs as their user does); {met} of {len(ratios)} reach the goals set before."
    )


def as_run(kept: dict[str, Any]) -> str:
    """A line for each network, eager and compiled, as each is run."""
    rows = kept["measurements"]
    lines = []
    for name, network in COMPARED.items():
        for side, words in SIDES.items():
            found = ratio_as_run(rows, name, side)
            goal = goal_of(name, side)
            if found is None or goal is None:
                continue
            mine = summary(rows, name, side, "ours")
            theirs = summary(rows, name, "peer", "plain")
            assert mine is not None
            assert theirs is not None
            batch = next(iter(chosen(rows, network=name)))["batch"]
            lines.append(
                [
                    network.label + words.removeprefix("ours"), str(batch),
                    f"{theirs.images_per_second:,.0f}", f"{mine.images_per_second:,.0f}", said(found),
                    judged(f"≥ {goal:g}×", found.median >= goal),
                ]
            )  # fmt: skip
    heads = ("network", "batch", "peer, images/s", "ours, images/s", "ours / peer [quartiles]", "goal")
    return markdown(heads, lines)


def same_settings(kept: dict[str, Any]) -> str:
    """Both sides with our settings, and both without: ratios, shares of the peak, and what no code can pass:
    the peak over the peer's rate, at our FLOPs for an image."""
    rows = kept["measurements"]
    lines = []
    for name, network in COMPARED.items():
        for setting, words in (("ours", "with"), ("plain", "without")):
            theirs, mine = summary(rows, name, "peer", setting), summary(rows, name, "ours", setting)
            if theirs is None or mine is None:
                continue
            most = theirs.flops_per_image / mine.flops_per_image / theirs.of_peak
            lines.append(
                [
                    network.label, words, f"{theirs.images_per_second:,.0f} ({theirs.of_peak:.0%})",
                    f"{mine.images_per_second:,.0f} ({mine.of_peak:.0%})", said(ratio(rows, name, setting)),
                    said(ratio(rows, name, setting, "compiled")), f"{most:.1f}×",
                ]
            )  # fmt: skip
    heads = (
        "network", "settings", "peer, images/s (of the peak)", "ours, images/s (of the peak)", "ours / peer",
        "ours, compiled / peer", "ours at the peak / peer",
    )  # fmt: skip
    return markdown(heads, lines)


def own(kept: dict[str, Any]) -> str:
    """Our recipes' share of the peak."""
    rows = kept["measurements"]
    lines = []
    for name in OWN:
        for setting, words in (("ours", "with"), ("plain", "without")):
            for side, how in SIDES.items():
                found = summary(rows, name, side, setting)
                if found is not None:
                    goal = judged(f"≥ {PEAK_GOAL:.0%}", found.of_peak >= PEAK_GOAL)
                    lines.append(
                        [
                            NETWORKS[name].label + how.removeprefix("ours"), words,
                            f"{found.images_per_second:,.0f}", f"{found.flops_per_image / 1e6:.1f}",
                            f"{found.gflops:.0f}", f"{found.of_peak:.0%}",
                            goal if (side, setting) == ("ours", "ours") else "",
                        ]
                    )  # fmt: skip
    heads = ("recipe", "settings", "images/s", "MFLOP an image", "GFLOP/s", "of the peak", "goal")
    return markdown(heads, lines)


def layers(found: Sequence[dict[str, Any]]) -> str:
    """For each network: what share of its step the products take, how near the peak they are, and which takes
    longest."""
    lines = []
    for each in found:
        products, step, peak = each["products"], each["step"], each["peak"]
        seconds, flops = (sum(row[key] for row in products) for key in ("seconds", "flops"))
        first = products[0]
        rate = first["flops"] / first["seconds"] / 1e9
        longest = f"{words(first)}: {first['seconds'] / step:.0%}, at {rate / peak:.0%}"
        lines.append(
            [
                NETWORKS[each["network"]].label, f"{1e3 * step:.1f} ms", f"{flops / step / 1e9 / peak:.0%}",
                f"{seconds / step:.0%}", f"{flops / seconds / 1e9 / peak:.0%}",
                f"{1 - seconds / step:.0%}", longest,
            ]
        )  # fmt: skip
    heads = (
        "network", "a step", "of the peak", "in products and convolutions", "… alone, of the peak",
        "everything else", "the longest: share of the step, of the peak",
    )  # fmt: skip
    return markdown(heads, lines)


def words(row: dict[str, Any]) -> str:
    """An operation and the shapes of what it works on."""
    shapes = [shape.replace(" × ", "×") for shape in row["shapes"][:3]]
    return f"`{row['operation']}` {', '.join(shapes)}"


def threads(rows: Sequence[dict[str, Any]]) -> str:
    """Images a second, a line for each way to place threads; medians over rounds."""
    columns, lines = medians(rows)
    busy = {0: "alone", 1: "beside one busy program", 2: "beside two"}
    heads = ["threads", *(f"{network.removeprefix('recipe-')}, {busy[count]}" for network, count in columns)]
    return markdown(heads, ([name, *cells] for name, cells in lines.items()))


def startup(found: dict[str, Any]) -> str:
    torch = spread(one[TORCH] for one in found["seconds"])
    lines = [[f"`{TORCH}`", f"{torch.median:.2f} s", f"{torch.least:.2f} … {torch.most:.2f}", ""]]
    for command in COMMANDS:
        each = spread(one[command.name] for one in found["seconds"])
        lines.append(
            [
                f"`{command.name}`{', beyond importing torch' if command.over_torch else ''}",
                f"{each.median:.2f} s", f"{each.least:.2f} … {each.most:.2f}",
                judged(f"≤ {command.goal:g} s", each.median <= command.goal) if command.goal else "",
            ]
        )  # fmt: skip
    return markdown(("command", "median", "least … most", "goal"), lines)


def overhead(found: Sequence[dict[str, Any]]) -> str:
    heads = (
        "recipe", "a bare step", f"everything adds [quartiles]; goal ≤ {GOAL:.0%}", "its parts alone",
        f"memory, at most; goal ≤ {MEMORY_GOAL:g} GiB",
    )  # fmt: skip
    return markdown(heads, overheads(found))


def overheads(found: Sequence[dict[str, Any]]) -> Iterator[list[str]]:
    for each in found:
        added = cost(each)
        parts = ", ".join(f"{part} {share:.1%}" for part, share in each["shares"].items())
        yield [
            each["recipe"], f"{1e3 * each['step']:.1f} ms",
            f"{added.median:.1%} [{added.lower:.1%}, {added.upper:.1%}]",
            f"{sum(each['shares'].values()):.1%}: {parts}", f"{each['resident']:.2f} GiB",
        ]  # fmt: skip


def alone(kept: dict[str, Any]) -> dict[str, Any]:
    """Without what was measured beside a foreign program."""
    return {**kept, "measurements": chosen(kept["measurements"], busy=False)}
