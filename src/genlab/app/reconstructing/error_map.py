"""Where a reconstruction differs from its original, in colours that all kinds of colour vision tell apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genlab.app.style import BLUE, ORANGE

SCALES = (0.1, 0.25, 0.5, 1.0)  # largest differences that a map's colours may stand for
MIDDLE = {False: (245, 245, 245), True: (24, 24, 28)}  # no difference, on a light and on a dark page

Levels = NDArray[np.float64]


def differences(image: NDArray[np.uint8], again: NDArray[np.uint8]) -> Levels:
    """(C, H, W) twice -> (H, W), pixels from 0 to 1: of grey images, `again` less `image`; of coloured ones,
    the mean size of the differences of their channels."""
    apart = (again.astype(np.float64) - image) / 255
    return apart[0] if len(apart) == 1 else np.asarray(np.abs(apart).mean(axis=0))


def scale_of(apart: Levels) -> float:
    """The least of SCALES that all but a hundredth of the differences fit in."""
    most = float(np.quantile(np.abs(apart), 0.99))
    return next((scale for scale in SCALES if most <= scale), SCALES[-1])


def coloured(apart: Levels, scale: float, dark: bool) -> NDArray[np.uint8]:
    """(H, W) -> (3, H, W): blue for −`scale`, orange for +`scale`, the page's own tone for 0."""
    middle = np.array(MIDDLE[dark], np.float64)
    ends = np.where(apart[..., None] < 0, rgb(BLUE), rgb(ORANGE))
    share = np.clip(np.abs(apart) / scale, 0, 1)[..., None]
    return np.round(middle + share * (ends - middle)).astype(np.uint8).transpose(2, 0, 1)


def key(scale: float, signed: bool, dark: bool) -> str:
    """The scale of a map as HTML: a ramp with its ends named."""
    middle = "rgb({}, {}, {})".format(*MIDDLE[dark])
    ramp = f"{BLUE}, {middle}, {ORANGE}" if signed else f"{middle}, {ORANGE}"
    left = f"−{scale:g} too dark" if signed else "0"
    right = f"too light +{scale:g}" if signed else f"{scale:g}"
    return (
        f'<div style="font-size:0.75rem;opacity:.85"><div style="height:6px;border-radius:3px;'
        f'background:linear-gradient(90deg, {ramp})"></div>'
        f'<div style="display:flex;justify-content:space-between"><span>{left}</span>'
        f"<span>{right}</span></div></div>"
    )


def rgb(colour: str) -> Levels:
    """ "#0072B2" -> (3,), from 0 to 255."""
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.float64)
