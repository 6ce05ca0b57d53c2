"""The networks of the lessons that need many trainings: dense on both sides, a step of milliseconds."""

from __future__ import annotations

from typing import Any

from genlab.recipes import recipe

DENSE = (
    "network.decoder.kind=mlp", "network.decoder.depth=1", "network.decoder.hidden=256",
    "network.decoder.norm=none", "network.encoder.hidden=256", "optimizer.learning_rate=2e-3",
    "training.batch_size=128", "training.threads=1", "training.sample_every=0", "training.log_every=50",
)  # fmt: skip
STEP = 0.0075  # seconds of one training step on one thread of the machine that the times were set on


def dense(*settings: str) -> dict[str, Any]:
    """The config of a dense VAE, with each `dotted.key=value` of `settings` set."""
    return recipe("vae", *DENSE, *settings).model_dump(mode="json")
