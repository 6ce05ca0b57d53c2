"""A lesson as it runs and shows itself in a terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from genlab.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from genlab.lessons.lesson import Lesson, Setting
    from genlab.lessons.record import Record
    from genlab.lessons.running import Running
    from genlab.lessons.tasks import Shelf

COLOURS = {"supported": "green", "contradicted": "red", "not resolved": "yellow"}
PLAIN_SECONDS = 10.0  # between the lines of a progress that no terminal shows


def console() -> Console:
    from genlab.cli.progress import console as make_console

    return make_console()


def came_with(chosen: Lesson) -> Record:
    """The run that comes with genlab. Raises UserError where there is none."""
    from genlab.lessons.record import shipped

    record = shipped(chosen.name)
    if record is None:
        raise UserError(
            f"no run of {chosen.name} comes with this genlab: run it, genlab lesson {chosen.name} --quick"
        )
    return record


def run(
    chosen: Lesson, setting: Setting, workers: int | None, engine: str, shelf: Shelf | None = None
) -> Record:
    """Do what is missing, with the time that is left. Ctrl-C keeps what is finished. Raises UserError."""
    from genlab.lessons.running import prepared
    from genlab.lessons.standing import Standing

    running, said, began = (
        prepared(chosen, setting, workers=workers, shelf=shelf),
        console(),
        time.monotonic(),
    )
    standing = Standing(chosen.name, setting)
    introduce(running, said)
    try:
        follow(running, engine, said, standing)
        record = running.conclude(time.monotonic() - began)
    except KeyboardInterrupt:
        standing.end()
        said.print("stopped; what is finished is kept, and the same command goes on from there")
        raise SystemExit(130) from None
    except UserError as error:
        standing.end(failed=str(error))
        raise
    standing.end()
    return record


def introduce(running: Running, said: Console) -> None:
    total, left = len({task.key for task in running.tasks.values()}), len(running.missing)
    if not left:
        return
    there = f", {total - left} of {total} are done already" if left < total else ""
    said.print(
        f"[bold]{running.lesson.title}[/]  {running.setting.scale}, seeds from {running.setting.seed}: "
        f"{left} tasks{there}; about {running.seconds:.0f} s on {min(running.workers, left)} at a time. "
        "Ctrl-C stops, and the same command goes on.",
        soft_wrap=True,
    )
    if running.setting.scale == "quick" and running.lesson.unresolved:
        said.print(f"[dim]--quick is for a first look. {running.lesson.unresolved}[/]", soft_wrap=True)


def follow(running: Running, engine: str, said: Console, standing: object) -> None:
    """Show and note the news as they come."""
    from genlab.lessons.engines.news import Done
    from genlab.lessons.standing import Standing

    assert isinstance(standing, Standing)
    course, last = running.course(), time.monotonic()
    with bar(said) as shown:
        line = shown.add_task("", total=1.0)
        for news in running.work(engine):
            course.hear(news)
            name = f"{news.task.name}{': done' if isinstance(news, Done) else ''}"
            standing.tell(course.share, course.left, name)
            shown.update(line, completed=course.share, description=f"{course.left:4.0f} s left  {name[:60]}")
            if not said.is_terminal and time.monotonic() - last > PLAIN_SECONDS:
                last = time.monotonic()
                said.print(f"{course.share:4.0%}  {course.left:.0f} s left  {name}", markup=False)


def bar(said: Console) -> Progress:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    return Progress(
        BarColumn(bar_width=28), TaskProgressColumn(), TextColumn("{task.description}", markup=False),
        console=said, transient=True, disable=not said.is_terminal,
    )  # fmt: skip


def show(chosen: Lesson, record: Record) -> None:
    """The tables, the predictions beside what came out, the verdicts, and what to think about."""
    from rich.text import Text

    from genlab.lessons.record import verdicts
    from genlab.lessons.writing.document import MARKS, predicted

    said = console()
    tables(chosen, record, said)
    if record.predictions:
        for question, guess, measured in predicted(chosen, record).rows:
            said.print(Text(f"{question}  predicted {guess}, measured {measured}"), soft_wrap=True)
        said.print()
    for claim, verdict in verdicts(chosen, record.findings):
        said.print(Text(f"{MARKS[verdict.state]} {claim.sentence}", style="bold"), soft_wrap=True)
        said.print(Text(f"  {verdict.text(claim)}", style=COLOURS[verdict.state]), soft_wrap=True)
        said.print(Text(f"  borne out by {claim.rule}", style="dim"), soft_wrap=True)
    ahead = [(n, q) for n, q in enumerate(chosen.reflections, 1) if str(n) not in record.reflections]
    if ahead:
        number, question = ahead[0]
        said.print(
            Text(
                f"\nTo think about: {question}  (--reflect '{number}=…'; --export FOLDER makes the report)",
                style="dim",
            ),
            soft_wrap=True,
        )


def tables(chosen: Lesson, record: Record, said: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    for each in chosen.evidence(record.findings).tables:
        grid = Table(title=Text(each.title), title_justify="left", box=None, padding=(0, 2, 0, 0))
        for column in each.head:
            grid.add_column(Text(column))
        for row in each.rows:
            grid.add_row(*map(Text, row))
        said.print(grid, Text(each.note, style="dim"), "")
