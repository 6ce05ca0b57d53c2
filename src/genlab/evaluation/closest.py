"""The samples nearest to a training image, each beside it: what C_T suspects, for the eye to judge."""

from __future__ import annotations

import torch
from torch import Tensor

from genlab.evaluation.references import References
from genlab.metrics.memorisation import nearest


def closest_pairs(samples: Tensor, references: References, shown: int = 32) -> tuple[Tensor, Tensor]:
    """Of samples (N, C, H, W) the `shown` nearest to a training image on the own features, nearest first:
    pairs (2·shown, C, H, W), sample then training image, and their distances (shown,).

    Near on features is not equal in pixels: look whether the strokes are the same."""
    found = nearest(references.own.extractor(samples).features, references.train)
    order = found.distances.argsort()[:shown]
    trained_on = references.train_images(found.indices[order])
    return torch.stack([samples[order], trained_on], dim=1).flatten(0, 1), found.distances[order]
