"""Results to files: each appears under its name only when it is complete.

It is written beside its target under a passing name, which begins with a dot, tells the machine and
the process, and ends in ``.part``; then it is renamed. What a process that was killed left of such
files can be told from what others are at work on.
"""

from __future__ import annotations

import contextlib
import contextvars
import io
import itertools
import os
import platform
import re
import threading
import time
import zlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import IO

from segment.errors import ImageFileError
from segment.streams import is_standard, write_stdout

MADE_HERE = b"meanshift-segment"  # every PNG and TIFF we write says so, as its software
# GDAL takes no other names for GeoPackage and FlatGeobuf than end so, and puts files of its own
# beside them while it writes.
PART = re.compile(
    r"\.([0-9a-f]{8})-([0-9a-f]+)-[0-9a-f]+\.part((_temp)?\.(fgb|gpkg(-journal|-wal|-shm)?))?"
)
FORGOTTEN = 24 * 3600.0  # seconds after which a part is nobody's any more: no image takes a day


_numbers = itertools.count()  # of the process: no clock ticks as often as threads write


class _Parts:
    """The passing names of a run, and whether it may have more."""

    def __init__(self) -> None:
        self.names: set[Path] = set()
        self.ended = False
        self.lock = threading.Lock()


# Threads inherit those of their run; what belongs to no run shares those of the process.
_parts_under_way = contextvars.ContextVar("parts_under_way", default=_Parts())  # noqa: B039


@contextlib.contextmanager
def passing(path: Path, ending: str = "") -> Iterator[Path]:
    """Yield the name of an empty file beside the target to write to; removed after an error.

    Open it as one that is there, by ``r+b``: once the run is abandoned, it is not. An `ending`,
    ``.gpkg``, ``.fgb`` or none, is for those who take no name without it.
    """
    parts = _parts_under_way.get()
    with parts.lock:
        if parts.ended:
            raise InterruptedError("the run has ended")
        name = _new_part(path, ending)
        parts.names.add(name)
    try:
        yield name
    except BaseException:
        name.unlink(missing_ok=True)
        raise
    finally:
        with parts.lock:
            parts.names.discard(name)


def _new_part(path: Path, ending: str) -> Path:
    """Make an empty file of a name that no other has: each number is taken once.

    A name can be there all the same: left by a process of the same number that was killed, as in
    a container, where they count from 1.
    """
    while True:
        name = path.with_name(f".{_machine()}-{os.getpid():x}-{next(_numbers):x}.part{ending}")
        with contextlib.suppress(FileExistsError):
            name.touch(exist_ok=False)
            return name


def abandon() -> None:
    """Remove what this run is writing and let it begin nothing more: it ends, threads and all."""
    parts = _parts_under_way.get()
    with parts.lock:
        parts.ended = True
        names = tuple(parts.names)
    for name in names:
        with contextlib.suppress(OSError):
            name.unlink()


@contextlib.contextmanager
def abandoning() -> Iterator[None]:
    """Abandon at the end what threads that were started within are still writing."""
    before = _parts_under_way.set(_Parts())
    try:
        yield
    finally:
        abandon()
        _parts_under_way.reset(before)


def remove_parts_of(folder: Path, processes: Collection[int]) -> None:
    """Remove what processes of this machine, which have ended, were writing into a folder."""
    for path, machine, process in _parts(folder):
        if machine == _machine() and process in processes:
            path.unlink(missing_ok=True)


def remove_stale_parts(folder: Path) -> None:
    """Remove what runs that were killed left in a folder.

    Parts of processes of this machine that are no more go, and all parts that are older than a
    day; of other machines, which may be at work in a shared folder, nothing is known.
    """
    for path, machine, process in _parts(folder):
        with contextlib.suppress(OSError):
            ended = machine == _machine() and os.name == "posix" and not _is_at_work(process)
            if ended or time.time() - path.stat().st_mtime > FORGOTTEN:
                path.unlink()


def _parts(folder: Path) -> Iterator[tuple[Path, str, int]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                match = PART.fullmatch(entry.name)
                if match:
                    yield Path(entry.path), match[1], int(match[2], 16)
    except OSError:
        return


def _machine() -> str:
    return f"{zlib.crc32(os.fsencode(platform.node())):08x}"


def _is_at_work(process: int) -> bool:
    """Return whether a process may be writing; this one has not begun when it asks."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    # One that was killed stays in the table until its parent asks for it; in containers never.
    try:
        status = Path(f"/proc/{process}/stat").read_text(errors="replace")
    except OSError:
        return True
    return status.rpartition(")")[2].split()[0] not in "ZX"


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write beside the target under a passing name, then rename: all of the file or nothing.

    Parameters
    ----------
    path : Path
        ``-`` is standard output; what is no file, a pipe or a device, is written to as it is.
        Of a link, the file that it points to is replaced.
    write : callable
        Writes to the binary file that it gets.

    Raises
    ------
    ImageFileError
        If the folder takes no file, or the disk is full.
    StdoutError
        If it is standard output that takes no more.
    """
    if is_standard(path):
        return write_stdout(_made(write))
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(_made(write))
        else:
            _by_renaming(Path(os.path.realpath(path)), write)
    except OSError as error:
        raise ImageFileError(
            f"cannot write {path}: {error.strerror or error}; make room, or choose another folder"
        ) from None


def write_by_name(path: Path, write: Callable[[Path], object], ending: str = "") -> None:
    """Do as `write_whole` for those who open files by their names, and go back and forth in them.

    Parameters
    ----------
    path : Path
        No stream.
    write : callable
        Writes to the file of the name that it gets, which is there and empty.
    ending : {"", ".gpkg", ".fgb"}
        What that name has to end in.

    Raises
    ------
    ImageFileError
        If it is no file, if the folder takes none, or the disk is full.
    """
    if is_standard(path) or (path.exists() and not path.is_file()):
        raise ImageFileError(f"cannot write {path}: expected a file, got a stream or a device")
    try:
        with passing(Path(os.path.realpath(path)), ending) as name:
            write(name)
            name.replace(os.path.realpath(path))
    except OSError as error:
        raise ImageFileError(
            f"cannot write {path}: {error.strerror or error}; make room, or choose another folder"
        ) from None


def make_folder(path: Path) -> None:
    """Make a folder for results, and those above it, unless it is there."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageFileError(
            f"cannot make the folder {path}: {error.strerror}; choose another with -o"
        ) from None
    if not os.access(path, os.W_OK):
        raise ImageFileError(f"cannot write into {path}; choose another folder with -o")


def _by_renaming(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    with passing(path) as name:
        with name.open("r+b") as file:
            write(file)
        name.replace(path)


def _made(write: Callable[[IO[bytes]], object]) -> bytes:
    """Return all bytes before the first is sent; formats such as TIFF also go back in the file."""
    content = io.BytesIO()
    write(content)
    return content.getvalue()
