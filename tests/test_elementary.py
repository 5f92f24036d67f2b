"""Functions that every processor rounds alike, beside NumPy's."""

import numpy as np
import pytest

from segment.elementary import exp_minus, log_above, root


def test_the_exponential_is_right():
    """exp(-x) has a relative error below 1e-9 up to 100, and below 1e-5 up to 500."""
    near, far = np.linspace(0, 100, 2001), np.linspace(100, 500, 2001)
    assert abs(exp_minus(near) / np.exp(-near) - 1).max() < 1e-9
    assert abs(exp_minus(far) / np.exp(-far) - 1).max() < 1e-5
    assert exp_minus(np.zeros(1)).tolist() == [1.0]


def test_the_logarithm_is_right():
    """log(1 + x) has an absolute error below 1e-9, from 0 to far above what an image has."""
    excess = np.concatenate([np.linspace(0, 3, 3001), np.geomspace(3, 1e6, 1001)])
    assert abs(log_above(excess) - np.log1p(excess)).max() < 1e-9


@pytest.mark.parametrize("degree", [3, 5])
def test_roots_are_right(degree):
    """Roots of the values that colours lead to have a relative error below 1e-12."""
    values = np.linspace(0.001, 1, 4001)
    assert abs(root(values, degree) / values ** (1 / degree) - 1).max() < 1e-12
