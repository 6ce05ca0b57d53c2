"""Time to quality: Fréchet distance against seconds of training, each recipe and each budget.

    python benchmarks/quality.py --json runs/quality.json
    python benchmarks/quality.py --budgets 20 60 --seeds 1 --arms vae gan
    python benchmarks/quality.py --data FOLDER --classifier FILE

Every cell is a training of its own, as `genlab train` does it, with logs, samples and checkpoints: the steps
are chosen for the budget before it begins, and the learning rate falls towards its end. The clock counts the
steps, the fit of a second stage, and for a GAN that starts from a VAE's decoder the VAE's training; what it
counted stands beside each number. 10 000 samples are held against the test images, whose features are not on
the clock; means over seeds, with their smallest and largest.

Distances are on the data's own feature network, and with --classifier on another one, which is one of
genlab's files or a plain stack: tensors `f.N.weight`, of four dimensions for a convolution of stride 2 padded
by half its size, of two for a linear layer, with a ReLU after each, for pixels in [0, 1]. What stands in the
JSON is not trained again. Run it alone on the machine.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from genlab import beforehand

beforehand.prepare()

import torch  # noqa: E402  (after the settings that must stand before it)
import torch.nn.functional as F  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from torch import Tensor  # noqa: E402

from genlab.data.batches import to_float  # noqa: E402
from genlab.data.dataset import Dataset  # noqa: E402
from genlab.data.fetch import cache_folder  # noqa: E402
from genlab.data.source import load  # noqa: E402
from genlab.errors import UserError  # noqa: E402
from genlab.evaluation.feature_networks import extractor_for  # noqa: E402
from genlab.experiment.runner import train  # noqa: E402
from genlab.experiment.schema import Experiment  # noqa: E402
from genlab.experiment.second_stage import fit_prior  # noqa: E402
from genlab.experiment.trained import Trained, open_run  # noqa: E402
from genlab.metrics.frechet import Moments, frechet_from_moments, moments  # noqa: E402
from genlab.recipes import recipe  # noqa: E402
from genlab.runs.files import read_json, write_json  # noqa: E402

COUNT, CHUNK = 10_000, 1000
FIT = 3.0  # seconds of the budget that are left for the second stage
FIRST = 1 / 3  # of the budget for the VAE that a GAN starts from


class Scale(NamedTuple):
    """A feature network, images (N, C, H, W) in [-1, 1] -> (N, F), and what it says of the test images."""

    name: str
    features: Callable[[Tensor], Tensor]
    reference: Moments


class Made(NamedTuple):
    """A model to be scored, and the seconds that went into it: all, and those of its last training alone."""

    label: str
    trained: Trained
    seconds: float
    own_seconds: float


def plain_stack(path: Path) -> Callable[[Tensor], Tensor]:
    """The features of a plain file of weights (see above)."""
    weights = load_file(path)
    layers = [name.removesuffix(".weight") for name in weights if name.endswith(".weight")]
    names = sorted((n for n in layers if n.startswith("f.")), key=lambda n: int(n.split(".")[1]))
    if not names:
        raise UserError(f"{path} has no tensors f.N.weight: it is no classifier that can be read here")

    def features(images: Tensor) -> Tensor:
        x = (images + 1) / 2
        for name in names:
            weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
            if weight.ndim == 4:
                x = F.relu(F.conv2d(x, weight, bias, stride=2, padding=weight.shape[-1] // 2))
            else:
                x = F.relu(F.linear(x.flatten(1), weight, bias))
        return x

    return features


def scales(dataset: Dataset, classifier: Path | None) -> list[Scale]:
    own = extractor_for(dataset, folder=cache_folder())
    found = [(own.identity, lambda images: own(images).features)]
    if classifier is not None:
        try:
            other = extractor_for(dataset, kind=str(classifier))
            found.append((other.identity, lambda images: other(images).features))
        except UserError:
            found.append((classifier.stem, plain_stack(classifier)))
    tests = to_float(torch.from_numpy(dataset.test.pixels[:COUNT]))
    return [Scale(name, features, of(tests, features)) for name, features in found]


def of(images: Tensor, features: Callable[[Tensor], Tensor]) -> Moments:
    with torch.inference_mode():
        return moments(torch.cat([features(chunk) for chunk in images.split(CHUNK)]).double())


def distances(images: Tensor, asked: list[Scale]) -> dict[str, float]:
    return {scale.name: frechet_from_moments(of(images, scale.features), scale.reference) for scale in asked}


def vae(data: str, dataset: Dataset, budget: float, seed: int, out: Path) -> Iterator[Made]:
    """The default VAE, its samples from N(0, I) and from the second stage."""
    trained = train(asked("vae", data, budget - FIT, seed), out=out / "vae", dataset=dataset)
    yield Made("VAE, z ~ N(0, I)", trained, seconds(trained), seconds(trained))
    _, fitting = fit_prior(trained, dataset)
    fitted = open_run(trained.run, prior="fitted")
    yield Made("VAE, z ~ fitted mixture", fitted, seconds(trained) + fitting, seconds(trained))


def gan(data: str, dataset: Dataset, budget: float, seed: int, out: Path) -> Iterator[Made]:
    """The default GAN from random weights."""
    trained = train(asked("gan", data, budget, seed), out=out / "gan", dataset=dataset)
    yield Made("GAN from random weights", trained, seconds(trained), seconds(trained))


def gan_from_vae(data: str, dataset: Dataset, budget: float, seed: int, out: Path) -> Iterator[Made]:
    """The default GAN from the decoder of a VAE that took a third of the budget."""
    first = train(asked("vae", data, budget * FIRST, seed), out=out / "vae", dataset=dataset)
    rest = asked("gan", data, budget - seconds(first), seed)
    trained = train(rest, start=first, out=out / "gan", dataset=dataset)
    yield Made("GAN from the VAE's decoder", trained, seconds(first) + seconds(trained), seconds(trained))


def gan_from_mixture(data: str, dataset: Dataset, budget: float, seed: int, out: Path) -> Iterator[Made]:
    """The same, its z drawn from the mixture that was fitted to the VAE's codes."""
    first = train(asked("vae", data, budget * FIRST, seed), out=out / "vae", dataset=dataset)
    _, fitting = fit_prior(first, dataset)
    rest = asked("gan", data, budget - seconds(first) - fitting, seed, "network.prior.kind=mixture")
    trained = train(rest, start=first, out=out / "gan", dataset=dataset)
    before = seconds(first) + fitting
    yield Made(
        "GAN from the VAE's decoder, z ~ mixture", trained, before + seconds(trained), seconds(trained)
    )


