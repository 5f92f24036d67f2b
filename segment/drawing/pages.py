"""Pages of HTML that are one file each: scripts and styles put in, data made text."""

from __future__ import annotations

import base64
import io
import json
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MARK = "<!-- data -->"
PARTS = re.compile(
    r'<(?:script src="(?P<script>[^"]+)"></script>|link rel="stylesheet" href="(?P<style>[^"]+)">)'
)


def page_around(path: Path) -> tuple[str, str]:
    """Return what of a page comes before its data and what comes after.

    Parameters
    ----------
    path : Path
        An HTML file with the line ``<!-- data -->``. The scripts and styles that it names, by
        paths from its folder, stand in their places in what is returned.
    """

    def put_in(part: re.Match[str]) -> str:
        tag = "script" if part["script"] else "style"
        text = (path.parent / (part["script"] or part["style"])).read_text(encoding="utf-8")
        return f"<{tag}>\n{text}</{tag}>"

    before, after = PARTS.sub(put_in, path.read_text(encoding="utf-8")).split(MARK)
    return before, after


def data_script(name: str, value: Any) -> str:
    """Return an element that holds data; it is text to HTML, whatever is in it.

    Parameters
    ----------
    name : str
        Its id.
    value : object that JSON can spell

    Examples
    --------
    >>> print(data_script("run", ["</script>&"]))
    <script type="application/json" id="run">["\\u003c/script\\u003e\\u0026"]</script>
    """
    text = json.dumps(value, separators=(",", ":"))  # ASCII only
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return f'<script type="application/json" id="{name}">{text}</script>'


def packed(values: NDArray[Any], kind: str) -> str:
    """Return an array as text: its bytes, row by row, deflated, in base 64.

    Parameters
    ----------
    values : array
    kind : str
        The dtype to store, little-endian as JavaScript's typed arrays are on all machines in use.
    """
    rows = np.ascontiguousarray(values, dtype=np.dtype(kind).newbyteorder("<"))
    return base64.b64encode(zlib.compress(rows.tobytes())).decode()


def image_uri(image: Image.Image, kind: str, **options: Any) -> str:
    """Return an image as a data URI, encoded by Pillow with these options."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"
