"""Samples of a TIFF's page as they are stored: true type, depth, byte order and layout.

Bytes of strips and tiles are decompressed by libtiff (see `libtiff`), what they mean is worked out
here by the tags alone; compressions of whole pictures have a room of their own (see `pictures`).
What none of them knows is refused by its name.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from segment.tiff.directory import LONG8, RATIONAL, UNDEFINED
from segment.tiff.layout import Layout, layout_of
from segment.tiff.libtiff import (
    BILEVEL,
    DEFLATE,
    JPEG,
    RGB,
    UNTOUCHED,
    YCBCR,
    Column,
    decompressed,
    decompresses,
)
from segment.tiff.pictures import check_codec, name_of, pictures, refused
from segment.tiff.stored import CUT_OFF, Damage, stored
from segment.tiff.unpacking import (
    FLOATING,
    HORIZONTAL,
    REVERSED,
    sample_type,
    undo_differences,
    unpacked,
    unpredicted_floats,
)

NONE = 1  # predictor
UNCOMPRESSED, PACKBITS = 1, 32773
WITHOUT_PREDICTOR = {UNCOMPRESSED, PACKBITS}
PREDICTOR, SAMPLE_FORMAT, JPEG_TABLES = 317, 339, 347
FAX_OPTIONS = (292, 293)
YCBCR_TAGS = {529: RATIONAL, 530: LONG8, 531: LONG8, 532: RATIONAL}
NAMES = {3: "floats", 5: "complex numbers", 6: "complex numbers"}  # by the tag SampleFormat
AT_ONCE = 1 << 21  # bytes decompressed in one go: few enough to stay in the processor's cache


@dataclass(frozen=True)
class Samples:
    """What a page holds.

    Attributes
    ----------
    values : (H, W, C) array
        In the type and the units of the file.
    photometric : int
        What they stand for, by TIFF's number: RGB where YCbCr has been converted.
    absent : (H, W, C) bool array or None
        Samples in strips or tiles that the file leaves out, or that are damaged.
    """

    values: NDArray[Any]
    photometric: int
    absent: NDArray[np.bool_] | None = None


def read_samples(page: Any, file: IO[bytes], lenient: bool, offset: int | None = None) -> Samples:
    """Return the samples of a page.

    Parameters
    ----------
    page : tifffile.TiffPage
    file : binary file
    lenient : bool
        Go on where something is damaged or missing, which is absent then.
    offset : int, optional
        As `layout_of` has it.

    Raises
    ------
    ImageFileError
        If it is of a kind that nothing here reads, or that takes imagecodecs.
    Exception
        Any other if it is damaged.
    """
    check_kind(page)
    layout = layout_of(page, offset)
    if not (layout.is_complete() or lenient):
        raise EOFError("strips or tiles are missing")
    layout = layout.completed(file.seek(0, 2))
    damage = Damage(lenient)
    values = decoded(page, file, layout, damage)
    return Samples(values, meaning(page), damage.absent(layout))


def check_kind(page: Any) -> None:
    """Refuse, before any decoding, a page of a kind that nothing here reads.

    Raises
    ------
    ImageFileError
    """
    _way(page)


def meaning(page: Any) -> int:
    """Return what the samples of a page stand for once they are decoded, by TIFF's number."""
    return RGB if page.photometric == YCBCR else int(page.photometric)


def decoded(page: Any, file: IO[bytes], layout: Layout, damage: Damage) -> NDArray[Any]:
    """Return the samples of the page, or of those segments that a window of its layout has.

    Parameters
    ----------
    page : tifffile.TiffPage
        As `check_kind` takes it.
    file : binary file
    layout : Layout
        The page's, or a window of it: the same bytes become the same samples.
    damage : Damage
        Gets the segments that are damaged or cut off, whose samples are 0 or what there is.

    Returns
    -------
    samples : (H, W, C) array
        Of the size of the layout.

    Raises
    ------
    DamagedSegmentError
        If one is damaged, and that is not allowed.
    """
    return layout.joined(_way(page)(page, file, layout, damage))


def palette_of(page: Any) -> NDArray[np.uint8]:
    """Return the colours of a palette, (N, 3), whose tag has 16 bits, in old files 8."""
    table = np.asarray(page.colormap, dtype=np.uint16).T
    return (table >> 8 if table.max(initial=0) > 255 else table).astype(np.uint8)


