"""What belongs to the process is as it was after any number of reads, at once or not."""

import contextlib
import os
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest
from PIL import Image, ImageFile

from segment import ImageFileError
from segment.pixels.colors import to_rgb
from segment.reading.files import read_image
from segment.reading.process_state import borrowed, held_back
from segment.reading.reading_options import ReadingOptions
from tests.commands import WAIT

ROWS = np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8)
STRICT, LENIENT = ReadingOptions(), ReadingOptions(allow_truncated=True)


def state():
    return list(warnings.filters), Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES


def at_once(*calls):
    """Make calls on a thread each, all begun together; return what they return."""
    start = threading.Barrier(len(calls), timeout=WAIT)
    results = [None] * len(calls)

    def work(place):
        start.wait()
        results[place] = calls[place]()

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    return results


@pytest.fixture
def files(tmp_path):
    """An image, one that is cut off, one of which Pillow warns, one in an icon, and none."""
    for name in ("whole.png", "whole.tif", "whole.jpg"):
        Image.fromarray(ROWS).save(tmp_path / name)
    whole = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "warns.png").write_bytes(apng_without_frames(whole))
    Image.fromarray(ROWS).save(tmp_path / "icon.ico", sizes=[(48, 64)])
    (tmp_path / "none.png").write_bytes(b"text")
    return tmp_path


def apng_without_frames(content):
    """Make a PNG an animated one of no frames: Pillow warns that it is none."""
    from tests.drawn import chunk

    return content[:33] + chunk(b"acTL", bytes(8)) + content[33:]


def read(path, options):
    """The pixels, or what is wrong with the file."""
    try:
        return read_image(path, options)
    except ImageFileError as error:
        return str(error)


@pytest.mark.parametrize("small", [False, True], ids=["good", "too large"])
def test_eight_threads_leave_all_as_it_was(files, small):
    """Whatever eight threads read, and whether it fails, filters and Pillow's limits stay."""
    before, found = state(), warnings.filters
    names = ("whole.png", "cut.png", "warns.png", "icon.ico", "none.png", "whole.tif", "missing")

    def work(number):
        for turn in range(12):
            name = names[(turn + number) % len(names)]
            lenient = bool((turn + number) % 3)
            most = 50 if small else 10**6
            read(files / name, ReadingOptions(allow_truncated=lenient, max_pixels=most))

    at_once(*(lambda number=number: work(number) for number in range(8)))
    assert state() == before
    assert warnings.filters is found


def test_a_warning_of_pillow_reaches_nobody(files):
    """Metadata that Pillow warns of is no error, though warnings are, and none is shown."""
    with (files / "warns.png").open("rb") as file, pytest.warns(UserWarning, match="APNG"):
        Image.open(file)
    assert np.array_equal(read_image(files / "warns.png"), ROWS)


def test_a_lenient_reader_makes_no_other_lenient(files):
    """While a thread takes what there is of a damaged file, others refuse it."""
    options = [LENIENT, STRICT] * 4

    def work(kind):
        return [read(files / "cut.png", kind) for _ in range(20)]

    for kind, found in zip(options, at_once(*(lambda o=o: work(o) for o in options)), strict=True):
        for result in found:
            if kind is LENIENT:
                assert np.array_equal(result[:20, :, :3], ROWS[:20])
                assert result[:20, :, 3].all()
                assert not result[-20:, :, 3].any()
            else:
                assert result.startswith("is damaged or cut off")


def test_readers_of_different_limits(files):
    """Each thread has its own limit of pixels, also for what is inside a file."""
    few, many = ReadingOptions(max_pixels=100), ReadingOptions(max_pixels=10**6)
    for name in ("icon.ico", "whole.jpg"):
        calls = [lambda o=o, name=name: read(files / name, o) for o in [few, many] * 4]
        for place, found in enumerate(at_once(*calls)):
            if place % 2:
                assert found.shape[:2] == (64, 48)
            else:
                assert "100" in found


def test_those_that_want_the_same_read_at_once():
    """Threads that want the same of Pillow do not wait for each other."""
    inside = threading.Barrier(4, timeout=WAIT)

    def work():
        with borrowed(1000):
            return inside.wait() >= 0

    assert at_once(*[work] * 4) == [True] * 4


def test_nobody_waits_for_ever():
    """A thread that wants something else comes to its turn among many that want the same."""
    stop = threading.Event()

    def same():
        while not stop.is_set():
            with borrowed(1000):
                stop.wait(0.001)

    def other():
        try:
            for _ in range(5):
                with borrowed(2000):
                    assert Image.MAX_IMAGE_PIXELS == 2000
            return "done"
        finally:
            stop.set()

    assert at_once(same, same, same, other)[-1] == "done"


def test_an_error_gives_back_what_was_borrowed():
    """After an error inside, the next reader gets what it wants, and all is as it was."""
    before = state()
    with contextlib.suppress(KeyError), borrowed(1000, lenient=True):
        assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES) == (1000, True)
        raise KeyError
    with borrowed(2000):
        assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES) == (2000, False)
    assert state() == before


def test_colours_outside_the_gamut_change_no_filters():
    """Modes of Lab that no colour has are converted on eight threads without a warning."""
    before, found = state(), warnings.filters
    lab = np.array([[20.0, 0.0, 120.0], [0.0, 0.0, 128.0], [50.0, 0.0, 0.0]])
    expected = to_rgb(lab, "lab").tolist()
    assert expected[2] == [119, 119, 119]
    results = at_once(*(lambda: [to_rgb(lab, "lab").tolist() for _ in range(30)] for _ in range(8)))
    assert all(result == [expected] * 30 for result in results)
    assert state() == before
    assert warnings.filters is found


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors of POSIX")
@pytest.mark.parametrize("stderr", ["io.StringIO()", "None", "open(os.devnull, 'w')", "Odd()"])
def test_images_are_read_without_a_descriptor_2(files, stderr):
    """Where descriptor 2 is closed, whatever Python's stderr is, files are read all the same."""
    script = f"""
import io, os, sys
from pathlib import Path
class Odd:
    pass
os.close(2)
sys.stderr = {stderr}
from segment.reading.files import read_image
print(*(read_image(Path(name)).shape for name in sys.argv[1:]))
"""
    names = [str(files / name) for name in ("whole.tif", "whole.png")]
    command = [sys.executable, "-c", script, *names]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT)
    assert done.stdout == "(64, 48, 3) (64, 48, 3)\n"


def test_what_a_library_says_is_held_back(capfd):
    """What is written to descriptor 2 comes as lines, and what follows goes where it went."""
    with held_back() as said:
        os.write(2, b"a\nb\na\n")
    assert said == ["a", "b"]
    os.write(2, b"c")
    assert capfd.readouterr().err == "c"
