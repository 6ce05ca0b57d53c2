"""`genlab train`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genlab.cli.root import JSON, app, print_json
from genlab.errors import UserError
from genlab.ranks import leads

if TYPE_CHECKING:
    from rich.console import Console

    from genlab.experiment.schema import Experiment
    from genlab.runs.store import Run

FAMILIES = ("vae", "gan", "vaegan")


@app.command(
    epilog="Examples: [bold]genlab train vae --seconds 60[/]   [bold]genlab train gan --from latest[/]   "
    "[bold]genlab train vae --set objective.beta=4[/]"
)
def train(
    family: Annotated[str | None, typer.Argument(metavar="vae|gan|vaegan", help="What to train.", show_default=False)] = None,
    data: Annotated[str | None, typer.Option(help="A name from 'genlab data', a folder of images or of shards, or an .npz file.")] = None,
    recipe: Annotated[str | None, typer.Option(help="A named config from 'genlab recipes'; by default the family's own. auto: fitted to the images, the device and the seconds.")] = None,
    steps: Annotated[int | None, typer.Option(help="Length in steps.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Length in seconds, turned into steps by a short trial.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images per step.")] = None,
    latent_dim: Annotated[int | None, typer.Option(help="Dimensions of z.")] = None,
    seed: Annotated[int | None, typer.Option(help="All randomness is a function of it.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or mps.")] = None,
    precision: Annotated[str | None, typer.Option(help="fp32, or bf16 where the device is faster in it.")] = None,
    compile: Annotated[bool, typer.Option("--compile", help="Let torch.compile write the networks' code; on a CPU dense networks alone gain.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder of the run; by default the next one under runs/.")] = None,
    start: Annotated[str | None, typer.Option("--from", metavar="RUN", help="Start from this run's decoder.")] = None,
    resume: Annotated[str | None, typer.Option(metavar="RUN", help="Go on with this run, bit for bit.")] = None,
    assign: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Set any field of the config; 'genlab recipes --fields' lists them.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Log twice a second and draw a sheet of samples a second, as for a page that shows them.")] = False,
    devices: Annotated[int | None, typer.Option(min=1, help="Processes that share the batch: one for each GPU, or for a part of the cores. Over several machines: torchrun.")] = None,
    json: JSON = False,
) -> None:  # fmt: skip
    """Train a VAE, a GAN, or a GAN whose generator is a VAE's decoder."""
    from genlab.ranks import expected, first, joined

    if devices is not None and expected().world > 1:
        raise UserError(f"torchrun has started {expected().world} processes already: leave out --devices")
    if devices is not None and devices > 1:
        from genlab.cli.devices import arguments_without, launch

        launch(devices, arguments_without("--devices", sys.argv[1:]))
        return
    if resume is not None:
        if (
            compile
            or live
            or any(x is not None for x in (family, data, recipe, seconds, start, out, assign, precision))
        ):
            raise UserError(
                "--resume goes on with a run as it was configured; the only options beside it are --steps and "
                "--devices"
            )
        given = []
    else:
        chosen = {
            "data.name": data, "training.steps": steps, "training.seconds": seconds, "training.seed": seed,
            "training.batch_size": batch_size, "training.device": device, "network.latent_dim": latent_dim,
            "training.precision": precision, "training.compile": "true" if compile else None,
        }  # fmt: skip
        given = [f"{key}={value}" for key, value in chosen.items() if value is not None] + (assign or [])
    with joined():
        from genlab.cli.progress import console
        from genlab.runs.store import Run

        out_console = console(to_stderr=json, quiet=not leads())
        if resume is not None:
            run = Run(first(lambda: to_resume(resume, steps).path))
        else:
            experiment = first(lambda: configure(family, recipe, given, start, out_console))
            run = start_run(experiment, start, out, out_console, live)
        finish(run, out_console)
        if json and leads():
            print_json({"run": str(run.path), **run.status(), "receipt": run.receipt()})


def to_resume(reference: str, steps: int | None) -> Run:
    """The run to go on with, to `steps` steps if that is given. Raises UserError."""
    from genlab.runs.store import find_run

    run = find_run(reference)
    if steps is not None:
        from genlab.experiment.runner import extend

        extend(run, steps)
    return run


def configure(
    family: str | None, recipe: str | None, assignments: list[str], start: str | None, console: Console
) -> Experiment:
    """The recipe's config with the assignments applied. Raises UserError."""
    from genlab.experiment.schema import override
    from genlab.recipes import recipe as named

    if family is None and recipe is None:
        raise UserError("say what to train: genlab train vae, gan or vaegan; or --resume RUN")
    if family is not None and family not in FAMILIES:
        raise UserError(f"genlab trains {', '.join(FAMILIES)}, not {family!r}")
    if recipe == "auto":
        from genlab.cli.automatic import announce
        from genlab.recipes.automatic import automatic

        experiment, choices = automatic(family, assignments, start)
        left = "" if choices else " nothing: all is set already"
        console.print(f"auto chose, for a {family}:{left}", style="dim")
        announce(choices, console)
        say_what_keeps_its_rate(experiment, assignments, console)
        return experiment
    experiment = named(recipe or str(family))
    if family is not None and experiment.family != family:
        raise UserError(
            f"the recipe {recipe!r} is of a {experiment.family}, not of a {family}; leave one of them out"
        )
    experiment = override(experiment, assignments)
    say_what_keeps_its_rate(experiment, assignments, console)
    return experiment


