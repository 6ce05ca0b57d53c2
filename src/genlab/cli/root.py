"""The Typer application that every command adds itself to."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="genlab",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="The lab in which one learns, trains and measures VAEs and GANs.\n\n"
    "Start with [bold]genlab demo[/], or [bold]genlab train vae --seconds 60[/] "
    "and then [bold]genlab generate latest[/].",
)

RUN = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="A run: its path, a unique prefix of its name, or 'latest'; RUN@best is its best checkpoint.",
    ),
]
JSON = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"genlab {installed('genlab')}")
        raise typer.Exit
