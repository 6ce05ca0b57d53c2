"""Which instruments a comparison shows where nobody names them."""

from __future__ import annotations

from collections.abc import Sequence

from genlab.evaluation.calibration import decided, table_for
from genlab.evaluation.instruments import INSTRUMENTS
from genlab.evaluation.records import Record


def default_keys(records: Sequence[Record], everything: bool = False) -> list[str]:
    """The instruments that calibration has chosen for the network that the records look through, and what is
    no matter of samples (likelihood, reconstruction); or all that any record has."""
    there = {key for record in records for key in record["values"]}
    if everything:
        return [key for key in INSTRUMENTS if key in there]
    table = table_for(records[0]["protocol"]["networks"]["own"])
    others = [k for k, i in INSTRUMENTS.items() if i.standard and k in there and k not in table["responses"]]
    return [*decided(table), *others]
