"""What a run is to do: its options, the work on every image, a task with names for each."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from segment.memory_limit import memory_limit, needed_in_memory
from segment.reading.formats import is_by_strips, kind_of, size_of_png
from segment.reading.reading_options import ReadingOptions
from segment.reading.sources import head_of
from segment.results.naming import PAGE_STEM
from segment.results.outputs import Output
from segment.running.inputs import Input
from segment.settings import Settings
from segment.streams import is_standard, is_stream

if TYPE_CHECKING:
    from segment.method.model import Model

SMALL = 1 << 22  # pixels of which nobody asks how much memory is free, for that takes 1 to 3 ms


class RunOptions(NamedTuple):
    """What is said of the images together: where they are, who does them, what is kept."""

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
    html_report: str | None = None
    explore: bool = False

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


class Work(NamedTuple):
    """What to do with each image.

    Attributes
    ----------
    settings : Settings
    output : Output
    reading : ReadingOptions
    mask : Path or None
        Image whose pixels that are not 0 take part; ``-`` is standard input.
    model : Model or None
        Whose modes to take; None finds those of each image.
    cores : int or None
        What one image may take; None for all. The results do not depend on it.
    claimed : frozenset of str
        Files that no result may replace, beside the images; see `claimed`.
    base : Path or None
        Where relative paths begin, for a worker that was started elsewhere.
    memory : str or None
        Bytes, or a share of what is free, that all images under way may take, as `memory_limit`
        has it. Those that need more are done strip by strip.
    sharers : int
        Images that are under way at the same time.
    cluster : distributed.Client or None
        Of the cluster that the strips of the image are shared out over.
    """

    settings: Settings
    output: Output
    reading: ReadingOptions = ReadingOptions()
    mask: Path | None = None
    model: Model | None = None
    cores: int | None = None
    claimed: frozenset[str] = frozenset()
    base: Path | None = None
    memory: str | None = None
    sharers: int = 1
    cluster: Any = None

    @property
    def has_streams(self) -> bool:
        """Whether only this process can do it, and once: its standard streams, a pipe."""
        to_stdout = any(map(is_standard, self.output.files.values()))
        return to_stdout or (self.mask is not None and is_stream(self.mask))

    @property
    def limit(self) -> int:
        """Bytes that one image may take."""
        return memory_limit(self.memory) // self.sharers

    def needs(self, pixels: int, channels: int, item_bytes: int) -> int:
        """Return about how many bytes an image of a size takes in memory."""
        joint, by_region = self.settings.features == "joint", self.settings.by_region
        return needed_in_memory(pixels, channels, item_bytes, by_region=by_region, joint=joint)

    def may_cut(self, path: Path) -> bool:
        """Return whether an image may have to be done by strips, as far as its first bytes tell."""
        head = head_of(path)
        if not is_by_strips(head):
            return False
        if not head or self.cluster is not None or kind_of(head) != "PNG":
            return True
        size = size_of_png(head)
        if size[0] <= SMALL and self.memory is None:
            return False
        return self.needs(*size) > self.limit or size[0] > self.reading.max_pixels


class Task(NamedTuple):
    """One image to segment.

    Attributes
    ----------
    input : str
        Its path as the user gave it; ``-`` is standard input.
    place : str
        The stem of its results' paths.
    identity : str
        Its absolute path without links.
    protected : tuple of str
        Names of inputs that lie where its results go and begin as they do: not to be replaced.
    """

    input: str
    place: str
    identity: str
    protected: tuple[str, ...] = ()

    @property
    def source(self) -> Path:
        return Path(self.input)

    @property
    def stem(self) -> Path:
        return Path(self.place)


def plan(images: Iterable[Input], folder: Path, *, paged: bool = False) -> list[Task]:
    """Return a task for every image, with names such that no two inputs share a result.

    Parameters
    ----------
    images : iterable of Input
        No file twice.
    folder : Path
        Where results go; those of an image in a folder of a folder that was given to a
        folder of the same name.
    paged : bool, default False
        Whether results may have the number of a page in their names.

    Returns
    -------
    tasks : list of Task
        In the order of the images. ``a.jpg`` gets the stem ``a``; where an ``a.png`` is there
        too, each keeps its extension; where that is not enough, a number is added, in the order
        of their paths: names do not depend on the order of the images. ``-`` gets ``stdin``.

    Examples
    --------
    >>> images = [Input(name, "", f"/{name}") for name in ("a.jpg", "a.png", "b.jpg")]
    >>> [task.stem.name for task in plan(images, Path("o"))]
    ['a.jpg', 'a.png', 'b']
    """
    images = list(images)
    by_folder = defaultdict(list)
    for image in images:
        by_folder[image.folder].append(image)
    places = {below: os.path.join(folder, below) if below else str(folder) for below in by_folder}
    inputs_in = _names_in({os.path.realpath(place) for place in places.values()}, images)
    tasks = {}
    for below, group in by_folder.items():
        place = places[below]
        names = inputs_in.get(os.path.realpath(place), [])
        for image, stem in _stems(group, paged):
            tasks[image.identity] = Task(
                image.name, os.path.join(place, stem), image.identity, _starting(names, f"{stem}_")
            )
    return [tasks[image.identity] for image in images]


def _stems(images: list[Input], paged: bool) -> Iterator[tuple[Input, str]]:
    names = {
        image.identity: "stdin" if is_standard(image.name) else os.path.basename(image.name)
        for image in images
    }
    stems = {identity: os.path.splitext(name)[0] for identity, name in names.items()}
    count = Counter(stems.values())
    if paged:  # scan_page2.png keeps its extension where scan.tif may have a second page
        bases = {*count, *names.values()}
        count.update(stem for stem in count if (of := PAGE_STEM.fullmatch(stem)) and of[1] in bases)
    taken: set[str] = set()
    last: Counter[str] = Counter()
    for image in sorted(images, key=attrgetter("identity")):
        stem = stems[image.identity]
        free = name = stem if count[stem] == 1 else names[image.identity]
        while free in taken:
            last[name] += 1
            free = f"{name}-{last[name] + 1}"
        taken.add(free)
        yield image, free


def _names_in(places: set[str], images: list[Input]) -> dict[str, list[str]]:
    """Return sorted names of inputs that lie where results go: of the files, and of links to them.

    A result that has the name of a link would be written to where the link leads.
    """
    names = defaultdict(set)
    identities = {image.identity for image in images}
    for place in places:
        for link in _links_in(place):
            if os.path.realpath(link.path) in identities:
                names[place].add(link.name)
    real: dict[str, str] = {}
    for image in images:
        folder, name = os.path.split(image.identity)
        if folder in places:
            names[folder].add(name)
        spelt, name = os.path.split(image.name)
        if spelt not in real:
            real[spelt] = os.path.realpath(spelt)
        if real[spelt] in places:
            names[real[spelt]].add(name)
    return {folder: sorted(group) for folder, group in names.items()}


def _links_in(place: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(place) as entries:
            return [entry for entry in entries if entry.is_symlink()]
    except OSError:
        return []


def _starting(names: list[str], start: str) -> tuple[str, ...]:
    first = last = bisect_left(names, start)
    while last < len(names) and names[last].startswith(start):
        last += 1
    return tuple(names[first:last])
