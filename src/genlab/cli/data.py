"""`genlab data`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from genlab.cli.root import JSON, app, print_json


@app.command(
    epilog="Examples: [bold]genlab data[/]   [bold]genlab data my-photos/[/]   [bold]genlab data fashion-mnist[/]"
)
def data(
    name: Annotated[str | None, typer.Argument(help="A data set to load (and download where it must be), a folder, or an .npz file.")] = None,
    json: JSON = False,
) -> None:  # fmt: skip
    """List the data sets, or load one and say what is in it."""
    if name is None:
        show_listing(json)
        return
    from genlab.data.source import load

    facts = load(name).describe()
    if json:
        print_json(facts)
        return
    for key, value in facts.items():
        typer.echo(f"{key.replace('_', ' '):<16} {value}")


def show_listing(json: bool) -> None:
    from genlab.data.listing import listing

    rows = listing()
    if json:
        print_json([asdict(row) for row in rows])
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("name", "images", "size", "classes", "where", "what")
    for row in rows:
        channels, height, width = row.shape
        size = f"{height}×{width}×{channels}"
        cells = (row.name, f"{row.images:,}", size, str(row.classes), row.where, row.description)
        table.add_row(*(Text(cell) for cell in cells))
    Console().print(table)
    typer.echo(
        "also: any folder of images (sub-folders are labels), any .npz with `images`: genlab data PATH"
    )
