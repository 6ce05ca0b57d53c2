"""Held against torchmetrics: an implementation that is not ours."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import Tensor, nn

from genlab.metrics.coverage import class_score
from genlab.metrics.kernel import kid
from genlab.metrics.likeness import psnr, squared_error, ssim
from genlab.randomness import generator

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what it imports
    from torchmetrics.functional.image import (
        peak_signal_noise_ratio,
        structural_similarity_index_measure,
    )
    from torchmetrics.image.inception import InceptionScore
    from torchmetrics.image.kid import KernelInceptionDistance


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=generator(seed, "test/torchmetrics"), dtype=torch.float64)


class AsFeatures(nn.Module):
    """Images (B, F, 1, 1) are their own features (B, F)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.num_features = features

    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(1)


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance` will save:UserWarning")
def test_the_kernel_distance_is_theirs_on_all_samples() -> None:
    features, reference = 1.2 * normal(150, 10) + 0.1, normal(150, 10, seed=1)
    theirs = KernelInceptionDistance(feature=AsFeatures(10), subsets=1, subset_size=150)
    theirs.set_dtype(torch.float64)
    theirs.update(reference[:, :, None, None], real=True)
    theirs.update(features[:, :, None, None], real=False)
    mean, _ = theirs.compute()
    assert kid(features, reference).estimate.value == pytest.approx(float(mean), abs=1e-5)


@pytest.mark.filterwarnings("ignore:Metric `InceptionScore` will save:UserWarning")
@pytest.mark.filterwarnings("ignore:std.* degrees of freedom:UserWarning")  # of a single part
def test_the_class_score_is_their_inception_score_in_one_part() -> None:
    logits = 2 * normal(200, 7)
    theirs = InceptionScore(feature=AsFeatures(7), splits=1)
    theirs.set_dtype(torch.float64)
    theirs.update(logits[:, :, None, None])
    mean, _ = theirs.compute()
    assert class_score(logits.softmax(dim=1)).value == pytest.approx(float(mean), abs=1e-5)


@pytest.mark.parametrize("shape", [(7, 1, 28, 28), (3, 3, 32, 24), (2, 1, 11, 11)])
def test_likeness_is_theirs(shape: tuple[int, ...]) -> None:
    a = normal(*shape).sigmoid()
    b = (0.8 * a + 0.2 * normal(*shape, seed=1).sigmoid()).float().double()
    expected = structural_similarity_index_measure(a, b, data_range=1.0, reduction="none")
    assert isinstance(expected, Tensor)
    images = 2 * a - 1, 2 * b - 1  # ours are in [−1, 1]
    assert ssim(*images).tolist() == pytest.approx(expected.tolist(), abs=1e-5)
    assert ssim(images[0].float(), images[1].float()).tolist() == pytest.approx(expected.tolist(), abs=1e-5)
    ratio = peak_signal_noise_ratio(a, b, data_range=1.0, reduction="none", dim=(1, 2, 3))
    assert psnr(*images).tolist() == pytest.approx(ratio.tolist(), abs=1e-5)
    assert squared_error(*images).tolist() == pytest.approx((10 ** (-ratio / 10)).tolist(), rel=1e-5)
