"""The one model that all images of a run are labelled with, found before the first of them."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from segment.errors import InvalidInputError, OptionError, SegmentError
from segment.method.fitting import check_keepable, fit_stream
from segment.method.model import Model
from segment.photos.whole import mask_of, pages_of
from segment.pixels.image import pixels_of
from segment.reading.picture import Picture
from segment.results.band_facts import image_of
from segment.running.plan import Task, Work
from segment.running.pools import LOOK_UP
from segment.threads import Started


def check_one_model(
    tasks: Sequence[Task], work: Work, *, fit_together: bool, streams: bool
) -> None:
    """Refuse to keep the modes of several images that are not fitted together, and pipes.

    Raises
    ------
    OptionError
    """
    several = len(tasks) if len(tasks) > 1 else "all pages" if work.reading.page == "all" else None
    if several and not fit_together:
        raise OptionError(
            f"'--save-model' keeps one set of modes, expected one input, got {several}; "
            "add --fit-together"
        )
    try:
        check_keepable(work.settings)
    except InvalidInputError as error:
        raise OptionError(str(error)) from None
    if streams:
        raise OptionError(
            "--save-model and --fit-together read images twice; save what a pipe brings to a file."
        )


def with_one_model(
    tasks: Sequence[Task], work: Work, save_as: str | None, stopped: Callable[[], bool]
) -> Work:
    """Find the modes of all images, on a thread, so that Ctrl-C is heard in the middle of it.

    Parameters
    ----------
    tasks : sequence of Task
    work : Work
    save_as : str or None
        File to keep the model in.
    stopped : callable
        Asked again and again; once it says True the search is left to the end of the process.

    Returns
    -------
    work : Work
        As it was if the search was stopped.

    Raises
    ------
    SegmentError
        If no modes can be found, or the model cannot be written.
    """
    fitting = Started(functools.partial(fitted_model, tasks, work, save_as))
    while not fitting.wait(LOOK_UP):
        if stopped():
            return work
    return work._replace(model=fitting.result())


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
    mask = mask_of(work.mask) if work.mask else None
    good: dict[Path, set[int | None]] = {}
    all_known = False

    def readable() -> Iterator[Any]:
        nonlocal all_known
        good.clear()
        for task in tasks:
            for page in _readable_pages(task.source, work):
                image = image_of(page, work.settings)
                try:
                    pixels_of(image, mask)
                except SegmentError:
                    continue
                good.setdefault(task.source, set()).add(page.page)
                yield image
        all_known = True

    def again() -> Iterator[Any]:
        for source, numbers in good.items():
            for page in _readable_pages(source, work):
                if page.page in numbers:
                    yield image_of(page, work.settings)

    try:
        model = fit_stream(lambda: again() if all_known else readable(), work.settings, mask)
    except SegmentError:
        if good:
            raise
        return None
    if save_as is not None:
        with contextlib.suppress(OSError):  # `save` says what is wrong
            Path(save_as).parent.mkdir(parents=True, exist_ok=True)
        model.save(save_as)
    return model


def _readable_pages(source: Path, work: Work) -> Iterator[Picture]:
    with contextlib.suppress(SegmentError):
        for page in pages_of(source, work.reading):
            if isinstance(page, Picture):
                yield page
