"""A band of an image, as its file tells of it: one channel, be it of colours or of a satellite."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Band:
    """What a file says of one of its bands.

    Attributes
    ----------
    number : int
        From 1, in the file's order, alpha counted.
    name : str
        As the file has it; "" where it has none.
    dtype : str
        NumPy's name of the type that its values are stored in, as ``"uint16"``.
    bits : int
        Depth of a value by the file's own words: 12 for values of 12 bits in 16.
    unit : str or None
        Of a value, as the file has it.
    no_data : float or None
        The value that means none.
    is_alpha : bool
        Whether it says how opaque a pixel is.
    """

    number: int
    name: str
    dtype: str
    bits: int
    unit: str | None = None
    no_data: float | None = None
    is_alpha: bool = False
