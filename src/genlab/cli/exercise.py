"""`genlab exercise`: write a function of the lab yourself, and have it checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genlab.cli.root import JSON, app, print_json
from genlab.errors import UserError

if TYPE_CHECKING:
    from genlab.lessons.exercises.checking import Checked

NAME = Annotated[str | None, typer.Argument(metavar="[NAME | check]", show_default=False, help="The exercise to write; without one they are listed.")]  # fmt: skip


@app.command(
    epilog="Examples: [bold]genlab exercise kl-divergence[/]   [bold]genlab exercise check kl_divergence.py[/]"
)
def exercise(
    name: NAME = None,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", show_default=False, help="With check: your file, .py or .ipynb.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write the exercise; FUNCTION.py here if left out.")] = None,
    notebook: Annotated[bool, typer.Option("--notebook", help="Write a Jupyter notebook.")] = False,
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="With check: how long the file may run.")] = 60,
    as_json: JSON = False,
) -> None:  # fmt: skip
    """Fill in a function of the lab, and have it held against the laws that the lab's own passes."""
    if name is None:
        return catalogue(as_json)
    if name == "check":
        return check(file, seconds, as_json)
    from genlab.lessons.exercises.catalogue import exercise_called
    from genlab.lessons.exercises.writing import write

    if file is not None:
        raise UserError(f"genlab exercise {name} writes a file: say where with --out {file}")
    path = write(exercise_called(name), out, as_notebook=notebook)
    typer.echo(f"{path}: fill in the blank, then genlab exercise check {path}")


def catalogue(as_json: bool) -> None:
    from genlab.lessons.exercises.catalogue import EXERCISES

    if as_json:
        keys = ("name", "title", "function", "source")
        print_json([{key: getattr(each, key) for key in keys} for each in EXERCISES.values()])
        return
    width = max(map(len, EXERCISES))
    for each in EXERCISES.values():
        typer.echo(f"{each.name:<{width}}  {each.title}")
    typer.echo(
        "\ngenlab exercise NAME writes one as a file; genlab exercise check FILE says whether it is right."
    )


def check(file: Path | None, seconds: float, as_json: bool) -> None:
    """Exit code 1 where the answer is wrong; a file that can't be judged raises UserError."""
    from genlab.lessons.exercises.checking import check as held

    if file is None:
        raise UserError("genlab exercise check needs your file, as in genlab exercise check kl_divergence.py")
    checked = held(file, seconds)
    if as_json:
        print_json(as_dict(checked))
    else:
        show(checked)
    if checked.unusable:
        raise UserError(f"{file.name}: {checked.unusable}")
    if not checked.right:
        raise typer.Exit(1)


def as_dict(checked: Checked) -> dict[str, object]:
    keys = ("right", "wrong", "passed", "learned", "unusable", "printed")
    return {"exercise": checked.exercise.name} | {key: getattr(checked, key) for key in keys}


def show(checked: Checked) -> None:
    """All as plain text: the file's own words are no markup."""
    from rich.text import Text

    from genlab.cli.progress import console as make_console

    console = make_console()
    if checked.printed:
        console.print(Text("The file printed:", style="dim"), Text(checked.printed), sep="\n", soft_wrap=True)
    for sentence in checked.passed:
        console.print(Text(f"✓ {sentence}", style="green"), soft_wrap=True)
    for sentence in checked.wrong:
        console.print(Text(f"✗ {checked.exercise.function}: {sentence}", style="red"), soft_wrap=True)
    if checked.right:
        console.print(Text(f"✓ {checked.learned}", style="green"), soft_wrap=True)
        console.print(Text(f"{checked.exercise.function} is right.", style="bold"))
