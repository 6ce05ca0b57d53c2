"""Fréchet distances after so many seconds of training, and by when ours was as good as a peer."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from in_markdown.places import judged, markdown

Row = dict[str, Any]
FLOOR = "training images"
# on the classifier that `genlab bench quality --classifier` is given; (model, seconds) -> at most
GOALS = {
    ("VAE, z ~ N(0, I)", 60): 80, ("VAE, z ~ N(0, I)", 600): 50,
    ("VAE, z ~ fitted mixture", 20): 14, ("VAE, z ~ fitted mixture", 60): 9,
    ("VAE, z ~ fitted mixture", 600): 6,
    ("GAN from random weights", 60): 18, ("GAN from random weights", 600): 6,
    ("GAN from the VAE's decoder", 600): 5, ("GAN from the VAE's decoder, z ~ mixture", 600): 5,
}  # fmt: skip
GOALS_ON = "classifier"


def budgets(rows: Sequence[Row]) -> list[float]:
    return sorted({row["budget"] for row in rows if row["budget"] is not None})


def quality(rows: Sequence[Row], data: str) -> str:
    """A table for each scale: a line for each model, a column for each budget; the mean over seeds, the
    smallest and the largest, and the mean of the seconds that it really took."""
    here = [row for row in rows if row["data"] == data]
    if not here:
        return f"*Not measured yet: `genlab bench quality --data {data}`.*"
    scales = sorted({scale for row in here for scale in row["fid"]}, reverse=True)
    return "\n\n".join(scaled(here, scale) for scale in scales)


def scaled(rows: Sequence[Row], scale: str) -> str:
    mine = [row for row in rows if scale in row["fid"]]
    floor = next((row["fid"][scale] for row in mine if row["model"] == FLOOR), None)
    lines = []
    for model in dict.fromkeys(row["model"] for row in mine if row["model"] != FLOOR):
        cells = [model]
        for budget in budgets(mine):
            found = [row for row in mine if (row["model"], row["budget"]) == (model, budget)]
            cells.append(cell(found, scale) + wanted(found, model, budget, scale))
        lines.append(cells)
    least = "" if floor is None else f"; {FLOOR} {floor:.1f}"
    heads = [f"on {scale}{least}", *(f"{budget:g} s" for budget in budgets(mine))]
    return markdown(heads, lines)


def own_scale(rows: Sequence[Row]) -> str:
    """MNIST alone, on the feature network that ships."""
    return scaled([row for row in rows if row["data"] == "mnist"], shipped(rows))


def shipped(rows: Sequence[Row]) -> str:
    names: list[str] = [name for row in rows for name in row["fid"]]
    return next(name for name in names if name.startswith("genlab-mnist-"))


def cell(rows: Sequence[Row], scale: str) -> str:
    """The mean over seeds, the smallest and the largest, and the mean of the seconds that it took; it says so
    where they are fewer than three."""
    if not rows:
        return "–"
    values = [row["fid"][scale] for row in rows]
    ends = f" [{min(values):.1f}, {max(values):.1f}]" if len(values) > 1 else ""
    ends += {1: ", one seed", 2: ", two seeds"}.get(len(values), "")
    seconds = statistics.mean(row["seconds"] for row in rows)
    return f"{statistics.mean(values):.1f}{ends} in {seconds:.0f} s"


def wanted(rows: Sequence[Row], model: str, budget: float, scale: str) -> str:
    goal = GOALS.get((model, int(budget)))
    if goal is None or not rows or scale != GOALS_ON or rows[0]["data"] != "mnist":
        return ""
    reached = statistics.mean(row["fid"][scale] for row in rows)
    return "; " + judged(f"≤ {goal}", reached <= goal)


def charged(rows: Sequence[Row], data: str) -> str:
    """Of the seconds of a GAN that starts from a VAE, those of the VAE and of its mixture."""
    here = [row for row in rows if row["data"] == data and "decoder" in row["model"]]
    lines = []
    for model in dict.fromkeys(row["model"] for row in here):
        cells = [model]
        for budget in budgets(here):
            found = [row for row in here if (row["model"], row["budget"]) == (model, budget)]
            spent, alone = (
                statistics.mean(row[key] for row in found) if found else 0.0
                for key in ("seconds", "own_seconds")
            )
            cells.append(f"{spent - alone:.0f} + {alone:.0f} s" if found else "–")
        lines.append(cells)
    return markdown(["before the GAN + the GAN", *(f"{budget:g} s" for budget in budgets(here))], lines)


def sooner(compared: Sequence[Row], labels: dict[str, str]) -> str:
    """A line for each look at a peer."""
    lines = [
        [
            labels[row["arm"]], f"{row['seconds']:.0f} s", f"{row['distance']:.1f}",
            "never" if row["ours"] is None else f"{row['ours']:.2g} s",
            "–" if row["times"] is None else f"{row['times']:.0f}×",
        ]
        for row in compared
    ]  # fmt: skip
    heads = ("peer", "after", "its distance", "ours as good after", "sooner")
    return markdown(heads, lines)
