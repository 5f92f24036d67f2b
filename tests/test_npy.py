"""NumPy's format: what is read without executing anything of it."""

import io

import numpy as np
import pytest

from segment.npy import read_array, read_header


def saved(values, version=None):
    file = io.BytesIO()
    np.lib.format.write_array(file, values, version=version)
    file.seek(0)
    return file


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_headers_of_all_versions(version, order):
    """Type, shape, order and the place of the values are what NumPy wrote; so are the values."""
    values = np.arange(24, dtype=">i4").reshape(2, 3, 4).copy(order)
    file = saved(values, version)
    dtype, shape, start, columns_first = read_header(file)
    assert (dtype, shape, columns_first) == (values.dtype, (2, 3, 4), order == "F")
    assert start == len(file.getvalue()) - values.nbytes
    file.seek(0)
    array = read_array(file)
    assert array.dtype == np.int32
    assert np.array_equal(array, values)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not as NumPy writes it"),
        (b"\x93NUMPY\x04\x00", "not as NumPy writes it"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff{", "header is not as NumPy writes it"),
        (saved(np.zeros(2)).getvalue().replace(b"<f8", b"|O8"), "holds objects, not numbers"),
    ],
)
def test_what_is_no_array(content, message):
    """Other versions, headers that do not end and pickled objects are refused."""
    with pytest.raises(ValueError, match=message):
        read_header(io.BytesIO(content))


def test_values_that_are_missing():
    """A file is compared with its header before memory is taken."""
    huge = (
        saved(np.zeros((9, 9))).getvalue().replace(b"(9, 9), }" + b" " * 9, b"(999999, 99999), }")
    )
    with pytest.raises(EOFError):
        read_array(io.BytesIO(huge))
