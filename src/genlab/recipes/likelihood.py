"""Recipes for models whose likelihood is the point: the published tables on binarised MNIST."""

from __future__ import annotations

from genlab.experiment import schema
from genlab.experiment.schema import Experiment, override
from genlab.recipes.shared import DECODER

EPOCH = 3000  # steps of 20 images in 60 000


def iwae() -> Experiment:
    """IWAE: the VAE's networks under the importance-weighted bound, five draws of z for each image."""
    return Experiment(
        family="vae",
        recipe="iwae",
        network=schema.Network(decoder=DECODER),
        objective=schema.Importance(samples=5, bound="iwae"),
        optimizer=schema.Optimizer(learning_rate=2e-3, beta2=0.999),
        training=schema.Training(steps=6000, batch_size=128, ema=0.998),
    )


def iwae_table1() -> Experiment:
    """The IWAE paper's table 1 (Burda et al., 2016), one stochastic layer: VAE, k = 1; variants by --set.

    The paper's protocol: dynamic binarisation, 784-200-200-50 with tanh, batches of 20, 3280 epochs in eight
    stairs of the learning rate. The rows of the table, each with `--set`:

        VAE, k = 5 or 50      objective.samples=5
        IWAE, k = 5 or 50     objective.samples=5 objective.bound=iwae
        DReG, k = 5 or 50     objective.samples=5 objective.bound=iwae objective.gradient=dreg
        with KL warm-up       objective.warmup_steps=600000   (200 epochs, as Sønderby et al., 2016)

    Two stochastic layers: `iwae-table1-2`; a schedule for a CPU: `iwae-table1-short`.
    """
    dense: dict[str, object] = {
        "kind": "mlp", "hidden": 200, "depth": 2, "norm": "none", "activation": "tanh", "init": "glorot",
    }  # fmt: skip
    return Experiment(
        family="vae",
        recipe="iwae-table1",
        data=schema.Data(binarise="dynamic"),
        network=schema.Network(
            latent_dim=50,
            encoder=schema.Encoder.model_validate({**dense, "pixels": "unit"}),
            decoder=schema.Decoder.model_validate({**dense, "mean_bias": True}),
        ),
        objective=schema.Importance(samples=1, bound="elbo"),
        optimizer=schema.Optimizer(learning_rate=1e-3, beta2=0.999, eps=1e-4, schedule="burda"),
        training=schema.Training(
            steps=3280 * EPOCH, batch_size=20, ema=0, log_every=EPOCH, sample_every=20 * EPOCH,
            checkpoint_every=10 * EPOCH,
        ),
    )  # fmt: skip


def iwae_table1_2() -> Experiment:
    """The IWAE paper's table 1 with two stochastic layers: VAE, k = 1; variants by --set.

    784-200-200-100 and 100-100-100-50, and back; else as `iwae-table1`, whose variants hold here too.
    """
    return override(
        iwae_table1(), ["recipe=iwae-table1-2", "network.latent_dim=100", "network.second_latent=50"]
    )


def iwae_table1_short() -> Experiment:
    """The same by a schedule that fits an hour of one CPU core: a cosine, averaged weights."""
    return override(
        iwae_table1(),
        [
            "recipe=iwae-table1-short",
            "objective.gradient=dreg",
            "objective.warmup_steps=60000",
            "optimizer.learning_rate=3e-3",
            "optimizer.eps=1e-8",
            "optimizer.schedule=cosine",
            "optimizer.final=0",
            "training.batch_size=100",
            "training.steps=300000",
            "training.ema=0.999",
            "training.log_every=600",
            "training.sample_every=30000",
            "training.checkpoint_every=6000",
        ],
    )


def strong_vae() -> Experiment:
    """A strong VAE: convolutions with residual blocks, 32 latents, N(0, I), binarised MNIST."""
    return Experiment(
        family="vae",
        recipe="strong-vae",
        data=schema.Data(binarise="dynamic"),
        network=schema.Network(
            latent_dim=32,
            encoder=schema.Encoder(kind="conv", width=16, blocks=1, norm="batch"),
            decoder=schema.Decoder(kind="conv", width=16, blocks=1, norm="batch"),
        ),
        objective=schema.Importance(samples=1, bound="elbo", gradient="dreg", warmup_steps=6000),
        optimizer=schema.Optimizer(learning_rate=2e-3, beta2=0.999, final=0),
        training=schema.Training(
            steps=36_000, batch_size=64, ema=0.999, log_every=100, sample_every=6000, checkpoint_every=1000
        ),
    )


def strong_vae_flow() -> Experiment:
    """The same with a RealNVP prior that is trained with it."""
    return override(strong_vae(), ["recipe=strong-vae-flow", "network.prior.kind=flow"])
