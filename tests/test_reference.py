from __future__ import annotations

from pathlib import Path

import pytest

from genlab.runs.reference import Reference, parse_reference
from genlab.runs.store import create_run


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("001", Reference("001")),
        ("latest:fitted", Reference("latest", None, "fitted")),
        ("latest:own", Reference("latest", None, "own")),
        ("001-vae@best", Reference("001-vae", "best")),
        ("001-vae@best:fitted", Reference("001-vae", "best", "fitted")),
        ("runs/001-vae@0", Reference("runs/001-vae", 0)),
        ("001@1200:own", Reference("001", 1200, "own")),
        # what is not one of these endings is part of the name, and `find_run` says that there is none
        ("C:/runs/001-vae", Reference("C:/runs/001-vae")),
        ("001@worst", Reference("001@worst")),
        ("001:best", Reference("001:best")),
        ("001:fitted@best", Reference("001:fitted", "best")),
        ("@best", Reference("@best")),
        ("", Reference("")),
    ],
)
def test_what_a_reference_names(text: str, names: Reference) -> None:
    assert parse_reference(text) == names


def test_a_folder_whose_name_ends_like_a_reference_is_one(tmp_path: Path) -> None:
    folder = tmp_path / "mine@best"
    assert parse_reference(str(folder)).step == "best"
    create_run("vae", {}, folder)
    assert parse_reference(str(folder)) == Reference(str(folder))
    assert parse_reference(f"{folder}@best:fitted") == Reference(str(folder), "best", "fitted")
