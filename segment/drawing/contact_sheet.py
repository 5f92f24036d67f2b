"""Pictures side by side on one sheet, each with a caption under it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from segment.drawing.scaling import SHORTEST

FONT_SIZE = 17
GAP = 18
WIDE = 1.5  # times as wide as high is what a sheet should be, as screens are
PAPER, INK, FAINT = (250, 250, 248), (24, 24, 24), (96, 96, 96)


class Panel(NamedTuple):
    """A picture and the lines under it, the first one strong.

    Attributes
    ----------
    picture : (h, w, 3) uint8 array or None
        None draws an empty frame.
    caption : tuple of str
    """

    picture: NDArray[np.uint8] | None
    caption: tuple[str, ...]


def contact_sheet(panels: Sequence[Panel]) -> Image.Image:
    """Draw panels row by row on a sheet that is about one and a half times as wide as high.

    Parameters
    ----------
    panels : sequence of Panel
        At least one; their pictures as `fit_panel` returns them.

    Returns
    -------
    sheet : PIL image, RGB

    Examples
    --------
    >>> panel = Panel(np.zeros((240, 240, 3), np.uint8), ("original",))
    >>> contact_sheet([panel] * 4).size
    (534, 598)
    """
    font = ImageFont.load_default(FONT_SIZE)
    line = round(1.5 * FONT_SIZE)
    texts = [font.getlength(text) for panel in panels for text in panel.caption]
    sizes = [panel.picture.shape[:2] for panel in panels if panel.picture is not None]
    high = max((size[0] for size in sizes), default=SHORTEST)
    wide = max(math.ceil(max(texts)), *(size[1] for size in sizes), 1)
    cell = wide + GAP, high + GAP + line * max(len(panel.caption) for panel in panels) + line // 4
    columns = _columns(len(panels), cell)
    rows = -(-len(panels) // columns)
    sheet = Image.new("RGB", (columns * cell[0] + GAP, rows * cell[1] + GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    for i, panel in enumerate(panels):
        left = GAP + i % columns * cell[0]
        top = GAP + i // columns * cell[1]
        if panel.picture is None:
            draw.rectangle((left, top, left + wide - 1, top + high - 1), outline=FAINT)
        else:  # on the caption's side of its cell, so that the eye finds which is whose
            picture = Image.fromarray(panel.picture)
            sheet.paste(picture, (left, top + high - picture.height))
        for k, text in enumerate(panel.caption):
            place = left, top + high + line // 4 + k * line
            draw.text(place, text, INK if k == 0 else FAINT, font)
    return sheet


def _columns(count: int, cell: tuple[int, int]) -> int:
    """Return the number of columns that comes nearest to the shape; fewest holes at a tie."""

    def distance(columns: int) -> tuple[float, int]:
        rows = -(-count // columns)
        shape = columns * cell[0] / (rows * cell[1])
        return abs(math.log(shape / WIDE)) + (rows * columns - count) / count, columns

    return min(range(1, count + 1), key=distance)
