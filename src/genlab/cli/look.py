"""What there is to see: runs, one run, recipes."""

from __future__ import annotations

import inspect
from dataclasses import asdict
from typing import Annotated, Any

import typer

from genlab.cli.root import JSON, RUN, app, print_json


def summary(run: Any) -> dict[str, Any]:
    """One run as a row: name, family, data, state, step of steps, seconds, the last metrics. Raises
    UserError."""
    config, status = run.config(), run.status()
    data = config.get("data")
    return {
        "name": run.name,
        "family": config.get("family"),
        "data": data.get("name") if isinstance(data, dict) else None,
        "from": config.get("start"),
        **status,
    }


def listed(run: Any) -> dict[str, Any]:
    """The same for a list, which one damaged run does not keep from the others."""
    from genlab.errors import UserError

    try:
        return summary(run)
    except UserError as error:
        nothing = {"family": None, "data": None, "from": None, "step": 0, "steps": 0, "seconds": 0.0}
        damaged: dict[str, Any] = {"state": "damaged", "metrics": {}, "detail": str(error), "warning": None}
        return {"name": run.name, **nothing, **damaged}


@app.command(epilog="Examples: [bold]genlab runs --json[/]   [bold]genlab runs --restore 003-gan-mnist[/]")
def runs(
    bin: Annotated[bool, typer.Option("--bin", help="Those that the app has thrown away.")] = False,
    restore: Annotated[str | None, typer.Option(metavar="RUN", help="Bring a run back from the bin.")] = None,
    json: JSON = False,
) -> None:
    """List the runs, or those in the bin."""
    from genlab.runs.store import list_runs, runs_root

    if bin or restore is not None:
        in_the_bin(restore, json)
        return
    rows = [listed(run) for run in list_runs()]
    if json:
        print_json(rows)
        return
    if not rows:
        typer.echo(f"no run in {runs_root().resolve()} yet: `genlab train vae` makes one")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("run", "family", "data", "state", "step", "seconds", "last metrics")
    for row in rows:
        from genlab.cli.progress import figures

        cells = [row["name"], row["family"], row["data"], row["state"], f"{row['step']}/{row['steps']}"]
        cells += [f"{row['seconds']:.0f}", figures(row["metrics"])]
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in cells))
    Console().print(table)
    for row in rows:
        if row["state"] == "damaged":
            Console(stderr=True, soft_wrap=True).print(Text(row["detail"], style="yellow"))


def in_the_bin(restore: str | None, json: bool) -> None:
    """List the bin, or bring back the run of that name that was thrown away last."""
    from datetime import datetime

    from genlab.runs.bin import binned, find
    from genlab.runs.bin import restore as bring_back

    if restore is not None:
        run = bring_back(find(restore))
        typer.echo(f"restored {run.path}")
        return
    rows = [
        {"name": each.name, "since": datetime.fromtimestamp(each.since).isoformat(" ", "seconds")}
        for each in binned()
    ]
    if json:
        print_json(rows)
    else:
        typer.echo("\n".join(f"{row['since']}  {row['name']}" for row in rows) or "the bin is empty")


