"""Colours of an XPM in the one form that Pillow reads rightly.

Pillow takes the digits of #RGB and #RRRRGGGGBBBB for those of #RRGGBB, and knows no names. X11's
names are CSS's but for four; grey ones are numbered. Xlib, "Color Strings" and rgb.txt.
"""

from __future__ import annotations

import io
import re
from typing import IO

from PIL import ImageColor

from segment.errors import ImageFileError

LARGEST = 256 << 20  # bytes of such a text
OTHER_THAN_CSS = {"gray": "#bebebe", "green": "#00ff00", "maroon": "#b03060", "purple": "#a020f0"}
GREY = re.compile(r"gr[ae]y(\d{1,3})")
KEYS = ("c", "g", "g4", "m", "s")  # kinds of displays that an entry has a colour for, and its name


def with_plain_colors(file: IO[bytes]) -> IO[bytes]:
    """Return the text with all colours as ``#rrggbb`` or ``None``.

    Raises
    ------
    ImageFileError
        If a colour has a name that is not known, or none for colour displays.
    """
    file.seek(0)
    parts = file.read(LARGEST).split(b'"')  # what stands in quotes is every other one
    strings = range(1, len(parts), 2)
    head = parts[1].split() if len(parts) > 1 else []
    if len(head) < 4 or not all(word.isdigit() for word in head[:4]):
        raise EOFError("no header in it")
    count, size = int(head[2]), int(head[3])
    for at in strings[1 : count + 1]:
        key, entry = parts[at][:size], parts[at][size:].decode("latin-1")
        parts[at] = key + b" c " + plain(_for_color_displays(entry)).encode()
    return io.BytesIO(b'"'.join(parts))


def _for_color_displays(entry: str) -> str:
    """Return the value of the key ``c``, which may be of several words."""
    found: dict[str, list[str]] = {}
    words = entry.split()
    key = ""
    for word in words:
        if word in KEYS and (not key or found[key]):
            key = word
            found[key] = []
        elif key:
            found[key].append(word)
    for key in KEYS[:-1]:  # without colours, greys are the picture
        if found.get(key):
            return " ".join(found[key])
    raise ImageFileError("has an entry without a colour; save it as PNG")


def plain(color: str) -> str:
    """Return a colour as ``#rrggbb``, or ``None`` for transparency.

    Examples
    --------
    >>> plain("#f80"), plain("#ffff80800000"), plain("Gray"), plain("none")
    ('#ff8800', '#ff8000', '#bebebe', 'None')
    """
    name = color.lower().replace(" ", "")
    if name in ("none", "transparent"):
        return "None"
    digits = name[1:] if name.startswith("#") else ""
    size, rest = divmod(len(digits), 3)
    try:
        if digits and not rest and size <= 4:
            top = 16**size - 1
            values = (int(digits[at : at + size], 16) for at in range(0, 3 * size, size))
            return "#" + "".join(f"{(value * 255 + top // 2) // top:02x}" for value in values)
        if grey := GREY.fullmatch(name):
            return "#" + f"{int(min(int(grey[1]), 100) * 2.55 + 0.5):02x}" * 3
        name = OTHER_THAN_CSS.get(name.replace("grey", "gray"), name)
        return "#{:02x}{:02x}{:02x}".format(*ImageColor.getrgb(name)[:3])
    except ValueError:
        raise ImageFileError(
            f"has a colour that is not known here, {color!r}; save it as PNG"
        ) from None
