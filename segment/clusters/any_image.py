"""The library's `segment_image`: of an array in memory, or of a Dask array block by block."""

from __future__ import annotations

import functools
from typing import Any

from segment.errors import InvalidInputError
from segment.method import pipeline
from segment.method.segmentation import Segmentation
from segment.settings import Settings


@functools.wraps(pipeline.segment_image)
def segment_image(image: Any, **options: Any) -> Segmentation:
    if not is_dask_array(image):
        return pipeline.segment_image(image, **options)
    from segment.clusters.lazy_segments import (
        segment_dask_array,  # what arrays in memory do not need
    )

    own = {name: options.pop(name, None) for name in ("mask", "alpha", "model", "threads")}
    if own.pop("threads") is not None:
        raise InvalidInputError(
            "threads: expected None for a Dask array, whose scheduler has its own; leave it out"
        )
    return segment_dask_array(image, Settings(**options), **own)


def is_dask_array(image: object) -> bool:
    """Whether an image is a Dask array; to know that takes no import of Dask."""
    return type(image).__module__.partition(".")[0] == "dask"
