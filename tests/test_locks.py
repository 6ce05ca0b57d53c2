"""What is installed is what was tested, file by file: the locks of launcher/."""

from __future__ import annotations

import hashlib
import re
import sys
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "launcher"))

import packages  # noqa: E402
from machine import SetupError  # noqa: E402

PIN = re.compile(
    r"(?m)^([A-Za-z0-9._-]+)==([0-9][0-9a-z.]*)(?: ; ([^\\\n]+?))?"
    r"( \\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)"
)


def pins(listed: Iterable[Sequence[str]]) -> dict[str, str]:
    """Versions by their packages' names, as the index spells them; whatever else is listed is left out."""
    return {re.sub(r"[-_.]+", "-", each[0]).lower(): each[1] for each in listed}


def lock(part: str) -> list[tuple[str, str, str, str]]:
    """(name, version, marker, hashes) of each package."""
    text = (ROOT / "launcher" / f"{part}.lock").read_text("utf-8")
    found = PIN.findall(text)
    rest = re.sub(r"(?m)^#.*\n", "", PIN.sub("", text))
    assert not rest.strip(), f"what is not a pin with hashes: {rest[:200]}"
    return [(name, version, marker, hashes) for name, version, marker, hashes in found]


def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    return pins(line.split("==") for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize("part", ["lab", "test"])
def test_the_locks_are_of_the_pinned_versions(part: str) -> None:
    """Where this fails: `scripts/lock`."""
    locked = pins(lock(part))
    pinned = constraints()
    assert locked == {name: pinned[name] for name in locked}


def test_nothing_that_is_pinned_is_without_a_hash() -> None:
    names = {part: pins(lock(part)) for part in ("lab", "test")}
    assert names["test"].keys() == constraints().keys()
    assert names["lab"].keys() < names["test"].keys()
    assert {"torch", "numpy", "streamlit", "pyarrow", "hatchling"} <= names["lab"].keys()


@pytest.mark.parametrize("part", ["lab", "test"])
def test_what_the_build_of_pytorch_decides_is_not_locked(part: str) -> None:
    markers = {name: marker for name, _, marker, _ in lock(part)}
    assert markers["torch"] == "sys_platform != 'linux'"
    assert not [name for name in markers if name.startswith(("nvidia", "cuda", "triton"))]


def wheel(folder: Path) -> Path:
    """A package of nothing."""
    path = folder / "nothing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "nothing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: nothing\nVersion: 1.0\n"
        )
        archive.writestr(
            "nothing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("nothing-1.0.dist-info/RECORD", "")
    return path


def test_another_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = wheel(tmp_path)
    for name, value in (("NO_INDEX", "1"), ("FIND_LINKS", str(tmp_path)), ("DRY_RUN", "1")):
        monkeypatch.setenv(f"PIP_{name}", value)
    pip = packages.Pip(Path(sys.executable), ROOT / "constraints.txt")
    listed = tmp_path / "nothing.lock"
    listed.write_text(f"nothing==1.0 --hash=sha256:{hashlib.sha256(made.read_bytes()).hexdigest()}\n")
    pip.install_locked(listed)
    made.write_bytes(made.read_bytes() + b"\0")
    with pytest.raises(SetupError, match="is not the file that genlab was tested with"):
        pip.install_locked(listed)


def test_pytorch_comes_by_its_pin_where_nothing_else_brought_it(monkeypatch: pytest.MonkeyPatch) -> None:
    version, installed = packages.pinned(ROOT / "constraints.txt", "torch"), list[tuple[str, ...]]()
    monkeypatch.setattr(packages.Pip, "install", lambda self, *arguments: installed.append(arguments))
    for found in ("", "1.0", version):
        monkeypatch.setattr(packages.Pip, "version", lambda self, package, found=found: found)
        packages.finish_torch(packages.Pip(Path(sys.executable), ROOT / "constraints.txt"))
    assert installed == 2 * [(f"torch=={version}",)]
