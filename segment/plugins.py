"""Formats that need more than Pillow: their plug-ins where installed, a hint where not."""

from __future__ import annotations

from segment.errors import ImageFileError
from segment.signatures import OTHERS


def pillow_formats(kind: str | None) -> tuple[str, ...]:
    """Tell Pillow's names of the formats that a file of a kind may be in.

    Raises
    ------
    ImageFileError
        If it takes a plug-in that is not installed.
    """
    if kind is None:
        return OTHERS
    if kind == "JPEG":
        return ("JPEG", "MPO")
    try:
        if kind == "HEIF":
            import pillow_heif

            pillow_heif.register_heif_opener()
        elif kind == "JXL":
            import pillow_jxl  # noqa: F401
        elif kind == "AVIF":
            _need_avif()
    except ImportError:
        name = {"HEIF": "HEIC", "JXL": "JPEG XL"}.get(kind, kind)
        raise ImageFileError(
            f"is a {name} image, which needs a plug-in; pip install 'meanshift-segment[formats]'"
        ) from None
    return (kind,)


def _need_avif() -> None:
    from PIL import features

    if not features.check("avif"):
        import pillow_avif  # noqa: F401
