"""A classifier of one's own for labelled images that the shipped one does not know, trained once and kept.

Its file is named by the digest of the data. Its identity carries the hash of its weights, which differ from
machine to machine: numbers of two machines through two such networks do not share a column, and say so.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from genlab.data import Dataset, to_float
from genlab.errors import UserError
from genlab.evaluation.classifier import classifier_bytes, classifier_facts, load_classifier
from genlab.evaluation.classifier_training import BATCH, train_classifier
from genlab.evaluation.extractor import NetworkExtractor

STEPS = 1500  # of training, about a minute for 28 × 28 pixels on two cores
FEWEST_PER_CLASS = 50
MOST_CLASSES = 200
USEFUL = 0.5  # of what separates chance from certainty: below it the features know too little to measure by

Progress = Callable[[int, int, float], None]


def can_be_learned(dataset: Dataset) -> bool:
    """Whether the training labels suffice for a classifier: 2 to 200 classes, 50 images of each, and images
    that its two halvings leave something of."""
    labels = dataset.train.labels
    if labels is None or not 2 <= len(dataset.class_names) <= MOST_CLASSES or len(dataset.test) < 2:
        return False
    counts = np.bincount(labels, minlength=len(dataset.class_names))
    return bool(counts.min() >= FEWEST_PER_CLASS and len(labels) >= BATCH and min(dataset.shape[1:]) >= 8)


def trained_extractor(
    dataset: Dataset, folder: Path, progress: Progress | None = None
) -> NetworkExtractor | None:
    """The classifier of `dataset`, from `folder` where it lies there, else trained (`progress(step, steps,
    loss)`) and left there. None where it learned too little, which is remembered too."""
    path = folder / f"classifier-{dataset.digest()}.safetensors"
    if path.is_file():
        try:
            return load_classifier(path) if useful(classifier_facts(path)) else None
        except UserError:
            pass  # torn or foreign: it is only a cache
    content = trained_bytes(dataset, progress)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{secrets.token_hex(4)}.tmp")
    temporary.write_bytes(content)
    os.replace(temporary, path)
    return load_classifier(path) if useful(classifier_facts(path)) else None


def trained_bytes(dataset: Dataset, progress: Progress | None = None, steps: int = STEPS) -> bytes:
    """The file of a classifier trained on `dataset` for about `steps` steps."""
    labels, tested = dataset.train.labels, dataset.test.labels
    assert labels is not None
    assert tested is not None
    epochs = max(1, round(steps / max(1, len(labels) // BATCH)))
    network, head = train_classifier(
        torch.from_numpy(np.asarray(dataset.train.pixels)), torch.from_numpy(np.asarray(labels)),
        len(dataset.class_names),
        epochs=epochs, seed=0, progress=progress,
    )  # fmt: skip
    right = 0
    with torch.inference_mode():
        for start in range(0, len(tested), 1000):
            images = to_float(torch.from_numpy(dataset.test.pixels[start : start + 1000]))
            named = head(network(images)).argmax(dim=1)
            right += int((named == torch.from_numpy(tested[start : start + 1000])).sum())
    return classifier_bytes(
        network,
        head,
        {
            "name": f"classifier-{dataset.digest()[:8]}",
            "shape": json.dumps(dataset.shape),
            "class_names": json.dumps(dataset.class_names),
            "test_accuracy": f"{right / len(tested):.4f}",
            "epochs": str(epochs),
            "data_digest": dataset.digest(),
            "torch": torch.__version__,
        },
    )


def useful(facts: dict[str, str]) -> bool:
    """Whether the test accuracy lies at least half-way from chance to certainty."""
    chance = 1 / max(1, len(json.loads(facts["class_names"])))
    return float(facts.get("test_accuracy", "0")) >= chance + USEFUL * (1 - chance)
