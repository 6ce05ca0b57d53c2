"""A reader's file in a process of its own: it is ended in time, and what it does reaches nobody else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from exercise_answers import RIGHT, answered

from genlab.lessons.exercises.checking import check, plain


def genlab(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "genlab", "exercise", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)


@pytest.mark.slow
@pytest.mark.parametrize("notebook", [False, True])
def test_a_right_answer_is_trained_with_and_ends_with_0(notebook: bool, tmp_path: Path) -> None:
    path = answered("discriminator-loss", RIGHT["discriminator-loss"], tmp_path, notebook=notebook)
    ended = genlab("check", path.name, "--json", folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert told["right"]
    assert "expected loss" in told["learned"]


def test_a_wrong_answer_ends_with_1_and_its_words_are_no_markup(tmp_path: Path) -> None:
    body = 'print("[bold]loud[/bold] \\x1b[31mred")\n    return mean + log_var.exp() * noise'
    ended = genlab("check", answered("reparameterize", body, tmp_path).name, folder=tmp_path)
    assert ended.returncode == 1
    assert "exp(log_var) is the variance" in ended.stdout
    assert "[bold]loud[/bold] �[31mred" in ended.stdout
    assert "\x1b" not in ended.stdout


def test_an_unusable_file_ends_with_2_and_one_sentence(tmp_path: Path) -> None:
    path = answered("elbo", "raise ImportError('[red]no')", tmp_path)
    path.write_text("raise ImportError('[red]no')\n" + path.read_text("utf-8"), "utf-8")
    ended = genlab("check", path.name, folder=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.strip() == ("genlab: answer.py: the file does not run: ImportError: [red]no (line 1)")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check",), "needs your file"),
        (("check", "none.py"), "no file none.py"),
        (("elbo", "file.py"), "--out"),
    ],
)
def test_commands_that_are_not_whole(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    ended = genlab(*arguments, folder=tmp_path)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "killpg"), reason="a process group is ended as a whole on POSIX alone")
def test_a_loop_without_an_end_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    body = (
        "import subprocess, sys\n"
        "    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "    print(child.pid, flush=True)\n"
        "    while True:\n        pass"
    )
    told = check(answered("kl-divergence", body, tmp_path), seconds=3)
    assert told.unusable == (
        "it did not end within 3 seconds, while calling kl_divergence: is there a loop without an end?"
    )
    import psutil

    child = int(told.printed)
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import os\n    os._exit(7)", "without an answer, while calling elbo (exit code 7)"),
        ("import os, signal\n    os.kill(os.getpid(), signal.SIGSEGV)", "while calling elbo (SIGSEGV)"),
    ],
)
def test_a_crash_is_one_sentence(body: str, said: str, tmp_path: Path) -> None:
    told = check(answered("elbo", body, tmp_path))
    assert said in told.unusable
    assert not told.right


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is the system's, and held on Linux")
@pytest.mark.parametrize("body", ["return torch.zeros(2**34)", "return bytearray(2**36)"])
def test_memory_has_a_limit(body: str, tmp_path: Path) -> None:
    assert "more memory than the 3 GB" in check(answered("elbo", body, tmp_path)).unusable


def test_plain_text_moves_no_cursor() -> None:
    assert plain("a\x1b[2Jb\x07\u202ec\n") == "a�[2Jb��c�"
    assert plain("a\n\tb", lines=True) == "a\n\tb"
