"""Right answers to the exercises, as a reader writes them, and a file with any answer in its blank."""

from __future__ import annotations

import json
from pathlib import Path

from genlab.lessons.exercises.catalogue import EXERCISES
from genlab.lessons.exercises.writing import BLANK, write

RIGHT = {
    "reparameterize": "return mean + torch.exp(0.5 * log_var) * noise",
    "kl-divergence": "return 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(dim=1)",
    "elbo": (
        "log_p = -F.binary_cross_entropy_with_logits(raw, images, reduction='none').flatten(1).sum(1)\n"
        "    return log_p - 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(dim=1)"
    ),
    "discriminator-loss": (
        "return F.softplus(-discriminator(real)) + F.softplus(discriminator(fake.detach()))"
    ),
    "generator-loss": "return F.softplus(-discriminator(fake))",
    "decoder-as-generator": "generator.load_state_dict(decoder.state_dict())\n    return generator",
}


def answered(name: str, body: str, folder: Path, *, notebook: bool = False) -> Path:
    """The exercise's file with `body` in the place of its blank."""
    path = write(EXERCISES[name], folder / ("answer.ipynb" if notebook else "answer.py"))
    text = path.read_text("utf-8")
    blank, filled = (escaped(each) if notebook else each for each in (BLANK, body))
    assert blank in text
    path.write_text(text.replace(blank, filled), "utf-8")
    return path


def escaped(code: str) -> str:
    """As it stands within a string of JSON."""
    return json.dumps(code)[1:-1]