ARMS = {"vae": vae, "gan": gan, "gan-from-vae": gan_from_vae, "gan-from-mixture": gan_from_mixture}


def asked(name: str, data: str, budget: float, seed: int, *more: str) -> Experiment:
    return recipe(name, f"data.name={data}", f"training.seconds={budget}", f"training.seed={seed}", *more)


def seconds(trained: Trained) -> float:
    """What the run counted: its steps, not the reading of data and the writing of files."""
    finished = [event for event in trained.run.events() if event.kind == "finished"]
    return float(finished[-1].seconds)  # type: ignore[union-attr]


def cell(
    arm: str, data: str, dataset: Dataset, budget: float, seed: int, asked_for: list[Scale]
) -> list[dict[str, Any]]:
    """One training, scored: a row for each way to sample from what it made."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        began, spent = time.perf_counter(), 0.0
        for made in ARMS[arm](data, dataset, budget, seed, Path(folder)):
            paused = time.perf_counter()
            images = made.trained.sample(COUNT, seed).images
            rows.append(
                {
                    "arm": arm, "model": made.label, "data": data, "budget": budget, "seed": seed,
                    "seconds": made.seconds, "own_seconds": made.own_seconds, "steps": made.trained.step,
                    "wall": paused - began - spent, "fid": distances(images, asked_for),
                }
            )  # fmt: skip
            spent += time.perf_counter() - paused
    return rows


def run(chosen: argparse.Namespace, data: str) -> list[dict[str, Any]]:
    dataset = load(data)
    asked_for = scales(dataset, chosen.classifier)
    kept = chosen.json
    rows: list[dict[str, Any]] = read_json(kept) if kept and kept.exists() else []
    names = [scale.name for scale in asked_for]
    real = to_float(torch.from_numpy(dataset.train.pixels[:COUNT]))
    print(f"{data}: floor of training images " + said(distances(real, asked_for)), flush=True)
    for seed in range(chosen.first_seed, chosen.first_seed + chosen.seeds):
        for budget in chosen.budgets:
            for arm in chosen.arms:
                if any(known(row, arm, data, budget, seed, names) for row in rows):
                    continue
                new = cell(arm, data, dataset, budget, seed, asked_for)
                rows += new
                if kept:
                    kept.parent.mkdir(parents=True, exist_ok=True)
                    write_json(kept, rows)
                for row in new:
                    print(line(row), flush=True)
    return [row for row in rows if row["data"] == data]


def line(row: dict[str, Any]) -> str:
    return (
        f"{row['model']}, {row['budget']:g} s, seed {row['seed']}: {said(row['fid'])} "
        f"in {row['seconds']:.1f} s, {row['steps']} steps, wall {row['wall']:.1f} s"
    )


def known(row: dict[str, Any], arm: str, data: str, budget: float, seed: int, names: list[str]) -> bool:
    same = (row["arm"], row["data"], row["budget"], row["seed"]) == (arm, data, budget, seed)
    return same and all(name in row["fid"] for name in names)


def said(fid: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.1f}" for name, value in fid.items())


def table(rows: list[dict[str, Any]]) -> str:
    """A line for each model, a column for each budget: mean [smallest, largest] over seeds, on each scale."""
    budgets = sorted({row["budget"] for row in rows})
    lines = []
    for name in sorted({name for row in rows for name in row["fid"]}):
        lines.append(f"\nFréchet distance on {name}, N = {COUNT:,}")
        lines.append(f"{'model':<42}" + "".join(f"{f'{budget:g} s':>22}" for budget in budgets))
        for model in dict.fromkeys(row["model"] for row in rows):
            cells = ""
            for budget in budgets:
                found = [
                    row["fid"][name]
                    for row in rows
                    if (row["model"], row["budget"]) == (model, budget) and name in row["fid"]
                ]
                spread = f" [{min(found):.1f}, {max(found):.1f}]" if len(found) > 1 else ""
                cells += f"{f'{statistics.mean(found):.1f}{spread}' if found else '–':>22}"
            lines.append(f"{model:<42}{cells}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS))
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
    except UserError as error:
        parser.exit(2, f"quality: {error}\n")


if __name__ == "__main__":
    main()
