"""Nothing that is read can run: a grep, so that it holds for code that no other test reaches."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import genlab

SOURCES = sorted(Path(genlab.__path__[0]).rglob("*.py"))
FORBIDDEN = {
    "a pickle": r"^\s*(import|from)\s+\w*pickle|\bpickle\.|allow_pickle\s*=\s*True|\bjoblib\b|\bshelve\b",
    "torch.load": r"\btorch\.(load|save)\b",
    "evaluated text": r"(?<![\w.])(eval|exec|compile)\(|__import__\(",
    "a shell": r"shell\s*=\s*True|os\.system\(",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_source_holds(what: str) -> None:
    assert len(SOURCES) > 40
    pattern = re.compile(FORBIDDEN[what], re.MULTILINE)
    found = [
        f"{path.name}: {match[0]}" for path in SOURCES for match in pattern.finditer(path.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a pickle", "import pickle"),
        ("a pickle", "np.load(path, allow_pickle=True)"),
        ("torch.load", "torch.load(path)"),
        ("evaluated text", "x = eval(text)"),
        ("evaluated text", "exec(code)"),
        ("a shell", "run(command, shell=True)"),
    ],
)
def test_it_would_be_found(what: str, line: str) -> None:
    assert re.search(FORBIDDEN[what], line, re.MULTILINE)


@pytest.mark.parametrize("line", ["model.eval()", "re.compile(x)", "self.model.eval()"])
def test_what_only_looks_like_it_is_not(line: str) -> None:
    assert not any(re.search(pattern, line, re.MULTILINE) for pattern in FORBIDDEN.values())
