"""What every metric asks of the features that it is given."""

from __future__ import annotations

import torch
from torch import Tensor

from genlab.errors import UserError


def checked(features: Tensor, what: str, fewest: int = 2) -> Tensor:
    """Features (N, F) in float64; `what` names the metric in messages.

    Raises UserError for N < fewest, F < 1, another shape, NaN and infinity."""
    if features.ndim != 2 or len(features) < fewest or features.shape[1] < 1:
        raise UserError(
            f"{what} needs at least {fewest} samples as rows of features (N, F), "
            f"but these have shape {tuple(features.shape)}; draw more samples."
        )
    if not bool(torch.isfinite(features).all()):
        raise UserError(
            f"{what} is not defined for features with NaN or infinity; look for non-finite pixels in the "
            f"samples or a model that diverged."
        )
    return features.double()


def checked_pair(features: Tensor, reference: Tensor, what: str, fewest: int = 2) -> tuple[Tensor, Tensor]:
    """Features (N, F) and (M, F) of samples and of real images, both `checked`; UserError for different F."""
    ours, theirs = checked(features, what, fewest), checked(reference, what, fewest)
    if ours.shape[1] != theirs.shape[1]:
        raise UserError(
            f"{what} cannot compare features of {ours.shape[1]} and of {theirs.shape[1]} dimensions; "
            f"take both from the same feature network."
        )
    return ours, theirs
