"""Folders that are images: an array of Zarr's, or a group of such arrays."""

from __future__ import annotations

from pathlib import Path

METADATA = ("zarr.json", ".zarray", ".zgroup")  # of version 3, of arrays and groups of version 2


def is_zarr(path: str | Path) -> bool:
    """Return whether a path is a folder that Zarr's metadata make an image."""
    folder = Path(path)
    try:
        return any((folder / name).is_file() for name in METADATA)
    except (OSError, ValueError):  # a name that nothing can have
        return False
