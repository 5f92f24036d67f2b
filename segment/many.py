"""A run of the command: its inputs found, its pool chosen, its images reported."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from segment.batch import Batch, Pool, prepare
from segment.claims import claimed
from segment.cluster import Cluster, ClusterError
from segment.errors import SegmentError
from segment.here import Here
from segment.inputs import Inputs, Wrong, find_inputs, read_names
from segment.interrupts import interruptible
from segment.one_model import check_one_model, with_one_model
from segment.passing import abandoning
from segment.plan import plan
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
    model: str | None = None
    save_model: str | None = None
    fit_together: bool = False
    report_page: str | None = None

    @property
    def finds_model(self) -> bool:
        """Whether modes are found before the first image is labelled."""
        return self.fit_together or self.save_model is not None

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
    work = replace(work, claimed=_claimed(found, work, many))
    tasks = plan(found.images, work.output.home, paged=work.reading.page is not None)
    streams = any(map(is_stream, listed))
    here = work.has_streams or streams
    if here and many.scheduler is not None:
        raise click.UsageError("--scheduler takes files; pipes and standard streams are local.")
    if many.finds_model:
        check_one_model(tasks, work, fit_together=many.fit_together, streams=streams)
    jobs = 1 if here else min(_jobs(many), max(1, len(tasks)))
    single = len(tasks) == 1 and [task.input for task in tasks] == given
    keep_record = not work.has_streams and (not single or many.existing == "skip")

    def batch_of(work: Work) -> Batch:
        return Batch(tasks, work, existing=many.existing, keep_record=keep_record)

    if many.dry_run:
        report = Report(as_json=as_json, verbosity=min(verbosity, 0))
        return _preview(batch_of(work), found, report)
    with abandoning(), interruptible() as asked:
        if many.finds_model:
            work = with_one_model(tasks, work, many.save_model, asked)
        cores = max(1, _jobs(many) // jobs)
        work = replace(work, cores=cores, base=Path.cwd() if many.scheduler else None)
        bar = NoBar() if asked() else _bar(len(tasks), many.progress, verbosity)
        report = Report(as_json=as_json, verbosity=verbosity, bar=bar)
        return _run(batch_of(work), found, many, jobs, report, asked)


def _run(
    batch: Batch, found: Inputs, many: Many, jobs: int, report: Report, asked: Callable[[], bool]
) -> int:
    if asked():
        return report.close(interrupted=True)
    enter = report.bar.enter if isinstance(report.bar, StagesBar) else lambda stage: None
    with heard_by(enter):
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
        except ValueError as error:
            raise click.BadParameter(f"{file}: {error}", param_hint=f"'{option}'") from None
    return names


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


def _claimed(found: Inputs, work: Work, many: Many) -> frozenset[str]:
    count = len(found.images) + len(found.wrong)
    if work.output.files and count != 1:
        raise click.UsageError(
            f"--labels and --segmented take one input, got {count}; use -o for several."
        )
    for option, path in (("--report", many.report_page), ("--save-model", many.save_model)):
        if path is not None and (not path.strip() or Path(path).is_dir()):
            raise click.UsageError(f"{option}: expected the name of a file, got {path!r}.")
    lists = {option: file for option, file, _ in many.lists}
    own = {f"--{product}": path for product, path in work.output.files.items()}
    return claimed(
        {"--mask": work.mask, "--model": many.model, **lists},
        {**own, "--report": many.report_page, "--save-model": many.save_model},
        {image.identity for image in found.images},
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
