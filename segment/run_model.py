"""The modes that a run labels its images with: read from a file, or found in all of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from segment.errors import InvalidInputError, SegmentError
from segment.fitting import fit_stream
from segment.masks import mask_from
from segment.model import Model
from segment.picture import Picture
from segment.pixels import pixels_of
from segment.plan import Task
from segment.reading import read_pages
from segment.work import Work


def saved_model(path: str, features: str | None, color_space: str | None) -> Model:
    """Read a model, and refuse it where another kind of it is asked for.

    Parameters
    ----------
    path : str
    features, color_space : str or None
        What the model must have; None for anything.
    """
    model = Model.load(path)
    for name, wanted, has in (
        ("features", features, "color"),
        ("color space", color_space, model.color_space),
    ):
        if wanted not in (None, has):
            raise InvalidInputError(
                f"{path}: expected a model of {name} {wanted!r}, got one of {has!r}; "
                "leave the option out, or fit another model"
            )
    return model


def fitted_model(tasks: Sequence[Task], work: Work, save_as: str | None) -> Model | None:
    """Find one set of modes for all images, page by page, and keep it in a file if asked to.

    Images that cannot be read are passed over here: their own job says what is wrong with them.
    Without any other there is no model.
    """
    mask = mask_from(work.mask) if work.mask else None
    good: dict[Path, set[int | None]] = {}

    def readable() -> Iterator[NDArray[Any]]:
        for task in tasks:
            for page in _readable_pages(task.source, work):
                try:
                    pixels_of(page.pixels, mask)
                except SegmentError:
                    continue
                good.setdefault(task.source, set()).add(page.page)
                yield page.pixels

    def again() -> Iterator[NDArray[Any]]:
        for source, numbers in good.items():
            for page in _readable_pages(source, work):
                if page.page in numbers:
                    yield page.pixels

    try:
        model = fit_stream(lambda: again() if good else readable(), work.settings, mask)
    except SegmentError:
        if good:
            raise
        return None
    if save_as is not None:
        model.save(save_as)
    return model


def _readable_pages(source: Path, work: Work) -> Iterator[Picture]:
    with contextlib.suppress(SegmentError):
        for page in read_pages(source, work.reading):
            if isinstance(page, Picture):
                yield page
