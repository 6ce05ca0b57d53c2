"""Quality as it grows: what ours and the peers draw after so many seconds of training, on one clock.

    genlab bench curves                                     ours and three peers, about 40 minutes
    genlab bench curves --figure docs/images/curves.svg     and draw them
    genlab bench curves --arms ours-gan dcgan.py --seeds 3

Every arm is one training, in a process of its own, that is looked at as it goes; the clock stands still
while it draws its 10 000 images. Both families draw z from N(0, I). Ours are the default recipes at a
constant rate, drawn from the averaged weights; the peers as their own scripts train and draw (`genlab bench
peers` says which of them is a package and which was written after its source). Images of 32 px are brought to
28 before they are scored. What stands in the JSON is not trained again. Run it alone on the machine.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from side_by_side.curves_figure import figure
from side_by_side.environment import peers_python
from side_by_side.settings import environment
from torch import Tensor
from torch.nn import functional as F
from under_the_clock.scales import COUNT, Scale, distances, first_of, said, scales

from genlab.data.batches import to_float
from genlab.data.mnist import mnist
from genlab.errors import UserError
from genlab.runs.files import read_json, write_json
from genlab.runs.store import runs_root


class Arm(NamedTuple):
    """`network` and `side` as `side_by_side.child` calls them; `batch` as its authors publish it."""

    label: str
    family: str
    network: str
    side: str
    batch: int
    looks: tuple[float, ...]


OURS = (0.25, 0.5, 1, 1.5, 2, 3, 4.5, 6, 9, 12, 20, 30, 60)  # seconds
THEIRS = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 450, 600)
ARMS: dict[str, Arm] = {
    "ours-gan": Arm("genlab, recipe gan", "GAN", "recipe-gan", "ours", 64, OURS),
    "ours-vae": Arm("genlab, recipe vae", "VAE", "recipe-vae", "ours", 256, OURS),
    "dcgan.py": Arm("PyTorch-GAN dcgan.py", "GAN", "pytorch-gan-dcgan", "peer", 64, THEIRS),
    "pythae-conv": Arm("pythae conv VAE", "VAE", "pythae-conv", "peer", 64, THEIRS),
    "pythae-mlp": Arm("pythae MLP VAE", "VAE", "pythae-mlp", "peer", 64, THEIRS),
}


def drawn(arm: Arm, looks: list[float], seed: int, folder: Path) -> None:
    """Train `arm` in a process of its own; what it draws is left in `folder`. Raises UserError."""
    python = str(peers_python()) if arm.network.startswith("pythae") else sys.executable
    command = [python, "-m", "side_by_side.child", arm.network, arm.side, f"--batch={arm.batch}"]
    command += [f"--seed={seed}", f"--folder={folder}", "--looks", *map(str, looks)]
    found = subprocess.run(
        command,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if found.returncode != 0:
        last = found.stderr.strip().rsplit("\n", 1)[-1]
        raise UserError(f"{arm.label} could not be trained: {last or f'exit code {found.returncode}'}")


def at_28(pixels: Tensor) -> Tensor:
    """(N, 1, H, W) uint8 -> (N, 1, 28, 28) in [-1, 1]."""
    images = to_float(pixels)
    if images.shape[-1] == 28:
        return images
    return F.interpolate(images, (28, 28), mode="bilinear", antialias=True)


def curve(name: str, looks: list[float], seed: int, measured_on: list[Scale]) -> list[dict[str, Any]]:
    """One training: a row for each look."""
    arm, rows = ARMS[name], []
    with tempfile.TemporaryDirectory() as folder:
        drawn(arm, looks, seed, Path(folder))
        for path in sorted(Path(folder).glob("*.npy")):
            pixels = torch.from_numpy(np.load(path, allow_pickle=False))
            fid = distances(at_28(pixels), measured_on)
            rows.append(
                {
                    "arm": name,
                    "family": arm.family,
                    "seed": seed,
                    **read_json(path.with_suffix(".json")),
                    "fid": fid,
                }
            )
            print(f"{arm.label}, seed {seed}, {rows[-1]['seconds']:.1f} s: {said(fid)}", flush=True)
    return rows


def sooner(rows: list[dict[str, Any]], scale: str) -> list[dict[str, Any]]:
    """For every look at a peer: by when ours, family against family and seed by seed, was as good or better;
    a row for each look, with how many times sooner that is; None where ours never was."""
    found = []
    for row in rows:
        if ARMS[row["arm"]].side != "peer":
            continue
        mine = [
            each["seconds"]
            for each in rows
            if ARMS[each["arm"]].side == "ours" and each["seed"] == row["seed"]
            and each["family"] == row["family"] and each["fid"][scale] <= row["fid"][scale]
        ]  # fmt: skip
        ours = min(mine, default=None)
        times = None if ours is None else row["seconds"] / ours
        found.append({**row, "distance": row["fid"][scale], "ours": ours, "times": times})
    return found


def table(rows: list[dict[str, Any]], scale: str) -> str:
    compared = sooner(rows, scale)
    lines = [f"\nFréchet distance on {scale}, N = {COUNT:,}: the peer's, and by when ours was as good"]
    for name in dict.fromkeys(row["arm"] for row in compared):
        mine = [row for row in compared if row["arm"] == name]
        lines.append(f"\n{ARMS[name].label:<26}{'seconds':>9}{'distance':>10}{'ours by':>10}{'sooner':>9}")
        for row in mine:
            ours = "never" if row["ours"] is None else f"{row['ours']:.1f} s"
            times = "–" if row["times"] is None else f"{row['times']:.0f}×"
            first = f"{'seed ' + str(row['seed']):<26}{row['seconds']:>9.0f}{row['distance']:>10.1f}"
            lines.append(f"{first}{ours:>10}{times:>9}")
        known = [row["times"] for row in mine if row["times"] is not None]
        if known and len(known) == len(mine):
            lines.append(f"at least {min(known):.0f}× sooner, at every look")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="genlab bench curves", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS), metavar="NAME",
                        help=f"of {', '.join(ARMS)}")  # fmt: skip
    parser.add_argument("--seeds", type=int, default=1, help="so many, from 0 on")
    parser.add_argument("--until", type=float, default=600.0, help="no look after so many seconds")
    parser.add_argument("--classifier", type=Path, help="another classifier's weights, to score on it, too")
    parser.add_argument("--json", type=Path, default=runs_root() / "curves.json", help="every look")
    parser.add_argument("--figure", type=Path, help="draw the curves as an SVG")
    chosen = parser.parse_args()
    dataset = mnist()
    rows: list[dict[str, Any]] = read_json(chosen.json) if chosen.json.exists() else []
    try:
        measured_on = scales(dataset, dataset.test, chosen.classifier)
        floor = distances(first_of(dataset.train), measured_on)
        print(f"floor of training images: {said(floor)}", flush=True)
        for seed in range(chosen.seeds):
            for name in chosen.arms:
                looks = [each for each in ARMS[name].looks if each <= chosen.until]
                if looks and not any((row["arm"], row["seed"]) == (name, seed) for row in rows):
                    rows += curve(name, looks, seed, measured_on)
                    chosen.json.parent.mkdir(parents=True, exist_ok=True)
                    write_json(chosen.json, rows)
    except KeyboardInterrupt:
        print("stopped: what was finished stays in the JSON, and the same command goes on from there")
        raise SystemExit(130) from None
    except UserError as error:
        parser.exit(2, f"genlab bench curves: {error}\n")
    shown = [row for row in rows if row["arm"] in chosen.arms]
    for scale in floor:
        print(table(shown, scale))
    if chosen.figure:
        chosen.figure.parent.mkdir(parents=True, exist_ok=True)
        labels = {name: (arm.label, arm.family) for name, arm in ARMS.items()}
        chosen.figure.write_text(figure(shown, labels, next(iter(floor.items()))), encoding="utf-8")
        print(f"drew {chosen.figure}")


if __name__ == "__main__":
    main()
