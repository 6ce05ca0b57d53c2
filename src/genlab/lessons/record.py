"""A lesson that was run: its findings, its verdicts, and what the reader said before and after.

    lessons/reparameterization/default-mnist-seed0/     lesson.json, and the pictures beside it
                                                        said.json, the reader's own words

It is what is shown, handed out, handed in, pooled and verified. What is read from such a file is data alone.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from genlab.errors import UserError
from genlab.lessons.judging import Claim, Findings, Verdict, judge
from genlab.lessons.lesson import SCALES, Choice, Lesson, Prediction, Setting
from genlab.runs.files import read_json, write_json
from genlab.runs.folders import runs_root

VERSION = 1
SHIPPED = Path(__file__).resolve().parent / "results"
LONGEST = 20_000  # characters of a reflection
Said = str | float


@dataclass(frozen=True)
class Record:
    """`predictions` and `reflections` are the reader's, by the key of the prediction and the number of the
    question."""

    lesson: str
    setting: Setting
    findings: Findings
    machine: dict[str, Any]
    created: str
    seconds: float
    predictions: dict[str, Said] = field(default_factory=dict)
    reflections: dict[str, str] = field(default_factory=dict)
    version: int = VERSION

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def of_json(value: Any, source: str) -> Record:
    """Raises UserError where that is no record of this version."""
    try:
        setting = Setting(**value["setting"])
        record = Record(**{**value, "setting": setting})
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{source} is not the record of a lesson ({error}); export the lesson again"
        ) from error
    if record.version != VERSION:
        raise UserError(f"{source} is of version {record.version}, and this genlab reads version {VERSION}")
    typed = (
        isinstance(record.findings, dict) and isinstance(record.predictions, dict)
        and isinstance(record.reflections, dict) and setting.scale in SCALES and isinstance(setting.seed, int)
    )  # fmt: skip
    if not typed:
        raise UserError(f"{source} is not the record of a lesson; export the lesson again")
    return record


def home(lesson: str, setting: Setting) -> Path:
    """The folder of a lesson's record."""
    data = "".join(c if c.isalnum() or c in "-_" else "-" for c in Path(setting.data).name)[:40]
    return runs_root() / "lessons" / lesson / f"{setting.scale}-{data}-seed{setting.seed}"


def file_of(lesson: str, setting: Setting) -> Path:
    return home(lesson, setting) / "lesson.json"


def kept(lesson: str, setting: Setting) -> Record | None:
    """The record of this lesson as it was last run here with this setting, if it was, with what its reader
    has said by now."""
    path = file_of(lesson, setting)
    return with_words(of_json(read_json(path), str(path))) if path.exists() else None


def with_words(record: Record) -> Record:
    """The record with what was said here of this lesson in this setting."""
    words = said(record.lesson, record.setting)
    return replace(record, predictions=words["predictions"], reflections=words["reflections"])


def said(lesson: str, setting: Setting) -> dict[str, dict[str, Any]]:
    """ "predictions" and "reflections", each empty where nothing was said."""
    path = home(lesson, setting) / "said.json"
    words = read_json(path) if path.exists() else {}
    return {kind: dict(words.get(kind, {})) for kind in ("predictions", "reflections")}


def say(lesson: str, setting: Setting, kind: str, key: str, value: Said) -> None:
    """Keep one prediction or reflection; an empty one is taken back."""
    words = said(lesson, setting)
    words[kind][key] = value
    if value == "":
        del words[kind][key]
    write_json(home(lesson, setting) / "said.json", words)


def shipped(lesson: str) -> Record | None:
    """The record that came with genlab: of one real run."""
    path = SHIPPED / lesson / "lesson.json"
    return with_words(of_json(read_json(path), str(path))) if path.exists() else None


def keep(record: Record) -> Path:
    path = file_of(record.lesson, record.setting)
    write_json(path, record.as_json())
    return path


def now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


def verdicts(lesson: Lesson, findings: Findings) -> list[tuple[Claim, Verdict]]:
    return [(claim, judge(claim, findings)) for claim in lesson.claims]


def checked(prediction: Prediction, said: str) -> Said:
    """What the reader said, as the prediction has it: an option, by its text or its number, or a number.
    Raises UserError."""
    if isinstance(prediction, Choice):
        numbered = dict(zip(map(str, range(1, len(prediction.options) + 1)), prediction.options, strict=True))
        chosen = numbered.get(said, said)
        if chosen not in prediction.options:
            options = "; ".join(f"{number}: {option}" for number, option in numbered.items())
            raise UserError(f"{prediction.key} is one of {options}; not {said!r}")
        return chosen
    try:
        value = float(said)
    except ValueError:
        value = math.nan
    if not prediction.low <= value <= prediction.high:
        raise UserError(
            f"{prediction.key} is a number from {prediction.low:g} to {prediction.high:g}, not {said!r}"
        )
    return value


def outcome(prediction: Prediction, findings: Findings) -> Said | None:
    """What came of it, in the prediction's own terms."""
    return prediction.came(findings)
