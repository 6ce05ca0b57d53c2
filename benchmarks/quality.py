"""Time to quality: Fréchet distance against seconds of training, each recipe and each budget.

    genlab bench quality --json runs/quality.json
    genlab bench quality --budgets 20 60 --seeds 1 --arms vae gan
    genlab bench quality --data FOLDER --classifier FILE

Every cell is a training of its own, as `genlab train --recipe auto --seconds N` does it, with logs, samples
and checkpoints: `genlab/recipes/auto.py` fits the recipe to the seconds, a calibration the steps, before it
begins. The clock counts the steps, the fit of a second stage, and for a GAN that starts from a VAE's decoder
the VAE's training; what it counted stands beside each number. 10 000 samples are held against the test
images, whose features are not on the clock; means over seeds, with their smallest and largest.

Distances are on the data's own feature network, and with --classifier on another one, which is one of
genlab's files or a plain stack of weights (`under_the_clock/scales.py` says of which kind). What stands in
the JSON is not trained again. Run it alone on the machine.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from genlab import beforehand

beforehand.prepare()

from in_markdown.quality import FLOOR, budgets, cell  # noqa: E402  (after what must stand before torch)
from under_the_clock.arms import ARMS, Task, scored  # noqa: E402
from under_the_clock.scales import COUNT, distances, first_of, said, scales  # noqa: E402

from genlab.data.source import load  # noqa: E402
from genlab.errors import UserError  # noqa: E402
from genlab.runs.files import read_json, write_json  # noqa: E402

DEFAULT = ["vae", "gan", "gan-from-vae", "gan-from-mixture"]


def run(chosen: argparse.Namespace, data: str) -> list[dict[str, Any]]:
    dataset = load(data)
    asked_for = scales(dataset, dataset.test, chosen.classifier)
    kept = chosen.json
    rows: list[dict[str, Any]] = read_json(kept) if kept and kept.exists() else []
    names = [scale.name for scale in asked_for]
    floor = distances(first_of(dataset.train), asked_for)
    print(f"{data}: floor of {FLOOR} {said(floor)}", flush=True)
    rows = with_floor(rows, data, floor)
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_json(kept, rows)
    for seed in range(chosen.first_seed, chosen.first_seed + chosen.seeds):
        for budget in chosen.budgets:
            for arm in chosen.arms:
                if any(known(row, arm, data, budget, seed, names) for row in rows):
                    continue
                new = scored(arm, Task(data, dataset, budget, seed, auto=True), asked_for)
                rows += new
                if kept:
                    write_json(kept, rows)
                for row in new:
                    print(line(row), flush=True)
    return [row for row in rows if row["data"] == data]


def with_floor(rows: list[dict[str, Any]], data: str, fid: dict[str, float]) -> list[dict[str, Any]]:
    """`rows`, what real images have on each scale among them: once for each data set."""
    for row in rows:
        if (row["model"], row["data"]) == (FLOOR, data):
            row["fid"] = {**fid, **row["fid"]}
            return rows
    return [*rows, {"arm": FLOOR, "model": FLOOR, "data": data, "budget": None, "seed": None, "fid": fid}]


def line(row: dict[str, Any]) -> str:
    return (
        f"{row['model']}, {row['budget']:g} s, seed {row['seed']}: {said(row['fid'])} "
        f"in {row['seconds']:.1f} s, {row['steps']} steps, wall {row['wall']:.1f} s"
    )


def known(row: dict[str, Any], arm: str, data: str, budget: float, seed: int, names: list[str]) -> bool:
    same = (row["arm"], row["data"], row["budget"], row["seed"]) == (arm, data, budget, seed)
    return same and all(name in row["fid"] for name in names)


def table(rows: list[dict[str, Any]]) -> str:
    """A line for each model, a column for each budget, a part for each scale."""
    rows = [row for row in rows if row["model"] != FLOOR]
    lines = []
    for name in sorted({name for row in rows for name in row["fid"]}):
        lines.append(f"\nFréchet distance on {name}, N = {COUNT:,}")
        lines.append(f"{'model':<42}" + "".join(f"{f'{budget:g} s':>28}" for budget in budgets(rows)))
        for model in dict.fromkeys(row["model"] for row in rows):
            cells = ""
            for budget in budgets(rows):
                rows_here = [
                    row
                    for row in rows
                    if (row["model"], row["budget"]) == (model, budget) and name in row["fid"]
                ]
                cells += f"{cell(rows_here, name):>28}"
            lines.append(f"{model:<42}{cells}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="genlab bench quality", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=DEFAULT)
    parser.add_argument("--budgets", nargs="+", type=float, default=[20, 60, 600], help="seconds of training")
    parser.add_argument("--seeds", type=int, default=3, help="so many")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument(
        "--data", nargs="+", default=["mnist"], help="data sets, as `genlab train` names them"
    )
    parser.add_argument("--classifier", type=Path, help="another classifier's weights, to score on it, too")
    parser.add_argument("--json", type=Path, help="where finished trainings are kept")
    chosen = parser.parse_args()
    try:
        for data in chosen.data:
            print(table(run(chosen, data)), flush=True)
    except KeyboardInterrupt:
        print("stopped: what was finished stays in the JSON, and the same command goes on from there")
        raise SystemExit(130) from None
    except UserError as error:
        parser.exit(2, f"genlab bench quality: {error}\n")


if __name__ == "__main__":
    main()