def _way(page: Any) -> Callable[..., NDArray[Any]]:
    """Choose what decodes a page, and refuse what nothing does."""
    compression, bits = int(page.compression), page.bitspersample
    formats = page.tags.valueof(SAMPLE_FORMAT, 1)
    if not isinstance(bits, int) or (isinstance(formats, tuple) and len(set(formats)) > 1):
        raise refused("samples of several types")
    if page.photometric == YCBCR:
        return _way_of_ycbcr(page)
    if compression == JPEG and bits == 8 and page.samplesperpixel in UNTOUCHED:
        return _jpeg
    if compression in BILEVEL:
        if bits != 1 or page.samplesperpixel != 1:
            raise refused(f"fax compression of {page.samplesperpixel} x {bits} bits")
        return _fax
    if compression == UNCOMPRESSED or decompresses(compression):
        _check_samples(page)
        return _plain
    check_codec(page)
    return pictures


def _way_of_ycbcr(page: Any) -> Callable[..., NDArray[Any]]:
    compression = int(page.compression)
    known = compression in (UNCOMPRESSED, JPEG) or decompresses(compression)
    if not known or (page.bitspersample, page.samplesperpixel, page.planarconfig) != (8, 3, 1):
        raise refused(
            f"YCbCr of {page.samplesperpixel} x {page.bitspersample} bits with "
            f"{name_of(page.compression)} compression"
        )
    return _jpeg if compression == JPEG else _ycbcr


def _check_samples(page: Any) -> None:
    bits, sample_format = int(page.bitspersample), int(page.sampleformat)
    dtype = sample_type(sample_format, bits)
    if dtype is None:
        raise refused(f"{NAMES.get(sample_format, 'samples')} of {bits} bits")
    predictor = int(page.predictor)
    fits = {
        NONE: True,
        HORIZONTAL: bits in (8, 16, 32, 64),
        FLOATING: dtype.kind == "f",
    }
    if not fits.get(predictor) or (predictor != NONE and page.compression in WITHOUT_PREDICTOR):
        raise refused(
            f"predictor {predictor} on {bits} bits with {name_of(page.compression)} compression"
        )


def _plain(page: Any, file: IO[bytes], layout: Layout, damage: Damage) -> NDArray[Any]:
    """Decode bytes: any type, depth and byte order, with or without a predictor."""
    bits, count = int(page.bitspersample), layout.columns * layout.samples
    width = math.ceil(count * bits / 8)
    if page.compression == UNCOMPRESSED:
        rows = _uncompressed(file, layout, width, damage)
        if page.fillorder == 2:
            rows = np.frombuffer(REVERSED, np.uint8)[rows]
    else:
        column = _bytes_column(page, layout, width)
        rows = _decompressed(_pieces(page, file, layout, damage), layout, column, damage)
    rows = rows.reshape(-1, width)
    dtype = sample_type(int(page.sampleformat), bits)
    assert dtype is not None  # _check_samples
    shape = (-1, layout.rows, layout.columns, layout.samples)
    if page.predictor == FLOATING:
        return unpredicted_floats(rows, layout.samples, dtype).reshape(shape)
    samples = unpacked(rows, count, bits, dtype, page.parent.byteorder)
    if page.predictor == HORIZONTAL and not _undone_by_libtiff(page, layout):
        undo_differences(samples.reshape(len(rows), layout.columns, layout.samples))
    return samples.reshape(shape)


def _bytes_column(page: Any, layout: Layout, width: int) -> Column:
    compression = int(page.compression)
    if not _undone_by_libtiff(page, layout):
        return Column(compression, width, layout.rows)
    tags = {PREDICTOR: (LONG8, (HORIZONTAL,))}
    return Column(compression, layout.columns, layout.rows, layout.samples, tags=tags)


def _undone_by_libtiff(page: Any, layout: Layout) -> bool:
    """Return whether libtiff can undo the predictor: of bytes, usual, in half of NumPy's time."""
    few = page.bitspersample == 8 and layout.samples in UNTOUCHED
    return few and bool(page.predictor == HORIZONTAL)


