"""The README's snippet is run as it stands, only shorter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"


def test_the_snippet_trains_and_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert snippet.count("training.steps=2000") == 2
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENLAB_RUNS", str(tmp_path / "runs"))
    quick = snippet.replace("training.steps=2000", "training.steps=3")
    code = compile(quick.replace('=3")', '=3", "training.threads=1")'), str(README), "exec")
    namespace: dict[str, object] = {}
    exec(code, namespace)  # our own README
    assert (tmp_path / "gan.png").stat().st_size > 1000
    assert (tmp_path / "vae.png").stat().st_size > 1000
    assert tuple(namespace["images"].shape) == (64, 1, 28, 28)  # type: ignore[attr-defined]


def test_every_command_of_the_readme_is_one() -> None:
    from typer.main import get_command

    from genlab.cli import load_commands, root

    load_commands()

    known = set(get_command(root.app).commands)  # type: ignore[attr-defined]
    used = set(re.findall(r"\./lab ([a-z][a-z-]*)", README.read_text("utf-8")))
    assert used
    assert used <= known, used - known
