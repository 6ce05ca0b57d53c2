"""What a reader's function is held against: the lab's own, on the same inputs, values and gradients; and
where it differs, the mistakes that are known, each of which is a function too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

Function = Callable[..., Any]


class Case(NamedTuple):
    """What a function is called with, and the tensors that its gradient is asked for, by name."""

    given: tuple[Any, ...]
    learns: dict[str, Tensor]


@dataclass(frozen=True)
class Mistake:
    """A wrong function that is often written, and what to say of it."""

    key: str
    sentence: str
    function: Function


@dataclass(frozen=True)
class Problem:
    """`cases` are made anew at each call; `right` is the lab's own function. `passed` says what has been
    shown of a right answer, `shape` what is asked for, `impure` and `extreme` what to say of two more
    mistakes."""

    cases: Callable[[], Sequence[Case]]
    right: Function
    mistakes: tuple[Mistake, ...]
    passed: tuple[str, ...]
    shape: str
    extreme: str = ""  # what to say of a function that fails in the last case alone
    impure: str = "it gives another result at each call, for the same arguments"


class Seen(NamedTuple):
    """What one function did with one case: its value, and its gradients by name, None where none arrives."""

    value: Tensor
    gradients: dict[str, Tensor | None]


@dataclass
class Judgement:
    """What is wrong, in sentences, and what was shown; right where nothing is wrong."""

    wrong: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)


REDUCTIONS: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "none": (lambda value: value, ""),
    "mean": (
        lambda value: value.mean(),
        "it returns the mean over the batch, and one number for each example is asked for",
    ),
    "sum": (
        lambda value: value.sum(),
        "it returns the sum over the batch, and one number for each example is asked for",
    ),
    "column": (lambda value: value.unsqueeze(-1), "it returns (B, 1), and (B,) is asked for"),
}


def judge(function: Function, problem: Problem) -> Judgement:
    """Raises whatever `function` raises."""
    try:
        seen = [look(function, case) for case in problem.cases()]
        again = [look(function, case) for case in problem.cases()]
    except NoTensorError as error:
        return Judgement([str(error)])
    if not alike(seen, again):
        return Judgement([problem.impure])
    told = named(seen, problem)
    if told is None:
        return Judgement(passed=list(problem.passed))
    if not told and problem.extreme and right_but_last(seen, problem):
        return Judgement([problem.extreme])
    return Judgement(told or [described(seen, problem)])


def right_but_last(seen: list[Seen], problem: Problem) -> bool:
    return alike(seen[:-1], [look(problem.right, case) for case in list(problem.cases())[:-1]])


def named(seen: list[Seen], problem: Problem) -> list[str] | None:
    """None where it is right; the sentences of the mistake that does the same, in its gradients too or else
    in its values; empty where none is known."""
    right = [look(problem.right, case) for case in problem.cases()]
    candidates = [("", problem.right), *((each.sentence, each.function) for each in problem.mistakes)]
    for same in (alike, alike_in_value):
        for reduce, reduced in REDUCTIONS.values():
            for sentence, candidate in candidates:
                made = [look(composed(candidate, reduce), case) for case in problem.cases()]
                if same is alike_in_value and alike_in_value(made, right):
                    continue  # this one is wrong in its gradient alone
                if same(seen, made):
                    return [each for each in (sentence, reduced) if each] or None
    return []


def composed(function: Function, reduce: Callable[[Tensor], Tensor]) -> Function:
    return lambda *given: reduce(function(*given))


class NoTensorError(Exception):
    """Something else than a tensor was returned."""


def look(function: Function, case: Case) -> Seen:
    """Raises NoTensorError, and whatever `function` raises."""
    before = [each.detach().clone() for each in case.given if isinstance(each, Tensor)]
    value = function(*case.given)
    if not isinstance(value, Tensor):
        raise NoTensorError(f"it returns {returned(value)}")
    after = [each for each in case.given if isinstance(each, Tensor)]
    if not all(torch.equal(a, b) for a, b in zip(before, after, strict=True)):
        raise NoTensorError("it changes its arguments in place; make new tensors instead")
    return Seen(value.detach(), gradients(value, case.learns))


def returned(value: object) -> str:
    if value is None:
        return "nothing: is its return missing?"
    if value is Ellipsis:
        return "the blank's three dots: write the function's body in their place"
    return f"{type(value).__name__}, and a tensor is asked for"


def gradients(value: Tensor, learns: dict[str, Tensor]) -> dict[str, Tensor | None]:
    """Of the sum of `value`, each entry with a weight of its own so that none hides another."""
    if not value.requires_grad:
        return dict.fromkeys(learns)
    weights = torch.linspace(1, 2, value.numel()).view(value.shape).to(value.dtype)
    found = torch.autograd.grad((weights * value).sum(), list(learns.values()), allow_unused=True)
    return dict(zip(learns, found, strict=True))


def alike_in_value(these: list[Seen], those: list[Seen]) -> bool:
    return all(close(a.value, b.value) for a, b in zip(these, those, strict=True))


def alike(these: list[Seen], those: list[Seen]) -> bool:
    return alike_in_value(these, those) and all(
        close(a.gradients[name], b.gradients[name])
        for a, b in zip(these, those, strict=True)
        for name in b.gradients
    )


def close(a: Tensor | None, b: Tensor | None) -> bool:
    """Equal within float32's rounding; a gradient that does not arrive is like one of zeros."""
    if a is None or b is None:
        there = b if a is None else a
        return there is None or not there.any()
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-3, atol=1e-5, equal_nan=True)


def described(seen: list[Seen], problem: Problem) -> str:
    """What differs, where no mistake is known that explains it."""
    for case, mine in zip(problem.cases(), seen, strict=True):
        right = look(problem.right, case)
        if mine.value.shape != right.value.shape:
            theirs, asked = tuple(mine.value.shape), tuple(right.value.shape)
            return f"it returns shape {theirs} where {asked} is asked for: {problem.shape}"
        if not mine.value.isfinite().all():
            return "some of what it returns is not a finite number, where the equation gives finite ones"
        if not close(mine.value, right.value):
            at = int((mine.value - right.value).abs().argmax())
            return (
                f"its values differ: where the equation gives {float(right.value.flatten()[at]):.5g}, "
                f"it gives {float(mine.value.flatten()[at]):.5g}"
            )
        for name, gradient in right.gradients.items():
            if not close(mine.gradients[name], gradient):
                return f"its values are right, and its gradient in {name} is not"
    raise AssertionError("nothing differs")
