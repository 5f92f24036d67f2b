"""Files of kinds that no library here writes, byte by byte, and what they hold."""

import io
import struct
import sys
import zlib

import numpy as np

from segment.reading.files import read_pages
from segment.reading.reading_options import ReadingOptions
from tests.drawn import chunk

MODULES = ("imagecodecs", "astropy", "astropy.io", "pillow_heif", "pillow_jxl")


def on_a_plain_install(monkeypatch):
    """Hide what the extras bring."""
    for name in MODULES:
        monkeypatch.setitem(sys.modules, name, None)


def picture(folder, content, **options):
    """The first page of a file with that content."""
    path = folder / "file"
    path.write_bytes(content)
    return next(read_pages(path, ReadingOptions(**options)))


def by_pillow(image, kind, **options):
    """What Pillow writes."""
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def packed_bits(values, bits):
    """Rows of bytes of samples of 1, 2, 4, 8 or 16 bits, the first in the highest bits."""
    if bits >= 8:
        return values.astype(f">u{bits // 8}").reshape(len(values), -1).view(np.uint8)
    places = np.arange(bits)[::-1]
    rows = (values.reshape(len(values), -1, 1) >> places & 1).astype(np.uint8)
    return np.packbits(rows.reshape(len(values), -1), axis=1)


def png(values, bits, color, *chunks):
    """A PNG of any depth; `values` are (H, W) or (H, W, C)."""
    rows = b"".join(b"\0" + row.tobytes() for row in packed_bits(values, bits))
    header = struct.pack(">IIBBBBB", values.shape[1], len(values), bits, color, 0, 0, 0)
    parts = [chunk(b"IHDR", header), *chunks, chunk(b"IDAT", zlib.compress(rows))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + chunk(b"IEND", b"")


def psd(planes, mode, bits=8, packed=False, layers=0, long=False, resources=b"", palette=b""):
    """A PSD, or PSB where `long`, of planes (C, H, W); `layers` is their count, as it is stored."""
    channels, height, width = planes.shape
    wide = ">Q" if long else ">I"
    head = struct.pack(
        ">4sH6xHIIHH", b"8BPS", 1 + long, channels, height, width, bits, mode
    ) + struct.pack(">I", len(palette))
    section = struct.pack(wide, 4) + struct.pack(">hxx", layers) + bytes(4) if layers else b""
    rows = [row.tobytes() for plane in planes for row in packed_bits(plane, bits)]
    if packed:
        rows = [in_packbits(row) for row in rows]
        table = b"".join(struct.pack(">I" if long else ">H", len(row)) for row in rows)
    else:
        table = b""
    return b"".join(
        [head, palette, struct.pack(">I", len(resources)), resources]
        + [struct.pack(wide, len(section)), section, struct.pack(">H", packed), table, *rows]
    )


def resource(number, content):
    """An image resource of a PSD."""
    return b"8BIM" + struct.pack(">HxxI", number, len(content)) + content + bytes(len(content) % 2)


def in_packbits(row):
    """Bytes as runs and literals."""
    found = b""
    while row:
        run = len(row) - len(row.lstrip(row[:1]))
        take = min(run, 128)
        if take > 1:
            found += bytes([257 - take]) + row[:1]
        else:
            found += b"\0" + row[:1]
        row = row[take:]
    return found


def bmp(values, bits, masks=(), top_down=False, header=40, compression=None):
    """A BMP of pixels as numbers, (H, W), of 8 bits or more, in rows of four bytes' multiples."""
    height, width = values.shape
    rows = values if top_down else values[::-1]
    data = b""
    for row in rows:
        line = b"".join(int(pixel).to_bytes(bits // 8, "little") for pixel in row)
        data += line + bytes(-len(line) % 4)
    kind = (3 if masks else 0) if compression is None else compression
    info = struct.pack("<IiiHHIIiiII", header, width, -height if top_down else height, 1, bits,
                       kind, len(data), 2835, 2835, 0, 0)  # fmt: skip
    info = (info[:40] + struct.pack(f"<{len(masks)}I", *masks)).ljust(header, b"\0")
    info = struct.pack("<I", header) + info[4:]
    at = 14 + len(info)
    return struct.pack("<2sIHHI", b"BM", at + len(data), 0, 0, at) + info + data


def tga(values, attribute_bits, kind=2, top_down=False):
    """A TGA of (H, W, C) bytes in the order of the file, with so many bits called alpha."""
    height, width, channels = values.shape
    flags = attribute_bits | (0x20 if top_down else 0)
    head = struct.pack(
        "<BBBHHBHHHHBB", 0, 0, kind, 0, 0, 0, 0, 0, width, height, 8 * channels, flags
    )
    return head + (values if top_down else values[::-1]).astype(np.uint8).tobytes()
