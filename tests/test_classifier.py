"""The classifier's file: written, read back, and refused when it is not what it says."""

import json
from pathlib import Path

import pytest
import torch

from genlab.errors import UserError
from genlab.evaluation.classifier import (
    FEATURES,
    class_head,
    classifier_bytes,
    classifier_facts,
    feature_network,
    load_classifier,
)

FACTS = {"name": "toy", "shape": json.dumps([3, 9, 13]), "class_names": json.dumps(["cat", "dog"])}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        (tmp_path / "toy.safetensors").write_bytes(
            classifier_bytes(feature_network((3, 9, 13)), class_head(2), {**FACTS, "seed": "0"})
        )
    return tmp_path / "toy.safetensors"


def test_what_was_written_is_read_back(file: Path) -> None:
    extractor = load_classifier(file)
    assert extractor.shape == (3, 9, 13)
    assert extractor.class_names == ("cat", "dog")
    assert extractor.identity == f"toy-{classifier_facts(file)['sha256'][:8]}"
    assert classifier_facts(file)["seed"] == "0"
    found = extractor(torch.zeros(5, 3, 9, 13))
    assert found.features.shape == (5, FEATURES)
    assert isinstance(found.probabilities, torch.Tensor)
    torch.testing.assert_close(found.probabilities.sum(dim=1), torch.ones(5))


def test_one_changed_byte_is_noticed(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(UserError, match="damaged"):
        load_classifier(file)


@pytest.mark.parametrize("content", [b"", b"not a tensor", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "])
def test_another_file_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"no readable safetensors file|header lacks"):
        load_classifier(file)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no readable safetensors file"):
        load_classifier(tmp_path / "nothing")
