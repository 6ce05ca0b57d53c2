"""A small classifier whose second-last layer are the features: its network, and its file of weights."""

from __future__ import annotations

import json
from pathlib import Path

import safetensors
from safetensors.torch import load_file, save
from torch import Tensor, nn

from genlab.errors import UserError
from genlab.evaluation.extractor import NetworkExtractor, weights_hash

FEATURES = 64
WIDTHS = (16, 32, 64)


def feature_network(shape: tuple[int, int, int], normalised: bool = False) -> nn.Sequential:
    """Images (B, C, H, W) in [-1, 1] -> features (B, 64): the last layer before a ReLU and the logits.

    The features are taken before their ReLU, where they are nearer to the Gaussians that a Fréchet distance
    supposes. `normalised` is the form for training, with batch normalisation after every layer and dropout;
    the other one has those folded into the weights and computes the same in less time.
    """
    channels, height, width = shape
    first, second, third = WIDTHS
    cells = -(-height // 4) * -(-width // 4)

    def after(units: int, conv: bool = True) -> list[nn.Module]:
        norm: list[nn.Module] = (
            [nn.BatchNorm2d(units) if conv else nn.BatchNorm1d(units)] if normalised else []
        )
        return [*norm, nn.ReLU()] if conv else norm

    return nn.Sequential(
        nn.Conv2d(channels, first, 5, stride=2, padding=2),
        *after(first),
        nn.Conv2d(first, second, 3, padding=1),
        *after(second),
        nn.Conv2d(second, third, 3, stride=2, padding=1),
        *after(third),
        nn.Flatten(),
        *([nn.Dropout(0.3)] if normalised else []),
        nn.Linear(third * cells, FEATURES),
        *after(FEATURES, conv=False),
    )


def class_head(classes: int) -> nn.Sequential:
    """Features (B, 64) -> logits (B, K)."""
    return nn.Sequential(nn.ReLU(), nn.Linear(FEATURES, classes))


def classifier_bytes(network: nn.Module, head: nn.Module, facts: dict[str, str]) -> bytes:
    """A safetensors file of a folded network and its head; `facts` and the hash of the weights in its header.

    `facts` must hold "name", "shape" and "class_names" (the last two as JSON), which loading needs.
    """
    tensors = named_tensors(network, head)
    return save(tensors, metadata={**facts, "sha256": weights_hash(tensors)})


def load_classifier(path: Path) -> NetworkExtractor:
    """The extractor in a file made of `classifier_bytes`. Raises UserError for another or a damaged file."""
    facts = classifier_facts(path)
    tensors = load_file(path)
    if weights_hash(tensors) != facts["sha256"]:
        raise UserError(
            f"The weights in {path} do not match their own hash; the file is damaged: replace it."
        )
    channels, height, width = json.loads(facts["shape"])
    names = tuple(json.loads(facts["class_names"]))
    shape = (channels, height, width)
    parts = nn.ModuleDict({"network": feature_network(shape), "head": class_head(len(names))})
    parts.load_state_dict(tensors)
    parts.eval().requires_grad_(False)
    identity = f"{facts['name']}-{facts['sha256'][:8]}"
    return NetworkExtractor(identity, shape, parts["network"], parts["head"], names)


def classifier_facts(path: Path) -> dict[str, str]:
    """The header of a classifier's file: accuracy, command, seed, what it was trained on."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            facts: dict[str, str] = file.metadata() or {}
    except (OSError, safetensors.SafetensorError) as error:
        raise UserError(f"{path} is no readable safetensors file ({error}); replace it.") from error
    if missing := {"name", "shape", "class_names", "sha256"} - facts.keys():
        raise UserError(
            f"{path} is no classifier of genlab's: its header lacks {', '.join(sorted(missing))}."
        )
    return facts


def named_tensors(network: nn.Module, head: nn.Module) -> dict[str, Tensor]:
    parts = nn.ModuleDict({"network": network, "head": head})
    return {name: tensor.detach().contiguous() for name, tensor in parts.state_dict().items()}
