"""What was made of what, and how: one small file beside the results, by which a run resumes.

Each folder of results has a file ``.meanshift-segment.jsonl`` with a line for each image that was
finished: the image, a digest of the settings, and of the image and of each result its size and
the time of its last change. An image counts as done only if all of that still holds. The line is
written after the results: a run that is killed in between does that image again.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any

from segment import __version__
from segment.running.plan import Task, Work
from segment.writing import passing

NAME = ".meanshift-segment.jsonl"
Stamp = list[int]  # size in bytes, time of the last change in nanoseconds


def digest(*parts: Any) -> str:
    """Shorten what decides on the results to 16 letters.

    Examples
    --------
    >>> digest("0.1.0", {"quantile": 0.1})
    '98488e59f6ad6eba'
    """
    import hashlib  # 3 ms with json, which a single image does without
    import json

    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).hexdigest()


def stamp(path: str | Path) -> Stamp | None:
    """Return size and time of the last change of a file, or of a folder, which Zarr is.

    None where there is none, or a pipe.
    """
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # not there; in a damaged record, a name that no file has
        return None
    is_lasting = S_ISREG(status.st_mode) or S_ISDIR(status.st_mode)
    return [status.st_size, status.st_mtime_ns] if is_lasting else None


def made_with(work: Work) -> str:
    """Digest all that decides on the results of an image, but the image and the cores."""
    output, reading = asdict(work.output), asdict(work.reading)
    del output["folder"], output["with_entries"]
    del reading["max_pixels"]  # what was read is the same under any limit
    mask = work.mask and (os.path.realpath(work.mask), stamp(work.mask))
    model = work.model and (
        work.model.color_space,
        work.model.bandwidth,
        work.model.modes.tolist(),
        work.model.scale and (work.model.scale.low.tolist(), work.model.scale.unit.tolist()),
    )
    return digest(__version__, asdict(work.settings), output, reading, mask, model)


class Record:
    """The records of all folders that a run writes to.

    Parameters
    ----------
    made_with : str
        The digest of all that decides on the results but the image.
    """

    def __init__(self, made_with: str) -> None:
        self._made_with = made_with
        self._lines: dict[str, dict[str, str]] = {}

    def outputs(self, task: Task, source: Stamp | None) -> list[str] | None:
        """Return the results of an image that is done, None for one that is not."""
        folder, stem = os.path.split(task.place)
        if folder not in self._lines:
            self._lines[folder] = _load(Path(folder, NAME))
        line = self._lines[folder].pop(stem, None)
        if line is None or source is None:
            return None
        known = _parsed(line)
        if known is None:
            return None
        results = {
            os.path.join(folder, name): as_made for name, as_made in known["outputs"].items()
        }
        same = (known["input"], known["source"], known["settings"]) == (
            task.identity,
            source,
            self._made_with,
        )
        if same and all(as_made and stamp(path) == as_made for path, as_made in results.items()):
            return list(results)
        return None

    def add(self, task: Task, source: Stamp | None, outputs: Iterable[str]) -> None:
        """Record a finished image; where that cannot be written, it will be done again."""
        folder, stem = os.path.split(task.place)
        line = {
            "stem": stem,
            "input": task.identity,
            "source": source,
            "settings": self._made_with,
            "outputs": {_within(folder, path): stamp(path) for path in outputs},
        }
        import json

        with contextlib.suppress(OSError):
            _append(Path(folder, NAME), json.dumps(line))


def _within(folder: str, path: str) -> str:
    """Return the name of a result; its whole path if it lies elsewhere."""
    place, name = os.path.split(path)
    return name if place == folder else os.path.abspath(path)


def tidy(folder: Path) -> None:
    """Rewrite a folder's record when most of its lines are outdated by later ones."""
    path = folder / NAME
    lines = _load(path)
    with contextlib.suppress(OSError):
        if not lines or path.stat().st_size < 2 * sum(len(line) + 1 for line in lines.values()):
            return
        with passing(path) as new:
            new.write_text("".join(f"{line}\n" for line in lines.values()), encoding="ascii")
            new.replace(path)


def _append(path: Path, line: str) -> None:
    """One write at the end of the file: lines of several runs in one folder do not mix.

    One that a full disk cut off is ended first: it costs itself and not this one, too.
    """
    if path.exists() and not path.is_file():
        return  # a pipe would wait for a reader
    with path.open("a+b", buffering=0) as file:
        cut_off = False
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            cut_off = file.read(1) != b"\n"
        file.write(b"\n" * cut_off + f"{line}\n".encode("ascii"))


def _load(path: Path) -> dict[str, str]:
    """Return the last whole line of each stem; what is damaged tells nothing, whatever it holds."""
    lines: dict[str, str] = {}
    try:
        if not path.is_file():
            return lines
        with path.open("rb") as file:
            for each in file:
                line = each.decode("ascii", "replace").rstrip("\r\n")
                record = _parsed(line)
                if record is not None:
                    lines[record["stem"]] = line
    except OSError:
        return {}
    return lines


def _parsed(line: str) -> dict[str, Any] | None:
    """Return what a line of a record says; None for anything that `add` does not write."""
    import json

    try:
        record = json.loads(line) if line.isascii() else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    names = all(isinstance(record.get(name), str) for name in ("stem", "input", "settings"))
    outputs = record.get("outputs")
    if not names or not _is_stamp(record.get("source")) or not isinstance(outputs, dict):
        return None
    stamps = all(as_made is None or _is_stamp(as_made) for as_made in outputs.values())
    return record if stamps else None


def _is_stamp(value: Any) -> bool:
    return isinstance(value, list) and [type(part) for part in value] == [int, int]
