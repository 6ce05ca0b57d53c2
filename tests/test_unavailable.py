"""A missing number is words, never a number."""

import json

from genlab.metrics.unavailable import Unavailable


def test_it_prints_and_serialises_its_reason() -> None:
    missing = Unavailable("a GAN has no likelihood")
    assert str(missing) == "unavailable: a GAN has no likelihood"
    assert json.loads(json.dumps(missing.as_json())) == {"unavailable": "a GAN has no likelihood"}
    assert missing == Unavailable("a GAN has no likelihood")
