"""The launcher: what it says on a machine that lacks something, and that a build is whole or goes on."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "launcher"))

import bootstrap  # noqa: E402
import environment as environments  # noqa: E402
import machine  # noqa: E402
import packages  # noqa: E402
from environment import LAB, TEST, Environment  # noqa: E402
from machine import Interpreter, SetupError  # noqa: E402

FIT = Interpreter("/usr/bin/python3.12", (3, 12, 1), 64, "CPython", ())
posix = pytest.mark.skipif(os.name == "nt", reason="the shell face")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the project's faces in a folder with a space, with an environment that looks whole."""
    root = tmp_path / "the lab"
    root.mkdir()
    for name in ("pyproject.toml", "constraints.txt", "lab"):
        shutil.copy(ROOT / name, root / name)
    shutil.copytree(ROOT / "launcher", root / "launcher", ignore=shutil.ignore_patterns("__pycache__"))
    pretend_built(root)
    return root


def pretend_built(root: Path) -> None:
    environment = Environment(root)
    genlab = environment.program("genlab")
    genlab.parent.mkdir(parents=True)
    genlab.write_text('#!/bin/sh\necho "genlab:$#:$1:$2"\nexit 7\n')
    genlab.chmod(0o755)
    environment.program("python").symlink_to(sys.executable)
    settings = f"home = {Path(sys.executable).parent}\nversion = {sys.version.split()[0]}\n"
    command = f"command = {sys.executable} -m venv {environment.folder}\n"
    (environment.folder / "pyvenv.cfg").write_text(settings + command)
    for part in (LAB, TEST):
        environment.stamp(part).write_bytes(environment.source())


def found(*answers: Interpreter | None) -> Any:
    """A `probe` that gives these answers, one after the other, and then finds nothing more."""
    left = list(answers)

    def probe(command: Sequence[str]) -> Interpreter | None:
        return left.pop(0) if left else None

    return probe


# ---------------------------------------------------------------------------------------- which Python


@pytest.mark.parametrize(
    ("python", "sentence"),
    [
        (FIT._replace(version=(3, 10, 4)), "is too old: genlab needs Python 3.11 or newer"),
        (FIT._replace(bits=32), "32-bit"),
        (FIT._replace(kind="PyPy"), "is PyPy"),
        (
            FIT._replace(lacks=("ensurepip",)),
            "lacks ensurepip: install it (Debian and Ubuntu: sudo apt install",
        ),
        (FIT._replace(lacks=("venv", "ensurepip")), "python3.12-venv"),
    ],
)
def test_a_python_that_does_not_serve_says_why(python: Interpreter, sentence: str) -> None:
    assert sentence in python.fault
    assert FIT.fault == ""


def test_the_first_python_that_serves_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENLAB_PYTHON", raising=False)
    old = FIT._replace(version=(3, 8, 0))
    monkeypatch.setattr(machine, "probe", found(old, None, FIT))
    assert machine.choose_python() == FIT


def test_without_a_python_that_serves_the_newest_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENLAB_PYTHON", raising=False)
    monkeypatch.setattr(
        machine, "probe", found(FIT._replace(version=(3, 8, 0)), FIT._replace(lacks=("venv",)))
    )
    with pytest.raises(SetupError, match="lacks venv"):
        machine.choose_python()
    monkeypatch.setattr(machine, "probe", found())
    with pytest.raises(SetupError, match="No Python that runs was found"):
        machine.choose_python()


def test_genlab_python_is_taken_or_explained_but_never_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLAB_PYTHON", "/no/such/python")
    with pytest.raises(SetupError, match="GENLAB_PYTHON names /no/such/python, which does not run"):
        machine.choose_python()
    monkeypatch.setenv("GENLAB_PYTHON", sys.executable)
    assert machine.choose_python().version == sys.version_info[:3]


def test_a_probe_sees_through_a_stand_in(tmp_path: Path) -> None:
    stand_in = tmp_path / "python3"
    stand_in.write_text("#!/bin/sh\necho 'Python was not found'\nexit 0\n")
    stand_in.chmod(0o755)
    assert machine.probe([str(stand_in)]) is None
    assert machine.probe([str(tmp_path / "none")]) is None
    here = machine.probe([sys.executable])
    assert here is not None
    assert here.fault == ""


