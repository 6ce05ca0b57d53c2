"""Linear probes: what can be read from a trunk's layers by one linear map, and by no more than that.

The map is fitted by ridge regression to features that have mean 0 and variance 1 on the images it is fitted
on; how much it is held back is chosen on a quarter of them. Alain & Bengio (2017).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from genlab.data.batches import to_float
from genlab.data.dataset import Dataset, Images
from genlab.experiment.process import use_threads
from genlab.experiment.runner import load_data
from genlab.experiment.trained import CHUNK, open_run
from genlab.lessons.work import Said
from genlab.lessons.work.twin import trunk_of
from genlab.networks.model import GAN, VAE
from genlab.nn.trunk import Trunk
from genlab.randomness import generator
from genlab.runs.store import Run

PENALTIES = (0.01, 1.0, 100.0)  # of a weight's square, per image
Score = Callable[[Tensor, Tensor], float]


class Sets(NamedTuple):
    """Images (N, C, H, W) to fit on and to measure with, and what is to be read from them (N, T)."""

    fit: Tensor
    targets: Tensor
    held_out: Tensor
    answers: Tensor


def probes(given: Mapping[str, Any], folder: Path, needs: Sequence[Path], said: Said) -> dict[str, Any]:
    """What the layers of three trunks say: an encoder's, a discriminator's, and the one that both began as.

    given: fit and held_out, how many images. needs: the runs of the VAE and of the GAN. For each trunk, a row
    for each layer from the pixels to the output: "class", share of the held-out images whose class is right;
    "pixels", share of the pixels' variance that is recovered (R²); "real", share of test images and of the
    GAN's own samples that are told apart.
    """
    use_threads(1)
    opened = [open_run(Run(each / "run"), weights="model") for each in needs]
    vae, gan = (each.model for each in opened)
    assert isinstance(vae, VAE)
    assert isinstance(gan, GAN)
    dataset = load_data(opened[0].experiment)
    seed = opened[0].experiment.training.seed
    classes = of_classes(dataset, given["fit"], given["held_out"], seed)
    kinds = of_kinds(gan, dataset, given["fit"] // 2, given["held_out"] // 2, seed)
    readers = {
        "encoder": layers_of(vae.encoder.trunk, lambda x: vae.encode(x).mean),  # type: ignore[arg-type]
        "discriminator": layers_of(gan.discriminator.trunk, lambda x: gan.discriminator(x).unsqueeze(1)),
        "untrained": layers_of(trunk_of(opened[0].experiment, dataset.shape).eval()),
    }
    found: dict[str, Any] = {"chance": float(classes.answers.mean(dim=0).max())}
    for number, (name, read) in enumerate(readers.items()):
        found[name] = probed(read, classes, kinds)
        said((number + 1) / len(readers))
    return found


def chosen(images: Images, count: int, seed: int, stream: str) -> Images:
    """`count` of the images, drawn by the seed."""
    order = torch.randperm(len(images), generator=generator(seed, f"lessons/probing/{stream}"))
    return images.take(order[:count].numpy())


def of_classes(dataset: Dataset, fit: int, held_out: int, seed: int) -> Sets:
    """Training images to fit on, test images to measure with, and their classes as ones among zeros."""
    known, new = chosen(dataset.train, fit, seed, "train"), chosen(dataset.test, held_out, seed, "test")
    assert known.labels is not None
    assert new.labels is not None
    size = len(dataset.class_names)
    targets, answers = (
        nn.functional.one_hot(torch.from_numpy(each), size).float() for each in (known.labels, new.labels)
    )
    return Sets(floats(known), targets, floats(new), answers)


@torch.no_grad()
def of_kinds(gan: GAN, dataset: Dataset, fit: int, held_out: int, seed: int) -> Sets:
    """The same of real images, (1, 0), and of as many that the generator draws, (0, 1)."""

    def both(images: Images, stream: str) -> tuple[Tensor, Tensor]:
        fake = gan.sample(len(images), generator(seed, f"lessons/probing/{stream}"))
        targets = torch.eye(2).repeat_interleave(len(images), dim=0)
        mixed = torch.randperm(len(targets), generator=generator(seed, f"lessons/probing/{stream}/order"))
        return torch.cat([floats(images), fake])[mixed], targets[mixed]

    known = both(chosen(dataset.train, fit, seed, "real"), "known")
    new = both(chosen(dataset.test, held_out, seed, "test"), "new")
    return Sets(*known, *new)


def floats(images: Images) -> Tensor:
    return to_float(torch.from_numpy(images.pixels))


def layers_of(
    trunk: Trunk, output: Callable[[Tensor], Tensor] | None = None
) -> Callable[[Tensor], list[Tensor]]:
    """A function from images to the features (N, F) of every layer: the pixels, what leaves each activation
    of the trunk, and the output, where there is one."""

    @torch.no_grad()
    def read(images: Tensor) -> list[Tensor]:
        parts = []
        for chunk in images.split(CHUNK):
            seen = [chunk, *activations(trunk, chunk), *([output(chunk)] if output else [])]
            parts.append([each.flatten(1) for each in seen])
        return [torch.cat(layer) for layer in zip(*parts, strict=True)]

    return read


def activations(trunk: Trunk, images: Tensor) -> list[Tensor]:
    """What leaves each activation of the trunk, first to last. One module may stand at several places."""
    seen: list[Tensor] = []
    kinds = (nn.ReLU, nn.LeakyReLU, nn.Tanh)
    nonlinear = [layer for layer in trunk.layers if isinstance(layer, kinds)]
    hooks = [
        layer.register_forward_hook(lambda _layer, _given, out: seen.append(out)) for layer in set(nonlinear)
    ]
    try:
        trunk(images)
    finally:
        for hook in hooks:
            hook.remove()
    return seen


def probed(read: Callable[[Tensor], list[Tensor]], classes: Sets, kinds: Sets) -> list[dict[str, float]]:
    rows: list[dict[str, float]] = []
    fit, held_out, pixels = read(classes.fit), read(classes.held_out), classes.fit.flatten(1)
    for known, new in zip(fit, held_out, strict=True):
        probe = Probe(known)
        rows.append({
            "features": known.shape[1],
            "class": probe.score(classes.targets, new, classes.answers, accuracy),
            "pixels": probe.score(pixels, new, classes.held_out.flatten(1), recovered),
        })  # fmt: skip
    for row, known, new in zip(rows, read(kinds.fit), read(kinds.held_out), strict=True):
        row["real"] = Probe(known).score(kinds.targets, new, kinds.answers, accuracy)
    return rows


class Probe:
    """Ridge regressions from one set of features (N, F) to any targets; what is costly is done once."""

    def __init__(self, features: Tensor) -> None:
        self.mean, self.scale = features.mean(dim=0), features.std(dim=0) + 1e-3
        self.features = self.standard(features)
        self.kept = 3 * len(features) // 4  # the rest chooses the penalty
        self.squares = {count: square(self.features[:count]) for count in (self.kept, len(features))}
        self.factors: dict[tuple[int, float], Tensor] = {}

    def standard(self, features: Tensor) -> Tensor:
        return (features - self.mean) / self.scale

    def factor(self, count: int, penalty: float) -> Tensor:
        """The Cholesky factor of XᵀX (or XXᵀ, if that is smaller) + penalty · count · I."""
        if (count, penalty) not in self.factors:
            matrix = self.squares[count].double()
            matrix.diagonal().add_(penalty * count)
            self.factors[count, penalty] = torch.linalg.cholesky(matrix)
        return self.factors[count, penalty]

    def weights(self, count: int, targets: Tensor, penalty: float) -> Tensor:
        """(F, T) from the first `count` rows: argmin ‖XW − Y‖² + penalty · count · ‖W‖²."""
        x, y, factor = self.features[:count], targets[:count], self.factor(count, penalty)
        if len(factor) == x.shape[1]:
            return torch.cholesky_solve((x.T @ y).double(), factor).float()
        return x.T @ torch.cholesky_solve(y.double(), factor).float()

    def score(self, targets: Tensor, new: Tensor, answers: Tensor, score: Score) -> float:
        """`score` of what is predicted for the features `new`, against the `answers`."""
        middle = targets.mean(dim=0)
        rest, centred = self.features[self.kept :], targets - middle

        def chosen_by(penalty: float) -> float:
            predicted = rest @ self.weights(self.kept, centred, penalty) + middle
            return score(predicted, targets[self.kept :])

        best = max(PENALTIES, key=chosen_by)
        found = self.weights(len(self.features), centred, best)
        return score(self.standard(new) @ found + middle, answers)


def square(x: Tensor) -> Tensor:
    """XᵀX or XXᵀ, whichever is smaller."""
    return x.T @ x if x.shape[1] <= x.shape[0] else x @ x.T


def accuracy(predicted: Tensor, answers: Tensor) -> float:
    return float((predicted.argmax(dim=1) == answers.argmax(dim=1)).float().mean())


def recovered(predicted: Tensor, answers: Tensor) -> float:
    """R²: 1 less the squared error over the squares about the mean image."""
    lost = (predicted - answers).square().sum()
    return float(1 - lost / (answers - answers.mean(dim=0)).square().sum())
