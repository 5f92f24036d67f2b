"""What ImageJ and Fiji open: label maps that they show in colours, outlines for the ROI Manager."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import MissingPackageError
from segment.pixels.lab import lab_bytes
from segment.reading.picture import Kept
from segment.regions.outlines import region_polygons
from segment.tiff.places import with_no_data
from segment.writing import MADE_HERE

if TYPE_CHECKING:
    from roifile import ImagejRoi

ENTRIES = 256  # of ImageJ's look-up tables, whatever the depth of the image
COLOR_MAP, SHORT = 320, 3  # the tag of a look-up table, of any depth, and its type
DARKEST, LIGHTEST = 30, 90  # of the L of colours that stand out on black and from white
LARGEST_SHORT = 32767  # an ROI's box, and the corners of a plain polygon, are of 16 bits
MOST_CORNERS = 65535  # of a plain polygon
MOVE, LINE, CLOSE = 0.0, 1.0, 4.0  # steps of a composite outline, as Java's path iterator has them


def write_colored_labels(file: IO[bytes], labels: NDArray[np.int32], kept: Kept) -> None:
    """Write a label map as ImageJ has its TIFFs: labels as they are, shown in distinct colours.

    Parameters
    ----------
    file : binary file
    labels : (H, W) int32 array
        0..2^24. ImageJ knows no whole numbers of 32 bits: beyond 65,535 they are float32, exact.
    kept : Kept
        The resolution with its unit, and the place on the map.

    Notes
    -----
    ImageJ spreads the 256 entries of a look-up table over the range of display. Up to 255
    segments, one is one entry, in all images the same. Beyond, K / 256 consecutive numbers share
    an entry: the numbers stay apart, the colours do not. The first entry is black, for 0; where
    there are more than 511 segments, it is also that of the first K / 512 of them, and therefore
    has a colour where no pixel has label 0.
    """
    import tifffile

    top = int(labels.max())
    kind = np.uint8 if top < 256 else np.uint16 if top < 65536 else np.float32
    table = look_up_table()
    if top >= ENTRIES and labels.all():
        table = np.roll(table, -1, axis=0)
    length = kept.resolution.length if kept.resolution else None
    tags = kept.geo if labels.all() else with_no_data(kept.geo)
    shown = {"min": 0.0, "max": float(max(top, ENTRIES - 1)), "hyperstack": False}
    tifffile.imwrite(
        file,
        labels.astype(kind),
        imagej=True,
        photometric="palette" if kind is np.uint8 else "minisblack",
        compression="zlib",
        compressionargs={"level": 1},
        metadata=shown | ({"unit": length} if length else {}),
        software=MADE_HERE.decode(),
        extratags=[(COLOR_MAP, SHORT, 3 * ENTRIES, _as_color_map(table), True), *tags],
        **(kept.resolution.tiff_options() if kept.resolution else {}),
    )


def _as_color_map(table: NDArray[np.uint8]) -> list[int]:
    """Return a table channel after channel in 16 bits."""
    return (table.T.astype(np.uint16) * 257).reshape(-1).tolist()


def look_up_table() -> NDArray[np.uint8]:
    """Return black and 255 colours, each as far as can be from all before it.

    Returns
    -------
    colors : (256, 3) uint8 array
        sRGB. Distances are those of CIE Lab, between black and white only.

    References
    ----------
    C. Glasbey, G. van der Heijden, V. Toh and A. Gray, "Colour displays for categorical images",
    Color Research and Application 32(4), 2007.

    Examples
    --------
    >>> look_up_table()[:3].tolist()
    [[0, 0, 0], [0, 0, 255], [0, 255, 0]]
    """
    steps = np.arange(0, 256, 17, dtype=np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    lab = lab_bytes(cube).astype(np.int32)
    seen = (lab[:, 0] >= DARKEST) & (lab[:, 0] <= LIGHTEST)
    cube, lab = cube[seen], lab[seen]
    ends = ((lab - end) ** 2 for end in ((0, 128, 128), (100, 128, 128)))
    nearest = np.minimum(*(squares.sum(axis=1) for squares in ends))
    colors = np.zeros((ENTRIES, 3), np.uint8)
    for place in range(1, ENTRIES):
        chosen = int(nearest.argmax())
        colors[place] = cube[chosen]
        nearest = np.minimum(nearest, ((lab - lab[chosen]) ** 2).sum(axis=1))
    return colors


def write_rois(file: IO[bytes], labels: NDArray[np.int32]) -> None:
    """Write the outlines of the segments as a set of ROIs that ImageJ's ROI Manager opens.

    Parameters
    ----------
    file : binary file
        Becomes a ZIP archive with an entry for each segment, named by its number.
    labels : (H, W) int32 array

    Raises
    ------
    MissingPackageError
        If roifile (extra `imagej`) is not installed.

    Notes
    -----
    An outline runs along the edges of the pixels, so an ROI's area is the segment's number of
    pixels. One with holes or of several parts is a composite ROI.
    """
    digits = len(str(int(labels.max())))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, roi in _rois(labels, digits):
            entry = zipfile.ZipInfo(f"{name}.roi")  # of no date: the same labels, the same bytes
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, roi.tobytes())


def _rois(labels: NDArray[np.int32], digits: int) -> Iterator[tuple[str, ImagejRoi]]:
    try:
        from roifile import ROI_TYPE, ImagejRoi
    except ImportError:
        raise MissingPackageError(
            "rois: expected roifile to be installed; pip install 'meanshift-segment[imagej]'"
        ) from None
    for label, geometry in region_polygons(labels):
        several = geometry["type"] == "MultiPolygon"
        parts = geometry["coordinates"] if several else [geometry["coordinates"]]
        rings = [np.asarray(ring[:-1]) for part in parts for ring in part]
        name = f"{label:0{digits}}"
        corners = np.concatenate(rings)
        left, top = corners.min(axis=0).tolist()
        right, bottom = corners.max(axis=0).tolist()
        sides = {"left": left, "top": top, "right": right, "bottom": bottom}
        if len(rings) == 1 and len(corners) <= MOST_CORNERS and max(right, bottom) <= LARGEST_SHORT:
            yield (
                name,
                ImagejRoi(
                    roitype=ROI_TYPE.TRACED,
                    name=name,
                    n_coordinates=len(corners),
                    integer_coordinates=(corners - [left, top]).astype(np.int32),
                    **sides,
                ),
            )
        else:
            path = np.concatenate([_path(ring) for ring in rings])
            box = {side: min(value, LARGEST_SHORT) for side, value in sides.items()}
            yield (
                name,
                ImagejRoi(
                    roitype=ROI_TYPE.RECT,
                    name=name,
                    shape_roi_size=len(path),
                    multi_coordinates=path,
                    **box,
                ),
            )


def _path(ring: NDArray[Any]) -> NDArray[np.float32]:
    """Return a ring as steps to its corners, the first without a line, and one that closes it."""
    steps = np.insert(ring.astype(np.float32), 0, LINE, axis=1)
    steps[0, 0] = MOVE
    return np.append(steps, np.float32(CLOSE))
