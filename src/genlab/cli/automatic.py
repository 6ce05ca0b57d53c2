"""`--recipe auto`: what is chosen, and what it is expected to take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genlab.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from genlab.experiment.schema import Data, Experiment
    from genlab.recipes.auto import Chosen

GLANCE = 64  # images whose size says that of all


def automatic(
    family: str | None, assignments: list[str], start: str | None
) -> tuple[Experiment, list[Chosen]]:
    """The config that is chosen for the images, the device and the time that `assignments` say, which stand
    above all choices; and the choices. Raises UserError."""
    from genlab.experiment.acceleration import no_bf16, no_compiler
    from genlab.experiment.schema import override, parse
    from genlab.ranks import place
    from genlab.recipes import recipe as named
    from genlab.recipes.auto import SECONDS, chosen
    from genlab.runs.store import find_run

    if family is None:
        raise UserError(
            "--recipe auto chooses how to train, not what: genlab train vae, gan or vaegan --recipe auto"
        )
    asked = override(named(family), assignments)
    data = asked.data
    if start is not None:
        run = find_run(start)
        data = parse(run.config(), str(run.path / "config.json")).data
    said = {assignment.partition("=")[0] for assignment in assignments}
    device = asked.training.device if "training.device" in said else fastest()
    seconds = asked.training.seconds or SECONDS
    choices = chosen(
        family, shape_of(data), device, seconds,
        bf16=not no_bf16(device), compiler=place().world == 1 and not no_compiler(device),
        inherits=start is not None,
    )  # fmt: skip
    choices = [choice for choice in choices if choice.key not in said]
    if not said & {"training.seconds", "training.steps"}:
        assignments = [*assignments, f"training.seconds={seconds:g}"]
    settings = ["recipe=auto", *(choice.assignment for choice in choices), *assignments]
    return override(named(family), settings), choices


def fastest() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def shape_of(data: Data) -> tuple[int, int, int]:
    """(C, H, W), from a glance at the images where the config does not say it."""
    from genlab.data.source import load

    if data.shape is not None:
        return data.shape
    return load(data.name, size=data.size, channels=data.channels, fit=data.fit, limit=GLANCE).shape


def announce(choices: list[Chosen], console: Console) -> None:
    """One line a choice, with its reason."""
    wide = max((len(choice.assignment) for choice in choices), default=0)
    for choice in choices:
        console.print(f"  {choice.assignment:<{wide}}  {choice.why}", style="dim", highlight=False)


def expectation(experiment: Experiment) -> str:
    """What a run that was measured for its seconds will do."""
    training = experiment.training
    images = training.steps * training.batch_size
    return (
        f"expected: {training.steps:,} steps of {training.batch_size} images in {training.seconds:g} s, "
        f"{images:,} images seen"
    )
