"""What of a result is written so far: its bytes, and by a journal which of them can be relied on.

The bytes stand beside the target under a name that begins with a dot and ends in ``.part``; so
does the journal: a line with the key of the work, and one for each row of tiles, written when the
row's bytes are in the file. A run that was killed left both; the next one of the same key reads
the journal as far as the bytes bear it out, and goes on there.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from segment.errors import ImageFileError
from segment.writing import passing


class Unfinished:
    """The names of a result under way, and the rows of tiles that are done.

    Parameters
    ----------
    path : Path
        The target. Of a link, the file that it points to is replaced.
    key : str or None
        What the result depends on: only a run with the same one goes on with what is there. None
        for a result that is not resumed: then nothing of it outlives the run.
    """

    def __init__(self, path: Path, key: str | None) -> None:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise ImageFileError(f"cannot write {path}: it is no file; choose another name")
        self.target = Path(os.path.realpath(path))
        self.resumable = key is not None
        self._stack = contextlib.ExitStack()
        self.rows: list[Any] = []
        self._journal: IO[bytes] | None = None
        with writing_to(self.target):
            if key is None:
                self.part = self._stack.enter_context(passing(self.target))
                return
            self.part = self.target.with_name(f".{self.target.name}.part")
            self._journal_name = self.target.with_name(f".{self.target.name}.rows.part")
            try:
                self._take_over(json.dumps({"key": key}))
            except BaseException:
                self.close()
                raise

    def _take_over(self, first: str) -> None:
        """Read the journal of an earlier run, whole lines of it, if it is of the same work."""
        journal = self._journal_name.open("a+b")
        self._journal = self._stack.enter_context(journal)
        _lock(journal, self.target)
        journal.seek(0)
        lines = journal.read().split(b"\n")[:-1]
        if lines and lines[0] == first.encode() and self.part.exists():
            with contextlib.suppress(ValueError):
                for line in lines[1:]:
                    self.rows.append(json.loads(line))
        self._first = first
        self.keep(len(self.rows))

    @contextlib.contextmanager
    def beginning(self) -> Iterator[None]:
        """Let go of it if it cannot be begun or gone on with."""
        try:
            with writing_to(self.target):
                yield
        except BaseException:
            self.close() if self.rows else self.remove()
            raise

    def keep(self, count: int) -> None:
        """Forget the rows of tiles from a number on: their bytes are not as the journal says."""
        del self.rows[count:]
        if self._journal is not None:
            self._journal.seek(0)
            self._journal.truncate()
            self._put(self._first, *map(json.dumps, self.rows))

    def add(self, row: Any) -> None:
        """Note a row of tiles, whose bytes are in the file, by anything that JSON has."""
        self.rows.append(row)
        self._put(json.dumps(row))

    def finish(self) -> None:
        """Give what is written its name, in place of what may be there."""
        with writing_to(self.target):
            if self.part.is_dir():
                with _moved_away(self.target):
                    self.part.rename(self.target)
            else:
                self.part.replace(self.target)
        self.close()
        if self.resumable:
            self._journal_name.unlink(missing_ok=True)

    def remove(self) -> None:
        """Take away what is written."""
        remove(self.part)
        self.close()
        if self.resumable:
            self._journal_name.unlink(missing_ok=True)

    def close(self) -> None:
        """Let other runs at it."""
        self._stack.close()

    def _put(self, *lines: str) -> None:
        if self._journal is not None:
            self._journal.write("".join(f"{line}\n" for line in lines).encode())
            self._journal.flush()


@contextlib.contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Make one kind of error of what the system says while a result is written."""
    try:
        yield
    except OSError as error:
        raise ImageFileError(
            f"cannot write {path}: {error.strerror or error}; make room, or choose another folder"
        ) from None


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it; nothing if it is not there."""
    import shutil

    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _moved_away(target: Path) -> Iterator[None]:
    """Make room for a folder: no system puts one in place of another in one step."""
    if not target.exists():
        yield
        return
    with passing(target) as old:
        old.unlink()
        target.rename(old)
        try:
            yield
        except OSError:
            old.rename(target)
            raise
        remove(old)


def _lock(file: IO[bytes], target: Path) -> None:
    """Hold a file for this run alone, where the system can; it lets go of it with the process."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ImageFileError(
            f"cannot write {target}: another run is writing it; wait for its end, or choose "
            "another name"
        ) from None
    except OSError:  # a file system without locks
        return