# ---------------------------------------------------------------------------------------- which place


def test_a_place_inside_a_zip_or_incomplete_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="still inside the zip"):
        machine.check_place(tmp_path)
    inside = tmp_path / "Temp1_genlab-main.zip" / "genlab-main"
    inside.mkdir(parents=True)
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, inside / name)
    with pytest.raises(SetupError, match="Extract All"):
        machine.check_place(inside, windows=True)
    machine.check_place(inside, windows=False)


def test_a_path_too_long_for_windows_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = root / ("x" * 80)
    deep.mkdir()
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, deep / name)
    monkeypatch.setattr(machine, "long_paths_allowed", lambda: False)
    with pytest.raises(SetupError, match="too long for Windows"):
        machine.check_place(deep, windows=True)
    monkeypatch.setattr(machine, "long_paths_allowed", lambda: True)
    machine.check_place(deep, windows=True)


def test_too_little_room_is_said_before_anything_is_downloaded(tmp_path: Path) -> None:
    machine.check_disk(tmp_path, 0)
    with pytest.raises(SetupError, match=r"GB free and this needs 9000000.0 GB"):
        machine.check_disk(tmp_path, 9 * 10**9)


def test_a_folder_that_cannot_be_written_to_is_explained(root: Path) -> None:
    shutil.rmtree(root / ".venv")
    (root / ".venv").write_text("a file where the folder should be")
    with pytest.raises(SetupError, match="cannot be written to"):
        bootstrap.build(Environment(root), LAB)


# ---------------------------------------------------------------------------------------- pip


@pytest.mark.parametrize(
    ("complaint", "sentence"),
    [
        ("WARNING: Retrying... NewConnectionError\nERROR: No space left on device", "The disk is full"),
        (
            "[Errno -3] Temporary failure in name resolution\nERROR: No matching distribution",
            "could not be reached",
        ),
        ("ReadTimeoutError: Read timed out.", "could not be reached"),
        ("ERROR: No matching distribution found for torch==2.13.0", "has no build for this system"),
        ("HINT: ... Windows Long Path support enabled", "too long"),
        ("[WinError 5] Access is denied: 'torch_cpu.dll'", "Close what still uses it"),
        ("SSL: CERTIFICATE_VERIFY_FAILED ... Max retries exceeded", "certificate"),
        ("ERROR: something new", "its last lines above say why"),
    ],
)
def test_each_of_pips_complaints_becomes_one_sentence(complaint: str, sentence: str) -> None:
    assert sentence in packages.meaning(complaint)


