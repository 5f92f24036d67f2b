"""A run of the command: its inputs found, its pool chosen, its images reported."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import click

from segment.batch import Batch, Pool, prepare
from segment.cluster import Cluster, ClusterError
from segment.here import Here
from segment.inputs import Inputs, Wrong, find_inputs, read_names
from segment.interrupts import interruptible
from segment.passing import abandon
from segment.plan import plan
from segment.progress import ImagesBar, NoBar, StagesBar, on_terminal
from segment.report import Outcome, Report, say
from segment.sources import is_stream
from segment.stages import heard_by
from segment.threads import available_cores
from segment.work import Work
from segment.workers import Workers


@dataclass(frozen=True)
class Many:
    """What the user says of the images as a crowd: the options of `batch_options`."""

    recursive: bool = False
    files_from: str | None = None
    files0_from: str | None = None
    jobs: int | None = None
    scheduler: str | None = None
    existing: Literal["overwrite", "skip", "error"] = "overwrite"
    dry_run: bool = False
    fail_fast: bool = False
    progress: bool | None = None

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
    """
    given = list(names)
    listed = [*given, *_listed(many)]
    found = find_inputs(listed, recursive=many.recursive)
    _check_one_input(found, work)
    tasks = plan(found.images, work.output.home, paged=work.reading.page is not None)
    here = work.has_streams or any(map(is_stream, listed))
    if here and many.scheduler is not None:
        raise click.UsageError("--scheduler takes files; pipes and standard streams are local.")
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

        try:
            outcomes = batch.run(pool, stopped=stopped, look=report.bar.look)
            for outcome in _in_order(outcomes, found.wrong):
                report.add(outcome)
            return report.close(interrupted=asked())
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


def _check_one_input(found: Inputs, work: Work) -> None:
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
