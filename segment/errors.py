"""What can go wrong: one root, and below it what a caller may want to tell apart."""


class SegmentError(Exception):
    """Root of all errors that this package raises on purpose."""


class InvalidInputError(SegmentError, ValueError):
    """An array or a parameter is not what the function takes."""


class NotFittedError(SegmentError, ValueError, AttributeError):
    """An estimator is asked for what only `fit` gives it."""


class ImageFileError(SegmentError):
    """A file cannot be read as an image, or a result cannot be written."""


class StdoutError(OSError):
    """Standard output takes no more: that ends the run, not one image."""


class MissingPackageError(SegmentError, ImportError):
    """An optional package is asked for that is not installed."""
