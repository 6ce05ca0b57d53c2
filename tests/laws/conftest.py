"""The catalogue that the laws hold for: every recipe, loss, penalty, norm and kind of observation, shrunk.

A new entry of LOSSES, RECIPES or NORMS is tested on arrival.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from genlab.experiment.schema import Experiment
from genlab.functional.adversarial import LOSSES
from genlab.nn.norms import NORMS
from genlab.recipes import RECIPES

NO_NORM = "network.discriminator.norm=none"

EXPERIMENTS: dict[str, tuple[str, ...]] = {
    **{f"recipe-{name}": (name,) for name in RECIPES},
    **{f"gan-{loss}": ("gan", f"objective.loss={loss}") for loss in LOSSES},
    **{f"vaegan-{loss}": ("vaegan", f"objective.loss={loss}") for loss in LOSSES},
    **{
        f"vae-{norm}": ("vae", "network.encoder.kind=conv", "network.encoder.blocks=1",
                        "network.decoder.blocks=1", f"network.encoder.norm={norm}",
                        f"network.decoder.norm={norm}")
        for norm in NORMS
    },
    "vae-continuous-bernoulli": ("vae", "observation.kind=continuous-bernoulli"),
    "vae-gaussian": ("vae", "observation.kind=gaussian"),
    "vae-gaussian-learned": ("vae", "observation.kind=gaussian", "observation.learn_sigma=true"),
    "vae-beta-warmup": ("vae", "objective.beta=4", "objective.warmup_steps=5", "optimizer.final=0"),
    "vae-cyclic-free-bits": ("vae", "objective.warmup=cyclic", "objective.warmup_steps=2",
                             "objective.free_bits=0.1"),
    "vae-dense": ("vae", "network.decoder.kind=mlp", "network.encoder.depth=2"),
    "wgan-gp": ("gan", "objective.loss=wasserstein", "objective.wasserstein_penalty=10",
                "objective.discriminator_steps=5", "optimizer.beta1=0", NO_NORM),
    "r1-r2": ("gan", "objective.loss=relativistic", "objective.r1=1", "objective.r2=1", "optimizer.beta1=0",
              "network.discriminator.norm=group"),
    "spectral": ("gan", "objective.loss=hinge", "network.discriminator.spectral=true", NO_NORM,
                 "network.discriminator.blocks=1"),
    "spectral-r1": ("gan", "network.discriminator.spectral=true", "objective.r1=1", NO_NORM,
                    "optimizer.discriminator_rate=1e-4"),
    "vaegan-spectral-r1": ("vaegan", "network.discriminator.spectral=true", "objective.r1=0.5", NO_NORM,
                           "observation.kind=gaussian", "observation.learn_sigma=true"),
    "no-average": ("gan", "training.ema=0"),
}  # fmt: skip


@pytest.fixture(params=EXPERIMENTS)
def experiment(request: pytest.FixtureRequest, tiny: Callable[..., Experiment]) -> Experiment:
    return tiny(*EXPERIMENTS[request.param])
