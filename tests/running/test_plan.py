"""Names of results."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segment.results.outputs import Output
from segment.running import plan as plan_room
from segment.running.inputs import Input, find_inputs
from segment.running.plan import Work, plan
from segment.settings import Settings
from tests.drawn import NOISE, png


def stems(*sources):
    images = [Input(name, "", f"/{name}") for name in sources]
    return [task.stem.name for task in plan(images, Path("out"))]


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (["a.jpg", "b.jpg"], ["a", "b"]),
        (["a.jpg", "a.png", "b.jpg"], ["a.jpg", "a.png", "b"]),
        (["x/a.jpg", "y/a.jpg"], ["a.jpg", "a.jpg-2"]),
        (["y/a.jpg", "x/a.jpg"], ["a.jpg-2", "a.jpg"]),
        (["a.png", "a.jpg", "a.jpg.png"], ["a.png", "a.jpg", "a.jpg-2"]),
        (["archive.tar.png"], ["archive.tar"]),
        ([".png", "b"], [".png", "b"]),
    ],
    ids=lambda value: ",".join(value),
)
def test_stems(sources, expected):
    """Results are named by the stem, by the whole name where stems clash, by number at last."""
    assert stems(*sources) == expected


PARTS = st.sampled_from(["a", "a.jpg", "a.png", "a.jpg-2", "b.jpg", "a.jpg.png", "a-2"])
FILES = st.lists(st.tuples(st.sampled_from("xyz"), PARTS), unique=True, min_size=1)


@given(FILES, st.randoms(use_true_random=False))
def test_no_two_images_share_a_name_in_any_order(files, shuffler):
    """Every image has a name of its own, and the same one whatever the order of the images."""
    sources = ["/".join(file) for file in files]
    shuffled = list(sources)
    shuffler.shuffle(shuffled)
    planned = dict(zip(sources, stems(*sources), strict=True))
    assert len(set(planned.values())) == len(sources)
    assert dict(zip(shuffled, stems(*shuffled), strict=True)) == planned


def test_standard_input_has_a_name():
    """Results of `-` are called stdin, beside a file of that name, too."""
    assert stems("-", "a.png") == ["stdin", "a"]
    assert stems("-", "stdin.png") == ["stdin", "stdin.png"]


def test_names_of_pages_are_kept_free():
    """Where results may have the number of a page, an image of such a name keeps its extension."""
    names = ["scan.tif", "scan_page2.png", "other_page2.png", "a_page1.tif", "a_page1_page2.png"]
    images = [Input(name, "", f"/{name}") for name in names]
    planned = [task.stem.name for task in plan(images, Path("out"), paged=True)]
    assert planned == ["scan", "scan_page2.png", "other_page2", "a_page1", "a_page1_page2.png"]
    assert stems(*names[:2]) == ["scan", "scan_page2"]


def test_folders_mirror_the_tree():
    """Results of images in folders go to folders of the same names, each with names of its own."""
    images = [Input("in/a.jpg", "", "/a.jpg"), Input("in/x/y/a.jpg", "x/y", "/x/y/a.jpg")]
    tasks = plan(images, Path("out"))
    assert [task.place for task in tasks] == ["out/a", str(Path("out/x/y/a"))]


def test_inputs_among_the_results_are_protected(tmp_path):
    """A task knows the inputs that its results could replace, by name, by link, in its folder."""
    for name in ("a.png", "a_labels.png", "ab_labels.png", "elsewhere.png"):
        (tmp_path / name).touch()
    (tmp_path / "x").mkdir()
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "a_segmented.png").symlink_to("elsewhere.png")
    spelt = ["a.png", "x/../a_labels.png", "link/ab_labels.png", "a_segmented.png"]
    found = find_inputs(str(tmp_path / name) for name in spelt)
    first, *_ = plan(found.images, tmp_path / "x" / "..")
    assert first.protected == ("a_labels.png", "a_segmented.png")
    assert plan(found.images, tmp_path / "x")[0].protected == ()
    (tmp_path / "x" / "a_labels.png").symlink_to("../ab_labels.png")
    assert plan(found.images, tmp_path / "x")[0].protected == ("a_labels.png",)


def test_many_names_that_clash_are_told_apart():
    """Ten thousand images of one name get ten thousand names, without looking at each pair."""
    sources = [f"{i}/a.jpg" for i in range(10_000)]
    random.Random(0).shuffle(sources)
    assert len(set(stems(*sources))) == len(sources)


@pytest.mark.parametrize(
    ("head", "memory", "expected"),
    [
        (png(NOISE), "1K", True),
        (png(NOISE), "4G", False),
        (png(NOISE), None, False),
        (b"II*\0any", None, True),
        (b"any", None, True),
        (b"\xff\xd8\xff", "1K", False),
        (None, "1K", False),
    ],
    ids=["little", "enough", "small", "tiff", "unknown", "jpeg", "none"],
)
def test_which_images_may_have_to_be_cut(tmp_path, monkeypatch, head, memory, expected):
    """The first bytes tell it, and of a small PNG nobody asks how much memory is free."""
    if memory is None:
        monkeypatch.setattr(plan_room, "memory_limit", None)
    if head is not None:
        (tmp_path / "a").write_bytes(head)
    work = Work(Settings(), Output(tmp_path), memory=memory)
    assert work.may_cut(tmp_path / "a") == expected
    assert work.may_cut(tmp_path)
