"""Which feature network measures which data.

Every data set has an `own` network, which knows what its images mean: for the ten digits the shipped
classifier, for other labelled images a classifier trained on them once. Beside it stands `texture`: fixed
random convolutional filters, which know nothing of meaning and see blur, noise and broken strokes. Images
without labels have the random filters alone: they need no training, no download and no choice of an encoder
(an autoencoder's features would favour what an autoencoder draws), and Naeem et al. (2020) prefer random
embeddings to a network trained on photographs for other kinds of images. Numbers from two networks are never
comparable, and their identities say so.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import torch
from torch import nn

from genlab.data import Dataset, to_float
from genlab.errors import UserError
from genlab.evaluation.classifier import load_classifier
from genlab.evaluation.extractor import Extractor, NetworkExtractor, weights_hash
from genlab.evaluation.inception import inception_extractor
from genlab.evaluation.trained_features import Progress, can_be_learned, trained_extractor
from genlab.randomness import generator

SHIPPED = Path(__file__).parent / "weights" / "mnist.safetensors"
KINDS = ("own", "random", "inception")
RECOGNISED = 0.9  # the fraction of test images that the shipped classifier must name rightly to be used
RANDOM_CHANNELS = (32, 64, 32)
RANDOM_UNIT = 10.0  # so that distances of interest are not all behind the decimal point


def extractor_for(
    dataset: Dataset, *, kind: str = "own", folder: Path | None = None, progress: Progress | None = None
) -> Extractor:
    """The feature network of a dataset; `kind` is one of `KINDS`.

    "own" is the shipped classifier where it knows the images, else one trained on them and kept in `folder`
    (without a folder none is trained), else the random filters. Raises UserError for another kind, or where
    Inception is not to be had.
    """
    match kind:
        case "own":
            known = shipped_if_known(dataset)
            if known is None and folder is not None and can_be_learned(dataset):
                known = trained_extractor(dataset, folder, progress)
            return known or random_extractor(dataset.shape)
        case "random":
            return random_extractor(dataset.shape)
        case "inception":
            return inception_extractor(dataset.shape)
    if Path(kind).suffix == ".safetensors":
        return load_classifier(Path(kind))
    raise UserError(
        f"there are no features called {kind!r}: choose {', '.join(KINDS)}, or a classifier's .safetensors"
    )


def shipped_if_known(dataset: Dataset) -> NetworkExtractor | None:
    """The shipped classifier where it knows the images. Names prove nothing (ten folders called 0 to 9 may
    hold anything), so the classifier is asked: it serves where it agrees with the labels of 500 test images.
    """
    if dataset.shape == (1, 28, 28) and dataset.test.labels is not None and len(dataset.class_names) == 10:
        seen = shipped_classifier()(to_float(torch.tensor(dataset.test.pixels[:500])))
        assert isinstance(seen.probabilities, torch.Tensor)
        right = seen.probabilities.argmax(dim=1) == torch.tensor(dataset.test.labels[:500])
        if float(right.double().mean()) >= RECOGNISED:
            return shipped_classifier()
    return None


@cache
def shipped_classifier() -> NetworkExtractor:
    """The classifier that comes with genlab (`scripts/train-classifier` made it)."""
    return load_classifier(SHIPPED)


@cache
def random_extractor(shape: tuple[int, int, int]) -> NetworkExtractor:
    """Fixed random convolutional features, 128 of them: (B, C, H, W) -> (B, 128), for images from 8 × 8 up.

    Three layers of Gaussian filters (He et al. 2015, equation 10) with ReLU, averaged over the four quarters
    of the image.
    """
    layers: list[nn.Module] = []
    before = shape[0]
    for index, channels in enumerate(RANDOM_CHANNELS):
        conv = nn.Conv2d(before, channels, 3, stride=1 if index == 0 else 2, padding=1, bias=False)
        draw = generator(0, f"random features/{index}")
        scale = math.sqrt(2 / (9 * before))
        conv.weight = nn.Parameter(
            scale * torch.randn(conv.weight.shape, generator=draw), requires_grad=False
        )
        layers += [conv, nn.ReLU()]
        before = channels
    conv.weight.mul_(RANDOM_UNIT)  # of the last layer: the features are linear in it
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten()).eval()
    identity = f"random-conv-{weights_hash(network.state_dict())[:8]}"
    return NetworkExtractor(identity, shape, network, head=None)
