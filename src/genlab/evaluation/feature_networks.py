"""Which feature network measures which data.

The ten digits on 28×28×1 are measured by the shipped classifier; everything else, for now, by a fixed random
convolutional network, which needs no labels, no training and no download. Distances from the two are not
comparable, and their identities say so.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import torch
from torch import nn

from genlab.data import Dataset, to_float
from genlab.evaluation.classifier import load_classifier
from genlab.evaluation.extractor import Extractor, NetworkExtractor, weights_hash
from genlab.randomness import generator

SHIPPED = Path(__file__).parent / "weights" / "mnist.safetensors"
RECOGNISED = 0.9  # the fraction of test images that the shipped classifier must name rightly to be used
RANDOM_CHANNELS = (32, 64, 32)
RANDOM_UNIT = 10.0  # so that distances of interest are not all behind the decimal point


def extractor_for(dataset: Dataset) -> Extractor:
    """The feature network of a dataset: the shipped classifier where it knows the images, else a random one.

    Names prove nothing (ten folders called 0 to 9 may hold anything), so the classifier is asked: it serves
    where it agrees with the labels of 500 test images.
    """
    if dataset.shape == (1, 28, 28) and dataset.test.labels is not None and len(dataset.class_names) == 10:
        seen = shipped_classifier()(to_float(torch.tensor(dataset.test.pixels[:500])))
        assert isinstance(seen.probabilities, torch.Tensor)
        right = seen.probabilities.argmax(dim=1) == torch.tensor(dataset.test.labels[:500])
        if float(right.double().mean()) >= RECOGNISED:
            return shipped_classifier()
    return random_extractor(dataset.shape)


@cache
def shipped_classifier() -> NetworkExtractor:
    """The classifier that comes with genlab (`scripts/train-classifier` made it)."""
    return load_classifier(SHIPPED)


@cache
def random_extractor(shape: tuple[int, int, int]) -> NetworkExtractor:
    """Fixed random convolutional features, 128 of them: (B, C, H, W) -> (B, 128), for images from 8 × 8 up.

    Three layers of Gaussian filters (He et al. 2015, equation 10) with ReLU, averaged over the four quarters
    of the image. Untrained features know nothing of meaning, but they see blur, noise and lost texture, and
    Naeem et al. (2020) prefer random embeddings to a network trained on photographs for other images.
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