def plan(*names: str) -> list[dict[str, Any]]:
    return [{"metadata": {"name": name}, "download_info": {"url": f"file:///{name}.whl"}} for name in names]


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> packages.Pip:
    """A pip on Linux without a GPU, without torch, without PyTorch's own index."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(packages, "nvidia_gpu", lambda: False)
    monkeypatch.setattr(packages, "reachable", lambda index: False)
    monkeypatch.setattr(packages.Pip, "version", lambda self, package: "")
    monkeypatch.delenv("GENLAB_ALLOW_CUDA", raising=False)
    return packages.Pip(Path(sys.executable), ROOT / "constraints.txt")


def test_cuda_is_refused_without_a_gpu(pip: packages.Pip, monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = plan("torch", "sympy", "nvidia-cublas", "cuda-bindings", "triton")
    monkeypatch.setattr(packages.Pip, "plan", lambda self, requirement: cuda)
    with pytest.raises(SetupError, match=r"brings 3 CUDA packages, 2\.7 GB in all"):
        packages.install_torch(pip)
    monkeypatch.setenv("GENLAB_ALLOW_CUDA", "1")
    packages.install_torch(pip)
    monkeypatch.delenv("GENLAB_ALLOW_CUDA")
    monkeypatch.setattr(packages.Pip, "plan", lambda self, requirement: plan("torch", "sympy"))
    packages.install_torch(pip)


def test_the_cpu_index_comes_first_and_may_fail(pip: packages.Pip, monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[tuple[str, ...]] = []
    monkeypatch.setattr(packages, "reachable", lambda index: True)
    monkeypatch.setattr(packages.Pip, "install", lambda self, *arguments: installed.append(arguments))
    packages.install_torch(pip)
    version = packages.pinned(ROOT / "constraints.txt", "torch")
    assert installed == [("--no-deps", "--index-url", packages.CPU_INDEX, f"torch=={version}")]

    def fail(self: packages.Pip, *arguments: str) -> None:
        raise SetupError("no such wheel")

    monkeypatch.setattr(packages.Pip, "install", fail)
    monkeypatch.setattr(packages.Pip, "plan", lambda self, requirement: plan("torch", "nvidia-nccl-cu13"))
    with pytest.raises(SetupError, match="No CPU build of PyTorch"):
        packages.install_torch(pip)


def test_an_index_that_does_not_answer_is_given_up_in_time() -> None:
    assert not packages.reachable("http://127.0.0.1:9/whl/cpu", seconds=2.0)


def test_an_interrupted_pip_is_mended(tmp_path: Path) -> None:
    site_packages = tmp_path / "lib" / "python3.11" / "site-packages"
    for name in ("torch-2.13.0.dist-info", "numpy-2.4.6.dist-info", "torch", "~orch"):
        (site_packages / name).mkdir(parents=True)
    (site_packages / "numpy-2.4.6.dist-info" / "INSTALLER").write_text("pip")
    packages.mend(tmp_path)
    assert sorted(path.name for path in site_packages.iterdir()) == ["numpy-2.4.6.dist-info", "torch"]


def test_the_constraints_pin_torch_without_a_local_version() -> None:
    assert re.fullmatch(r"[\d.]+", packages.pinned(ROOT / "constraints.txt", "torch"))
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9a-z.]*", pin) for pin in pins)


# ---------------------------------------------------------------------------------------- the environment


def test_what_is_whole_is_not_built_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENLAB_PYTHON", raising=False)
    commands: list[list[str]] = []

    def run(command: list[str]) -> int:
        commands.append(command)
        return 5

    environment = Environment(root)
    assert bootstrap.main(["demo", "--quick"], root, run) == 5
    assert bootstrap.main(["test", "--all"], root, run) == 5
    assert bootstrap.main(["build"], root, run) == 0
    check = str(root / "scripts" / "check.py")
    assert commands == [
        [str(environment.program("genlab")), "demo", "--quick"],
        [str(environment.program("python")), check, "--all"],
    ]


def test_another_requirement_pin_or_place_makes_it_stale(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENLAB_PYTHON", raising=False)
    environment = Environment(root)
    project, pins = root / "pyproject.toml", root / "constraints.txt"
    assert environment.whole(LAB)
    project.write_text(project.read_text() + "\n[tool.other]\n")
    assert environment.whole(LAB)
    before = project.read_bytes()
    project.write_bytes(before.replace(b"dependencies = [", b'dependencies = ["more",', 1))
    assert not environment.whole(LAB)
    project.write_bytes(before)
    pins.write_bytes(pins.read_bytes() + b"more==1\n")
    assert not environment.whole(LAB)
    assert not environment.fault()


def test_an_environment_that_cannot_be_gone_on_with_says_why(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GENLAB_PYTHON", raising=False)
    moved = tmp_path / "moved"
    shutil.copytree(root, moved, symlinks=True)
    assert "moved" in Environment(moved).fault()
    monkeypatch.setenv("GENLAB_PYTHON", "/no/such/python")
    assert "GENLAB_PYTHON asks for" in Environment(root).fault()
    monkeypatch.delenv("GENLAB_PYTHON")
    Environment(root).program("python").unlink()
    assert "is gone" in Environment(root).fault()
    (root / ".venv" / "pyvenv.cfg").unlink()
    assert "not finished" in Environment(root).fault()


def test_an_interrupted_build_goes_on_and_is_stamped_last(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GENLAB_PYTHON", raising=False)
    environment = Environment(root)
    for part in (LAB, TEST):
        environment.stamp(part).unlink()
    monkeypatch.setattr(bootstrap, "install_torch", lambda pip: None)
    monkeypatch.setattr(bootstrap, "finish_torch", lambda pip: None)
    monkeypatch.setattr(bootstrap, "check_torch", lambda environment: None)
    monkeypatch.setattr(packages.Pip, "renew", lambda self: None)

    def interrupted(self: packages.Pip, *arguments: str) -> None:
        raise KeyboardInterrupt

    locks: list[Path] = []
    monkeypatch.setattr(packages.Pip, "install_locked", lambda self, lock: locks.append(lock))
    monkeypatch.setattr(packages.Pip, "install", interrupted)
    assert bootstrap.main(["build"], root) == 130
    assert not environment.whole(LAB)
    installed: list[tuple[str, ...]] = []
    monkeypatch.setattr(packages.Pip, "install", lambda self, *arguments: installed.append(arguments))
    assert bootstrap.main(["build"], root) == 0
    assert environment.whole(LAB)
    assert not environment.whole(TEST)
    assert locks == 2 * [root / "launcher" / "lab.lock"]
    assert installed == [("--quiet", "--no-build-isolation", "-e", ".[app,onnx]")]
    said = capsys.readouterr()
    assert "goes on from here" in said.err
    assert "Finishing an interrupted build: at most 445 MB to download, 2 to 6 minutes" in said.out
    assert bootstrap.main(["test"], root, lambda command: 0) == 0
    assert installed[1:] == [("--quiet", "--no-build-isolation", "-e", ".[app,onnx,test]")]
    assert "Adding what the tests need: about 90 MB" in capsys.readouterr().out


def test_a_failure_leaves_no_stamp_and_one_sentence(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GENLAB_PYTHON", "/no/such/python")
    assert bootstrap.main(["demo"], root) == 1
    error = capsys.readouterr().err
    assert error.startswith("genlab: GENLAB_PYTHON names /no/such/python")
    assert error.count("\n") == 1


@posix
def test_a_second_build_waits_for_the_first_and_for_its_children(tmp_path: Path) -> None:
    with environments.alone(tmp_path) as held:
        child = subprocess.Popen(["sleep", "30"], pass_fds=held)
    try:
        with open(tmp_path / "lock", "a+b") as other:
            assert not environments._lock(other.fileno())
            child.kill()
            child.wait()
            assert environments._lock(other.fileno())
    finally:
        child.kill()


# ---------------------------------------------------------------------------------------- the faces


@posix
def test_the_shell_face_goes_straight_to_genlab_and_returns_its_exit_code(root: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "GENLAB_PYTHON"}
    # No Python on the PATH: what is whole needs none.
    environment["PATH"] = "/usr/bin:/bin"
    straight = subprocess.run(
        [str(root / "lab"), "demo", "a b"], env=environment, capture_output=True, text=True, cwd="/"
    )
    assert (straight.returncode, straight.stdout) == (7, "genlab:2:demo:a b\n")
    by_name = subprocess.run(["sh", "lab", "demo"], env=environment, capture_output=True, text=True, cwd=root)
    assert by_name.returncode == 7


@posix
def test_the_shell_face_explains_what_is_missing(root: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("uname", "sed", "cmp"):
        (tools / name).symlink_to(str(shutil.which(name)))
    (root / ".venv" / "built-lab").unlink()
    command = ["/bin/sh", str(root / "lab"), "demo"]
    without = subprocess.run(command, env={"PATH": str(tools)}, capture_output=True, text=True)
    assert without.returncode == 1
    assert "No Python was found" in without.stderr
    (tools / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tools / "python3").chmod(0o755)
    old = subprocess.run(command, env={"PATH": str(tools)}, capture_output=True, text=True)
    assert "too old or does not run" in old.stderr
    shutil.rmtree(root / "launcher")
    incomplete = subprocess.run(command, env={"PATH": str(tools)}, capture_output=True, text=True)
    assert "not a complete copy" in incomplete.stderr


def test_batch_files_have_the_line_ends_of_windows_and_scripts_those_of_unix() -> None:
    for path in ROOT.glob("*.bat"):
        assert path.read_bytes().count(b"\n") == path.read_bytes().count(b"\r\n") > 0, path
    for name in ("lab", "build.sh", "launch.sh", "scripts/check", ".ci/run"):
        assert b"\r" not in (ROOT / name).read_bytes(), name
    assert "*.bat text eol=crlf" in (ROOT / ".gitattributes").read_text()


@pytest.mark.parametrize("path", sorted((ROOT / "launcher").glob("*.py")), ids=lambda path: path.name)
def test_a_python_too_old_to_build_with_can_read_the_launcher(path: Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
