"""How a trained model is named: a run, one of its checkpoints, the prior behind it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, NamedTuple

Step = int | Literal["best"] | None  # which checkpoint: that of a step, the best, or the newest
FORM = re.compile(r"(?P<run>.+?)(@(?P<step>best|\d+))?(:(?P<prior>own|fitted))?", re.DOTALL)


class Reference(NamedTuple):
    """`run` as `find_run` takes it; `prior` is "own" (as trained) or "fitted" (after genlab fit-prior)."""

    run: str
    step: Step = None
    prior: str = "own"


def parse_reference(text: str) -> Reference:
    """`RUN`, `RUN@best`, `RUN@1200`, `RUN:fitted`, `RUN@best:fitted`. The path of a run is one as it stands,
    whatever its name ends in."""
    found = FORM.fullmatch(text)
    if found is None or (Path(text) / "config.json").exists():
        return Reference(text)
    step = found["step"]
    chosen: Step = "best" if step == "best" else None if step is None else int(step)
    return Reference(found["run"], chosen, found["prior"] or "own")
