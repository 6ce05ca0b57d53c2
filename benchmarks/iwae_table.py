"""Table 1 of the IWAE paper (Burda et al., 2016): ours beside theirs, −L_5000 on binarised MNIST in nats.

    python benchmarks/iwae_table.py 1-vae-1 --schedule short

A variant is LAYERS-OBJECTIVE-K. Without one all are trained, which takes days on a CPU. Runs lie in
`--folder`; one that was stopped goes on where it was when the command is given again.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from likelihoods import ACTIVE, measured, trained, write_results

from genlab.experiment.runner import load_data
from genlab.experiment.schema import Experiment
from genlab.recipes import recipe

LAYERS: dict[str, tuple[str, ...]] = {
    "1": (),
    "2": ("network.latent_dim=100", "network.second_latent=50"),
}
OBJECTIVES: dict[str, tuple[str, ...]] = {
    "vae": (),
    "iwae": ("objective.bound=iwae", "objective.gradient=reparameterized"),
    "dreg": ("objective.bound=iwae", "objective.gradient=dreg"),
}
# nats; DReG is of one reproduction, with one layer (Tucker et al., 2019)
PAPER: dict[str, float | None] = {
    "1-vae-1": 86.76, "1-vae-5": 86.47, "1-vae-50": 86.35,
    "1-iwae-5": 85.54, "1-iwae-50": 84.78, "1-dreg-5": 84.90, "1-dreg-50": 84.32,
    "2-vae-1": 85.33, "2-vae-5": 85.01, "2-vae-50": 84.78,
    "2-iwae-5": 83.89, "2-iwae-50": 82.90, "2-dreg-5": None, "2-dreg-50": None,
}  # fmt: skip
WARMUP_STEPS = 600_000  # 200 epochs, as in Sønderby et al. (2016)


def experiment(variant: str, schedule: str, settings: list[str]) -> Experiment:
    layers, objective, draws = variant.split("-")
    name = "iwae-table1-short" if schedule == "short" else "iwae-table1"
    chosen = [*LAYERS[layers], *OBJECTIVES[objective], f"objective.samples={draws}"]
    chosen += [f"objective.warmup_steps={WARMUP_STEPS}"] if schedule == "warmup" else []
    return recipe(name, *chosen, *settings)


def table(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'variant':<10} {'seed':>4} {'ours':>14} {'paper':>6} {'active units':>13} {'epochs':>7}"]
    for row in rows:
        nll = PAPER[row["variant"]]
        paper, ours = f"{nll:.2f}" if nll else "", f"{row['nll']:.2f} ± {row['error']:.2f}"
        lines.append(
            f"{row['variant']:<10} {row['seed']:>4} {ours:>14} {paper:>6} {row['active']:>13} "
            f"{row['epochs']:>7.0f}"
        )
    first = rows[0]
    lines.append(
        f"−L_{first['samples']} in nats on {first['images']} test images, one binarisation; schedule: "
        f"{first['schedule']}; ± is the standard error over images; active: Var E[z] > {ACTIVE}"
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("variants", nargs="*", metavar="VARIANT", help=", ".join(PAPER))
    parser.add_argument("--schedule", choices=["paper", "warmup", "short"], default="paper")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="fields of the config")
    parser.add_argument("--samples", type=int, default=5000, help="the K of L_K")
    parser.add_argument("--images", type=int, default=10_000, help="test images")
    parser.add_argument("--folder", type=Path, default=Path("runs/iwae-table"))
    parser.add_argument("--json", type=Path, help="where to write the rows")
    chosen = parser.parse_args()
    unknown = [variant for variant in chosen.variants if variant not in PAPER]
    if unknown:
        parser.error(f"there is no variant {unknown[0]}: choose from {', '.join(PAPER)}")
    rows = []
    for variant in chosen.variants or PAPER:
        for seed in chosen.seeds:
            common = [f"training.seed={seed}", f"training.threads={chosen.threads}"]
            common += [f"training.device={chosen.device}", *chosen.set]
            settings = experiment(variant, chosen.schedule, common)
            dataset = load_data(settings)
            opened = trained(settings, dataset, chosen.folder / f"{chosen.schedule}-{variant}-seed{seed}")
            row = measured(opened, dataset, samples=chosen.samples, images=chosen.images)
            rows.append({"variant": variant, "schedule": chosen.schedule, "seed": seed, **row})
            write_results(rows, chosen.json)
    print(table(rows))


if __name__ == "__main__":
    main()
