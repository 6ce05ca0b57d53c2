"""The recipe "auto" at work: what is chosen for these images, this device and this time, and what to expect
of it, in words. Imports torch when it is called, for only that knows the device."""

from __future__ import annotations

from genlab.data.catalogue import CATALOGUE
from genlab.errors import UserError
from genlab.experiment.schema import Data, Experiment, override, parse
from genlab.recipes import recipe
from genlab.recipes.auto import FEW, SECONDS, Chosen, chosen, counts

GLANCE = 64  # images whose size says that of all


def automatic(
    family: str | None, assignments: list[str], start: str | None
) -> tuple[Experiment, list[Chosen]]:
    """The config that is chosen for the images, the device and the time that `assignments` say, which stand
    above all choices; and the choices. Raises UserError."""
    from genlab.experiment.acceleration import no_bf16, no_compiler
    from genlab.ranks import place
    from genlab.runs.store import find_run

    if family is None:
        raise UserError(
            "--recipe auto chooses how to train, not what: genlab train vae, gan or vaegan --recipe auto"
        )
    asked = override(recipe(family), assignments)
    data = asked.data
    if start is not None:
        run = find_run(start)
        data = parse(run.config(), str(run.path / "config.json")).data
    said = {assignment.partition("=")[0] for assignment in assignments}
    device = asked.training.device if "training.device" in said else fastest()
    seconds = asked.training.seconds or SECONDS
    shape, images = glance(data, count=counts(family, seconds))
    choices = chosen(
        family, shape, device, seconds,
        bf16=not no_bf16(device), compiler=place().world == 1 and not no_compiler(device),
        inherits=start is not None, images=images,
    )  # fmt: skip
    choices = [choice for choice in choices if choice.key not in said]
    if not said & {"training.seconds", "training.steps"}:
        assignments = [*assignments, f"training.seconds={seconds:g}"]
    settings = ["recipe=auto", *(choice.assignment for choice in choices), *assignments]
    return override(recipe(family), settings), choices


def fastest() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def glance(data: Data, count: bool) -> tuple[tuple[int, int, int], int | None]:
    """(C, H, W), and how many training images there are: the catalogue knows. Of others it takes a glance at
    the images, where the config does not say their shape or they are to be counted, at most to `FEW` + 1."""
    from genlab.data.source import load

    shape = data.shape
    if data.name in CATALOGUE:
        entry = CATALOGUE[data.name]
        channels, *sides = entry.shape
        side = data.size or min(sides)
        images = int(entry.train * (1 - data.validation))
        return shape or (data.channels or channels, side, side), min(images, data.limit or images)
    if shape is not None and not count:
        return shape, None
    some = min(FEW + 1, data.limit or FEW + 1) if count else GLANCE
    seen = load(
        data.name, size=data.size, channels=data.channels, fit=data.fit, limit=some,
        validation=data.validation if count else 0.0,
    )  # fmt: skip
    return shape or seen.shape, len(seen.train) if count else None


def expectation(experiment: Experiment) -> str:
    """What a run will do in its seconds: exactly, once `steps` were measured for them, as in a run's own
    config; and before that what is left to be measured."""
    training = experiment.training
    images = training.steps * training.batch_size
    return (
        f"expected: {training.steps:,} steps of {training.batch_size} images in {training.seconds:g} s, "
        f"{images:,} images seen"
    )


def forecast(experiment: Experiment) -> str:
    """The same before the steps were measured."""
    training = experiment.training
    where = "a GPU" if training.device.startswith("cuda") else f"{training.threads} CPU threads"
    return (
        f"expected: {training.seconds or SECONDS:g} s of training on {where}, after some seconds in which it "
        f"is measured how many steps of {training.batch_size} images fit in them"
    )
