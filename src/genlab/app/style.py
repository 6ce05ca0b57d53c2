"""How the pages look, and how words that are not ours are shown."""

from __future__ import annotations

import re

# Okabe & Ito (2008): told apart by every kind of colour vision, and legible on white and on black.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#888888"

SHEET = 462  # pixels that a sheet of 8 × 8 images of 28 × 28 is wide, each pixel shown as 2 × 2

CSS = """
<style>
[data-testid="stMainBlockContainer"] { max-width: 1120px; padding: 1.6rem 2rem 2rem; }
[data-testid="stImageContainer"] img { image-rendering: pixelated; border-radius: 3px; }
[data-testid="stCaptionContainer"] p { line-height: 1.35; }
[data-testid="stMetricValue"] { font-variant-numeric: tabular-nums; }
[data-testid="stHeader"] { background: transparent; pointer-events: none; }
[data-testid="stHeader"] button { pointer-events: auto; }
</style>
"""

MARKED = re.compile(r"([\\`*_{}\[\]<>()#$~:|!&])")


def plain(text: object) -> str:
    """`text` as Markdown that shows it letter by letter, on one line."""
    return MARKED.sub(r"\\\1", " ".join(str(text).split()))


def duration(seconds: float) -> str:
    """As in "38 s" or "2 min 5 s"."""
    whole = max(0, round(seconds))
    return f"{whole} s" if whole < 100 else f"{whole // 60} min {whole % 60} s"


def count(number: float) -> str:
    """As in "12 300", with thin spaces."""
    return f"{number:,.0f}".replace(",", "\u202f")
