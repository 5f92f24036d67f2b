"""The explorer: one page with an image and a slider through its tree of regions."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segment.drawing.pages import data_script, image_uri, packed, page_around
from segment.drawing.scaling import shrunk_size
from segment.errors import InvalidInputError
from segment.pixels.image import pixels_of

LONGEST = 8192  # side of the photo: beyond it browsers scale down themselves, or refuse
TINY = 65536  # pixels up to which the photo is kept exactly: such images are looked at one by one
FIRST = 12  # regions that are shown at first


class RegionTree(Protocol):
    """What the explorer needs to know of a hierarchy of regions.

    Attributes
    ----------
    labels : (H, W) int32 array
        Base regions 1..n in scan order of their first pixels; 0 for none.
    merges : (m, 4) float64 array
        As SciPy's linkage has them: the two regions, the height, the pixels; heights never fall.
    colors : (n, 3) uint8 array
        Mean colours of the base regions.
    sizes : (n,) int64 array
        Pixels of the base regions.
    """

    @property
    def labels(self) -> NDArray[np.int32]: ...
    @property
    def merges(self) -> NDArray[np.float64]: ...
    @property
    def colors(self) -> NDArray[np.uint8]: ...
    @property
    def sizes(self) -> NDArray[np.int64]: ...


def explorer_page(
    image: NDArray[Any],
    tree: RegionTree,
    *,
    name: str,
    command: str,
    segments: int = FIRST,
) -> str:
    """Return the page.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array
        As `segment_image` takes it.
    tree : RegionTree
        Of the image.
    name : str
        Of the image, for the title and the names of downloads; any characters.
    command : str
        What computes the tree again, quoted for a shell. The page adds ``--segments N`` or
        ``--level X`` and ``--keep ID,ID``, the numbers of `cut_tree`, when a choice is copied.
    segments : int, >= 1, default 12
        Regions that are shown at first.

    Returns
    -------
    page : str
        HTML that loads nothing. A photo of 12 million pixels gives about 10 MB.

    Raises
    ------
    InvalidInputError
        If image and tree do not have the same size.
    """
    height, width = tree.labels.shape
    if image.shape[:2] != (height, width):
        raise InvalidInputError(
            f"image: expected shape {(height, width)} like the tree's, got {image.shape[:2]}; "
            "give the image that the tree was made of"
        )
    facts = {
        "name": name,
        "stem": Path(name).stem,
        "command": command,
        "width": width,
        "height": height,
        "segments": segments,
        "photo": _photo(image),
    }
    before, after = page_around(Path(__file__).with_name("explorer.html"))
    data = [data_script("facts", facts), data_script("tree", packed_tree(tree))]
    return "\n".join([before, *data, after])


def packed_tree(tree: RegionTree) -> dict[str, Any]:
    """Return a tree of regions as `region_tree.js` unpacks it."""
    wide = "u2" if len(tree.sizes) < 65536 else "u4"
    return {
        "leaves": len(tree.sizes),
        "wide": wide == "u4",
        "labels": packed(tree.labels, wide),
        "children": packed(tree.merges[:, :2], "u4"),
        "heights": packed(tree.merges[:, 2], "f8"),
        "colors": packed(tree.colors, "u1"),
        "sizes": packed(tree.sizes, "f8"),  # exact up to 2^53
    }


def _photo(image: NDArray[Any]) -> str:
    photo = Image.fromarray(pixels_of(image).rgb())
    if photo.width * photo.height <= TINY:
        return image_uri(photo, "PNG")
    size = shrunk_size((photo.height, photo.width), LONGEST)
    return image_uri(photo.resize(size, Image.Resampling.BOX), "JPEG", quality=88)
