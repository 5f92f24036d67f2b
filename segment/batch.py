"""Many images: the jobs one after the other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from segment.job import run_job
from segment.outputs import Output
from segment.plan import Task
from segment.reading_options import ReadingOptions
from segment.report import Outcome
from segment.settings import Settings


def run(
    tasks: list[Task],
    settings: Settings,
    output: Output,
    mask: NDArray[np.bool_] | None = None,
    reading: ReadingOptions = ReadingOptions(),  # noqa: B008
) -> Iterator[Outcome]:
    """Segment the images one after the other; a bad one does not stop the rest."""
    inputs = {task.source.resolve() for task in tasks}
    for task in tasks:
        yield from run_job(task, settings, output, mask, inputs, reading)
