"""Names given by the user to images: folders are looked into, lists are read."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from segment.results.naming import OWN_NAME
from segment.streams import is_standard
from segment.writing import MADE_HERE
from segment.zarr_folders import is_zarr

# What `signatures` tells and Pillow opens, with plug-ins for HEIC and JPEG XL; no drawings, videos
# or containers of data. Asking Pillow itself would import its 45 plug-ins: 50 ms.
IMAGES = """
    apng avif avifs blp bmp bw cur dcx dds dib fit fits gif heic heif hif icb icns ico im j2c j2k
    jfif jp2 jpc jpe jpeg jpf jpg jpx jxl mpo msp pbm pcd pcx pfm pgm png pnm ppm psb psd pxr qoi
    ras rgb rgba sgi tga tif tiff vda vst webp xbm xpm
"""
EXTENSIONS = frozenset(f".{name}" for name in IMAGES.split())
HEAD = 1 << 17  # bytes: a colour profile, or the places of a large TIFF's strips, come first
TAIL = 4096  # bytes: behind the pixels of a PNG, where the profile may be longer than that


class Input(NamedTuple):
    """One image as it was named.

    Attributes
    ----------
    name : str
        The path as given, or as it follows from the folder that was given.
    folder : str
        Its folder below the one that was given: "" for images named themselves.
    identity : str
        Its absolute path without links: the same for the same file, however it is spelt;
        ``-`` for standard input.
    """

    name: str
    folder: str
    identity: str


class Wrong(NamedTuple):
    """A folder that gives no image.

    Attributes
    ----------
    name : str
    reason : str
    place : int
        How many images were found before it.
    """

    name: str
    reason: str
    place: int


@dataclass
class Inputs:
    """What was found under the names that the user gave.

    Attributes
    ----------
    images : list of Input
        In the order of the names; within a folder sorted; no file twice.
    wrong : list of Wrong
    others : int
        Files in the folders that are not images.
    own : int
        Files in the folders that this tool wrote.
    """

    images: list[Input] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)
    others: int = 0
    own: int = 0


def find_inputs(names: Iterable[str], *, recursive: bool = False) -> Inputs:
    """Find the images under the names.

    Parameters
    ----------
    names : iterable of str
        Files, taken whatever their extension is, folders of Zarr, each an image, ``-`` for
        standard input, and other folders: of those, files with the extension of an image that
        are neither hidden nor written by this tool.
    recursive : bool, default False
        Look into the folders in the folders, too. Links are followed; no folder twice.

    Returns
    -------
    inputs : Inputs
    """
    found = Inputs()
    seen: set[str] = set()
    for name in names:
        if is_zarr(name):
            images = [_named(os.path.normpath(name))]  # shells complete folders by a slash
        elif not is_standard(name) and os.path.isdir(name):
            images = _images_in(name, recursive, found)
        else:
            images = [_named(name)]
        for image in images:
            if image.identity not in seen:
                seen.add(image.identity)
                found.images.append(image)
    return found


def read_names(file: str, separator: bytes) -> list[str]:
    """Read the names in a list, ``-`` for standard input; OSError where there is none.

    ValueError where there are NULs in what should be lines: no name has one.

    Parameters
    ----------
    file : str
    separator : {b"\\n", b"\\0"}
        Lines may end as on Windows; a name that holds a line end needs NUL.
    """
    if is_standard(file):
        if sys.stdin is None:
            raise OSError(errno.EBADF, "standard input is closed")
        content = sys.stdin.buffer.read()
    else:
        with open(file, "rb") as stream:
            content = stream.read()
    names = content.split(separator)
    if separator == b"\n":
        if b"\0" in content:
            raise ValueError("holds NUL, which no name does; expected lines, or --files0-from")
        names = [name.removesuffix(b"\r") for name in names]
    return [os.fsdecode(name) for name in names if name]


def _named(name: str) -> Input:
    """Return an image that was named itself: a file, even if it is called ``./-``, or Zarr."""
    if is_standard(name):
        return Input(name, "", name)
    if is_standard(os.path.normpath(name)):
        name = os.path.abspath(name)
    return Input(name, "", os.path.realpath(name))


def _images_in(root: str, recursive: bool, found: Inputs) -> list[Input]:
    images: list[Input] = []
    wrong, own = len(found.wrong), found.own
    for path, folder, identity, entries in _folders(root, recursive, found):
        written = _written_here(path, entries)
        for entry in entries:
            if os.path.splitext(entry.name)[1].lower() not in EXTENSIONS or not _is(entry.is_file):
                found.others += not _is(entry.is_dir)
            elif entry.name in written:
                found.own += 1
            else:
                real = os.path.join(identity, entry.name)
                real = os.path.realpath(real) if entry.is_symlink() else real
                images.append(Input(os.path.join(path, entry.name), folder, real))
    if not images and len(found.wrong) == wrong:
        if found.own > own:
            what, look = "with nothing but results of this tool", "name that of the images"
        else:
            what = "without images"
            look = "name another" if recursive else "-r looks into the folders in it"
        found.wrong.append(Wrong(root, f"is a folder {what}; {look}", len(found.images)))
    return sorted(images, key=lambda image: (image.folder, image.name))


def _folders(
    root: str, recursive: bool, found: Inputs
) -> Iterator[tuple[str, str, str, list[os.DirEntry[str]]]]:
    """Walk the folders: path, path below the root, identity, entries that are not hidden.

    Links wait until all real folders are done: an image that is reached both ways is found
    where it is, and a link that leads upwards leads to what was seen.
    """
    seen: set[str] = set()
    waiting, links = [(root, "")], list[tuple[str, str]]()
    while waiting or links:
        path, folder = (waiting or links).pop()
        identity = os.path.realpath(path)
        if identity in seen:
            continue
        seen.add(identity)
        try:
            with os.scandir(path) as listing:
                entries = [entry for entry in listing if not entry.name.startswith(".")]
        except OSError as error:
            reason = f"cannot be listed: {error.strerror}; check its permissions"
            found.wrong.append(Wrong(path, reason, len(found.images)))
            continue
        yield path, folder, identity, entries
        for entry in entries if recursive else ():
            if _is(entry.is_dir):
                queue = links if entry.is_symlink() else waiting
                queue.append((entry.path, os.path.join(folder, entry.name)))


def _is(kind: Callable[[], bool]) -> bool:
    """Ask an entry what it is; a link to itself is nothing."""
    try:
        return kind()
    except OSError:
        return False


def _written_here(path: str, entries: list[os.DirEntry[str]]) -> set[str]:
    """Return the names of the tool's own results in a folder: named like one, and marked inside."""
    return {
        entry.name
        for entry in entries
        if OWN_NAME.fullmatch(entry.name)
        and _is(entry.is_file)  # a pipe would wait for a writer, a device is none of our business
        and _is_marked(os.path.join(path, entry.name))
    }


def _is_marked(path: str) -> bool:
    """Look for the mark where writers put it: before the pixels, and at the end."""
    try:
        with open(path, "rb", buffering=0) as file:
            if MADE_HERE in file.read(HEAD):
                return True
            file.seek(max(HEAD, os.fstat(file.fileno()).st_size - TAIL))
            return MADE_HERE in file.read(TAIL)
    except OSError:
        return False
