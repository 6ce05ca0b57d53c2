"""The Inception network of the literature's FID, where an internet connection and an extra allow it.

torch-fidelity's port of the original weights. It looks at colour images of 299 × 299; smaller ones are
enlarged. Made for photographs: on digits it is a convention and no authority.
"""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from genlab.data import to_uint8
from genlab.errors import UserError
from genlab.evaluation.extractor import NetworkExtractor, weights_hash

MODULE = "torch_fidelity.feature_extractor_inceptionv3"
LAYER = "2048"


class Inception(nn.Module):
    """Images (B, C, H, W) in [−1, 1] -> the 2 048 pooled features."""

    def __init__(self, extractor: Any) -> None:
        super().__init__()
        self.extractor = extractor

    def forward(self, images: Tensor) -> Tensor:
        pixels = to_uint8(images)
        colour = pixels if pixels.shape[1] == 3 else pixels.expand(-1, 3, -1, -1)
        features: Tensor = self.extractor(colour)[0]
        return features


@cache
def inception_extractor(shape: tuple[int, int, int]) -> NetworkExtractor:
    """Raises UserError where the extra is not installed or the weights can't be downloaded."""
    if importlib.util.find_spec("torch_fidelity") is None:
        raise UserError(
            "Inception features need torch-fidelity: install the extra genlab[inception], or measure with "
            "--features own, which needs no download"
        )
    try:
        made = importlib.import_module(MODULE).FeatureExtractorInceptionV3("inception-v3-compat", [LAYER])
    except Exception as error:  # whatever the download or torchvision raises, the advice is the same
        raise UserError(
            f"the Inception network could not be had ({error}): connect to the internet once, or measure "
            "with --features own, which needs no download"
        ) from error
    made.eval().requires_grad_(False)
    identity = f"inception-v3-compat-{weights_hash(dict(made.state_dict()))[:8]}"
    return NetworkExtractor(identity, shape, torch.nn.Sequential(Inception(made)).eval(), head=None)
