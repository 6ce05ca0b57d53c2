"""What a model takes over in its config from the run whose decoder it starts from. Imports no torch."""

from __future__ import annotations

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
