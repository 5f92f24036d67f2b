"""The command that reads an image again."""

import os
import shlex
from pathlib import Path

import pytest

from segment.reading.reading_options import ReadingOptions
from segment.results.invocation import invocation, page_read

posix = pytest.mark.skipif(os.name == "nt", reason="how POSIX shells quote")


@posix
@pytest.mark.parametrize("name", ["a b.jpg", "it's.jpg", "$(rm x).jpg", 'a"b`c.jpg', "a;b\n.jpg"])
def test_names_are_quoted(name):
    """A shell takes the command apart into the name as it is."""
    words = shlex.split(invocation(Path(name), ReadingOptions()))
    assert words == ["meanshift-segment", name]


@posix
def test_names_that_look_like_options():
    """A name with a dash in front is given with its folder; standard input stays a dash."""
    assert invocation(Path("-x.jpg"), ReadingOptions()) == "meanshift-segment ./-x.jpg"
    assert invocation(Path("-"), ReadingOptions()) == "meanshift-segment -"


def test_options_that_change_what_is_read_are_named():
    """Page, mask and how the file is read are in the command, defaults are not."""
    reading = ReadingOptions(ignore_icc=True, allow_truncated=True, max_pixels=10**9)
    assert invocation(Path("a.tif"), page_read(reading, 3), Path("m.png")) == (
        "meanshift-segment a.tif --page 3 --ignore-icc --allow-truncated --max-pixels 1000000000 "
        "--mask m.png"
    )
    assert page_read(reading, None) is reading
