"""Named experiments: a recipe is a function that returns a config.

The first line of a recipe's docstring is what `genlab recipes` prints.
"""

from __future__ import annotations

from collections.abc import Callable

from genlab.errors import UserError
from genlab.experiment import schema
from genlab.experiment.schema import Experiment, override
from genlab.recipes.likelihood import (
    iwae,
    iwae_table1,
    iwae_table1_2,
    iwae_table1_short,
    strong_vae,
    strong_vae_flow,
)
from genlab.recipes.shared import DECODER


def vae() -> Experiment:
    """VAE: a dense encoder and the shared decoder, ELBO with Bernoulli pixels."""
    return Experiment(
        family="vae",
        recipe="vae",
        network=schema.Network(decoder=DECODER),
        objective=schema.Elbo(),
        optimizer=schema.Optimizer(learning_rate=5e-3, beta2=0.999, final=0),
        training=schema.Training(steps=3000, batch_size=256, ema=0.998),
    )


def gan() -> Experiment:
    """GAN: the shared decoder, a discriminator that learns half as fast, the non-saturating loss."""
    return Experiment(
        family="gan",
        recipe="gan",
        network=schema.Network(decoder=DECODER, discriminator=schema.Critic(width=16, hidden=256, depth=1)),
        objective=schema.Adversarial(),
        optimizer=schema.Optimizer(learning_rate=2e-3, discriminator_rate=1e-3, beta1=0, beta2=0.99),
        training=schema.Training(steps=6000, batch_size=64, ema=0.99),
    )


def vaegan() -> Experiment:
    """VAE-GAN: one decoder that both reconstructs and deceives."""
    return Experiment(
        family="vaegan",
        recipe="vaegan",
        network=schema.Network(decoder=DECODER, discriminator=schema.Critic(norm="none")),
        objective=schema.Hybrid(feature_weight=0.1, deceit=20.0),
        optimizer=schema.Optimizer(learning_rate=1e-3, beta1=0.5, beta2=0.99),
        training=schema.Training(steps=4000, batch_size=64, ema=0.99),
    )


def stacked_mnist() -> Experiment:
    """Stacked MNIST: small residual networks without normalisation, the relativistic loss with R1 and R2.

    The ingredients of Huang et al. (2024), R3GAN, in the house's networks; not their widths or schedules.
    """
    return Experiment(
        family="gan",
        recipe="stacked-mnist",
        data=schema.Data(name="stacked-mnist"),
        network=schema.Network(
            latent_dim=64,
            decoder=schema.Decoder(width=48, blocks=1, hidden=256, depth=1, norm="none"),
            discriminator=schema.Critic(width=48, blocks=1, norm="none"),
        ),
        objective=schema.Adversarial(loss="relativistic", r1=1.0, r2=1.0),
        optimizer=schema.Optimizer(learning_rate=3e-4, beta1=0.0, beta2=0.99, final=0.1),
        training=schema.Training(steps=60_000, batch_size=256, ema=0.999, checkpoint_every=2000),
    )


RECIPES: dict[str, Callable[[], Experiment]] = {
    "vae": vae,
    "gan": gan,
    "vaegan": vaegan,
    "iwae": iwae,
    "iwae-table1": iwae_table1,
    "iwae-table1-2": iwae_table1_2,
    "iwae-table1-short": iwae_table1_short,
    "strong-vae": strong_vae,
    "strong-vae-flow": strong_vae_flow,
    "stacked-mnist": stacked_mnist,
}


def named(name: str) -> Callable[[], Experiment]:
    """The recipe called `name`. Raises UserError with the nearest one where there is none."""
    if name not in RECIPES:
        import difflib

        close = difflib.get_close_matches(name, RECIPES, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(RECIPES)}"
        raise UserError(f"no recipe is called {name!r}; {hint}")
    return RECIPES[name]


def recipe(name: str, *assignments: str) -> Experiment:
    """The config of the recipe called `name`, with each `dotted.key=value` of `assignments` set.

    Raises UserError naming the nearest recipe or key where there is none of that name.
    """
    return override(named(name)(), list(assignments))
