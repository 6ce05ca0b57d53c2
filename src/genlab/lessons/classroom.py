"""What a teacher sets for a class, in one small file or in an address, so that all start from one point.

# class.toml
seed = 7
data = "mnist"
size = "default"                # or "quick", "full"
hide = ["seed", "data", "size"] # controls that the lesson's page leaves out
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genlab.errors import UserError
from genlab.lessons.lesson import SCALES, Setting

CONTROLS = ("size", "seed", "data", "run")
KEYS = ("seed", "data", "size", "hide")
LARGEST = 64 * 2**10  # bytes


@dataclass(frozen=True)
class Classroom:
    """Where everyone starts, and what nobody changes."""

    setting: Setting
    hide: tuple[str, ...] = ()


def read_classroom(path: Path) -> Classroom:
    """Raises UserError naming the key and what it may be."""
    try:
        if path.stat().st_size > LARGEST:
            raise UserError(f"{path} is larger than {LARGEST >> 10} KB and can't be a class's settings")
        values = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist; write one, as docs/teaching.md shows") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no TOML ({error}); write it as docs/teaching.md shows") from error
    return classroom(values, str(path))


def classroom(values: dict[str, Any], source: str) -> Classroom:
    """Raises UserError."""
    unknown = sorted(set(values) - set(KEYS))
    if unknown:
        raise UserError(f"{source}: unknown key {unknown[0]!r}; a class's settings are {', '.join(KEYS)}")
    seed, data, size = values.get("seed", 0), values.get("data", "mnist"), values.get("size", "default")
    hide = values.get("hide", [])
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**31:
        raise UserError(f"{source}: seed is a whole number from 0 on, not {seed!r}")
    if not isinstance(data, str) or not data:
        raise UserError(f"{source}: data is a data set's name or a path, not {data!r}")
    if size not in SCALES:
        raise UserError(f"{source}: size is one of {', '.join(SCALES)}, not {size!r}")
    if not isinstance(hide, list) or any(each not in CONTROLS for each in hide):
        raise UserError(f"{source}: hide is a list of {', '.join(CONTROLS)}, not {hide!r}")
    return Classroom(Setting(size, seed, data), tuple(hide))
