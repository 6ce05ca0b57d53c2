"""`genlab bench`: the benchmarks of the source checkout, run by the Python that runs genlab."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from genlab import beforehand
from genlab.cli.root import app
from genlab.errors import UserError

PATIENCE = 20.0  # seconds that a benchmark has to write down what it has, after Ctrl-C


@app.command(
    # nothing after NAME is ours, --help neither
    context_settings={
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
        "help_option_names": [],
    },
    epilog="Examples: [bold]genlab bench[/]   [bold]genlab bench peers --pairs 1[/]   [bold]genlab bench peers --help[/]",
)
def bench(
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[NAME [OPTIONS]...]", show_default=False, help="The benchmark, and what to pass on to it; without one they are listed.")] = None,
) -> None:  # fmt: skip
    """Measure: speed beside the peers, start-up, overhead, quality under the clock; without a name, list what there is."""
    found = benchmarks(folder())
    name, *rest = arguments or ["--help"]
    if name in ("-h", "--help"):
        for each, path in found.items():
            typer.echo(f"{each:<16}  {subject(path)}")
        typer.echo("\ngenlab bench NAME --help lists the options of one.")
        return
    if name not in found:
        raise UserError(f"no benchmark is called {name!r}; there are {', '.join(found)}")
    raise typer.Exit(run([sys.executable, str(found[name]), *rest]))


def folder() -> Path:
    """The checkout's `benchmarks`, beside the `src` that this was imported from. Raises UserError."""
    import genlab

    assert genlab.__file__ is not None
    source = Path(genlab.__file__).resolve().parent.parent
    if source.name != "src" or not (source.parent / "benchmarks").is_dir():
        raise UserError(
            "benchmarks come with the source checkout and this is an installed package: clone the project and "
            "start ./lab bench there"
        )
    return source.parent / "benchmarks"


def benchmarks(where: Path) -> dict[str, Path]:
    """Every script of the folder that can be started, by its name."""
    scripts = sorted(where.glob("*.py"))
    return {path.stem: path for path in scripts if '__name__ == "__main__"' in path.read_text("utf-8")}


def subject(path: Path) -> str:
    """The first paragraph of a script's docstring, on one line."""
    documented = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return " ".join(documented.partition("\n\n")[0].split())


def run(command: list[str]) -> int:
    """The exit code of `command`. Ctrl-C reaches it too, as the terminal's: what is waited for is its end."""
    beforehand.unbind()
    process = subprocess.Popen(command, env=os.environ)
    try:
        return process.wait()
    except KeyboardInterrupt:
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()
        return 130
