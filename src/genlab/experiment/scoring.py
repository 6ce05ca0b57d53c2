"""How well a run explains each of some images, and how new they are to it: a table with a line per image.

Two questions are asked of novelty, for either alone is easily fooled. By likelihood: does the model explain
the image worse than test images? It may explain a simple image better than any it was trained on (Nalisnick
et al., 2019), so that a value near 0 is odd, too. By features: is the nearest training image further away
than those of test images are? That hangs on what the feature network sees.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from genlab.data.batches import to_float
from genlab.data.dataset import Pixels
from genlab.data.given import Given
from genlab.errors import UserError
from genlab.evaluation.importance import Terms, terms
from genlab.evaluation.likelihood import NO_LIKELIHOOD, STANDARD_DRAWS, measure_of
from genlab.evaluation.references import References, chosen
from genlab.experiment.encoding import as_trained
from genlab.experiment.trained import CHUNK, Trained
from genlab.metrics.likeness import squared_error
from genlab.metrics.memorisation import nearest
from genlab.metrics.unavailable import Unavailable
from genlab.networks.model import GAN, VAE
from genlab.runs.files import replacing

Progress = Callable[[str, int, int], None]
Values = Tensor | Unavailable

PIECE = 2000  # images held as floats at once
NO_ENCODER = Unavailable("a GAN has no encoder to come back from; genlab reconstruct --invert searches for z")
COMPARED = 1000  # test images whose ELBOs an image's own is ranked among, a fixed choice


@dataclass(frozen=True)
class Column:
    """A name, what it means in a sentence, and a value per image (N,), or why there is none."""

    name: str
    meaning: str
    values: Values


def score(
    trained: Trained,
    given: Given,
    real: References,
    *,
    k: int = STANDARD_DRAWS,
    progress: Progress | None = None,
) -> list[Column]:
    """The columns of the table; `real` are the run's own data, `k` the draws of each image's ELBO and L_K.

    An image's values are a function of it and of the run alone. `progress(what, done, of)`.
    """
    columns = likelihood(trained, given, real, k, progress or silent)
    return columns + distances(given, real, trained) + logits(trained, given)


def silent(what: str, done: int, of: int) -> None:
    """Progress that nobody watches."""


def likelihood(trained: Trained, given: Given, real: References, k: int, said: Progress) -> list[Column]:
    """ELBO, its terms, the bound, the reconstruction's error, and novelty by likelihood."""
    model, tests = trained.model, real.dataset.test.pixels
    index = chosen(len(tests), COMPARED)
    found: dict[str, Values] = {}
    measure = ""
    if not isinstance(model, GAN):
        measure = f"; {measure_of(model.observation, trained.experiment.data.binarise)}"
        mine, errors = explained(trained, given.pixels, k, "likelihood", said)
        fewer = min(k, STANDARD_DRAWS)
        theirs, _ = explained(trained, tests[index.numpy()], fewer, "likelihood of test images", said)
        found = {
            "elbo": mine.elbo, "nll": -mine.bound, "distortion": mine.distortion, "rate": mine.rate,
            "mse": errors, "novelty_likelihood": exceeded(-mine.elbo, -theirs.elbo),
        }  # fmt: skip
    meanings = {
        "elbo": f"mean of {k} draws of the ELBO, in nats; higher is better explained{measure}",
        "nll": f"the bound -L_{k} on -ln p(x), in nats; lower is more probable{measure}",
        "distortion": "-ln p(x|z) averaged over draws of q, in nats",
        "rate": "KL of q(z|x) from the prior, in nats: what the code says of the image",
        "mse": "squared error of the reconstruction by the posterior mean, pixels in [0, 1]",
        "novelty_likelihood": f"share of {len(index):,} test images with a higher ELBO: 0.5 is ordinary, 1 "
        "is explained worse than all of them, 0 better than all (odd, too)",
    }
    lacking = dict.fromkeys(meanings, NO_LIKELIHOOD) | {"mse": NO_ENCODER}
    return [Column(name, text, (found or lacking)[name]) for name, text in meanings.items()]


