"""How a training shows itself in a terminal: a bar, the time left, the figures, and the first digits."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from genlab.runs.events import Changed, Event, Finished, Metrics, Samples, Started, Validated, Warned
from genlab.runs.store import Run

PLAIN_SECONDS = 5.0  # between the lines of a progress that no terminal shows

SHOWN = {
    "elbo": "ELBO",
    "kl": "KL",
    "discriminator_loss": "D loss",
    "generator_loss": "G loss",
    "accuracy": "D accuracy",
}


def figures(values: dict[str, float]) -> str:
    return "  ".join(f"{label} {values[key]:.2f}" for key, label in SHOWN.items() if key in values)


def follow(run: Run, events: Iterable[Event], console: Console, title: str) -> Iterator[Event]:
    """Show `events` as they pass, and pass them on."""
    if console.is_terminal:
        yield from _live(run, events, console, title)
    else:
        yield from _plain(events, console, title)


def _live(run: Run, events: Iterable[Event], console: Console, title: str) -> Iterator[Event]:
    bar = Progress(
        TextColumn("[bold]{task.description}"), BarColumn(bar_width=28), TaskProgressColumn(),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(), console=console,
    )  # fmt: skip
    task = bar.add_task(title, total=None)
    picture: Any = Text("the first images appear after 10 steps", style="dim")
    numbers = Text("")
    hint = Text("Ctrl-C stops and keeps a checkpoint", style="dim")
    checked, trouble, changed = Text(""), Text(""), Text("")
    with Live(Group(bar, numbers, picture), console=console, refresh_per_second=4, transient=False) as live:
        for event in events:
            match event:
                case Started():
                    bar.update(task, total=event.steps, completed=event.step)
                case Metrics():
                    bar.update(task, completed=event.step)
                    rate = event.images / max(event.seconds, 1e-9)
                    numbers = Text(
                        f"step {event.step}  {figures(event.values)}  {rate:,.0f} images/s", style="cyan"
                    )
                case Validated():
                    checked = Text(event.line, style="cyan")
                case Changed():
                    changed = Text(event.line, style="cyan")
                case Warned():
                    trouble = Text(f"⚠ {event.line}", style="yellow")
                case Samples() if event.content == "samples":
                    picture = _picture(run, event, console)
                case Finished():
                    hint = Text("")
            lines = [line for line in (numbers, changed, checked, trouble) if line.plain]
            live.update(Group(bar, *lines, picture, hint))
            yield event


def _picture(run: Run, event: Samples, console: Console) -> Text:
    """The first row of the sheet: the same latents at every step."""
    import numpy as np
    from PIL import Image

    from genlab.cli.blocks import fitting, half_blocks

    tiles = tiles_of(np.asarray(Image.open(run.path / event.path).convert("RGB")), run)
    count = fitting(tiles.shape[3], console.width)
    return half_blocks(tiles, count)


def tiles_of(sheet: Any, run: Run) -> Any:
    """The first eight pictures (8, 3, H, W) of a sheet that was drawn at twice their size, a pixel apart."""
    import numpy as np  # numpy is 0.1 s, and whoever lists runs does not wait for it

    _, height, width = run.config()["data"]["shape"]
    pixels = sheet[::2, ::2]
    row = [pixels[:height, i * (width + 1) : i * (width + 1) + width] for i in range(8)]
    return np.stack(row).transpose(0, 3, 1, 2)


def _plain(events: Iterable[Event], console: Console, title: str) -> Iterator[Event]:
    shown, steps = time.monotonic() - PLAIN_SECONDS, 0
    for event in events:
        if isinstance(event, Started):
            steps = event.steps
        elif isinstance(event, Metrics) and time.monotonic() - shown >= PLAIN_SECONDS:
            shown = time.monotonic()
            left = event.seconds / event.step * (steps - event.step)
            console.print(
                f"{title}: step {event.step}/{steps}  {figures(event.values)}  about {left:.0f} s left"
            )
        elif isinstance(event, Validated | Changed):
            console.print(f"{title}: {event.line}")
        elif isinstance(event, Warned):
            console.print(Text(f"{title}: ⚠ {event.line}", style="yellow"))
        yield event


@contextmanager
def counting(console: Console) -> Iterator[Callable[[str, int, int], None]]:
    """Inside, `progress(what, done, of)` moves a bar, which is gone in the end; where no terminal shows it, a
    line every few seconds."""
    if not console.is_terminal:
        shown = time.monotonic()

        def plainly(what: str, done: int, of: int) -> None:
            nonlocal shown
            if time.monotonic() - shown >= PLAIN_SECONDS:
                shown = time.monotonic()
                console.print(f"{what}: {done:,} of {of:,}")

        yield plainly
        return
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=28), TaskProgressColumn())
    with Progress(
        *columns, TextColumn("left"), TimeRemainingColumn(), console=console, transient=True
    ) as bar:
        task, said = bar.add_task("", total=None), ""

        def live(what: str, done: int, of: int) -> None:
            nonlocal said
            if what != said:
                said = what
                bar.reset(task, description=what, total=of)
            bar.update(task, completed=done)

        yield live


def console(to_stderr: bool = False, quiet: bool = False) -> Console:
    """Where people read; beside `--json`, standard error."""
    return Console(stderr=to_stderr, quiet=quiet, highlight=False, soft_wrap=not sys.stdout.isatty())
