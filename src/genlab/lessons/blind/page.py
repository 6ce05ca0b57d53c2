"""The page of a blind comparison: images and nothing that names them."""

from __future__ import annotations

import base64
import re
from html import escape
from importlib import resources
from pathlib import Path

from genlab.evaluation.blind import Source
from genlab.lessons.blind.trials import Blind
from genlab.lessons.report.pictures import data_uri, sheet
from genlab.lessons.report.write import embedded
from genlab.runs.files import replacing, write_json

CODES: dict[Source, int] = {"one": 0, "other": 1, "real": 2}


def write_blind(blind: Blind, path: Path) -> tuple[Path, Path]:
    """Writes the page and, beside it, the key `ID.key.json`; returns both. The page opens from a file and
    asks nothing of the network."""
    key = path.with_name(f"{blind.identity}.key.json")
    write_json(key, blind.key)
    with replacing(path) as temporary:
        temporary.write_text(render(blind), "utf-8")
    return path, key


def render(blind: Blind) -> str:
    data = {
        "id": blind.identity,
        "left": [data_uri(sheet(image[None], 1)) for image in blind.left],
        "right": [data_uri(sheet(image[None], 1)) for image in blind.right],
        "mask": masked(blind),
    }
    template = (resources.files("genlab.lessons.blind") / "blind.html").read_text("utf-8")
    height, width = blind.left.shape[2:]
    parts = {"data": embedded(data), "name": escape(str(blind.key["data"])), "ratio": f"{width} / {height}"}
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template)


def masked(blind: Blind) -> str:
    """What stands left and right in each trial, without names and scrambled: the page counts with it at the
    end, and nobody reads it in passing. Which run is which stands in the key alone."""
    codes = bytes(3 * CODES[left] + CODES[right] for left, right in blind.trials)
    return base64.b64encode(scrambled(codes, blind.identity)).decode()


def scrambled(data: bytes, identity: str) -> bytes:
    """Each byte with the next one of an xorshift generator (Marsaglia 2003); again, it is as it was."""
    state, out = int(identity[:8], 16) | 1, bytearray()
    for byte in data:
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        out.append(byte ^ state & 0xFF)
    return bytes(out)
