"""The environment of a measurement: what the shell says is left out, and the settings compared are made anew
in the process itself, as the commands make them (`genlab.beforehand`)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from genlab.beforehand import PLAIN

BENCHMARKS = Path(__file__).resolve().parent.parent
SOURCES = BENCHMARKS.parent / "src"
# what would reach into a measurement from the shell that starts it, or from the command that does
FOREIGN = ("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "MALLOC_", "GLIBC_TUNABLES", PLAIN)


def environment(setting: str = "ours", base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """For a process whose settings are ours, or the system's ("plain"), whatever this one's are."""
    kept = {key: value for key, value in base.items() if not key.startswith(FOREIGN)}
    path = [str(SOURCES), str(BENCHMARKS), *filter(None, [kept.get("PYTHONPATH")])]
    kept["PYTHONPATH"] = os.pathsep.join(path)
    if setting == "plain":
        kept[PLAIN] = "1"
    return kept
