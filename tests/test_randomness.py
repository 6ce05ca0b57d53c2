from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genlab.randomness import derive_seed, generator

seeds, names, steps = st.integers(0, 2**63 - 1), st.text(max_size=8), st.integers(0, 10**9)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(seed=seeds, stream=names, step=steps)
def test_a_seed_is_a_function_that_torch_accepts(seed: int, stream: str, step: int) -> None:
    derived = derive_seed(seed, stream, step)
    assert 0 <= derived < 2**63
    assert derived == derive_seed(seed, stream, step)
    assert torch.rand(1, generator=generator(seed, stream, step)) == torch.rand(
        1, generator=generator(seed, stream, step)
    )


def test_seeds_are_told_apart() -> None:
    """By seed, stream and step; and 1 at step 23 is not 12 at step 3."""
    keys = [(s, name, step) for s in (0, 1, 12) for name in ("", "a", "noise") for step in (0, 3, 23)]
    assert len({derive_seed(*key) for key in keys}) == len(keys)


def test_the_function_is_pinned() -> None:
    """Were it to change, no run of before could be resumed."""
    assert derive_seed(0, "noise", 0) == DERIVED


DERIVED = 5_858_681_329_433_569_406
