"""Fréchet distances of images to held-out images on one feature network, or on two."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from genlab.data.batches import to_float
from genlab.data.dataset import Dataset, Images
from genlab.data.fetch import cache_folder
from genlab.errors import UserError
from genlab.evaluation.feature_networks import extractor_for
from genlab.metrics.frechet import Moments, frechet_from_moments, moments

COUNT, CHUNK = 10_000, 1000


class Scale(NamedTuple):
    """A feature network, images (N, C, H, W) in [-1, 1] -> (N, F), and what it says of held-out images."""

    name: str
    features: Callable[[Tensor], Tensor]
    reference: Moments


def scales(dataset: Dataset, held_out: Images, classifier: Path | None) -> list[Scale]:
    """The data's own feature network, and the one in `classifier` beside it. Raises UserError."""
    own = extractor_for(dataset, folder=cache_folder())
    found = [(own.identity, lambda images: own(images).features)]
    if classifier is not None:
        try:
            other = extractor_for(dataset, kind=str(classifier))
            found.append((other.identity, lambda images: other(images).features))
        except UserError:
            found.append((classifier.stem, plain_stack(classifier)))
    images = first_of(held_out)
    return [Scale(name, features, of(images, features)) for name, features in found]


def plain_stack(path: Path) -> Callable[[Tensor], Tensor]:
    """The features of a plain file of weights: tensors `f.N.weight`, of four dimensions for a convolution of
    stride 2 padded by half its size, of two for a linear layer, with a ReLU after each, for pixels in [0, 1].
    """
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


def first_of(images: Images) -> Tensor:
    """At most COUNT of them, in [-1, 1]."""
    return to_float(torch.from_numpy(images.pixels[:COUNT]))


def of(images: Tensor, features: Callable[[Tensor], Tensor]) -> Moments:
    with torch.inference_mode():
        return moments(torch.cat([features(chunk) for chunk in images.split(CHUNK)]).double())


def distances(images: Tensor, asked: list[Scale]) -> dict[str, float]:
    return {scale.name: frechet_from_moments(of(images, scale.features), scale.reference) for scale in asked}


def said(fid: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.1f}" for name, value in fid.items())
