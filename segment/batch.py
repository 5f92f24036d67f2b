"""Many images: plan every output first, then run the pipeline over them one by one."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from segment.errors import ImageFileError, SegmentError
from segment.image_io import (
    label_suffix,
    make_folder,
    read_image,
    write_labels,
    write_segmented,
)
from segment.pipeline import segment_pixels
from segment.report import Outcome
from segment.segmentation import Segmentation
from segment.settings import Settings
from segment.threads import on_threads

Product = Literal["labels", "segmented"]


@dataclass(frozen=True)
class Output:
    """What to write of a segmentation, and where.

    Attributes
    ----------
    folder : Path
    products : tuple of {"labels", "segmented"}
    recolor : {"mean", "mode"}
    """

    folder: Path
    products: tuple[Product, ...] = ("labels", "segmented")
    recolor: Literal["mean", "mode"] = "mean"


@dataclass(frozen=True)
class Task:
    """One image to segment and the stem of its results' names."""

    source: Path
    stem: Path


def plan(sources: Iterable[Path], folder: Path) -> list[Task]:
    """Give every image its names, so that no two inputs share a result.

    Parameters
    ----------
    sources : iterable of Path
        An image named twice is one task.
    folder : Path
        Where results go.

    Returns
    -------
    tasks : list of Task
        ``a.jpg`` gets the stem ``a``; where an ``a.png`` is there too, each keeps its
        extension; where that is not enough, a number is added.

    Examples
    --------
    >>> [task.stem.name for task in plan([Path("a.jpg"), Path("a.png"), Path("b.jpg")], Path("o"))]
    ['a.jpg', 'a.png', 'b']
    """
    unique: dict[Path, Path] = {}
    for source in sources:
        unique.setdefault(source.resolve(), source)
    by_stem = Counter(source.stem for source in unique.values())
    taken: set[str] = set()
    tasks = []
    for source in unique.values():
        name = source.stem if by_stem[source.stem] == 1 else source.name
        numbered = (f"{name}-{number}" for number in itertools.count(2))
        free = next(n for n in itertools.chain([name], numbered) if n not in taken)
        taken.add(free)
        tasks.append(Task(source, folder / free))
    return tasks


def run(tasks: list[Task], settings: Settings, output: Output) -> Iterator[Outcome]:
    """Segment the images one after the other; a bad one does not stop the rest."""
    inputs = {task.source.resolve() for task in tasks}
    for task in tasks:
        try:
            yield _run_one(task, settings, output, inputs)
        except SegmentError as error:
            yield Outcome(str(task.source), "failed", str(error))
        except MemoryError:
            yield Outcome(
                str(task.source), "failed", "needs more memory than there is; scale it down"
            )


def _run_one(task: Task, settings: Settings, output: Output, inputs: set[Path]) -> Outcome:
    start = time.perf_counter()
    make_folder(output.folder)
    image = read_image(task.source)
    segmentation = segment_pixels(image, settings)
    paths = _paths(task, output.products, len(segmentation.sizes), inputs)
    transparent = image.ndim == 3 and image.shape[2] in (2, 4)
    on_threads(
        lambda product: _write(segmentation, product, paths[product], output.recolor, transparent),
        output.products,
    )
    height, width = segmentation.labels.shape
    return Outcome(
        input=str(task.source),
        status="ok",
        outputs=[str(path) for path in paths.values()],
        width=width,
        height=height,
        bandwidth=segmentation.bandwidth,
        segments=len(segmentation.sizes),
        iterations=segmentation.n_iter,
        seconds=round(time.perf_counter() - start, 4),
    )


def _paths(
    task: Task, products: tuple[Product, ...], segments: int, inputs: set[Path]
) -> dict[Product, Path]:
    suffixes = {"labels": label_suffix(segments), "segmented": ".png"}
    paths = {
        product: task.stem.with_name(f"{task.stem.name}_{product}{suffixes[product]}")
        for product in products
    }
    for path in paths.values():
        if path.resolve() in inputs:
            raise ImageFileError(
                f"its result {path} would replace an input; choose another folder with -o"
            )
    return paths


def _write(
    segmentation: Segmentation,
    product: Product,
    path: Path,
    recolor: Literal["mean", "mode"],
    transparent: bool,
) -> None:
    if product == "labels":
        write_labels(segmentation.labels, path)
    else:
        palette = segmentation.palette(recolor)
        write_segmented(segmentation.labels, palette, path, transparent=transparent)
