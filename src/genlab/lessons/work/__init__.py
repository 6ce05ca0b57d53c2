"""What a lesson's tasks do: each a function of what it is given, which leaves its files in a folder.

    def work(given, folder, needs, said) -> Found

`given` is plain JSON and decides, with the code, what is found, to the bit; `folder` is the task's own, with
what an interrupted attempt left in it; `needs` are the folders of the tasks before it; `said(share)` tells
how far it has come. Nothing here is imported before a task is done, so that a list of lessons costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

Said = Callable[[float], None]
Work = Callable[[Mapping[str, Any], Path, Sequence[Path], Said], dict[str, Any]]

WORK = (
    "ahead.discriminator",
    "ahead.encoder",
    "codes.terms",
    "contest.drawn",
    "contest.measured",
    "digits.chosen",
    "digits.train",
    "dimensions.measured",
    "drift.measured",
    "gradients.closed_form",
    "gradients.of_a_model",
    "handover.train",
    "linear.measured",
    "plane.of_codes",
    "samples.drawn",
    "space.looked_at",
    "training.train",
    "training.prior",
    "measuring.prepare",
    "measuring.yardstick",
    "optimum.gaussians",
    "probing.probes",
    "scores.measured",
    "twin.train",
)


class Interrupted(Exception):
    """A task was asked to stop; what it has done so far is kept in its folder."""


def work_called(name: str) -> Work:
    """The function of that name, imported now."""
    assert name in WORK, name
    module, function = name.split(".")
    found: Work = getattr(import_module(f"genlab.lessons.work.{module}"), function)
    return found
