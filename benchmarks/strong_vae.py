"""Two strong VAEs on binarised MNIST, with N(0, I) and with a RealNVP prior: −L_K in nats beside the papers'.

    python benchmarks/strong_vae.py strong-vae strong-vae-flow

Runs lie in `--folder`; one that was stopped goes on where it was when the command is given again.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from likelihoods import measured, trained, write_results

from genlab.experiment.runner import load_data
from genlab.recipes import recipe

PAPERS = {
    "strong-vae": "81.08 (convolutional ResNet VAE, z = 32, L_128)",
    "strong-vae-flow": "78.61 (convolutional VAE with a RealNVP prior, L_1000)",
}


def table(rows: list[dict[str, Any]]) -> str:
    lines = [f"{'recipe':<16} {'seed':>4} {'ours':>14} {'active':>7} {'epochs':>7}  published, on a GPU"]
    for row in rows:
        name, ours = row["recipe"], f"{row['nll']:.2f} ± {row['error']:.2f}"
        lines.append(
            f"{name:<16} {row['seed']:>4} {ours:>14} {row['active']:>7} {row['epochs']:>7.0f}  {PAPERS[name]}"
        )
    first = rows[0]
    lines.append(
        f"−L_{first['samples']} in nats on {first['images']} test images, one binarisation; ± is the "
        "standard error over images"
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipes", nargs="*", default=list(PAPERS), metavar="RECIPE", help=", ".join(PAPERS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="fields of the config")
    parser.add_argument("--samples", type=int, default=1000, help="the K of L_K")
    parser.add_argument("--images", type=int, default=10_000, help="test images")
    parser.add_argument("--folder", type=Path, default=Path("runs/strong-vae"))
    parser.add_argument("--json", type=Path, help="where to write the rows")
    chosen = parser.parse_args()
    rows = []
    for name in chosen.recipes:
        for seed in chosen.seeds:
            settings = recipe(
                name, f"training.seed={seed}", f"training.threads={chosen.threads}",
                f"training.device={chosen.device}", *chosen.set,
            )  # fmt: skip
            dataset = load_data(settings)
            opened = trained(settings, dataset, chosen.folder / f"{name}-seed{seed}")
            row = measured(opened, dataset, samples=chosen.samples, images=chosen.images)
            rows.append({"recipe": name, "seed": seed, **row})
            write_results(rows, chosen.json)
    print(table(rows))


if __name__ == "__main__":
    main()
