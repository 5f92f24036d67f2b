"""Results to files and back: arrays in an ``.npz``, with what they are as JSON text among them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import ImageFileError, InvalidInputError
from segment.settings import Settings
from segment.writing import write_whole


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
    """

    noun: str
    version: int
    arrays: Mapping[str, tuple[Any, int]]

    def write(self, result: Any, path: str | Path) -> None:
        """Write the arrays of a result, compressed, with its settings; all of the file or none."""
        about = json.dumps({"version": self.version, "settings": asdict(result.settings)})
        content: dict[str, Any] = {"about": np.asarray(about)}
        for name, (kind, _) in self.arrays.items():
            content[name] = np.asarray(getattr(result, name), kind)
        write_whole(Path(path), lambda file: np.savez_compressed(file, **content))

    def read(self, path: str | Path) -> tuple[dict[str, Any], Settings]:
        """Read arrays, numbers and settings; nothing in the file is executed, whoever made it.

        Raises
        ------
        ImageFileError
            If the file cannot be read.
        InvalidInputError
            If it is of another kind, a later version, or damaged as far as dtypes tell.
        """
        content, about = self._content(path)
        if about["version"] != self.version:
            raise InvalidInputError(
                f"{path}: expected {self.noun} of version {self.version}, "
                f"got {about['version']!r}; install the meanshift-segment that made it"
            )
        try:
            for name, (kind, dimensions) in self.arrays.items():
                if content[name].dtype != kind or content[name].ndim != dimensions:
                    raise ValueError(f"{name} of dtype {content[name].dtype}")
            settings = about["settings"]
            known = {setting.name for setting in fields(Settings)}
            asked = Settings(**{name: settings[name] for name in known & set(settings)})
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(path, error) from None
        plain = {name: array if array.ndim else array.item() for name, array in content.items()}
        return {name: plain[name] for name in self.arrays}, asked

    def _content(self, path: str | Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        try:
            with Path(path).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                content = {name: file[name] for name in file.files}
            about = json.loads(str(content.pop("about")))
            if missing := {"version", *self.arrays} - {*about, *content}:
                raise KeyError(*sorted(missing))
        except (
            zipfile.BadZipFile,
            KeyError,
            ValueError,
            TypeError,
            AttributeError,
            EOFError,
        ) as error:
            raise InvalidInputError(
                f"{path}: is not {self.noun}, or a damaged one ({error}); save it again"
            ) from None
        except OSError as error:
            raise ImageFileError(
                f"{path}: cannot be read: {error.strerror or error}; check it"
            ) from None
        return content, about


def damaged(path: str | Path, reason: object) -> InvalidInputError:
    """Return the error that says what of a file is not what `Archive.write` writes."""
    return InvalidInputError(f"{path}: is damaged ({reason}); save it again")
