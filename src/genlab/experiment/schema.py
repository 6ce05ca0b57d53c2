"""The one schema: it feeds the command line, the page, the JSON of a run and the docs.

Every field has its bounds and its sentence. Nothing here imports torch.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from genlab.errors import UserError
from genlab.experiment.sections import (
    Adversarial as Adversarial,
)
from genlab.experiment.sections import (
    Critic as Critic,
)
from genlab.experiment.sections import (
    Data as Data,
)
from genlab.experiment.sections import (
    Decoder as Decoder,
)
from genlab.experiment.sections import (
    Elbo as Elbo,
)
from genlab.experiment.sections import (
    Encoder as Encoder,
)
from genlab.experiment.sections import (
    Hybrid as Hybrid,
)
from genlab.experiment.sections import (
    Importance as Importance,
)
from genlab.experiment.sections import (
    Network as Network,
)
from genlab.experiment.sections import (
    Objective as Objective,
)
from genlab.experiment.sections import (
    Observation as Observation,
)
from genlab.experiment.sections import (
    Optimizer as Optimizer,
)
from genlab.experiment.sections import (
    Penalised as Penalised,
)
from genlab.experiment.sections import (
    Prior as Prior,
)
from genlab.experiment.sections import (
    Section as Section,
)
from genlab.experiment.sections import (
    Training as Training,
)
from genlab.experiment.sections import (
    Trunk as Trunk,
)
from genlab.experiment.sections import (
    Warmed as Warmed,
)

SCHEMA_VERSION: Literal[1] = 1


PARTS = {
    "vae": ("encoder", "decoder"),
    "gan": ("decoder", "discriminator"),
    "vaegan": ("encoder", "decoder", "discriminator"),
}


OBJECTIVES = {"vae": ("elbo", "importance"), "gan": ("adversarial",), "vaegan": ("hybrid",)}


class Experiment(Section):
    """Everything that decides a run."""

    schema_version: Literal[1] = SCHEMA_VERSION
    family: Literal["vae", "gan", "vaegan"]
    recipe: str = Field("custom", description="The recipe this came from.")
    data: Data = Data()
    network: Network = Network()
    observation: Observation = Observation()
    objective: Objective
    optimizer: Optimizer = Optimizer()
    training: Training = Training()
    start: str | None = Field(None, description="The run whose decoder became the generator.")

    @model_validator(mode="after")
    def _coherent(self) -> Experiment:
        needed = OBJECTIVES[self.family]
        if self.objective.name not in needed:
            raise ValueError(
                f"family {self.family!r} needs objective.name={needed[0]!r}, not {self.objective.name!r}"
            )
        penalised = isinstance(self.objective, Penalised) and self.objective.penalised
        if penalised and self.network.discriminator.norm == "batch":
            raise ValueError(
                "a per-example gradient penalty can't be had from a discriminator with batch statistics: "
                "set network.discriminator.norm=none"
            )
        if self.training.keep_best == "nelbo" and self.family == "gan":
            raise ValueError(
                "a GAN has no ELBO to keep the best checkpoint by: set training.keep_best=fid, or none"
            )
        self._check_packs()
        normalised = [part for part in PARTS[self.family] if getattr(self.network, part).norm == "batch"]
        if self.training.batch_size == 1 and normalised:
            raise ValueError(
                "a batch of one image has no batch statistics: set training.batch_size=2, or "
                + " and ".join(f"network.{part}.norm=none" for part in normalised)
            )
        if self.optimizer.schedule == "burda" and self.optimizer.final != 1:
            raise ValueError(
                "optimizer.final belongs to the cosine: set it to 1, or optimizer.schedule=cosine"
            )
        self._check_prior()
        bernoulli = self.observation.kind == "bernoulli"
        if self.network.decoder.mean_bias and not (bernoulli and self.network.decoder.kind == "mlp"):
            raise ValueError(
                "the images' mean as a bias needs a bias for each pixel and a Bernoulli observation: set "
                "network.decoder.kind=mlp and observation.kind=bernoulli, or network.decoder.mean_bias=false"
            )
        return self

    def _check_prior(self) -> None:
        kind, layered = self.network.prior.kind, self.network.second_latent > 0
        if layered and kind != "normal":
            raise ValueError(
                "two stochastic layers have a prior of their own: set network.prior.kind=normal, the second "
                "layer's, or network.second_latent=0"
            )
        if layered and self.family == "vaegan":
            raise ValueError(
                "a VAE-GAN has no update that trains a second stochastic layer: set network.second_latent=0, "
                "or train a VAE"
            )
        if (layered or kind != "normal") and isinstance(self.objective, Elbo) and self.objective.free_bits:
            raise ValueError(
                "free bits need the KL dimension by dimension, which only N(0, I) has in closed form: set "
                "objective.free_bits=0, or network.prior.kind=normal and network.second_latent=0"
            )
        estimated = isinstance(self.objective, Elbo) and self.objective.gradient != "reparameterized"
        if estimated and (layered or kind != "normal"):
            raise ValueError(
                "a gradient that does not pass through z needs a KL that does not either, as N(0, I) has it: "
                "set objective.gradient=reparameterized, or network.prior.kind=normal and "
                "network.second_latent=0"
            )
        if kind == "flow" and self.family == "vaegan":
            raise ValueError(
                "a VAE-GAN has no update that trains a flow: set network.prior.kind=normal, or train a VAE"
            )
        if kind == "flow" and self.network.latent_dim < 2:
            raise ValueError("a flow couples dimensions with each other: set network.latent_dim=2 or more")

    def _check_packs(self) -> None:
        pack, size = self.network.discriminator.pack, self.training.batch_size
        if pack == 1 or self.family == "vae":
            return
        if self.family == "vaegan":
            raise ValueError(
                "a VAE-GAN compares single images by the discriminator's features, and a pack has its own: "
                "set network.discriminator.pack=1"
            )
        if isinstance(self.objective, Penalised) and self.objective.wasserstein_penalty:
            raise ValueError(
                "the Wasserstein penalty mixes real and generated images one by one, not packs of them: set "
                "network.discriminator.pack=1, or objective.r1 and objective.r2 in its place"
            )
        if size % pack:
            whole = -(-size // pack) * pack
            raise ValueError(
                f"{size} images don't make whole packs of {pack}: set training.batch_size={whole}"
            )
        if size == pack and self.network.discriminator.norm == "batch":
            raise ValueError(
                f"one pack has no batch statistics: set training.batch_size={2 * pack}, or "
                "network.discriminator.norm=none"
            )


def parse(config: dict[str, Any], source: str = "the config") -> Experiment:
    """Raises UserError in one sentence, naming the field, what is wrong and the nearest known key."""
    version = config.get("schema_version", SCHEMA_VERSION) if isinstance(config, dict) else None
    if type(version) is int and version > SCHEMA_VERSION:
        raise UserError(
            f"{source} was written by a later genlab (its schema_version is {version}, and this one reads up "
            f"to {SCHEMA_VERSION}): update genlab"
        )
    try:
        return Experiment.model_validate(config)
    except ValidationError as error:
        raise UserError(f"{source}: {explain(error)}") from error


def explain(error: ValidationError) -> str:
    first = error.errors()[0]
    tags = {name for names in OBJECTIVES.values() for name in names}
    path = [str(part) for part in first["loc"] if part not in tags]
    where = ".".join(path)
    if first["type"] == "extra_forbidden":
        return f"unknown key {where!r}; {nearest(where)}"
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: {message} (got {first['input']!r})" if where else message


def nearest(key: str) -> str:
    import difflib

    known = [path for path, _ in fields()]
    last = [path for path in known if path.rsplit(".", 1)[-1] == key.rsplit(".", 1)[-1]]
    close = last or difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else "`genlab recipes --fields` lists the known keys"


def fields() -> list[tuple[str, Any]]:
    """Every leaf of the config as (dotted path, pydantic field), objectives of all families included."""

    def walk(section: type[Section], prefix: str) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        for name, field in section.model_fields.items():
            kinds = [field.annotation, *getattr(field.annotation, "__args__", ())]
            inner = [k for k in kinds if isinstance(k, type) and issubclass(k, Section)]
            if not inner:
                found.append((f"{prefix}{name}", field))
            for kind in inner:
                found += [pair for pair in walk(kind, f"{prefix}{name}.") if pair[0] not in dict(found)]
        return found

    return walk(Experiment, "")


def override(experiment: Experiment, assignments: list[str]) -> Experiment:
    """`experiment` with each `dotted.key=value` of `assignments` set; values are JSON, or else text.

    Raises UserError for a malformed assignment, an unknown key or a value out of bounds.
    """
    import json

    config = experiment.model_dump()
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key:
            raise UserError(f"--set needs key=value and got {assignment!r}, as in --set objective.beta=4")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        section: Any = config
        *parents, leaf = key.split(".")
        for parent in parents:
            section = section.get(parent) if isinstance(section, dict) else None
        if not isinstance(section, dict) or leaf not in section or isinstance(section[leaf], dict):
            raise UserError(f"--set: unknown key {key!r}; {nearest(key)}")
        # a folder may be called 2024, and is text all the same
        section[leaf] = text if isinstance(section[leaf], str) and not isinstance(value, str) else value
    return parse(config, "--set")


def bounds(field: Any) -> str:
    """The bounds of a pydantic field in a few characters, as in "0 ≤ · < 1" or "crop | pad"."""
    choices = [str(a) for a in getattr(field.annotation, "__args__", ()) if isinstance(a, str)]
    if choices:
        return " | ".join(choices)
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    limits = [
        f"{sign} {getattr(m, key):g}"
        for m in field.metadata
        for key, sign in signs.items()
        if hasattr(m, key)
    ]
    return ", ".join(limits)
