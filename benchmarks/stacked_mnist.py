"""The thousand modes of Stacked MNIST: modes reached and KL(samples ‖ uniform), ours beside the papers'.

    python benchmarks/stacked_mnist.py --floor                    only what real images would get
    python benchmarks/stacked_mnist.py --device cuda              the whole recipe
    python benchmarks/stacked_mnist.py --steps 20 --samples 500   the path of it, on a CPU

Digits are read by the shipped classifier, channel by channel. Values compare at one number of samples only,
26 000 in all papers, since the KL's floor rises as they get fewer. A run that was stopped goes on where it
was when the command is given again.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from genlab.data import load, to_float
from genlab.data.dataset import Dataset
from genlab.evaluation.stacked_modes import MODES, STANDARD_COUNT, stacked_counts
from genlab.experiment.runner import begin, work
from genlab.experiment.trained import open_run
from genlab.metrics.modes import class_counts, modes_hit, reverse_kl
from genlab.metrics.unavailable import Unavailable
from genlab.randomness import generator
from genlab.recipes import recipe
from genlab.runs.files import write_json
from genlab.runs.store import Run, find_run

CHUNK = 500  # images at a time

PAPERS = (
    ("DCGAN", "99", "3.40", "Lin et al. (2018)"),
    ("VEEGAN", "150", "2.95", "Lin et al. (2018)"),
    ("PacDCGAN-2", "1000", ".06", "Lin et al. (2018)"),
    ("WGAN-GP", "959", ".73", "Huang et al. (2024)"),
    ("StyleGAN2", "940", ".42", "Huang et al. (2024)"),
    ("DDGAN", "1000", ".071", "Huang et al. (2024)"),
    ("MEG", "1000", ".031", "Huang et al. (2024)"),
    ("R3GAN, Config E", "1000", ".029", "Huang et al. (2024)"),
    ("its small network, RpGAN + R1 + R2", "1000", ".078", "Huang et al. (2024)"),
    ("its small network, GAN + R1 + R2", "693", ".927", "Huang et al. (2024)"),
)


class Row(NamedTuple):
    name: str
    modes: int
    divergence: float | Unavailable
    samples: int


def row(name: str, chunks: Iterator[Tensor]) -> Row:
    """What the classifier counts in images of `chunks`, (B, 3, 28, 28) each."""
    counts, drawn = torch.zeros(MODES, dtype=torch.int64), 0
    for images in chunks:
        counts += stacked_counts(images)
        drawn += len(images)
    return Row(name, modes_hit(counts), reverse_kl(counts), drawn)


def real(dataset: Dataset, count: int) -> Iterator[Tensor]:
    """The first `count` training images, which are digits stacked at random."""
    pixels = torch.from_numpy(dataset.train.pixels[:count])
    return (to_float(chunk) for chunk in pixels.split(CHUNK))


def floors(dataset: Dataset, count: int) -> list[Row]:
    """Real images by the classifier, and by the labels that they were stacked with."""
    labels = torch.tensor(dataset.train.labels)[:count]
    counts = class_counts(labels, MODES)
    by_labels = Row("floor: real images, by label", modes_hit(counts), reverse_kl(counts), len(labels))
    return [row("floor: real images", real(dataset, count)), by_labels]


def trained(dataset: Dataset, folder: Path, assignments: list[str]) -> Run:
    """The run in `folder`, begun where there is none and brought to its last step."""
    if folder.exists():
        run = find_run(str(folder))
    else:
        run = begin(recipe("stacked-mnist", *assignments), out=folder, dataset=dataset)
    for _ in work(run, dataset=dataset):
        pass
    return run


def generated(run: Run, count: int) -> Iterator[Tensor]:
    """Images from the run's averaged weights, from a stream of evaluation's own."""
    model = open_run(run).model

    @torch.inference_mode()
    def chunk(index: int, size: int) -> Tensor:
        return model.sample(size, generator(0, "evaluate", index))

    return (chunk(i, min(CHUNK, count - start)) for i, start in enumerate(range(0, count, CHUNK)))


def as_json(each: Row) -> dict[str, object]:
    kl = each.divergence
    number = kl.as_json() if isinstance(kl, Unavailable) else kl
    return {"name": each.name, "modes": each.modes, "kl": number, "samples": each.samples}


def table(rows: list[Row]) -> str:
    lines = [f"{'':<36} {'modes':>5} {'KL':>7}  source"]
    for name, modes, divergence, source in PAPERS:
        lines.append(f"{name:<36} {modes:>5} {divergence:>7}  {source}")
    for each in rows:
        value = "none" if isinstance(each.divergence, Unavailable) else f"{each.divergence:.4f}"
        lines.append(f"{each.name:<36} {each.modes:>5} {value:>7}  ours, {each.samples} samples")
    return "\n".join([*lines, f"Of {MODES} modes; the papers have {STANDARD_COUNT} samples."])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--floor", action="store_true", help="train nothing")
    parser.add_argument("--steps", type=int, help="in place of the recipe's")
    parser.add_argument("--samples", type=int, default=STANDARD_COUNT)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="fields of the config")
    parser.add_argument("--folder", type=Path, default=Path("runs/stacked-mnist"))
    parser.add_argument("--json", type=Path, help="where to write the rows")
    chosen = parser.parse_args()
    dataset = load("stacked-mnist", seed=chosen.seed)
    rows = floors(dataset, chosen.samples)
    if not chosen.floor:
        assignments = [f"training.seed={chosen.seed}", f"training.device={chosen.device}", *chosen.set]
        assignments += [f"training.steps={chosen.steps}"] if chosen.steps else []
        folder = chosen.folder / f"seed{chosen.seed}"
        rows.append(row("RpGAN + R1 + R2", generated(trained(dataset, folder, assignments), chosen.samples)))
    print(table(rows))
    if chosen.json:
        write_json(chosen.json, [as_json(each) for each in rows])


if __name__ == "__main__":
    main()