def explained(trained: Trained, pixels: Pixels, k: int, what: str, said: Progress) -> tuple[Terms, Tensor]:
    """The terms of images (N, C, H, W) uint8, by draws that all share, and the errors (N,) of what comes
    back."""
    model, parts, errors = trained.autoencoder, [], []
    for start in range(0, len(pixels), PIECE):
        images = as_trained(pixels[start : start + PIECE], trained.experiment)

        def told(done: int, of: int, before: int = start * k) -> None:
            said(what, before + done, len(pixels) * k)

        parts.append(terms(model, images, k, 0, common=True, progress=told))
        errors.append(squared_error(trained.reconstruct(images), images))
    return Terms(*map(torch.cat, zip(*parts, strict=True))), torch.cat(errors)


def distances(given: Given, real: References, trained: Trained) -> list[Column]:
    """The nearest training image in feature space, and novelty by features."""
    extractor = real.own.extractor
    parts = [
        extractor(to_float(torch.tensor(given.pixels[start : start + CHUNK]))).features
        for start in range(0, len(given), CHUNK)
    ]
    near = nearest(torch.cat(parts), real.train)
    others = real.test_nearest.distances
    return [
        Column(
            "nearest_distance",
            f"Euclidean distance to the nearest training image in the features of {extractor.identity}; 0 is "
            "a copy",
            near.distances,
        ),
        Column("nearest_training_image", "which one that is, counted from 0", near.indices),
        Column(
            "novelty_features",
            f"share of {len(others):,} test images that lie nearer to their nearest training image: 0.5 is "
            "ordinary, 1 is further out than all of them, 0 nearer than all",
            exceeded(near.distances, others),
        ),
    ]


@torch.inference_mode()
def logits(trained: Trained, given: Given) -> list[Column]:
    """What the discriminator says, where there is one."""
    model = trained.model
    values: Values = Unavailable("a VAE has no discriminator")
    if not isinstance(model, VAE):
        parts = [
            model.discriminator(as_trained(given.pixels[start : start + CHUNK], trained.experiment))
            for start in range(0, len(given), CHUNK)
        ]
        values = torch.cat(parts)
    meaning = "the discriminator's logit, higher where it takes the image for real; no probability"
    return [Column("logit", meaning, values)]


def exceeded(values: Tensor, others: Tensor) -> Tensor:
    """The share of `others` (M,) that lies below each of `values` (N,), equals counted by half: (N,)."""
    ordered = others.double().sort().values
    below = torch.searchsorted(ordered, values.double().contiguous())
    upto = torch.searchsorted(ordered, values.double().contiguous(), right=True)
    return (below + upto).double() / (2 * len(ordered))


def write_scores(path: Path, trained: Trained, given: Given, columns: list[Column]) -> None:
    """A CSV with a line per image, under comments (#) that say what each column is; `read_csv(path,
    comment="#")` of pandas reads it. Raises UserError for another ending."""
    if path.suffix != ".csv":
        raise UserError(f"can't write scores as {path.name!r}; give a name that ends in .csv")
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        file.write(f"# scores by {trained.run.name} at step {trained.step}\n")
        for column in columns:
            missing = f"; empty: {column.values.reason}" if isinstance(column.values, Unavailable) else ""
            file.write(f"# {column.name}: {column.meaning}{missing}\n")
        writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        writer.writerow(["name", "label", *(column.name for column in columns)])
        cells = [numbers(column.values, len(given)) for column in columns]
        for name, label, *row in zip(given.names, given.labels, *cells, strict=True):
            writer.writerow([name, label, *row])


def numbers(values: Values, count: int) -> list[float | int | None]:
    """To six digits; None where there are none."""
    if isinstance(values, Unavailable):
        return [None] * count
    if not values.is_floating_point():
        whole: list[float | int | None] = values.tolist()
        return whole
    return [float(f"{value:.6g}") for value in values.tolist()]
