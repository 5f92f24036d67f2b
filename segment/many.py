"""A run of the command: its inputs found, its pool chosen, its images reported."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from segment.batch import Batch, Pool, prepare
from segment.cluster import Cluster, ClusterError
from segment.errors import SegmentError
from segment.here import Here
from segment.inputs import Inputs, Wrong, find_inputs, read_names
from segment.interrupts import interruptible
from segment.passing import abandon
from segment.plan import Task, plan
from segment.progress import ImagesBar, NoBar, StagesBar, on_terminal
from segment.report import Outcome, Report, say
from segment.sources import is_stream
from segment.stages import heard_by
from segment.threads import available_cores
from segment.work import Work
from segment.workers import Workers

if TYPE_CHECKING:
    from segment.page import Page


@dataclass(frozen=True)
class Many:
    """What the user says of the images as a crowd: where they are, who does them, what is kept."""

    recursive: bool = False
    files_from: str | None = None
    files0_from: str | None = None
    jobs: int | None = None
    scheduler: str | None = None
    existing: Literal["overwrite", "skip", "error"] = "overwrite"
    dry_run: bool = False
    fail_fast: bool = False
    progress: bool | None = None
    save_model: str | None = None
    fit_together: bool = False
    report_page: str | None = None

    @property
    def lists(self) -> list[tuple[str, str, bytes]]:
        """The lists of names that were given: option, file, what separates the names."""
        given = [
            ("--files-from", self.files_from, b"\n"),
            ("--files0-from", self.files0_from, b"\0"),
        ]
        return [(name, file, separator) for name, file, separator in given if file is not None]


def run_many(names: Iterable[str], work: Work, many: Many, *, as_json: bool, verbosity: int) -> int:
    """Find the images, have each segmented, say what became of it; return the exit code.

    Raises
    ------
    click.UsageError
        If a list cannot be read, no cluster answers, or results of several inputs would go to
        one file.
    click.ClickException
        If no modes can be found, or thumbnails find no room.
    """
    given = list(names)
    listed = [*given, *_listed(many)]
    found = find_inputs(listed, recursive=many.recursive)
    _check_files(found, work, many)
    tasks = plan(found.images, work.output.home, paged=work.reading.page is not None)
    streams = any(map(is_stream, listed))
    here = work.has_streams or streams
    if here and many.scheduler is not None:
        raise click.UsageError("--scheduler takes files; pipes and standard streams are local.")
    if many.fit_together or many.save_model is not None:
        work = _with_model(tasks, work, many, streams)
    jobs = 1 if here else min(_jobs(many), max(1, len(tasks)))
    cores = max(1, _jobs(many) // jobs)
    work = replace(work, cores=cores, base=Path.cwd() if many.scheduler else None)
    single = len(tasks) == 1 and [task.input for task in tasks] == given
    keep_record = not work.has_streams and (not single or many.existing == "skip")
    batch = Batch(tasks, work, existing=many.existing, keep_record=keep_record)
    if many.dry_run:
        return _preview(batch, found, Report(as_json=as_json, verbosity=min(verbosity, 0)))
    bar = _bar(len(tasks), many.progress, verbosity)
    return _run(batch, found, many, jobs, Report(as_json=as_json, verbosity=verbosity, bar=bar))


def _run(batch: Batch, found: Inputs, many: Many, jobs: int, report: Report) -> int:
    enter = report.bar.enter if isinstance(report.bar, StagesBar) else lambda stage: None
    with interruptible() as asked, heard_by(enter):
        pool = _pool(jobs, batch.work.cores or 1, many)
        prepare(batch.tasks)
        _note(found, report)

        def stopped() -> bool:
            return asked() or bool(many.fail_fast and report.failed)

        pages = _pages(batch.work, many)
        try:
            with closing(batch.run(pool, stopped=stopped, look=report.bar.look)) as outcomes:
                for outcome in _in_order(outcomes, found.wrong):
                    for page in pages:
                        page.add(outcome)
                    report.add(outcome)
            return max(report.close(interrupted=asked()), _write_pages(pages))
        except SegmentError as error:  # of the page: images tell theirs in their outcomes
            raise click.ClickException(str(error)) from None
        finally:
            abandon()


def _preview(batch: Batch, found: Inputs, report: Report) -> int:
    _note(found, report)
    for outcome in _in_order(batch.preview(), found.wrong):
        report.add(outcome)
    return 1 if report.failed else 0


def _in_order(outcomes: Iterable[Outcome], wrong: list[Wrong]) -> Iterator[Outcome]:
    """Tell of folders that gave nothing where they were named."""
    waiting = deque(wrong)
    place, last = -1, None
    for outcome in outcomes:
        place += outcome.input != last  # pages of one image follow each other
        last = outcome.input
        while waiting and waiting[0].place <= place:
            yield Outcome(waiting[0].name, "failed", waiting.popleft().reason)
        yield outcome
    yield from (Outcome(folder.name, "failed", folder.reason) for folder in waiting)


def _note(found: Inputs, report: Report) -> None:
    if found.others:
        report.note(f"left out: {found.others} other file{'s' if found.others > 1 else ''}")
    if found.own:
        report.note(f"left out: {found.own} result{'s' if found.own > 1 else ''} of its own")


def _listed(many: Many) -> list[str]:
    names: list[str] = []
    for option, file, separator in many.lists:
        try:
            names += read_names(file, separator)
        except OSError as error:
            message = f"{file}: cannot be read: {error.strerror}"
            raise click.BadParameter(message, param_hint=f"'{option}'") from None
    return names


def _with_model(tasks: list[Task], work: Work, many: Many, streams: bool) -> Work:
    """Find the modes that all images are labelled with."""
    several = len(tasks) if len(tasks) > 1 else "all pages" if work.reading.page == "all" else None
    if several and not many.fit_together:
        raise click.UsageError(
            f"'--save-model' keeps one set of modes, expected one input, got {several}; "
            "add --fit-together"
        )
    if streams:
        raise click.UsageError(
            "--save-model and --fit-together read images twice; save what a pipe brings to a file."
        )
    if many.dry_run:
        return work
    from segment.run_model import fitted_model

    try:
        return replace(work, model=fitted_model(tasks, work, many.save_model))
    except SegmentError as error:
        raise click.ClickException(str(error)) from None


def _pages(work: Work, many: Many) -> list[Page]:
    if many.report_page is None:
        return []
    from segment.page import Page

    shown = work.model.applied_to(work.settings) if work.model else work.settings
    return [Page(Path(many.report_page), shown, work.output.files.get("segmented"))]


def _write_pages(pages: list[Page]) -> int:
    """Write the pages; 1 if one of them cannot be."""
    try:
        for page in pages:
            page.close()
    except SegmentError as error:
        say(f"error: {error}")
        return 1
    return 0


def _check_files(found: Inputs, work: Work, many: Many) -> None:
    inputs = {image.identity for image in found.images}
    for option, file in (("--report", many.report_page), ("--save-model", many.save_model)):
        if file is not None and os.path.realpath(file) in inputs:
            raise click.UsageError(f"{option} {file} would replace an input; name another file.")
    count = len(found.images) + len(found.wrong)
    if work.output.files and count != 1:
        raise click.UsageError(
            f"--labels and --segmented take one input, got {count}; use -o for several."
        )


def _jobs(many: Many) -> int:
    return many.jobs or (1 if many.scheduler else available_cores())


def _pool(jobs: int, cores: int, many: Many) -> Pool:
    if many.scheduler is not None:
        return _cluster(many)
    return Workers(jobs, cores) if jobs > 1 else Here()


def _cluster(many: Many) -> Pool:
    if many.jobs is not None:
        raise click.UsageError("--jobs does not go with --scheduler: the cluster has its workers.")
    try:
        cluster = Cluster(str(many.scheduler))
    except ClusterError as error:
        message = f"{many.scheduler}: {error}"
        raise click.BadParameter(message, param_hint="'--scheduler'") from None
    if not cluster.workers:
        say(f"{many.scheduler}: no workers yet; waiting for them (dask worker {many.scheduler})")
    return cluster


def _bar(images: int, wanted: bool | None, verbosity: int) -> NoBar:
    shown = on_terminal() if wanted is None else wanted
    if not shown or not images or (verbosity < 0 and not wanted):
        return NoBar()
    return ImagesBar(images) if images > 1 else StagesBar()
