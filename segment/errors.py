"""What can go wrong: one root, and below it what a caller may want to tell apart."""

from __future__ import annotations


class SegmentError(Exception):
    """Root of all errors that this package raises on purpose."""

    __module__ = "segment"


class InvalidInputError(SegmentError, ValueError):
    """An array or a parameter is not what the function takes."""

    __module__ = "segment"


class InputTypeError(InvalidInputError, TypeError):
    """An array is of a kind that cannot be taken: sparse, for one; as a TypeError, too."""


class NotFittedError(SegmentError, ValueError, AttributeError):
    """An estimator is asked for what only `fit` gives it."""

    __module__ = "segment"


class ImageFileError(SegmentError):
    """A file cannot be read as an image, or a result cannot be written."""

    __module__ = "segment"


class UnknownKindError(ImageFileError):
    """A file is of no kind that the reader at hand knows; another may."""

    __module__ = "segment"


class MissingPackageError(SegmentError, ImportError):
    """An optional package is asked for that is not installed."""

    __module__ = "segment"


MOST_SHOWN = 200  # characters of a value in an error, which is one line


def shown(value: object) -> str:
    """Return a value as errors show it: its repr, cut where that is long, or its type.

    Examples
    --------
    >>> shown("a"), shown(10**5000)
    ("'a'", 'a value of type int')
    """
    try:
        text = repr(value)
    except Exception:  # thousands of digits, nested too deep: whatever a class brings about
        return f"a value of type {type(value).__name__}"
    text = " ".join(line.strip() for line in text.splitlines())
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


class OptionError(SegmentError):
    """A run is asked for something that cannot be, before any of its work is done.

    Attributes
    ----------
    option : str or None
        The option that it is about, as it is typed; None for several, or an argument.
    """

    def __init__(self, message: str, option: str | None = None) -> None:
        super().__init__(message)
        self.option = option


class StdoutError(OSError):
    """Standard output takes no more: that ends the run, not one image."""
