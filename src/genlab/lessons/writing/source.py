"""The project's own code in a lesson's text, taken from where it is written, so that both stay one."""

from __future__ import annotations

import ast
import re
from functools import cache

from genlab.lessons.reach import source_of


@cache
def code(module: str, name: str) -> str:
    """The function or class called `name` of a module, as a block of Markdown."""
    path = source_of(module)
    assert path is not None, module
    text = path.read_text("utf-8")
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return f"```python\n{ast.get_source_segment(text, node)}\n```"
    raise AssertionError(f"{module} has no {name}")


def fenced(markdown: str) -> str:
    """The same with every displayed equation on lines of its own, as some readers of Markdown want them."""
    return re.sub(r"\$\$(.+?)\$\$", r"$$\n\1\n$$", markdown, flags=re.DOTALL)
