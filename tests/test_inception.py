"""Inception features: asked for with an extra, refused with a sentence, and used as any network is."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

from genlab.errors import UserError
from genlab.evaluation import inception
from genlab.evaluation.inception import inception_extractor


class Stand(nn.Module):
    """As torch-fidelity's extractor is called: uint8 colour images in, a tuple of features out."""

    def __init__(self, name: str, layers: list[str]) -> None:
        super().__init__()
        assert (name, layers) == ("inception-v3-compat", ["2048"])
        self.register_buffer("weight", torch.arange(6.0))

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        assert images.dtype == torch.uint8
        assert images.shape[1] == 3
        return (images.float().flatten(1)[:, :5],)


def install(monkeypatch: pytest.MonkeyPatch, extractor: object) -> None:
    module = ModuleType(inception.MODULE)
    module.FeatureExtractorInceptionV3 = extractor  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, inception.MODULE, module)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: module)
    inception_extractor.cache_clear()


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    inception_extractor.cache_clear()
    with pytest.raises(UserError, match=r"genlab\[inception\].*--features own"):
        inception_extractor((1, 28, 28))


def test_without_the_internet_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(name: str, layers: list[str]) -> None:
        raise OSError("no route to host")

    install(monkeypatch, offline)
    with pytest.raises(UserError, match=r"no route to host.*connect to the internet once"):
        inception_extractor((1, 28, 28))


@pytest.mark.parametrize("channels", [1, 3])
def test_grey_and_colour_images_go_in_as_colour(monkeypatch: pytest.MonkeyPatch, channels: int) -> None:
    install(monkeypatch, Stand)
    extractor = inception_extractor((channels, 8, 8))
    found = extractor(torch.ones(3, channels, 8, 8))
    assert found.features.tolist() == [[255.0] * 5] * 3
    assert extractor.identity.startswith("inception-v3-compat-")
    assert extractor.class_names == ()
