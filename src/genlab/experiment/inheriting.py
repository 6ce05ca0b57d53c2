"""What a model takes over in its config from the run whose decoder it starts from. Imports no torch."""

from __future__ import annotations

from genlab.errors import UserError
from genlab.experiment import schema


def decided(family: str) -> tuple[str, ...]:
    """The parts of a config of `family`, as dotted paths, that a decoder's past decides. A GAN, which trains
    no prior, also keeps the sizes of the one that the decoder learned with."""
    parts: tuple[str, ...] = ("data", "observation", "network.latent_dim", "network.decoder")
    if family == "gan":
        parts += ("network.second_latent", "network.second_hidden", "network.second_depth")
    return (*parts, "network.prior.components", "network.prior.layers", "network.prior.hidden")


def inherit(experiment: schema.Experiment, source: schema.Experiment, name: str) -> schema.Experiment:
    """`experiment` with all that its decoder's past decides: data, latent_dim, decoder and observation; for a
    GAN, which trains no prior, also the one that the decoder learned with.

    Raises UserError where what was asked for does not go with that.
    """
    if begins_with_encoder(experiment):
        check_trunks(experiment.network.discriminator, source, name)
    past, asked = source.network, experiment.network
    taken = ["latent_dim", "decoder"]
    prior = asked.prior.kind
    if experiment.family == "gan":
        taken += ["second_latent", "second_hidden", "second_depth"]
        prior = past.prior.kind if prior == "normal" and past.prior.kind == "flow" else prior
    network = asked.model_copy(
        update={name: getattr(past, name) for name in taken}
        | {"prior": past.prior.model_copy(update={"kind": prior})}
    )
    inherited = experiment.model_copy(
        update={"network": network, "data": source.data, "observation": source.observation, "start": name}
    )
    return schema.parse(inherited.model_dump(), f"a {experiment.family} from {name}")


def begins_with_encoder(experiment: schema.Experiment) -> bool:
    """Whether its discriminator's trunk is to begin as an encoder's."""
    return experiment.family != "vae" and experiment.network.discriminator.weights == "encoder"


def check_trunks(critic: schema.Critic, source: schema.Experiment, name: str) -> None:
    """Raises UserError where the encoder of `source` has another trunk than `critic`, or there is none."""
    if source.family == "gan":
        raise UserError(
            f"{name} is a GAN and has no encoder to begin a discriminator with: set "
            "network.discriminator.weights=drawn, or start from a VAE"
        )
    encoder = source.network.encoder
    plain = not critic.spectral and critic.maxout == critic.pack == 1 and encoder.pixels == "signed"
    for part in schema.Trunk.model_fields:
        mine, theirs = getattr(critic, part), getattr(encoder, part)
        if mine != theirs:
            raise UserError(
                f"the encoder of {name} and the discriminator have different trunks: set "
                f"network.discriminator.{part}={theirs}, or network.discriminator.weights=drawn"
            )
    if not plain:
        raise UserError(
            f"the encoder of {name} and the discriminator have different trunks: spectral normalisation, "
            "maxout, packs and pixels in [0, 1] need network.discriminator.weights=drawn"
        )
