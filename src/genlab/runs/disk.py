"""What runs take on the disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def used(folder: Path) -> int:
    """Bytes in the files under `folder`; links are not followed. 0 where there is no such folder."""
    total = 0
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as inside:
                for each in inside:
                    if each.is_dir(follow_symlinks=False):
                        waiting.append(each.path)
                    else:
                        total += each.stat(follow_symlinks=False).st_size
        except OSError:
            continue  # gone meanwhile, or not ours to read
    return total


def free(folder: Path) -> int:
    """Bytes that are free on the disk that `folder` is on, or would be."""
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    return shutil.disk_usage(there).free
