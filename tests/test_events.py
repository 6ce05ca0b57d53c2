from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlab.errors import UserError
from genlab.runs import events
from genlab.runs.events import (
    KINDS,
    Adopted,
    Changed,
    Event,
    Finished,
    Metrics,
    Samples,
    Saved,
    Started,
    Validated,
    Warned,
)

EXAMPLES: list[Event] = [
    Started(0, 100, 1.5e9, {"system": "Linux", "threads": 2}),
    Adopted(
        0, {"source": "001-vae-mnist", "tensors": 12, "max_difference": 0.0, "reloaded_difference": None}
    ),
    Metrics(20, {"elbo": -101.25, "kl": 20.0}, 3.5, 2560),
    Warned(20, "posterior collapse", "the code says 0.01 nats about an image", "lower objective.beta"),
    Validated(20, {"nelbo": 101.25, "fid": 8.5}, 3.5, 2560),
    Samples(20, "samples", "samples/samples-0000020.png"),
    Saved(20, "checkpoints/step-0000020.safetensors"),
    Finished(100, "completed", 12.0),
    Changed(20, "learning_rate", 5e-4),
    Finished(7, "failed", 1.0, "the loss of the vae is nan — “so to say”\nand more"),
]


def test_every_kind_has_an_example() -> None:
    assert {example.kind for example in EXAMPLES} == KINDS.keys()


@pytest.mark.parametrize("event", EXAMPLES)
def test_a_line_brings_the_event_back(event: Event) -> None:
    line = events.to_line(event)
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert events.from_line(line) == event


@settings(deadline=None, derandomize=True, max_examples=30)
@given(
    step=st.integers(0, 10**9),
    values=st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False)),
    seconds=st.floats(0, 1e9),
)
def test_numbers_return_bit_for_bit(step: int, values: dict[str, float], seconds: float) -> None:
    event = Metrics(step, values, seconds, step * 3)
    assert events.from_line(events.to_line(event)) == event


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_lacks_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        events.to_line(Metrics(1, {"loss": value}, 0.0, 1))


def test_lines_are_plain_json() -> None:
    assert json.loads(events.to_line(EXAMPLES[5]))["event"] == "samples"


def test_a_validation_says_what_it_was_measured_against() -> None:
    own, learned = (Validated(3, {f"nelbo{by}": 101.25, f"fid{by}": 8.5}, 1.0, 9) for by in ("", "/train"))
    assert own.line == "validated at step 3: −ELBO 101.25, FID 8.50"
    assert learned.line == "validated at step 3 against training images: −ELBO 101.25, FID 8.50"


def test_a_change_says_from_which_step_on() -> None:
    assert Changed(20, "learning_rate", 5e-4).line == "learning rate 0.0005 from step 21 on"


@pytest.mark.parametrize(
    "line",
    ["", "{", "[]", "7", "null", '"metrics"', '{"event": "unknown"}', '{"event": ["saved"]}', '{"step": 3}',
     '{"event": "saved", "step": 3}', '{"event": "saved", "step": 3, "path": "x", "more": 1}'],
)  # fmt: skip
def test_what_is_no_event_is_refused(line: str) -> None:
    with pytest.raises(UserError, match="not an event"):
        events.from_line(line)
