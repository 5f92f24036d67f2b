"""XPM: colours in every form that X11 knows."""

import numpy as np
import pytest

from segment.decoding.xpm import plain
from segment.errors import ImageFileError
from tests.decoding.written import picture


def xpm(*colors, size=1):
    """One row with each colour once."""
    keys = [chr(97 + number) * size for number in range(len(colors))]
    lines = [f"{len(colors)} 1 {len(colors)} {size}"]
    lines += [f"{key} {color}" for key, color in zip(keys, colors, strict=True)]
    lines.append("".join(keys))
    body = ",\n".join(f'"{line}"' for line in lines)
    return f"/* XPM */\nstatic char *name[] = {{\n{body}\n}};\n".encode()


@pytest.mark.parametrize(
    ("color", "value"),
    [
        ("#f80", (255, 136, 0)),
        ("#ff8000", (255, 128, 0)),
        ("#fff800000", (255, 128, 0)),
        ("#FFFF80800000", (255, 128, 0)),
        ("red", (255, 0, 0)),
        ("Light Sky Blue", (135, 206, 250)),
        ("green", (0, 255, 0)),
        ("gray", (190, 190, 190)),
        ("grey50", (127, 127, 127)),
        ("gray100", (255, 255, 255)),
    ],
)
@pytest.mark.parametrize("size", [1, 2])
def test_forms_of_a_colour(tmp_path, color, value, size):
    """Short, long and named colours have their value, whatever stands beside them."""
    content = xpm(f"c {color}", "s black m white c #010203", "m black g #102030 ", size=size)
    expected = [[value, (1, 2, 3), (16, 32, 48)]]
    assert np.array_equal(picture(tmp_path, content).pixels, expected)


@pytest.mark.parametrize("name", ["None", "none", "NONE"])
def test_none_is_transparent(tmp_path, name):
    """The colour that is none has alpha 0."""
    pixels = picture(tmp_path, xpm("c #102030", f"c {name}")).pixels
    assert pixels[0, :, 3].tolist() == [255, 0]
    assert pixels[0, 0, :3].tolist() == [16, 32, 48]


def test_unknown_names_are_refused(tmp_path):
    """A colour without a known value is named."""
    with pytest.raises(ImageFileError, match="colour that is not known here, 'burlywood3'; save"):
        picture(tmp_path, xpm("c burlywood3"))


@pytest.mark.parametrize("color", ["#12345", "#xyz", "", "#"])
def test_what_is_no_colour(color):
    """Digits that fit no form are refused."""
    with pytest.raises(ImageFileError, match="not known here"):
        plain(color)
