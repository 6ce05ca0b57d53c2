"""genlab: the lab in which one learns, trains and measures VAEs and GANs.

    import genlab

    vae = genlab.train(genlab.recipe("vae", "training.steps=2000"))
    gan = genlab.train(genlab.recipe("gan", "training.steps=2000"), start=vae)
    images, latents = gan.sample(64, seed=0)

Names are looked up when first used, so that `import genlab` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genlab.data.source import load as load_data
    from genlab.errors import UserError
    from genlab.experiment.runner import train
    from genlab.experiment.schema import Experiment
    from genlab.experiment.trained import Trained, open_run, save_images
    from genlab.recipes import recipe
    from genlab.runs.store import Run, find_run

_HOME = {
    "Experiment": ("genlab.experiment.schema", "Experiment"),
    "Run": ("genlab.runs.store", "Run"),
    "Trained": ("genlab.experiment.trained", "Trained"),
    "UserError": ("genlab.errors", "UserError"),
    "find_run": ("genlab.runs.store", "find_run"),
    "load_data": ("genlab.data.source", "load"),
    "open_run": ("genlab.experiment.trained", "open_run"),
    "recipe": ("genlab.recipes", "recipe"),
    "save_images": ("genlab.experiment.trained", "save_images"),
    "train": ("genlab.experiment.runner", "train"),
}

__all__ = [
    "Experiment",
    "Run",
    "Trained",
    "UserError",
    "find_run",
    "load_data",
    "open_run",
    "recipe",
    "save_images",
    "train",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'genlab' has no attribute {name!r}")
    module, attribute = _HOME[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return __all__
