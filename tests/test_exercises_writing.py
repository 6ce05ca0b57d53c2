"""Exercises as files, and which of them a file answers."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from exercise_answers import RIGHT, answered

from genlab.errors import UserError
from genlab.lessons.exercises.catalogue import EXERCISES, exercise_called
from genlab.lessons.exercises.reading import answer
from genlab.lessons.exercises.writing import write


@pytest.mark.parametrize("name", EXERCISES)
def test_a_file_is_python_and_known_again(name: str, tmp_path: Path) -> None:
    path = write(EXERCISES[name], tmp_path / "mine.py")
    tree = ast.parse(path.read_text("utf-8"))
    assert EXERCISES[name].plain in (ast.get_docstring(tree) or "")
    assert max(map(len, path.read_text("utf-8").splitlines())) <= 110
    assert answer(path).exercise is EXERCISES[name]


@pytest.mark.parametrize("name", EXERCISES)
def test_a_notebook_is_of_format_4_5_and_known_again(name: str, tmp_path: Path) -> None:
    path = write(EXERCISES[name], tmp_path / "mine.ipynb", as_notebook=True)
    told = json.loads(path.read_text("utf-8"))
    assert (told["nbformat"], told["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in told["cells"]}) == len(told["cells"])
    assert EXERCISES[name].latex in told["cells"][0]["source"]
    assert answer(path).exercise is EXERCISES[name]


def test_an_answer_is_not_written_over(tmp_path: Path) -> None:
    path = answered("elbo", RIGHT["elbo"], tmp_path)
    before = path.read_text("utf-8")
    with pytest.raises(UserError, match="--out"):
        write(EXERCISES["elbo"], path)
    assert path.read_text("utf-8") == before


@pytest.mark.parametrize(
    ("name", "said"),
    [("mine.txt", r"\.py or an \.ipynb"), ("none/mine.py", "no folder")],
)
def test_where_an_exercise_can_not_go(name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=said):
        write(EXERCISES["elbo"], tmp_path / name)
    with pytest.raises(UserError, match="notebook"):
        write(EXERCISES["elbo"], tmp_path / "mine.py", as_notebook=True)


def test_an_unknown_exercise_is_told_the_nearest() -> None:
    assert exercise_called("kl_divergence").name == "kl-divergence"
    with pytest.raises(UserError, match="'generator-loss'"):
        exercise_called("generator-los")


def test_the_list_and_a_file_need_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['genlab', 'exercise', 'elbo', '--out', 'mine.py']\n"
        "from genlab.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "mine.py").exists()


def file(folder: Path, text: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def elbo(:\n", "not Python: .*line 1"),
        ("x = 1\n", "none of the functions"),
        ("def elbo(): ...\ndef kl_divergence(): ...\n", "several exercises"),
        ("# genlab exercise: elbo\ndef elbow(): ...\n", "no function called elbo, .*it has elbow"),
        ("# genlab exercise: elbow\ndef elbo(): ...\n", "no exercise is called 'elbow'; did you mean 'elbo'"),
        ("x = '\0'\n", "can't be read|not Python"),
        ("(" * 5000 + ")" * 5000, "can't be read|not Python"),
    ],
)
def test_a_file_that_answers_nothing(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=said):
        answer(file(tmp_path, text))


def test_files_of_other_kinds(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no file"):
        answer(tmp_path / "none.py")
    with pytest.raises(UserError, match="not a Jupyter notebook"):
        answer(file(tmp_path, "{}", "mine.ipynb"))
    with pytest.raises(UserError, match=r"not 'mine\.txt'"):
        answer(file(tmp_path, "", "mine.txt"))
    with pytest.raises(UserError, match="larger"):
        answer(file(tmp_path, "#" * 600_000))
    latin = tmp_path / "latin.py"
    latin.write_bytes("# Übung".encode("latin-1"))
    with pytest.raises(UserError, match="UTF-8"):
        answer(latin)


def test_an_answer_without_its_mark_is_known_by_its_function(tmp_path: Path) -> None:
    assert answer(file(tmp_path, "elbo = lambda *given: given\n")).exercise.name == "elbo"
    assert answer(file(tmp_path, "def elbo(): ...\n")).exercise.name == "elbo"


def test_a_notebook_s_own_commands_are_left_out(tmp_path: Path) -> None:
    cells = [{"cell_type": "code", "source": ["%matplotlib inline\n", "!ls\n", "def elbo(): ...\n"]},
             {"cell_type": "markdown", "source": "def not_code("}]  # fmt: skip
    told = answer(file(tmp_path, json.dumps({"cells": cells}), "mine.ipynb"))
    assert told.code.split() == ["def", "elbo():", "..."]
