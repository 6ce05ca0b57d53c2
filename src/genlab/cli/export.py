"""`genlab export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genlab.cli.root import JSON, RUN, app, print_json


@app.command(epilog="Example: [bold]genlab export latest --out my-model[/]")
def export(
    run: RUN,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; by default into the run folder.")
    ] = None,
    onnx: Annotated[bool, typer.Option("--onnx/--no-onnx", help="ONNX of decoder and encoder, too.")] = True,
    json: JSON = False,
) -> None:
    """Write the model for use elsewhere: safetensors, config, and ONNX checked against PyTorch to 1e-4."""
    from genlab.experiment.export import export as write
    from genlab.experiment.trained import open_reference

    trained = open_reference(run)
    found = trained.run
    folder = out or found.made / "export"
    written = write(trained, folder, onnx=onnx)
    if json:
        print_json({"folder": str(folder), "run": found.name, "largest_difference": written})
        return
    for name, difference in written.items():
        note = "" if difference is None else f"  (differs from PyTorch by at most {difference:.1e})"
        typer.echo(f"wrote {folder / name}{note}")
