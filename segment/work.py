"""What is to be done with every image of a run; light, so that the parent of workers stays so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from segment.outputs import Output
from segment.reading_options import ReadingOptions
from segment.settings import Settings
from segment.sources import is_stream
from segment.writing import STDOUT

if TYPE_CHECKING:
    from segment.model import Model


@dataclass(frozen=True)
class Work:
    """What to do with each image.

    Attributes
    ----------
    settings : Settings
    output : Output
    reading : ReadingOptions
    mask : Path or None
        Image whose pixels that are not 0 take part; ``-`` is standard input.
    model : Model or None
        Whose modes to take; None finds those of each image.
    cores : int or None
        What one image may take; None for all. The results do not depend on it.
    claimed : frozenset of str
        Files that no result may replace, beside the images; see `claimed`.
    base : Path or None
        Where relative paths begin, for a worker that was started elsewhere.
    """

    settings: Settings
    output: Output
    reading: ReadingOptions = ReadingOptions()
    mask: Path | None = None
    model: Model | None = None
    cores: int | None = None
    claimed: frozenset[str] = frozenset()
    base: Path | None = None

    @property
    def has_streams(self) -> bool:
        """Whether only this process can do it, and once: its standard streams, a pipe."""
        to_stdout = STDOUT in self.output.files.values()
        return to_stdout or (self.mask is not None and is_stream(str(self.mask)))
