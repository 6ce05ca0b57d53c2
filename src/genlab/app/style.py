"""How the pages look, and how words that are not ours are shown."""

from __future__ import annotations

import re

# Okabe & Ito (2008): told apart by every kind of colour vision; their lighter kin on a dark page.
BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
ON_DARK = {BLUE: "#56B4E9", ORANGE: "#E69F00"}

# Okabe & Ito's, and four more in between; labels tell classes apart where colours do not.
PALETTE = (
    BLUE, "#E69F00", GREEN, "#CC79A7", "#56B4E9", ORANGE, "#B5A800", "#7A5195", "#8C8C8C", "#8B4513",
    "#003F5C", "#EF5675",
)  # fmt: skip

SHEET = 462  # pixels that a sheet of 8 × 8 images of 28 × 28 is wide, each pixel shown as 2 × 2

CSS = """
<style>
[data-testid="stMainBlockContainer"] { max-width: 1024px; padding: 1.1rem 2rem 2rem; }
[data-testid="stMainBlockContainer"] h3 { padding: 0.2rem 0 0.6rem; }
[data-testid="stImageContainer"] img { image-rendering: pixelated; border-radius: 3px; }
[data-testid="stCaptionContainer"] p { line-height: 1.35; }
.chart { margin-bottom: 0.35rem; }
.chart small, .chart p { opacity: 0.72; }
.chart > div { display: flex; gap: 0.4rem; align-items: baseline; }
.chart small { margin-right: auto; }
.chart .value { margin-left: 0.6rem; font-variant-numeric: tabular-nums; }
.chart p { font-size: 0.85rem; line-height: 1.3; margin: 0.1rem 0 0; }
.chart img { width: 100%; display: block; margin-top: 0.2rem; }
.chart i { display: inline-block; width: 1.4rem; vertical-align: middle; }
[data-testid="stMetricValue"] { font-variant-numeric: tabular-nums; font-size: 1.6rem; }
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
