"""A run of the command: its inputs found, its pool chosen, its images reported."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from segment.errors import OptionError, SegmentError
from segment.messages import bad, on_terminal, say
from segment.progress import ImagesBar, NoBar, StagesBar, heard_by
from segment.results.naming import suffix
from segment.results.outputs import claimed
from segment.running.batch import Batch, prepare
from segment.running.inputs import Inputs, Wrong, find_inputs, read_names
from segment.running.outcomes import Console, Outcome
from segment.running.plan import RunOptions, Task, Work, plan
from segment.running.pools import Cluster, ClusterError, Coordinator, Here, Pool
from segment.streams import is_stream
from segment.threads import available_cores
from segment.writing import abandoning

if TYPE_CHECKING:
    from segment.running.html_report import HtmlReport


def run(
    names: Iterable[str], work: Work, options: RunOptions, *, as_json: bool, verbosity: int
) -> int:
    """Find the images, have each segmented, say what became of it; return the exit code.

    Raises
    ------
    OptionError
        If a list cannot be read, no cluster answers, or results of several inputs would go to
        one file.
    SegmentError
        If no modes can be found, or thumbnails find no room.
    """
    given = list(names)
    listed = [*given, *_listed(options)]
    found = find_inputs(listed, recursive=options.recursive)
    work = work._replace(claimed=_claimed(found, work, options))
    tasks = plan(found.images, work.output.home, paged=work.reading.page is not None)
    streams = any(map(is_stream, listed))
    here = work.has_streams or streams
    if here and options.scheduler is not None:
        raise OptionError("--scheduler takes files; pipes and standard streams are local.")
    if options.finds_model:  # whose imports are as heavy as those of a job
        from segment.running.shared_model import check_one_model, with_one_model

        check_one_model(tasks, work, fit_together=options.fit_together, streams=streams)
    jobs = 1 if here else min(_jobs(options), max(1, len(tasks)))
    single = len(tasks) == 1 and [task.input for task in tasks] == given
    keep_record = not work.has_streams and (not single or options.existing == "skip")

    def batch_of(work: Work) -> Batch:
        return Batch(tasks, work, existing=options.existing, keep_record=keep_record)

    work = work._replace(sharers=jobs)
    if options.dry_run:
        console = Console(as_json=as_json, verbosity=min(verbosity, 0))
        return _preview(batch_of(_shared(tasks, work, options)), found, console)
    with abandoning(), interruptible() as asked:
        if options.finds_model:
            work = with_one_model(tasks, work, options.save_model, asked)
        cores = max(1, _jobs(options) // jobs)
        base = Path.cwd() if options.scheduler else None
        work = work._replace(cores=cores, base=base)
        bar = NoBar() if asked() else _bar(len(tasks), options.progress, verbosity)
        console = Console(as_json=as_json, verbosity=verbosity, bar=bar)
        return _run(batch_of(work), found, options, jobs, console, asked)


def _run(
    batch: Batch,
    found: Inputs,
    options: RunOptions,
    jobs: int,
    console: Console,
    asked: Callable[[], bool],
) -> int:
    if asked():
        return console.close(interrupted=True)
    enter = console.bar.enter if isinstance(console.bar, StagesBar) else _unheard
    with heard_by(enter):
        pool = _pool(jobs, options, batch)
        prepare(batch.tasks)
        _note(found, console)

        def stopped() -> bool:
            return asked() or bool(options.fail_fast and console.failed)

        html = _html_report(batch.work, options)
        with closing(batch.run(pool, stopped=stopped, look=console.bar.look)) as outcomes:
            for outcome in _in_order(outcomes, found.wrong):
                if html:
                    html.add(outcome)
                console.add(outcome)
                if options.explore:
                    _open(outcome, console)
        return max(console.close(interrupted=asked()), _write(html))


def _unheard(stage: str, done: int, total: int) -> None:
    """Let a stage pass that nobody is shown."""


def _open(outcome: Outcome, console: Console) -> None:
    from segment.results.opening import open_page

    for output in outcome.outputs:
        shown = not output.endswith(suffix("explorer", 1)) or open_page(Path(output))
        if not shown and console.verbosity >= 0:
            say(f"{output}: open it in a browser")


def _shared(tasks: Sequence[Task], work: Work, options: RunOptions) -> Work:
    """Return the work with a cluster where the only image would be shared out over one."""
    if options.scheduler is None or len(tasks) > 1:
        return work
    from segment.running.job import is_shared  # whose imports other parents do without

    return work._replace(cluster=True) if tasks and is_shared(tasks[0], work) else work


def _preview(batch: Batch, found: Inputs, console: Console) -> int:
    _note(found, console)
    for outcome in _in_order(batch.preview(), found.wrong):
        console.add(outcome)
    return 1 if console.failed else 0


def _in_order(outcomes: Iterable[Outcome], wrong: list[Wrong]) -> Iterator[Outcome]:
    """Yield outcomes, and where they were named those of folders that gave nothing."""
    waiting = deque(wrong)
    place, last = -1, None
    for outcome in outcomes:
        place += outcome.input != last  # pages of one image follow each other
        last = outcome.input
        while waiting and waiting[0].place <= place:
            yield Outcome(waiting[0].name, "failed", waiting.popleft().reason)
        yield outcome
    yield from (Outcome(folder.name, "failed", folder.reason) for folder in waiting)


def _note(found: Inputs, console: Console) -> None:
    if found.others:
        console.note(f"left out: {found.others} other file{'s' if found.others > 1 else ''}")
    if found.own:
        console.note(f"left out: {found.own} result{'s' if found.own > 1 else ''} of its own")


def _listed(options: RunOptions) -> list[str]:
    names: list[str] = []
    for name, file, separator in options.lists:
        try:
            names += read_names(file, separator)
        except OSError as error:
            raise OptionError(f"{file}: cannot be read: {error.strerror}", name) from None
        except ValueError as error:
            raise OptionError(f"{file}: {error}", name) from None
    return names


def _html_report(work: Work, options: RunOptions) -> HtmlReport | None:
    if options.html_report is None:
        return None
    from segment.running.html_report import HtmlReport

    shown = work.model.applied_to(work.settings) if work.model else work.settings
    return HtmlReport(Path(options.html_report), shown, work.output.files.get("segmented"))


def _write(html: HtmlReport | None) -> int:
    """Write the report if there is one; 1 if it cannot be."""
    try:
        if html:
            html.close()
    except SegmentError as error:
        say(bad("error:"), f" {error}")
        return 1
    return 0


def _claimed(found: Inputs, work: Work, options: RunOptions) -> frozenset[str]:
    count = len(found.images) + len(found.wrong)
    if work.output.files and count != 1:
        raise OptionError(
            f"--labels and --segmented take one input, got {count}; use -o for several."
        )
    if options.explore and count != 1:
        raise OptionError(
            f"--explore takes one input, got {count}; --write explorer makes a page for each."
        )
    for option, path in (("--report", options.html_report), ("--save-model", options.save_model)):
        if path is not None and (not path.strip() or Path(path).is_dir()):
            raise OptionError(f"{option}: expected the name of a file, got {path!r}.")
    lists = {option: file for option, file, _ in options.lists}
    own = {f"--{product}": path for product, path in work.output.files.items()}
    return claimed(
        {"--mask": work.mask, "--model": options.model, **lists},
        {**own, "--report": options.html_report, "--save-model": options.save_model},
        {image.identity for image in found.images},
    )


def _jobs(options: RunOptions) -> int:
    return options.jobs or (1 if options.scheduler else available_cores())


def _pool(jobs: int, options: RunOptions, batch: Batch) -> Pool:
    """Return who does the images; one that is large is done here, its strips by the cluster."""
    work = batch.work
    if options.scheduler is not None:
        cluster = _cluster(options)
        if _shared(batch.tasks, work, options).cluster:
            batch.work = work._replace(cores=available_cores(), cluster=cluster.client)
            return Coordinator(cluster)
        return cluster
    if jobs == 1:
        return Here()
    from segment.running.worker import Workers  # 2 ms, for which one image need not wait

    return Workers(jobs, work.cores or 1)


def _cluster(options: RunOptions) -> Cluster:
    if options.jobs is not None:
        raise OptionError("--jobs does not go with --scheduler: the cluster has its workers.")
    try:
        cluster = Cluster(str(options.scheduler))
    except ClusterError as error:
        raise OptionError(f"{options.scheduler}: {error}", "--scheduler") from None
    if not cluster.workers:
        address = options.scheduler
        say(f"{address}: no workers yet; waiting for them (dask worker {address})")
    return cluster


def _bar(images: int, wanted: bool | None, verbosity: int) -> NoBar:
    shown = on_terminal(sys.stderr) if wanted is None else wanted
    if not shown or not images or (verbosity < 0 and not wanted):
        return NoBar()
    return ImagesBar(images) if images > 1 else StagesBar()


SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether the run was asked to stop.

    A second signal, from somebody who cannot wait, is a KeyboardInterrupt. Signals that the
    caller had ignored, as ``nohup`` does, stay so.
    """
    asked = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    before: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                before[number] = signal.signal(number, ask)
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
