"""Which images are found under the names that were given."""

import os
import socket
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segment.reading.formats import pillow_formats
from segment.reading.picture import Kept
from segment.results.rasters import write_labels, write_segmented
from segment.running.inputs import EXTENSIONS, Wrong, find_inputs, read_names
from segment.running.journal import NAME as RECORD
from segment.running.plan import plan
from tests.commands import photos, run
from tests.damage import attempted, mutated


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A folder with images, other files, hidden files and a folder, as the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("in/b.jpg", "in/a.PNG", "in/notes.txt", "in/.hidden.png", "in/x/c.tif"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "in" / ".git").mkdir()
    (tmp_path / "in" / ".git" / "d.png").touch()
    return tmp_path


def names(*given, **options):
    return [image.name for image in find_inputs(given, **options).images]


def test_a_folder_gives_its_images_sorted(tree):
    """A folder stands for the images in it: sorted, by extension, not the hidden ones."""
    found = find_inputs(["in"])
    assert [image.name for image in found.images] == ["in/a.PNG", "in/b.jpg"]
    assert (found.others, found.own, found.wrong) == (1, 0, [])


def test_recursive_goes_into_folders(tree):
    """-r finds the images in the folders of a folder, too, and knows where below they are."""
    found = find_inputs(["in"], recursive=True)
    assert [(image.name, image.folder) for image in found.images] == [
        ("in/a.PNG", ""),
        ("in/b.jpg", ""),
        ("in/x/c.tif", "x"),
    ]


def test_named_files_are_taken_whatever_they_are_called(tree):
    """A file that is named is an input in the order given, whatever its extension."""
    assert names("in/notes.txt", "in/.hidden.png", "in/b.jpg", "none.jpg") == [
        "in/notes.txt",
        "in/.hidden.png",
        "in/b.jpg",
        "none.jpg",
    ]


def test_a_file_is_taken_once_however_it_is_spelt(tree):
    """The same file by another path, by a link or within a folder is one image."""
    (tree / "in" / "link.jpg").symlink_to("b.jpg")
    (tree / "also").symlink_to("in")
    assert names("in/b.jpg", "in/../in/b.jpg", "in", "also", str(tree / "in" / "b.jpg")) == [
        "in/b.jpg",
        "in/a.PNG",
    ]


def test_links_in_circles_end(tree):
    """Links to folders are followed; one that leads upwards or to itself ends the way there."""
    (tree / "in" / "x" / "up").symlink_to("..")
    (tree / "in" / "self").symlink_to("self")
    (tree / "more").mkdir()
    (tree / "more" / "e.png").touch()
    (tree / "more" / "back").symlink_to(tree / "in")
    (tree / "in" / "away").symlink_to(tree / "more")
    assert names("in", recursive=True) == [
        "in/a.PNG",
        "in/b.jpg",
        "in/away/e.png",
        "in/x/c.tif",
    ]


def test_an_image_that_a_link_leads_to_is_found_where_it_is(tree):
    """Where a link and the folder itself are in the tree, the results mirror the folder."""
    (tree / "in" / "a_link").symlink_to("x")
    assert names("in", recursive=True) == ["in/a.PNG", "in/b.jpg", "in/x/c.tif"]


def test_folders_without_images_are_told(tree):
    """A folder that gives nothing is named with what to do; the other names are taken."""
    (tree / "none").mkdir()
    found = find_inputs(["in/a.PNG", "none", "in/b.jpg"])
    assert [image.name for image in found.images] == ["in/a.PNG", "in/b.jpg"]
    reason = "is a folder without images; -r looks into the folders in it"
    assert found.wrong == [Wrong("none", reason, 1)]


