"""The process in which a reader's file is run: as a script, `python -m genlab.lessons.exercises.child`.

It is given the file's path, the exercise and where to leave its answers, a line of JSON for each: how far it
has come, and what was found. What the file prints goes where the process that started this one says.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from genlab.lessons.exercises.catalogue import EXERCISES, Exercise

MEMORY = 3 << 30  # bytes that the file may have, besides what the process has before it
WRITTEN = 64 << 20  # bytes of any file that it writes, what it prints included
TOO_MUCH = (
    f"it asks for more memory than the {MEMORY >> 30} GB that a check has: look at the shapes of its tensors"
)
BLANK = "the blank is not filled in yet: write the function's body in its place, and check again"


def main() -> None:
    path, name, answers = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    exercise = EXERCISES[name]
    import torch

    torch.set_num_threads(1)
    limit()

    def tell(**what: Any) -> None:
        with answers.open("a", encoding="utf-8") as file:
            file.write(json.dumps(what, ensure_ascii=False) + "\n")

    try:
        tell(**checked(path, exercise, tell))
    except MemoryError:
        tell(unusable=TOO_MUCH)
    except RuntimeError as error:
        if "memory" not in str(error).lower():
            raise
        tell(unusable=TOO_MUCH)


def limit() -> None:
    """Let the system hold this process to its memory and its files, where it can."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        import psutil

        resource.setrlimit(resource.RLIMIT_FSIZE, (WRITTEN, WRITTEN))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        most = psutil.Process().memory_info().vms + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def checked(path: Path, exercise: Exercise, tell: Callable[..., None]) -> dict[str, Any]:
    """What was found in the end."""
    tell(stage="running the file")
    try:
        module = run(path)
    except BaseException as error:
        if isinstance(error, MemoryError):
            raise
        return {"unusable": f"the file does not run: {told(error, path)}"}
    function = getattr(module, exercise.function, None)
    if not callable(function):
        return {"unusable": f"{exercise.function} is not a function"}
    tell(stage=f"calling {exercise.function}")
    judged = within(path, lambda: judgement(exercise, function))
    tell(**judged)
    if judged["wrong"]:
        return {"done": True}
    tell(stage="training a small model with it")
    return within(path, lambda: trained(exercise, function)) | {"done": True}


def within(path: Path, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `work` finds; an exception that the reader's function raises is something wrong with it."""
    try:
        return work()
    except NotImplementedError:
        return {"wrong": [BLANK]}
    except (MemoryError, KeyboardInterrupt):
        raise
    except BaseException as error:
        if isinstance(error, RuntimeError) and "memory" in str(error).lower():
            raise
        return {"wrong": [f"it fails with {told(error, path)}"]}


def judgement(exercise: Exercise, function: Callable[..., Any]) -> dict[str, Any]:
    from genlab.lessons.exercises import equations, handing_over, laws

    if exercise.name == "decoder-as-generator":
        judged = handing_over.judge(function)
    else:
        judged = laws.judge(function, equations.PROBLEMS[exercise.name])
    return {"wrong": judged.wrong, "passed": judged.passed}


def trained(exercise: Exercise, function: Callable[..., Any]) -> dict[str, Any]:
    from genlab.lessons.exercises.learning import TRAININGS

    learned = TRAININGS[exercise.name](function)
    wrong = (
        []
        if learned.learned
        else [f"it passes every law, and what is trained with it does not learn: {learned.sentence}"]
    )
    return {"wrong": wrong, "learned": learned.sentence}


def run(path: Path) -> ModuleType:
    """The file as a module. Raises whatever it raises."""
    spec = importlib.util.spec_from_file_location("answer", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["answer"] = module
    spec.loader.exec_module(module)
    return module


def told(error: BaseException, path: Path) -> str:
    """The exception in a line, and the last line of the file on the way to it."""
    if isinstance(error, SystemExit):
        return f"a call of exit ({error.code})"
    if isinstance(error, RecursionError):
        return f"{type(error).__name__}: a function calls itself without end{place(error, path)}"
    first = str(error).strip().split("\n")[0][:300]
    return f"{type(error).__name__}{': ' if first else ''}{first}{place(error, path)}"


def place(error: BaseException, path: Path) -> str:
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)
    ]
    return f" (line {lines[-1]})" if lines else ""


if __name__ == "__main__":
    main()
