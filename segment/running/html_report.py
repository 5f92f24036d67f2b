"""The report of a run as HTML: one file with every image before and after."""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segment.drawing.pages import data_script, image_uri, page_around
from segment.drawing.region_trees import RegionTree, packed_tree, thumbnail_tree
from segment.drawing.thumbnails import Thumbnail
from segment.errors import ImageFileError
from segment.running.outcomes import Outcome
from segment.settings import Settings
from segment.streams import is_standard
from segment.writing import make_folder, write_whole

LONGEST = 320  # pixels of a thumbnail: 2,000 photos make a report of about 60 MB
PALETTE = 256  # segments that are listed beside those of the thumbnail
IN_MEMORY = 32_000_000  # bytes of entries that wait; more of them wait on the disk


class Segments(Protocol):
    """What the report tells of segments: `Segmentation`, or those of a scene."""

    @property
    def sizes(self) -> NDArray[np.int64]: ...
    @property
    def colors(self) -> NDArray[np.uint8]: ...


def report_entry(
    thumbnail: Thumbnail, segmentation: Segments, tree: RegionTree | None = None
) -> dict[str, Any]:
    """Return what the report holds of one image.

    Parameters
    ----------
    thumbnail : Thumbnail
    segmentation : Segmentation or SceneSegmentation
    tree : RegionTree, optional
        Of which the segmentation is a cut; the report has a slider through it.

    Returns
    -------
    entry : dict
        photo: a JPEG of at most 320 pixels a side, as data URI. map: a PNG of its size, as data
        URI, whose pixels are 0 for no segment or 1 + a row of `rows` (red + 256 green + 65536
        blue). rows: [label, pixels, colour as rrggbb], by pixels, descending. others: number of
        segments without a row: those beyond the 256 largest that the thumbnail does not show.
        tree: the tree of the thumbnail, packed, where there is one.
    """
    small = thumbnail.labels
    largest = np.argsort(-segmentation.sizes, kind="stable")
    listed = np.zeros(len(largest), bool)
    listed[largest[:PALETTE]] = True
    listed[small[small > 0] - 1] = True
    listed &= segmentation.sizes > 0
    order = largest[listed[largest]]
    places = np.zeros(len(largest) + 1, np.uint32)
    places[order + 1] = np.arange(1, len(order) + 1)
    codes = places[small].astype("<u4").view(np.uint8).reshape(*small.shape, 4)[:, :, :3]
    colors = [bytes(color).hex() for color in segmentation.colors[order]]
    sizes = segmentation.sizes[order].tolist()
    entry = {
        "photo": image_uri(thumbnail.photo, "JPEG", quality=82),
        "map": image_uri(Image.fromarray(np.ascontiguousarray(codes)), "PNG"),
        "rows": list(zip((order + 1).tolist(), sizes, colors, strict=True)),
        "others": int(np.count_nonzero(segmentation.sizes)) - len(order),
    }
    return (
        entry
        if tree is None
        else entry | {"tree": packed_tree(thumbnail_tree(tree, thumbnail.photo.size))}
    )


class HtmlReport:
    """Gathers what becomes of images, and writes the report at the end.

    Parameters
    ----------
    path : Path
    settings : Settings
        Of the run.
    segmented : Path, optional
        Of the recoloured image where it has a name of its own.
    """

    def __init__(self, path: Path, settings: Settings, segmented: Path | None = None) -> None:
        self.path = path
        self._segmented = segmented
        self._images: list[dict[str, Any]] = []
        self._told = {name: v for name, v in asdict(settings).items() if v is not None}
        self._changed = sorted(
            name for name, value in asdict(settings).items() if value != getattr(Settings, name)
        )
        self._entries = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  # close() closes

    def add(self, outcome: Outcome) -> None:
        """Take an image; its thumbnails wait outside of the memory if they are many.

        Raises
        ------
        ImageFileError
            If the disk takes no more of them.
        """
        links = {out: self._link(out) for out in outcome.outputs if not is_standard(out)}
        after = (links[out] for out in links if self._is_segmented(out))
        told = outcome.facts() | {
            "name": outcome.name,
            "link": None if is_standard(outcome.input) else self._link(outcome.input),
            "outputs": [[Path(out).name, link] for out, link in links.items()],
            "after": next(after, None),
        }
        if outcome.entry is not None:
            number = len(self._images)
            text = data_script(f"entry-{number}", outcome.entry)
            try:
                self._entries.write(text.encode() + b"\n")
            except OSError as error:
                raise ImageFileError(
                    f"cannot keep thumbnails for {self.path} in {tempfile.gettempdir()}: "
                    f"{error.strerror}; make room, or set TMPDIR to another folder"
                ) from None
        self._images.append(told | {"entry": outcome.entry is not None})

    def _is_segmented(self, output: str) -> bool:
        return output.endswith("_segmented.png") or Path(output) == self._segmented

    def _link(self, target: str) -> str:
        """Return a relative URL, from the bytes of the name: not every name is Unicode."""
        from urllib.parse import quote

        try:
            relative = os.path.relpath(target, self.path.parent)
        except ValueError:  # on another drive
            return Path(target).absolute().as_uri()
        return quote(os.fsencode(relative.replace(os.sep, "/")), safe="/.")

    def close(self) -> None:
        """Write the report, the whole file or nothing.

        Raises
        ------
        ImageFileError
            If the folder takes no file, or the disk is full.
        """
        import shutil

        head, tail = page_around(Path(__file__).with_name("html_report.html"))
        run = {"images": self._images, "settings": self._told, "changed": self._changed}
        data = data_script("run", run) + "\n"

        def write(file: Any) -> None:
            file.write(head.encode())
            file.write(data.encode())
            self._entries.seek(0)
            shutil.copyfileobj(self._entries, file)
            file.write(tail.encode())

        with self._entries:
            make_folder(self.path.parent)
            write_whole(self.path, write)