def test_a_folder_that_cannot_be_listed_is_told(tree, monkeypatch):
    """A folder that may not be read is named; what lies beside it is found."""
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("x"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = find_inputs(["in"], recursive=True)
    assert [image.name for image in found.images] == ["in/a.PNG", "in/b.jpg"]
    reason = "cannot be listed: Permission denied; check its permissions"
    assert found.wrong == [Wrong("in/x", reason, 0)]


def test_own_results_are_left_out(tree):
    """Results are known by what is in them, not by their names alone."""
    labels = np.ones((3, 3), np.int32)
    write_labels(labels, tree / "in" / "b_labels.png", "png")
    write_labels(labels, tree / "in" / "c_labels.tif", "tiff")
    palette = np.zeros((2, 3), np.uint8)
    write_segmented(labels, palette, tree / "in" / "b_segmented.png", transparent=False)
    Image.fromarray(np.zeros((3, 3), np.uint8)).save(tree / "in" / "my_labels.png")
    found = find_inputs(["in"])
    assert [image.name for image in found.images] == ["in/a.PNG", "in/b.jpg", "in/my_labels.png"]
    assert found.own == 3


def test_the_mark_of_own_results_may_lie_deep(tree):
    """Results are known behind a long colour profile and behind the places of many strips."""
    labels = np.ones((3, 3), np.int32)
    profile = np.random.default_rng(0).bytes(50_000)
    palette = np.zeros((2, 3), np.uint8)
    path = tree / "in" / "b_segmented.png"
    write_segmented(labels, palette, path, transparent=False, kept=Kept(profile=profile))
    large = np.full((10_000, 10_000), 70_000, np.int32)
    write_labels(large, tree / "in" / "c_labels.tif", "tiff")
    assert find_inputs(["in"]).own == 2


def test_the_mark_lies_behind_the_pixels_too(tree):
    """A result is known behind a colour profile that is longer than what is read of its head."""
    labels, palette = np.ones((3, 3), np.int32), np.zeros((2, 3), np.uint8)
    path = tree / "in" / "b_segmented.png"
    kept = Kept(profile=np.random.default_rng(0).bytes(300_000))
    write_segmented(labels, palette, path, transparent=False, kept=kept)
    assert find_inputs(["in"]).own == 1
    assert Image.open(path).convert("RGB").getextrema() == ((0, 0),) * 3


def test_a_folder_of_results_is_told(tree):
    """A folder that holds nothing but results is not called one without images."""
    (tree / "out").mkdir()
    write_labels(np.ones((3, 3), np.int32), tree / "out" / "b_labels.png", "png")
    reason = "is a folder with nothing but results of this tool; name that of the images"
    assert find_inputs(["out"]).wrong == [Wrong("out", reason, 0)]


def test_minus_is_standard_input_and_a_path_to_it_a_file(tree):
    """`-` is one input by itself; `./-` is a file, and so is a folder's of that name."""
    (tree / "-").touch()
    assert names("-", "./-", "-") == ["-", str(tree / "-")]
    assert [image.identity for image in find_inputs(["-"]).images] == ["-"]


def test_names_that_are_no_text_are_found(tree):
    """A file whose name is not valid UTF-8, or has a line end, is an input as any other."""
    odd = b"caf\xe9\n.png"
    (tree / os.fsdecode(b"in/" + odd)).touch()
    assert os.fsdecode(b"in/" + odd) in names("in")


def test_every_extension_is_one_that_is_read():
    """What is taken for an image in a folder, Pillow, a plug-in or a decoder of ours reads."""
    Image.init()
    for kind in ("HEIF", "JXL"):
        pillow_formats(kind)
    readable = {name for name, kind in Image.registered_extensions().items() if kind in Image.OPEN}
    assert not EXTENSIONS - readable - {".mpo", ".psb"}
    assert {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif"} <= EXTENSIONS
    assert not EXTENSIONS & {".pdf", ".ps", ".eps", ".mpg", ".h5", ".txt"}


@pytest.mark.parametrize(
    ("content", "separator", "listed"),
    [
        (b"a.jpg\nb c.jpg\n", b"\n", ["a.jpg", "b c.jpg"]),
        (b"a.jpg\r\n\r\nb.jpg", b"\n", ["a.jpg", "b.jpg"]),
        (b" a.jpg \n", b"\n", [" a.jpg "]),
        (b"a\nb.jpg\0c\r.jpg\0", b"\0", ["a\nb.jpg", "c\r.jpg"]),
        (b"caf\xe9.jpg\n", b"\n", ["caf\udce9.jpg"]),
        (b"", b"\n", []),
    ],
)
def test_lists_of_names(tmp_path, content, separator, listed):
    """A list has a name a line, or names that end in NUL and may hold anything else."""
    (tmp_path / "list").write_bytes(content)
    assert read_names(str(tmp_path / "list"), separator) == listed


def odd_files(folder):
    """Files of every kind that a scan must not open, named like images and like results."""
    for name in ("x_labels.png", "x_segmented.tif", "pipe.png"):
        os.mkfifo(folder / name)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket_labels.png"))
    for name in ("link_labels.png", "link.jpg"):
        (folder / name).symlink_to(folder / "pipe.png")
    (folder / "device_labels.png").symlink_to("/dev/zero")
    (folder / "turned_labels.png").symlink_to("turned_labels.png")
    (folder / "folder_labels.png").mkdir()


@pytest.mark.skipif(sys.platform == "win32", reason="files of POSIX")
def test_a_scan_opens_no_pipes(tmp_path, monkeypatch):
    """Pipes, sockets, devices and links to them in a folder are no images, and are not opened."""
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    (tmp_path / "in").mkdir()
    odd_files(Path("in"))
    Path("in", "a.png").touch()
    found = find_inputs(["in"], recursive=True)
    assert [image.name for image in found.images] == ["in/a.png"]
    assert (found.others, found.own) == (8, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="files of POSIX")
@pytest.mark.parametrize("option", ["--dry-run", "--recursive", "--existing=skip"])
def test_a_run_opens_no_pipes(tmp_path, monkeypatch, option):
    """A run over a folder with pipes ends, whether it does anything or not, and leaves them out."""
    monkeypatch.chdir(tmp_path)
    photos(tmp_path / "in", 1, size=8)
    odd_files(Path("in"))
    Path("out").mkdir()
    os.mkfifo(Path("out", RECORD))
    done = run("in", "-o", "out", "-b", "9", option, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "000_labels.png" in done.stdout + done.stderr
    assert Path("out", RECORD).is_fifo()


@pytest.mark.skipif(sys.platform == "win32", reason="files of POSIX")
def test_a_pipe_in_the_place_of_a_result(tmp_path):
    """A pipe that has the name of a result fails that image; the others are done."""
    photos(tmp_path / "in", 2, size=8)
    (tmp_path / "out").mkdir()
    os.mkfifo(tmp_path / "out" / "000_labels.png")
    done = run("in", "-o", "out", "-b", "9", cwd=tmp_path)
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "000_labels.png would go to a pipe or a device that is there" in error
    assert done.stderr.endswith("1 done, 1 failed\n")
    assert (tmp_path / "out" / "000_labels.png").is_fifo()


def test_lists_of_any_bytes(tmp_path):
    """Whatever is in a list, it gives names, all but lines with NUL; none of them is an error."""
    whole = "".join(f"photo {number}/caf\xe9.jpg\r\n" for number in range(9)).encode()
    for seed in range(300):
        (tmp_path / "list").write_bytes(mutated(whole, seed))
        for separator in (b"\n", b"\0"):
            listed, said = attempted(
                lambda s=separator: read_names(str(tmp_path / "list"), s), ValueError
            )
            assert listed is not None or (separator == b"\n" and "holds NUL" in said)
            found = find_inputs(listed or ())
            assert len(found.images) + len(found.wrong) <= len(listed or ())
            plan(found.images, tmp_path)


def test_a_folder_of_zarr_is_an_image(tree):
    """An array or a group of Zarr that is named is one input, not looked into, slash or not."""
    for name in ("in/a.zarr/zarr.json", "in/b.zarr/.zarray", "in/c.zarr/.zgroup"):
        (tree / name).parent.mkdir()
        (tree / name).touch()
    (tree / "in" / "a.zarr" / "c.png").touch()
    assert names("in/a.zarr/", "in/b.zarr", "in/c.zarr", "in/a.zarr") == [
        "in/a.zarr",
        "in/b.zarr",
        "in/c.zarr",
    ]
    assert [task.stem.name for task in plan(find_inputs(["in/a.zarr/"]).images, Path("o"))] == ["a"]
    assert names("in") == ["in/a.PNG", "in/b.jpg"]
