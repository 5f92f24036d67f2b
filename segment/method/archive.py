"""Results to files and back: arrays in an ``.npz``, with what they are as JSON text among them.

Nothing in a file is taken on trust, and nothing of it is executed, whoever made it.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import ImageFileError, InvalidInputError, shown
from segment.npy import read_header
from segment.settings import Settings
from segment.validation import checked_path
from segment.writing import write_whole

if TYPE_CHECKING:
    from zipfile import ZipFile

MOST_INFLATED = 1032  # bytes that deflate can make of one


@dataclass(frozen=True)
class Archive:
    """A kind of file: which arrays it holds.

    Attributes
    ----------
    noun : str
        What it is called in errors.
    version : int
        Of the files that are written, and the only one that is read.
    arrays : mapping of name to (dtype, dimensions)
    later : mapping of name to (dtype, dimensions)
        That files of earlier versions of the package do not have.
    """

    noun: str
    version: int
    arrays: Mapping[str, tuple[Any, int]]
    later: Mapping[str, tuple[Any, int]] = field(default_factory=dict)

    def write(self, result: Any, path: str | Path) -> None:
        """Write the arrays of a result, compressed, with its settings; all of the file or none."""
        import json  # 1 ms, which only those pay who keep a result

        about = {"version": self.version, "settings": asdict(result.settings)}
        text = json.dumps(about, default=float)  # float32 and fractions are settings, too
        content: dict[str, Any] = {"about": np.asarray(text)}
        for name, (kind, _) in {**self.arrays, **self.later}.items():
            content[name] = np.asarray(getattr(result, name), kind)
        write_whole(checked_path(path), lambda file: np.savez_compressed(file, **content))

    def read(self, path: str | Path) -> tuple[dict[str, Any], Settings]:
        """Read arrays, numbers and settings.

        Raises
        ------
        ImageFileError
            If the file cannot be read.
        InvalidInputError
            If it is of another kind, a later version, or damaged as far as each array tells.
        MemoryError
            If it is whole, and larger than the memory there is.
        """
        import json

        name, other = checked_path(path), f"is not {self.noun}, or a damaged one"
        with contextlib.ExitStack() as stack:
            with _told(name, other, other):
                file = stack.enter_context(name.open("rb"))
                about = json.loads(str(read_arrays(file, {"about": ("U", 0)})["about"]))
                version = about["version"]
            if type(version) is not int or version != self.version:
                raise InvalidInputError(
                    f"{name}: expected {self.noun} of version {self.version}, "
                    f"got {shown(version)}; install the meanshift-segment that made it"
                )
            with _told(name, "is damaged", other):
                content = read_arrays(file, self.arrays, self.later)
                settings = _settings(about.get("settings"))
        plain = {name: array if array.ndim else array.item() for name, array in content.items()}
        return plain, settings


def damaged(path: str | Path, reason: object) -> InvalidInputError:
    """Return the error that says what of a file is not what `Archive.write` writes."""
    return InvalidInputError(f"{path}: is damaged ({reason}); save it again")


@contextlib.contextmanager
def _told(path: Path, what: str, missing: str) -> Iterator[None]:
    """Make two of all errors that damage brings about in zipfile, zlib, json and NumPy.

    They say what is wrong, or what it means that a name is missing.
    """
    try:
        yield
    except MemoryError:
        raise
    except OSError as error:
        said = error.strerror or error
        raise ImageFileError(f"{path}: cannot be read: {said}; check it") from None
    except Exception as error:
        wrong = missing if isinstance(error, KeyError) else what
        raise InvalidInputError(f"{path}: {wrong} ({error}); save it again") from None


def _settings(settings: Any) -> Settings:
    """Return the settings of a file; those that this version does not know say nothing."""
    if not isinstance(settings, dict):
        raise TypeError("no settings")
    known = {setting.name for setting in fields(Settings)}
    return Settings(**{name: settings[name] for name in known & set(settings)})


def read_arrays(
    file: IO[bytes],
    kinds: Mapping[str, tuple[Any, int]],
    later: Mapping[str, tuple[Any, int]] | None = None,
) -> dict[str, NDArray[Any]]:
    """Return the arrays of these names, each of its dtype and number of dimensions.

    Before memory is taken for one, its size is held against what the directory says, and that
    against the size of the file: what claims terabytes is damaged, and no lack of memory.

    Parameters
    ----------
    file : binary file
        As `numpy.savez` and `numpy.savez_compressed` write it.
    kinds : mapping of str to (dtype, int)
        A dtype of text stands for any length of it. Other arrays are not looked at.
    later : mapping, optional
        Likewise, of arrays that may be missing.

    Raises
    ------
    Exception
        Of any class that zipfile, zlib and NumPy know, if the file is damaged.
    """
    from zipfile import ZipFile  # 3 ms, which only those pay who read one

    size = file.seek(0, 2)
    with ZipFile(file) as archive:
        there = set(archive.namelist())
        wanted = dict(kinds)
        wanted |= {name: kind for name, kind in (later or {}).items() if f"{name}.npy" in there}
        return {
            name: _array(archive, f"{name}.npy", np.dtype(kind), dimensions, size)
            for name, (kind, dimensions) in wanted.items()
        }


def _array(
    archive: ZipFile, name: str, kind: np.dtype[Any], dimensions: int, size: int
) -> NDArray[Any]:
    with archive.open(name) as member:
        dtype, shape, start, _ = read_header(member)
    fits = dtype.kind == "U" if kind.kind == "U" else dtype == kind
    if not fits or len(shape) != dimensions:
        raise ValueError(f"{name} is of dtype {dtype} and shape {shape}")
    claimed = archive.getinfo(name).file_size
    if start + math.prod(shape) * dtype.itemsize != claimed or claimed > MOST_INFLATED * size:
        raise ValueError(f"{name} is of shape {shape}, which does not fit its size")
    with archive.open(name) as member:
        array: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
        return array
