"""The explorer: one page with an image and a slider through its tree of regions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from segment.drawing.pages import data_script, image_uri, page_around
from segment.drawing.region_trees import RegionTree, packed_tree
from segment.drawing.scaling import shrunk_size
from segment.errors import InvalidInputError
from segment.pixels.image import pixels_of

LONGEST = 8192  # side of the photo: beyond it browsers scale down themselves, or refuse
TINY = 65536  # pixels up to which the photo is kept exactly: such images are looked at one by one
FIRST = 12  # regions that are shown at first


def explorer_page(
    image: NDArray[Any],
    tree: RegionTree,
    *,
    name: str,
    stem: str,
    command: str,
    segments: int = FIRST,
    keep: Sequence[int] = (),
) -> str:
    """Return the page.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array
        As `segment_image` takes it.
    tree : RegionTree
        Of the image.
    name : str
        Of the image, for the title; any characters.
    stem : str
        What the names of its results begin with, for the label map that is saved.
    command : str
        What computes the tree again, quoted for a shell. The page adds ``--segments N`` or
        ``--level X`` and ``--keep ID,ID``, the numbers of `cut_tree`, when a choice is copied.
    segments : int, >= 1, default 12
        Regions that are shown at first.
    keep : sequence of int
        Regions that are kept at first, as `cut_tree` takes them.

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
        "stem": stem,
        "command": command,
        "width": width,
        "height": height,
        "segments": segments,
        "kept": sorted(keep),
        "photo": _photo(image),
    }
    before, after = page_around(Path(__file__).with_name("explorer.html"))
    data = [data_script("facts", facts), data_script("tree", packed_tree(tree))]
    return "\n".join([before, *data, after])


def _photo(image: NDArray[Any]) -> str:
    photo = Image.fromarray(pixels_of(image).rgb())
    if photo.width * photo.height <= TINY:
        return image_uri(photo, "PNG")
    size = shrunk_size((photo.height, photo.width), LONGEST)
    return image_uri(photo.resize(size, Image.Resampling.BOX), "JPEG", quality=88)