def say_what_keeps_its_rate(experiment: Experiment, assignments: list[str], console: Console) -> None:
    """A recipe's discriminator may have a rate of its own, which stays where it is when the other is set."""
    said, own = {each.partition("=")[0] for each in assignments}, experiment.optimizer.discriminator_rate
    if own and "optimizer.learning_rate" in said and "optimizer.discriminator_rate" not in said:
        console.print(
            f"the discriminator's own rate stays at {own:g}: set optimizer.discriminator_rate as well if both "
            "are to change",
            style="dim",
        )


def start_run(
    experiment: Experiment, start: str | None, out: Path | None, console: Console, live: bool = False
) -> Run:
    """A new run folder, announced. With `start`, its decoder comes from that run."""
    from genlab.data.source import ahead
    from genlab.ranks import first
    from genlab.runs.store import find_run

    ahead(experiment.data.name)
    from genlab.experiment.runner import begin  # which imports torch

    if start is not None:
        source = first(lambda: str(find_run(start).path.resolve()))
        experiment = experiment.model_copy(update={"start": source})
    if experiment.training.seconds is not None:
        console.print(f"measuring how many steps fit in {experiment.training.seconds:g} s …", style="dim")
    run = begin(experiment, out=out, live=live)
    if leads():
        describe(run, console, timed=experiment.training.seconds is not None)
    return run


def describe(run: Run, console: Console, timed: bool = False) -> None:
    from genlab.experiment.build import build_model
    from genlab.experiment.schema import parse

    experiment = parse(run.config())
    assert experiment.data.shape is not None
    model = build_model(experiment, experiment.data.shape)
    sizes = {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}
    counts = ", ".join(f"{name} {size:,}" for name, size in sizes.items() if size)
    channels, height, width = experiment.data.shape
    console.print(
        f"[bold]{run.name}[/]  {experiment.data.name} {height}×{width}×{channels}, {counts} parameters"
    )
    if timed:
        from genlab.recipes.automatic import expectation

        console.print(expectation(experiment), style="dim")


def finish(run: Run, console: Console) -> None:
    """Train `run` to its end, with progress, and say how to go on."""
    from genlab.cli.progress import follow
    from genlab.data.duplicates import duplicates
    from genlab.data.source import ahead
    from genlab.experiment.schema import parse
    from genlab.ranks import first
    from genlab.runs.events import Adopted, Finished

    experiment = first(lambda: parse(run.config(), str(run.path / "config.json")))
    ahead(experiment.data.name)
    from genlab.experiment.runner import load_data, work  # which import torch
    from genlab.training.best import NAME, described

    dataset = load_data(experiment)
    if not leads():
        for _ in work(run, dataset=dataset):
            pass
        return
    if experiment.training.validate_every:
        console.print("preparing what the run is validated by …", style="dim")
    if not dataset.streams and (twice := duplicates(dataset).warning()):
        console.print(twice, style="yellow")
    for event in follow(run, work(run, dataset=dataset), console, run.name):
        if isinstance(event, Adopted):
            print_receipt(event.receipt, console)
        elif isinstance(event, Finished) and event.reason == "stopped":
            console.print(
                f"stopped at step {event.step}; go on with [bold]genlab train --resume {run.name}[/]"
            )
        elif isinstance(event, Finished):
            console.print(
                f"trained [bold]{run.name}[/]: {event.step} steps in {event.seconds:.0f} s, in {run.path}"
            )
            if best := described(run.checkpoints / NAME):
                console.print(
                    f"best by {best['metric']} ({best['value']:.2f}) at step {best['step']}: "
                    f"[bold]genlab generate {run.name}@best[/]"
                )
            console.print(f"next: [bold]genlab generate {run.name}[/]", style="dim")


def print_receipt(receipt: dict[str, object], console: Console) -> None:
    """What was handed over, in words that can be checked."""
    from rich.table import Table

    table = Table(title="Receipt: the decoder becomes the generator", title_justify="left", show_header=False)
    table.add_row("from", f"{receipt['source']}, {receipt['weights']} weights")
    table.add_row("copied", f"{receipt['tensors']} tensors, {receipt['parameters']:,} parameters")
    table.add_row("max |G(z) − Dec(z)|, as it generates", f"{receipt['max_difference']:g}")
    table.add_row("… after saving and reading back", f"{receipt['reloaded_difference']:g}")
    table.add_row("… as it trains (batch statistics)", f"{receipt['training_difference']:.3g}")
    if receipt.get("trunk_tensors"):
        table.add_row("the encoder's trunk", f"{receipt['trunk_tensors']} tensors, into the discriminator")
        table.add_row("max difference of their features", f"{receipt['trunk_difference']:g}")
    console.print(table)
