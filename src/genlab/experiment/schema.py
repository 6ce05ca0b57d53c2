"""The one schema: it feeds the command line, the page, the JSON of a run and the docs.

Every field has its bounds and its sentence. Nothing here imports torch.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from genlab.errors import UserError

SCHEMA_VERSION: Literal[1] = 1


class Section(BaseModel):
    """A part of the config: immutable, and unknown keys fail."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Data(Section):
    name: str = Field(
        "mnist", description="A data set of `genlab data`, a folder of images, or an .npz file."
    )
    size: int | None = Field(
        None, ge=8, le=1024, description="Side of the square images in pixels; as they are if unset."
    )
    channels: Literal[1, 3] | None = Field(
        None, description="1 for grey, 3 for colour; as they are if unset."
    )
    fit: Literal["crop", "pad"] = Field("crop", description="How an image that is not square becomes so.")
    limit: int | None = Field(None, ge=2, description="At most so many training images, drawn by the seed.")
    shape: tuple[int, int, int] | None = Field(
        None, description="Channels, height, width: filled in from the data."
    )
    digest: str | None = Field(None, description="Identity of the images: filled in from the data.")


class Decoder(Section):
    kind: Literal["conv", "mlp"] = Field(
        "conv", description="Convolutions that double the image, or dense layers alone."
    )
    width: int = Field(
        24, ge=1, le=1024, description="Channels at half the full resolution; twice as many at each halving."
    )
    blocks: int = Field(0, ge=0, le=8, description="Residual blocks at each resolution.")
    hidden: int = Field(512, ge=1, le=8192, description="Units of each dense layer.")
    depth: int = Field(0, ge=0, le=8, description="Dense layers before the image.")
    norm: Literal["batch", "group", "none"] = Field("batch", description="Normalisation between layers.")


class Trunk(Section):
    kind: Literal["conv", "mlp"] = Field(
        "conv", description="Convolutions that halve the image, or dense layers alone."
    )
    width: int = Field(
        24, ge=1, le=1024, description="Channels at half the full resolution; twice as many at each halving."
    )
    blocks: int = Field(0, ge=0, le=8, description="Residual blocks at each resolution.")
    hidden: int = Field(512, ge=1, le=8192, description="Units of each dense layer.")
    depth: int = Field(0, ge=0, le=8, description="Dense layers after the image.")
    norm: Literal["batch", "group", "none"] = Field("batch", description="Normalisation between layers.")


class Critic(Trunk):
    spectral: bool = Field(False, description="Spectral normalisation of every weight.")


class Prior(Section):
    kind: Literal["normal", "mixture"] = Field(
        "normal", description="N(0, I), or the mixture fitted to a VAE's codes."
    )
    components: int = Field(64, ge=1, le=1024, description="Gaussians in the mixture.")


class Network(Section):
    latent_dim: int = Field(32, ge=1, le=2048, description="Dimensions of z.")
    decoder: Decoder = Decoder()
    encoder: Trunk = Trunk(kind="mlp", depth=1, norm="none")
    discriminator: Critic = Critic()
    prior: Prior = Prior()


class Observation(Section):
    kind: Literal["bernoulli", "continuous-bernoulli", "gaussian"] = Field(
        "bernoulli", description="What the decoder's raw output means: the likelihood of a pixel."
    )
    sigma: float = Field(0.3, gt=0, le=10, description="Standard deviation of a Gaussian pixel in [-1, 1].")
    learn_sigma: bool = Field(False, description="Learn that standard deviation with the decoder.")
    linear: bool = Field(False, description="Gaussian mean without a squashing function (the linear VAE).")


class Elbo(Section):
    name: Literal["elbo"] = "elbo"
    beta: float = Field(
        1.0, ge=0, le=1000, description="Weight of the KL term; reported ELBOs are always at 1."
    )
    warmup_steps: int = Field(0, ge=0, description="Steps over which the weight rises from 0.")
    warmup: Literal["linear", "cyclic"] = Field("linear", description="Rise once, or again and again.")
    free_bits: float = Field(
        0.0, ge=0, le=100, description="Nats of KL per latent dimension left unpunished."
    )


LossName = Literal["non-saturating", "hinge", "least-squares", "wasserstein", "relativistic"]


class Penalised(Section):
    r1: float = Field(0.0, ge=0, le=1e6, description="γ of the gradient penalty ½γ‖∇D‖² on real images.")
    r2: float = Field(0.0, ge=0, le=1e6, description="γ of the gradient penalty ½γ‖∇D‖² on generated images.")
    wasserstein_penalty: float = Field(
        0.0, ge=0, le=1e6, description="Weight of (‖∇D‖ − 1)² between real and generated."
    )

    @property
    def penalised(self) -> bool:
        return bool(self.r1 or self.r2 or self.wasserstein_penalty)


