"""The fields of a config as a form has them: what they are called, what may stand in them, and how a choice
of them is written in an address and on a command line. Draws nothing; imports neither Streamlit nor torch."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from genlab.errors import UserError
from genlab.experiment.schema import Experiment, nearest
from genlab.experiment.sections import Section

# Not for a form's fields: decided by the recipe, asked for by name, or filled in from the data.
APART = frozenset((
    "schema_version", "family", "recipe", "start", "objective.name", "data.name", "training.seconds",
    "data.shape", "data.digest",
))  # fmt: skip
GROUPS = {
    "data": "Images", "network": "Latents", "network.encoder": "Encoder", "network.decoder": "Decoder",
    "network.discriminator": "Discriminator", "network.prior": "Prior", "observation": "Observation",
    "objective": "Objective", "optimizer": "Optimiser", "training": "Training",
}  # fmt: skip
USELESS = {
    "vae": ("network.discriminator", "optimizer.discriminator_rate"),
    "gan": ("network.encoder",),
    "vaegan": (),
}  # parts of the config that a family has no use for
LABELS = {
    "network.latent_dim": "Dimensions of z", "data.size": "Size (px)", "data.fit": "Not square",
    "observation.sigma": "σ (pixels in [−1, 1])", "observation.learn_sigma": "Learn σ",
    "objective.beta": "β", "objective.free_bits": "Free bits (nats)", "objective.r1": "R1: γ",
    "objective.r2": "R2: γ", "objective.warmup_steps": "Warm-up (steps)", "optimizer.beta1": "β₁ of Adam",
    "optimizer.beta2": "β₂ of Adam", "optimizer.eps": "ε of Adam", "training.ema": "Decay of the average",
    "optimizer.final": "Learning rate at the end (fraction)", "training.steps": "Length (steps)",
    "data.window": "Shuffling window (images)", "data.limit": "At most (images)",
    "data.validation": "Held out for validation (fraction)", "training.batch_size": "Batch (images)",
    "training.log_every": "Log every (steps)", "training.sample_every": "Sheet every (steps)",
    "training.checkpoint_every": "Checkpoint every (steps)", "training.threads": "CPU threads",
    "training.validate_every": "Validate every (steps)",
}  # fmt: skip
SHORT = {
    "data.name": "--data", "training.steps": "--steps", "training.batch_size": "--batch-size",
    "network.latent_dim": "--latent-dim", "training.seed": "--seed", "training.device": "--device",
    "training.precision": "--precision",
}  # fmt: skip


class Setting(NamedTuple):
    """One field of a config, at its dotted `path`, and its value."""

    path: str
    field: FieldInfo
    value: Any

    @property
    def group(self) -> str:
        return self.path.rpartition(".")[0]

    @property
    def label(self) -> str:
        name = self.path.rpartition(".")[2].replace("_", " ")
        return LABELS.get(self.path, name[:1].upper() + name[1:])

    @property
    def help(self) -> str:
        """Its sentence, and where it stands."""
        return f"{self.field.description or ''} `{self.path}`".strip()

    @property
    def optional(self) -> bool:
        """Whether it may be left empty."""
        return self.value is None or type(None) in get_args(self.field.annotation)

    @property
    def kind(self) -> Any:
        """Its type, None left out."""
        kinds = [each for each in get_args(self.field.annotation) if each is not type(None)]
        return kinds[0] if len(kinds) < len(get_args(self.field.annotation)) else self.field.annotation

    @property
    def choices(self) -> tuple[Any, ...]:
        """What it may be, where that is one of a few words or numbers."""
        return get_args(self.kind) if get_origin(self.kind) is Literal else ()

    def bound(self, *names: str) -> Any:
        """Its bound of one of these kinds ("ge", "gt", "le", "lt"), if it has one."""
        given = (getattr(m, name, None) for m in self.field.metadata for name in names)
        return next((each for each in given if each is not None), None)

    def check(self, value: Any) -> Any:
        """`value` as the config has it. Raises UserError where it is of another type or out of bounds."""
        kind: Any = Annotated[self.field.annotation, self.field]
        try:
            return TypeAdapter(kind).validate_python(value)
        except ValidationError as error:
            said = error.errors()[0]["msg"]
            raise UserError(f"{self.path} can't be {value!r}: {said[:1].lower()}{said[1:]}") from error


def leaves(section: Section, prefix: str = "") -> dict[str, Setting]:
    """Every field of a config, by its dotted path."""
    found: dict[str, Setting] = {}
    for name, field in type(section).model_fields.items():
        value, path = getattr(section, name), prefix + name
        if isinstance(value, Section):
            found |= leaves(value, f"{path}.")
        else:
            found[path] = Setting(path, field, value)
    return found


def offered(experiment: Experiment) -> dict[str, Setting]:
    """The fields that a form for this config asks for."""
    useless = USELESS[experiment.family]
    return {
        path: setting
        for path, setting in leaves(experiment).items()
        if path not in APART and not path.startswith(useless)
    }


def assigned(path: str, value: Any) -> str:
    """`path=value`, as `--set` takes it."""
    return f"{path}={value if isinstance(value, str) else json.dumps(value)}"


def packed(chosen: Mapping[str, Any]) -> str:
    """Choices in a few characters of an address, as in "network.latent_dim=2,training.seed=3"."""
    return ",".join(assigned(path, value) for path, value in sorted(chosen.items()))


def unpacked(text: str, known: Mapping[str, Setting]) -> dict[str, Any]:
    """Raises UserError, in one sentence, for the first thing in `text` that is no setting among `known`."""
    found = {}
    for part in filter(None, text.split(",")):
        path, _, given = part.partition("=")
        if path not in known:
            raise UserError(f"the address sets {path!r}, which is no setting here; {nearest(path)}")
        try:
            value = json.loads(given)
        except (ValueError, RecursionError):
            value = given
        found[path] = known[path].check(value)
    return found


def worded(assignments: list[str]) -> list[str]:
    """`path=value` each, as options of `genlab train`: the short one where there is one."""
    words: list[str] = []
    for assignment in assignments:
        path, _, value = assignment.partition("=")
        short = SHORT.get(path) if value and not value.startswith("-") else None
        words += [short, value] if short else ["--set", assignment]
    return words


def command(family: str, seconds: float | None, assignments: list[str], options: list[str]) -> str:
    """The line that does the same in a terminal."""
    length = [] if seconds is None else ["--seconds", f"{seconds:g}"]
    first = [each for each in assignments if each.startswith("data.name=")]
    others = [each for each in assignments if each not in first]
    words = ["genlab", "train", family, *options, *worded(first), *length, *worded(others)]
    return shlex.join(words)
