"""`genlab compare`: many runs, one table, a verdict for each instrument."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genlab.cli.measure import COUNT, FEATURES, FULL, SEED, measured
from genlab.cli.root import JSON, app
from genlab.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from genlab.evaluation.compare import Comparison

FORMATS = ("table", "json", "csv", "html", "latex")


@app.command(
    epilog="Examples: [bold]genlab compare 001 002[/]   [bold]genlab compare 001 001:fitted 002@best --format html[/]   "
    "[bold]genlab compare --blind 001 002[/]"
)
def compare(
    runs: Annotated[list[str] | None, typer.Argument(metavar="RUN RUN …", help="Runs; RUN:fitted draws z from its fitted prior, RUN@best takes its best checkpoint. Runs that differ in their seed alone are averaged.")] = None,
    number: COUNT = 10_000,
    seed: SEED = 0,
    full: FULL = False,
    features: FEATURES = "own",
    form: Annotated[str, typer.Option("--format", help=f"{', '.join(FORMATS)}.")] = "table",
    out: Annotated[Path | None, typer.Option(help="Write to a file; a page goes to comparison.html by default.")] = None,
    columns: Annotated[str | None, typer.Option(help="Instruments by key, as fid,recall,elbo, the first of which sorts; or all. By default those that together see every fault that is known (genlab calibrate).")] = None,
    blind: Annotated[bool, typer.Option("--blind", help="Let a person choose between unlabelled samples of two runs, and real images.")] = False,
    trials: Annotated[int, typer.Option(min=4, max=1000, help="Choices in a blind comparison.")] = 40,
    terminal: Annotated[bool, typer.Option("--terminal", help="Blind in this terminal, instead of on a page.")] = False,
    blind_results: Annotated[Path | None, typer.Option(metavar="FILE", help="Report the choices that a blind page saved.")] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="The key of the blind page, where it is not found by itself.")] = None,
    json: JSON = False,
) -> None:  # fmt: skip
    """Measure several runs with one yardstick: one table, with what is noise and what is not."""
    from genlab.cli.progress import console

    form = "json" if json else form
    if form not in FORMATS:
        raise UserError(f"--format is one of {', '.join(FORMATS)}, not {form!r}")
    screen = console(to_stderr=form != "table")
    if blind_results is not None:
        from genlab.cli.blind import report

        report(blind_results, key, json)
        return
    runs = runs or []
    if len(runs) < 2:
        raise UserError("compare needs two runs or more; `genlab evaluate RUN` measures one")
    if blind:
        from genlab.cli.blind import ask

        ask(runs, trials=trials, seed=seed, out=out, terminal=terminal)
        return
    found = compared(runs, number, seed, full, features, columns, screen)
    if form == "html":
        write_page(found, out or Path("comparison.html"), seed, screen)
    else:
        put(found, form, out, screen)


def compared(
    runs: list[str], number: int, seed: int, full: bool, features: str, columns: str | None, screen: Console
) -> Comparison:
    from genlab.evaluation.compare import compare, known
    from genlab.lessons.comparison.keys import default_keys

    asked = [known(key.strip()).key for key in columns.split(",")] if columns and columns != "all" else None
    records, floor, ceiling = measured(runs, number, seed, full, features, screen)
    keys = asked or default_keys(records, everything=full or columns == "all")
    return compare(records, floor, ceiling, keys)


def put(found: Comparison, form: str, out: Path | None, screen: Console) -> None:
    """Print the comparison, or write it to a file."""
    text = formatted(found, form)
    if text is None and out is None:
        from genlab.cli.tables import print_comparison

        print_comparison(found, screen)
    elif out is None:
        typer.echo(text)
    else:
        from genlab.runs.files import replacing

        with replacing(out) as temporary:
            temporary.write_text(text or as_text(found), "utf-8")
        screen.print(f"wrote {out}", soft_wrap=True)


def formatted(found: Comparison, form: str) -> str | None:
    """The comparison for programs and for papers; None for a table."""
    if form == "json":
        import json

        from genlab.lessons.comparison.plain import as_json

        return json.dumps(as_json(found), ensure_ascii=False, allow_nan=False)
    if form == "csv":
        from genlab.lessons.comparison.plain import as_csv

        return as_csv(found).rstrip("\n")
    if form == "latex":
        from genlab.lessons.comparison.latex import as_latex

        return as_latex(found).rstrip("\n")
    return None


def as_text(found: Comparison) -> str:
    """The terminal's table without colours, at 100 columns."""
    from rich.console import Console

    from genlab.cli.tables import print_comparison

    screen = Console(width=100, color_system=None, force_terminal=False, highlight=False)
    with screen.capture() as captured:
        print_comparison(found, screen)
    return captured.get()


def write_page(found: Comparison, out: Path, seed: int, screen: Console) -> None:
    from genlab.lessons.comparison.gather import gather
    from genlab.lessons.comparison.page import write_page as write

    with screen.status("drawing samples …"):
        page = write(out, found, gather(found, seed))
    screen.print(f"wrote {page.resolve()}; open it in a browser", soft_wrap=True)