class Adversarial(Penalised):
    name: Literal["adversarial"] = "adversarial"
    loss: LossName = Field("non-saturating", description="What the two players minimise.")
    discriminator_steps: int = Field(
        1, ge=1, le=20, description="Updates of the discriminator for each of the generator."
    )


class Hybrid(Penalised):
    name: Literal["hybrid"] = "hybrid"
    loss: LossName = Field("non-saturating", description="What the two players minimise.")
    feature_weight: float = Field(
        1.0, ge=0, le=1e4, description="Weight of the reconstruction in the discriminator's features."
    )
    pixel_weight: float = Field(1.0, ge=0, le=1e4, description="Weight of the reconstruction in pixels.")
    deceit: float = Field(1.0, ge=0, le=1e4, description="Weight of the decoder's adversarial loss.")
    beta: float = Field(1.0, ge=0, le=1000, description="Weight of the KL term.")


Objective = Annotated[Elbo | Adversarial | Hybrid, Field(discriminator="name")]


class Optimizer(Section):
    learning_rate: float = Field(2e-3, gt=0, le=100, description="Adam's step size.")
    discriminator_rate: float | None = Field(
        None, gt=0, le=100, description="The discriminator's own, if it differs."
    )
    beta1: float = Field(0.9, ge=0, lt=1, description="Adam's memory of the gradient.")
    beta2: float = Field(0.99, ge=0, lt=1, description="Adam's memory of its square.")
    eps: float = Field(1e-8, gt=0, le=1, description="Adam's smallest denominator.")
    final: float = Field(
        1.0, ge=0, le=1, description="Fraction of the learning rate left at the last step (cosine)."
    )


class Training(Section):
    steps: int = Field(2000, ge=1, le=100_000_000, description="Updates of every part.")
    seconds: float | None = Field(
        None, gt=0, le=1e7, description="A budget that a short calibration turns into steps, once."
    )
    batch_size: int = Field(128, ge=1, le=65536, description="Images per update.")
    seed: int = Field(0, ge=0, lt=2**63, description="All randomness is a function of it.")
    ema: float = Field(0.99, ge=0, lt=1, description="Decay of the averaged weights; 0 for none.")
    threads: int = Field(
        2, ge=1, le=1024, description="CPU threads; a resumed run must keep them to stay exact."
    )
    device: str = Field("cpu", pattern=r"^(cpu|mps|cuda(:\d+)?)$", description="cpu, cuda, cuda:N or mps.")
    log_every: int = Field(20, ge=1, description="Steps between logged metrics.")
    sample_every: int = Field(200, ge=0, description="Steps between sample sheets; 0 for none.")
    checkpoint_every: int = Field(
        500, ge=1, description="Steps between checkpoints; the last step always has one."
    )


PARTS = {
    "vae": ("encoder", "decoder"),
    "gan": ("decoder", "discriminator"),
    "vaegan": ("encoder", "decoder", "discriminator"),
}


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
        needed = {"vae": "elbo", "gan": "adversarial", "vaegan": "hybrid"}[self.family]
        if self.objective.name != needed:
            raise ValueError(
                f"family {self.family!r} needs objective.name={needed!r}, not {self.objective.name!r}"
            )
        penalised = isinstance(self.objective, Penalised) and self.objective.penalised
        if penalised and self.network.discriminator.norm == "batch":
            raise ValueError(
                "a per-example gradient penalty can't be had from a discriminator with batch statistics: "
                "set network.discriminator.norm=none"
            )
        normalised = [part for part in PARTS[self.family] if getattr(self.network, part).norm == "batch"]
        if self.training.batch_size == 1 and normalised:
            raise ValueError(
                "a batch of one image has no batch statistics: set training.batch_size=2, or "
                + " and ".join(f"network.{part}.norm=none" for part in normalised)
            )
        return self


def parse(config: dict[str, Any], source: str = "the config") -> Experiment:
    """Raises UserError in one sentence, naming the field, what is wrong and the nearest known key."""
    try:
        return Experiment.model_validate(config)
    except ValidationError as error:
        raise UserError(f"{source}: {explain(error)}") from error


def explain(error: ValidationError) -> str:
    first = error.errors()[0]
    tags = {"elbo", "adversarial", "hybrid"}
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