@app.command(
    epilog="Examples: [bold]genlab show latest[/]   [bold]genlab show --diff 001-vae-mnist 002-vae-mnist[/]"
)
def show(
    run: RUN,
    other: Annotated[str | None, typer.Argument(metavar="RUN", help="With --diff, the second one.", show_default=False)] = None,
    diff: Annotated[bool, typer.Option("--diff", help="What differs between two runs: settings, machine, weights.")] = False,
    json: JSON = False,
) -> None:  # fmt: skip
    """Show one run: its state, what was set, what it learned, where its files are. Or what sets two apart."""
    from genlab.errors import UserError
    from genlab.runs.events import Warned
    from genlab.runs.store import find_run

    if diff != (other is not None):
        raise UserError("two runs and --diff go together: genlab show --diff RUN RUN")
    found = find_run(run)
    if other is not None:
        show_difference(found, find_run(other), json)
        return
    row, config = summary(found), found.config()
    if json:
        warnings = [asdict(event) for event in found.all(Warned)]
        print_json({**row, "config": config, "receipt": found.receipt(), "warnings": warnings})
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    console.print(Text(f"{found.name}  {found.path.resolve()}", style="bold"))
    facts = Table(show_header=False, box=None)
    for key in ("family", "data", "state", "detail"):
        if row[key]:
            facts.add_row(key, Text(str(row[key])))
    facts.add_row("steps", f"{row['step']} of {row['steps']} in {row['seconds']:.0f} s")
    for key, value in row["metrics"].items():
        facts.add_row(key.replace("_", " "), f"{value:.4g}")
    console.print(facts)
    for event in found.all(Warned):
        console.print(Text(f"⚠ {event.line}", style="yellow"))
    settings = Table("set", "to", title="config", title_justify="left")
    for key, value in flatten(config):
        settings.add_row(key, Text(str(value)))
    console.print(settings)
    receipt = found.receipt()
    if receipt:
        from genlab.cli.train import print_receipt

        print_receipt(receipt, console)
    sheets = sorted(found.samples.glob("*.png"))
    if sheets:
        console.print(Text(f"newest sheet: {sheets[-1]}"))


def show_difference(first: Any, second: Any, json: bool) -> None:
    """A row for each key in which two runs differ, and whether their weights do."""
    from genlab.runs.differences import differences, outcome

    rows, ended = differences(first, second), outcome(first, second)
    if json:
        print_json({"differs": rows, "weights": ended._asdict() if ended else None})
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if rows:
        table = Table("", escape(first.name), escape(second.name))
        for key, values in rows.items():
            table.add_row(key, *(Text(str(value)) for value in values))
        console.print(table)
    else:
        console.print("nothing was set differently, and both ran on the same")
    if ended is None:
        console.print("they have no checkpoint of the same step")
    else:
        how = "equal to the last bit" if ended.equal else "different"
        console.print(f"their checkpoints at step {ended.step} are {how}")


def flatten(config: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in config.items():
        rows += flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else [(f"{prefix}{key}", value)]
    return rows


@app.command(
    epilog="Examples: [bold]genlab recipes[/]   [bold]genlab recipes iwae-table1[/]   "
    "[bold]genlab recipes --fields[/]"
)
def recipes(
    name: Annotated[
        str | None, typer.Argument(help="A recipe, to be told all there is to say of it.")
    ] = None,
    fields: Annotated[bool, typer.Option("--fields", help="Every field that --set can set.")] = False,
    json: JSON = False,
) -> None:
    """List the named configs, or every field of a config with its bounds and meaning."""
    from genlab.recipes import RECIPES, auto, named

    if fields:
        list_fields(json)
        return
    if name == "auto":
        typer.echo(inspect.getdoc(auto))
        return
    if name is not None and not json:
        typer.echo(inspect.getdoc(named(name)))
        return
    makers = RECIPES if name is None else {name: named(name)}
    rows = [{"name": name, "is": (make.__doc__ or "").splitlines()[0]} for name, make in makers.items()]
    if json:
        print_json([{**row, "config": RECIPES[row["name"]]().model_dump(mode="json")} for row in rows])
        return
    for row in rows:
        typer.echo(f"{row['name']:<{max(map(len, RECIPES))}}  {row['is']}")
    if name is None:
        typer.echo(f"{'auto':<{max(map(len, RECIPES))}}  {(auto.__doc__ or '').splitlines()[0]}")


def list_fields(json: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from genlab.experiment.schema import bounds, fields

    rows = [
        {"field": path, "default": field.default, "bounds": bounds(field), "meaning": field.description or ""}
        for path, field in fields()
    ]
    rows = [row for row in rows if row["meaning"]]
    if json:
        print_json(
            [
                {
                    **row,
                    "default": row["default"]
                    if isinstance(row["default"], str | int | float | None)
                    else None,
                }
                for row in rows
            ]
        )
        return
    table = Table("field", "default", "bounds", "meaning")
    for row in rows:
        default = "" if row["default"] is None else row["default"]
        table.add_row(*(Text(str(cell)) for cell in (row["field"], default, row["bounds"], row["meaning"])))
    Console().print(table)
