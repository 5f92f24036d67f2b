"""A segmentation to a file and back."""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from segment.errors import ImageFileError, InvalidInputError
from segment.segmentation import Segmentation
from segment.settings import Settings
from segment.writing import write_whole

VERSION = 1
SHAPES = {
    "labels": (np.int32, 2),
    "modes": (np.float64, 2),
    "colors": (np.uint8, 2),
    "mode_colors": (np.uint8, 2),
    "sizes": (np.int64, 1),
    "bandwidth": (np.float64, 0),
    "n_iter": (np.int64, 0),
}


def write(segmentation: Segmentation, path: str | Path) -> None:
    """Write a segmentation as compressed arrays, with its settings as JSON text among them."""
    about = json.dumps({"version": VERSION, "settings": asdict(segmentation.settings)})
    arrays: dict[str, Any] = {"about": np.asarray(about)}
    for name, (kind, _) in SHAPES.items():
        arrays[name] = np.asarray(getattr(segmentation, name), kind)
    write_whole(Path(path), lambda file: np.savez_compressed(file, **arrays))


def read(path: str | Path) -> Segmentation:
    """Read what `write` wrote; nothing in the file is executed, whoever made it."""
    try:
        with Path(path).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            content = {name: file[name] for name in file.files}
        about = json.loads(str(content.pop("about")))
        version = about["version"]
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, EOFError) as error:
        raise InvalidInputError(
            f"{path}: is not a segmentation, or a damaged one ({error}); save it again"
        ) from None
    except OSError as error:
        raise ImageFileError(
            f"{path}: cannot be read: {error.strerror or error}; check it"
        ) from None
    if version != VERSION:
        raise InvalidInputError(
            f"{path}: expected a segmentation of version {VERSION}, got {version!r}; "
            "install the meanshift-segment that made it"
        )
    return _checked(content, about.get("settings"), path)


def _checked(content: dict[str, Any], settings: Any, path: str | Path) -> Segmentation:
    try:
        for name, (kind, dimensions) in SHAPES.items():
            if content[name].dtype != kind or content[name].ndim != dimensions:
                raise ValueError(f"{name} of dtype {content[name].dtype}")
        count = len(content["sizes"])
        same = {len(content[name]) for name in ("modes", "colors", "mode_colors")}
        labels = content["labels"]
        if same != {count} or not labels.size or labels.min() < 0 or labels.max() > count:
            raise ValueError("labels without a segment")
        known = {setting.name for setting in fields(Settings)}
        asked = Settings(**{name: settings[name] for name in known & set(settings)})
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(f"{path}: is damaged ({error}); save it again") from None
    content["bandwidth"] = float(content["bandwidth"])
    content["n_iter"] = int(content["n_iter"])
    return Segmentation(**{name: content[name] for name in SHAPES}, settings=asked)
