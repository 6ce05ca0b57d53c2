"""`genlab bench` lists the benchmarks of the checkout and passes everything on to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

import genlab
from genlab.cli import bench
from genlab.cli.root import app
from genlab.errors import UserError

ECHO = '''"""Says what it was given.

More of it."""
import sys
if __name__ == "__main__":
    print(sys.argv[1:])
    sys.exit(7)
'''


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "echo.py").write_text(ECHO, "utf-8")
    (tmp_path / "part_of_it.py").write_text('"""No script."""', "utf-8")
    monkeypatch.setattr(bench, "folder", lambda: tmp_path)
    return tmp_path


def test_without_a_name_it_lists_what_there_is(scripts: Path) -> None:
    for arguments in (["bench"], ["bench", "--help"]):
        listed = CliRunner().invoke(app, arguments)
        assert listed.exit_code == 0
        assert "echo              Says what it was given.\n" in listed.output
        assert "part_of_it" not in listed.output
        assert "More" not in listed.output


def test_everything_after_the_name_and_the_exit_code_are_passed_on(
    scripts: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given = ["--pairs", "1", "-n", "--help", "name", "--", "x"]
    assert CliRunner().invoke(app, ["bench", "echo", *given]).exit_code == 7
    assert capfd.readouterr().out == f"{given}\n"


def test_an_unknown_name_is_answered_with_those_there_are(scripts: Path) -> None:
    answer = CliRunner().invoke(app, ["bench", "peer"])
    assert isinstance(answer.exception, UserError)
    assert str(answer.exception) == "no benchmark is called 'peer'; there are echo"


def test_the_checkout_has_the_benchmarks_that_the_docs_name() -> None:
    found = bench.benchmarks(bench.folder())
    assert {"peers", "startup", "overhead", "detectors"} <= found.keys()
    assert all(bench.subject(path) for path in found.values())


def test_an_installed_package_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(genlab, "__file__", str(tmp_path / "site-packages" / "genlab" / "__init__.py"))
    with pytest.raises(UserError, match="come with the source checkout"):
        bench.folder()


def test_it_needs_no_torch() -> None:
    code = "import sys; sys.argv = ['genlab', 'bench']\nfrom genlab.cli import main\ntry: main()\n"
    code += "except SystemExit: print('torch' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8").stdout
    assert printed.splitlines()[-1] == "False"


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal's Ctrl-C is sent as a signal to a group")
def test_ctrl_c_lets_the_benchmark_write_down_what_it_has(tmp_path: Path) -> None:
    script, begun, kept = tmp_path / "slow.py", tmp_path / "begun", tmp_path / "kept"
    script.write_text(
        f"import pathlib, time\ntry:\n    pathlib.Path({str(begun)!r}).touch()\n    time.sleep(60)\n"
        f"finally:\n    time.sleep(0.3)\n    pathlib.Path({str(kept)!r}).touch()\n",
        "utf-8",
    )
    heeds = "signal.signal(signal.SIGINT, signal.default_int_handler)"  # in a background job it is ignored
    started = f"sys.exit(run([sys.executable, {str(script)!r}]))"
    code = f"import signal, sys\n{heeds}\nfrom genlab.cli.bench import run\n{started}"
    process = subprocess.Popen(
        [sys.executable, "-c", code], start_new_session=True, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 30
    while not begun.exists() and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(30) == 130
    assert kept.exists(), "it was not waited for"
