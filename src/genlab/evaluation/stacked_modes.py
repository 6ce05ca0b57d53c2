"""The thousand modes of Stacked MNIST, counted by the shipped classifier, one digit a channel."""

from __future__ import annotations

from torch import Tensor

from genlab.errors import UserError
from genlab.evaluation.feature_networks import shipped_classifier
from genlab.metrics.modes import class_counts

MODES = 1000
STANDARD_COUNT = 26_000  # the samples of every published table; the KL's floor falls with N


def spelled(digits: Tensor) -> Tensor:
    """Red, green and blue digit, (N, 3) -> the number that they spell, (N,), from 0 to 999."""
    return digits @ digits.new_tensor([100, 10, 1])


def stacked_counts(images: Tensor) -> Tensor:
    """How many of images (N, 3, 28, 28) in [−1, 1] show each of the numbers: (1000,) int64. Counts of several
    batches add up.

    Metz et al. (2017), section 3.3.1; Lin et al. (2018), section 4.2. Raises UserError for other shapes.
    """
    if images.ndim != 4 or images.shape[1:] != (3, 28, 28):
        raise UserError(
            f"Stacked digits are images of shape (N, 3, 28, 28), not {tuple(images.shape)}; measure a model "
            "trained on stacked-mnist."
        )
    seen = shipped_classifier()(images.flatten(0, 1).unsqueeze(1))
    assert isinstance(seen.probabilities, Tensor)
    return class_counts(spelled(seen.probabilities.argmax(dim=1).view(-1, 3)), MODES)
