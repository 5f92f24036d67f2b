"""Inputs to tasks: every result gets its name before the first is written."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


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
        extension; where that is not enough, a number is added. ``-``, standard input, gets
        ``stdin``.

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
        if name == "-":  # standard input
            name = "stdin"
        numbered = (f"{name}-{number}" for number in itertools.count(2))
        free = next(n for n in itertools.chain([name], numbered) if n not in taken)
        taken.add(free)
        tasks.append(Task(source, folder / free))
    return tasks
