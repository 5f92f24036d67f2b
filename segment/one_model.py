"""The one model that all images of a run are labelled with, found before the first of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace

import click

from segment.errors import SegmentError
from segment.interrupts import LOOK_UP
from segment.plan import Task
from segment.threads import Started
from segment.work import Work


def check_one_model(
    tasks: Sequence[Task], work: Work, *, fit_together: bool, streams: bool
) -> None:
    """Refuse to keep the modes of several images that are not fitted together, and pipes.

    Raises
    ------
    click.UsageError
    """
    several = len(tasks) if len(tasks) > 1 else "all pages" if work.reading.page == "all" else None
    if several and not fit_together:
        raise click.UsageError(
            f"'--save-model' keeps one set of modes, expected one input, got {several}; "
            "add --fit-together"
        )
    from segment.fitting import check_keepable  # as heavy as the fit itself

    try:
        check_keepable(work.settings)
    except SegmentError as error:
        raise click.UsageError(str(error)) from None
    if streams:
        raise click.UsageError(
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
    click.ClickException
        If no modes can be found, or the model cannot be written.
    """
    from segment.run_model import fitted_model

    fitting = Started(functools.partial(fitted_model, tasks, work, save_as))
    while not fitting.wait(LOOK_UP):
        if stopped():
            return work
    try:
        return replace(work, model=fitting.result())
    except SegmentError as error:
        raise click.ClickException(str(error)) from None