def _uncompressed(file: IO[bytes], layout: Layout, width: int, damage: Damage) -> NDArray[np.uint8]:
    """Read rows of bytes as many as there must be, for counts are often sloppy."""
    rows = np.zeros((layout.number, layout.rows, width), np.uint8)
    for segment in np.flatnonzero(~layout.left_out()).tolist():
        file.seek(layout.offsets[segment])
        expected = rows[segment, : layout.rows_of(segment)].reshape(-1)
        got = file.readinto(expected)  # type: ignore[attr-defined]
        if got < len(expected):
            damage.add(layout, segment, EOFError(CUT_OFF), got // width)
    return rows


def _fax(page: Any, file: IO[bytes], layout: Layout, damage: Damage) -> NDArray[Any]:
    tags = {code: (LONG8, (page.tags.valueof(code),)) for code in FAX_OPTIONS if code in page.tags}
    column = Column(int(page.compression), layout.columns, layout.rows, bits=1, tags=tags)
    packed = _decompressed(_pieces(page, file, layout, damage), layout, column, damage)
    bits = np.unpackbits(packed.reshape(-1, packed.shape[2]), axis=1, count=layout.columns)
    return bits.reshape(-1, layout.rows, layout.columns, 1)


def _jpeg(page: Any, file: IO[bytes], layout: Layout, damage: Damage) -> NDArray[Any]:
    photometric = YCBCR if page.photometric == YCBCR else None
    tags = _tags(page, YCBCR_TAGS) if photometric else {}
    tables = page.tags.valueof(JPEG_TABLES)
    if isinstance(tables, bytes):
        tags[JPEG_TABLES] = (UNDEFINED, tables)
    column = Column(JPEG, layout.columns, layout.rows, layout.samples, 8, photometric, tags)
    return _decompressed(_pieces(page, file, layout, damage), layout, column, damage)


def _ycbcr(page: Any, file: IO[bytes], layout: Layout, damage: Damage) -> NDArray[Any]:
    """Decode colours of which several pixels share the hue, packed in bytes."""
    pieces, compression = _pieces(page, file, layout, damage), int(page.compression)
    if compression == UNCOMPRESSED:  # which Pillow does not give to libtiff, that alone can do it
        pieces, compression = (piece and zlib.compress(piece, 0) for piece in pieces), DEFLATE
    tags = _tags(page, YCBCR_TAGS)
    column = Column(compression, layout.columns, layout.rows, 3, 8, YCBCR, tags)
    return _decompressed(pieces, layout, column, damage)


def _tags(page: Any, kinds: dict[int, int]) -> dict[int, tuple[int, Any]]:
    tags = page.tags
    return {code: (kind, tags.valueof(code)) for code, kind in kinds.items() if code in tags}


def _pieces(page: Any, file: IO[bytes], layout: Layout, damage: Damage) -> Iterator[bytes]:
    """Read the compressed bytes of each segment, all of them: JPEG fills in what is cut off."""
    turned = page.fillorder == 2 and page.compression != JPEG
    for piece in stored(file, layout, damage):
        yield piece.translate(REVERSED) if turned else piece


def _decompressed(
    pieces: Iterable[bytes], layout: Layout, column: Column, damage: Damage
) -> NDArray[np.uint8]:
    """Decompress segments to (N, rows, width, samples), 0 where one is left out.

    In lots, so that libtiff holds few beside those that are done; a lot ends with a plane, for
    only the last segment of a column may be shorter.
    """
    width = column.width if column.bits == 8 else math.ceil(column.width / 8)
    content = np.zeros((layout.number, layout.rows, width, column.samples), np.uint8)
    per_plane = layout.number // layout.planes
    gone = layout.left_out()
    most = max(1, AT_ONCE // max(1, content[0].nbytes))
    lot: list[int] = []
    held: list[bytes] = []
    for segment, piece in enumerate(pieces):
        if piece and not gone[segment]:  # of nothing libtiff would tell the terminal
            lot.append(segment)
            held.append(piece)
        if held and (len(held) == most or (segment + 1) % per_plane == 0):
            _put(content, held, lot, layout, column, damage)
            lot, held = [], []
    return content


def _put(
    content: NDArray[np.uint8],
    pieces: list[bytes],
    lot: list[int],
    layout: Layout,
    column: Column,
    damage: Damage,
) -> None:
    """Decompress some segments into their places; one by one if one is damaged."""
    try:
        rows = decompressed(pieces, column, sum(map(layout.rows_of, lot)))
    except MemoryError:
        raise
    except Exception as error:  # whatever its bytes bring about
        for piece, segment in zip(pieces, lot, strict=True):
            if len(lot) > 1:
                _put(content, [piece], [segment], layout, column, damage)
            else:
                damage.add(layout, segment, error)
        return
    at = 0
    for segment in lot:
        count = layout.rows_of(segment)
        content[segment, :count] = rows[at : at + count]
        at += count
