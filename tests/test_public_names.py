"""What `import genlab` offers is pinned: a change here is a change for everyone who uses the library."""

from __future__ import annotations

import subprocess
import sys

import genlab


def test_the_public_names_are_these() -> None:
    assert genlab.__all__ == [
        "Experiment",
        "Run",
        "Trained",
        "UserError",
        "find_run",
        "load_data",
        "open_run",
        "recipe",
        "save_images",
        "train",
    ]
    for name in genlab.__all__:
        assert getattr(genlab, name) is not None


def test_importing_genlab_imports_no_torch() -> None:
    code = "import genlab, genlab.cli.root, genlab.recipes, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
