"""Records of evaluations, read back: one number of one, what must agree before two stand in one table, and
which of them repeat one recipe.

Plain JSON in, no model and no torch: a table is drawn from what `report.json` keeps.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genlab.errors import UserError
from genlab.metrics.unavailable import Unavailable

Record = dict[str, Any]

VERSION = 2  # of a record; another version is measured again, never read as this one
ON_A_MEASURE = ("elbo", "nll", "distortion")  # nats that depend on how a pixel is taken
FREE = ("seed",)  # other samples of the same model
NAMES = {
    "data": "the data",
    "count": "N, the number of samples,",
    "references": "the number of test images",
    "full": "the full evaluation",
    "version": "the version of the record",
}


@dataclass(frozen=True)
class Reading:
    """One number of one record: its standard error and 95 % interval are those of drawing other samples."""

    value: float
    error: float
    low: float
    high: float


def reading(record: Record, key: str) -> Reading | Unavailable:
    """The number of an instrument, or why the record has none."""
    found = record["values"].get(key)
    if found is None:
        full = record["protocol"].get("full", True)
        return Unavailable("not measured" if full else "not in a standard evaluation; ask for --full")
    if "unavailable" in found:
        return Unavailable(str(found["unavailable"]))
    numbers = [found.get(name) for name in ("value", "error", "low", "high")]
    if not all(isinstance(x, int | float) and math.isfinite(x) for x in numbers):
        return Unavailable("not a number in the record")
    return Reading(*map(float, numbers))


@dataclass(frozen=True)
class Entry:
    """One row of a comparison: a trained model, or the repetitions of one recipe with other training seeds.

    `letter` names it in tables; `records` are in the order in which they were asked for."""

    letter: str
    records: tuple[Record, ...]

    @property
    def first(self) -> Record:
        return self.records[0]

    @property
    def repeated(self) -> bool:
        return len(self.records) > 1

    @property
    def name(self) -> str:
        chosen = self.first.get("checkpoint")
        name = f"{self.first['run']}@{chosen}" if chosen else str(self.first["run"])
        return f"{name} × {len(self.records)} seeds" if self.repeated else name

    @property
    def prior(self) -> str:
        return str(self.first.get("prior") or "").partition(" fitted")[0]

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps that the models stand at, each once, ascending."""
        return tuple(sorted({int(r["step"]) for r in self.records if r.get("step") is not None}))


def letter(index: int) -> str:
    """0 -> A, 25 -> Z, 26 -> AA, as the columns of a spreadsheet."""
    head, last = divmod(index, 26)
    return (letter(head - 1) if head else "") + chr(ord("A") + last)


def entries(records: Sequence[Record]) -> tuple[Entry, ...]:
    """Records of one config, one prior and one choice of checkpoint that differ in their training seed stand
    together; every other one stands alone, in the order given.

    Raises UserError where one model is there twice: it would count as its own repetition.
    """
    together: dict[tuple[object, ...], list[Record]] = {}
    for number, record in enumerate(records):
        key: tuple[object, ...] = (
            record.get("config") or number,
            record.get("prior"),
            record.get("checkpoint"),
        )
        seed = record.get("training_seed")
        same = [r for r in together.get(key, ()) if r.get("training_seed") == seed]
        if any(r.get("step") == record.get("step") for r in same):
            raise UserError(
                f"{same[0]['run']} and {record['run']} are the same training (config, seed, step and prior "
                "agree), which is no repetition; name it once, or train again with another training.seed"
            )
        if same:  # the same training at another step
            key = (*key, number)
        together.setdefault(key, []).append(record)
    return tuple(Entry(letter(i), tuple(group)) for i, group in enumerate(together.values()))


def check(records: Sequence[Record]) -> None:
    """Raises UserError, saying what differs between which runs, unless all were measured in the same way.

    Sampling seeds may differ; nats on different measures are parted later, cell by cell
    (`standing_measure`). A full evaluation is not compared with a standard one: its L_K has another K.
    """
    facts = [protocol_facts(record) for record in records]
    keys = sorted({key for each in facts for key in each}, key=lambda key: (key not in NAMES, key))
    differences = []
    for key in keys:
        having: dict[object, list[str]] = {}
        for record, each in zip(records, facts, strict=True):
            having.setdefault(each.get(key), []).append(str(record["run"]))
        if len(having) > 1:
            each_says = " and ".join(f"{_said(value)} for {some(runs)}" for value, runs in having.items())
            differences.append(f"{NAMES.get(key) or 'the ' + key} is {each_says}")
    if differences:
        raise UserError(
            f"these can't stand in one table: {'; '.join(differences)}. Compare runs on the same data, "
            "measured with one N by one version of genlab (`genlab evaluate RUN` measures anew)"
        )


def protocol_facts(record: Record) -> dict[str, object]:
    """What must agree: the protocol, flat, without what may differ. The networks go by their roles."""
    protocol = record.get("protocol")
    if not isinstance(protocol, Mapping) or not isinstance(record.get("values"), Mapping):
        raise UserError(
            f"the record of {record.get('run', 'a run')} is of an older genlab, which noted no protocol; "
            "measure it again with `genlab evaluate`"
        )
    facts: dict[str, object] = {"version": record.get("version")}
    for key, value in protocol.items():
        if key in (*FREE, "likelihood"):
            continue
        if isinstance(value, Mapping):
            facts |= {f"{inner} {key.removesuffix('s')}": name for inner, name in value.items()}
        else:
            facts[key] = value
    return facts


def measure(record: Record) -> str | None:
    """What the record's nats are measured on; None for a GAN."""
    found = record["protocol"].get("likelihood")
    return None if found is None else str(found)


def standing_measure(records: Iterable[Record]) -> str | None:
    """The measure that keeps its cells where several are used: that of most records, and none of a tie."""
    counts = Counter(filter(None, map(measure, records))).most_common(2)
    if not counts or (len(counts) == 2 and counts[0][1] == counts[1][1]):
        return None
    return counts[0][0]


def some(names: Sequence[str], most: int = 3) -> str:
    """ "A", "A and B", "A, B, C and 12 others"."""
    if len(names) <= most:
        return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
    left = len(names) - most
    return f"{', '.join(names[:most])} and {left} other{'s' if left > 1 else ''}"


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "there" if value else "not there"
    return f"{value:,}" if isinstance(value, int) else "missing" if value is None else str(value)
