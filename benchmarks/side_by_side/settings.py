"""The settings that are compared, made as the commands make them: before torch is imported."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent.parent
SOURCES = BENCHMARKS.parent / "src"
PLAIN = "GENLAB_PLAIN"
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


def settle() -> None:
    """Make the settings in this process, unless GENLAB_PLAIN is set. Before torch is imported.

    TO REPLACE by `genlab.beforehand.prepare`, which the commands call, so that one thing is measured."""
    assert "torch" not in sys.modules, "too late: OpenMP has read its settings"
    if os.environ.get(PLAIN):
        return
    if (os.cpu_count() or 1) <= 2:
        os.environ.setdefault("OMP_PROC_BIND", "true")
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "gnu_get_libc_version"):
        for parameter, value in ((-4, 0), (-1, 2**31 - 1), (-2, 64 << 20)):
            libc.mallopt(parameter, value)
