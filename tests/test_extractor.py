"""Any network as an extractor: chunks, shapes, probabilities, and the hash that names its weights."""

import pytest
import torch
from torch import Tensor, nn

from genlab.errors import UserError
from genlab.evaluation.extractor import CHUNK, NetworkExtractor, weights_hash
from genlab.metrics.unavailable import Unavailable
from genlab.randomness import generator

SHAPE = (1, 4, 4)


def images(count: int) -> Tensor:
    return torch.rand(count, *SHAPE, generator=generator(0, "test/extractor")) * 2 - 1


def test_chunks_cover_every_image_once_and_in_order() -> None:
    extractor = NetworkExtractor("pixels", SHAPE, nn.Flatten(), head=nn.Identity())
    seen: list[tuple[int, int]] = []
    some = images(2 * CHUNK + 7)
    found = extractor(some, progress=lambda done, total: seen.append((done, total)))
    assert torch.equal(found.features, some.flatten(1))
    assert isinstance(found.probabilities, Tensor)
    torch.testing.assert_close(found.probabilities, some.flatten(1).softmax(dim=1))
    assert seen == [(CHUNK, len(some)), (2 * CHUNK, len(some)), (len(some), len(some))]


def test_without_a_head_there_are_no_classes() -> None:
    found = NetworkExtractor("pixels", SHAPE, nn.Flatten(), head=None)(images(3))
    assert found.probabilities == Unavailable("pixels knows no classes")


def test_nothing_is_left_to_differentiate() -> None:
    extractor = NetworkExtractor("linear", SHAPE, nn.Sequential(nn.Flatten(), nn.Linear(16, 2)), head=None)
    assert not extractor(images(3)).features.requires_grad


@pytest.mark.parametrize("wrong", [torch.zeros(2, 3, 4, 4), torch.zeros(2, 1, 4, 5), torch.zeros(1, 4, 4)])
def test_images_of_another_shape_are_refused(wrong: Tensor) -> None:
    with pytest.raises(UserError, match="made for their data"):
        NetworkExtractor("pixels", SHAPE, nn.Flatten(), head=None)(wrong)


def test_the_hash_sees_every_value_name_and_shape_but_not_the_order() -> None:
    a, b = torch.zeros(2, 3), torch.ones(4)
    reference = weights_hash({"a": a, "b": b})
    assert weights_hash({"b": b, "a": a}) == reference
    assert weights_hash({"a": a + 1e-7, "b": b}) != reference
    assert weights_hash({"a": a.view(3, 2), "b": b}) != reference
    assert weights_hash({"c": a, "b": b}) != reference
