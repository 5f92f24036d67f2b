"""Points to coordinates: distances are those of the kernel, axes those of LAPACK."""

import numpy as np
import pytest

from segment.pixels._axes import rotate_to_axes
from segment.pixels.embedding import embed

POINTS = np.random.default_rng(0).uniform(0, 100, (25, 3))
WEIGHTS = np.random.default_rng(1).integers(1, 500, 25).astype(float)


def distances(rows):
    return np.sqrt(((rows[:, None] - rows[None]) ** 2).sum(-1))


def test_distances_are_those_of_the_kernel():
    """With all axes kept, |a - b|^2 is 2 - 2 exp(-d^2 / (2 width^2))."""
    found = distances(embed(POINTS, WEIGHTS, width=30, kept=1, most=99).astype(float))
    wanted = np.sqrt(2 - 2 * np.exp(-(distances(POINTS) ** 2) / (2 * 30**2)))
    assert abs(found - wanted).max() < 0.05


@pytest.mark.parametrize("most", [1, 4, 12])
def test_axes_come_by_how_much_they_tell(most):
    """Coordinates are centred, not correlated, and the first varies most."""
    rows = embed(POINTS, WEIGHTS, width=30, kept=1, most=most).astype(float)
    share = WEIGHTS / WEIGHTS.sum()
    assert rows.shape == (25, most)
    assert abs(share @ rows).max() < 1e-6
    spread = rows.T @ (rows * share[:, None])
    assert abs(spread - np.diag(np.diag(spread))).max() < 1e-6
    assert (np.diff(np.diag(spread)) <= 1e-9).all()


def test_few_axes_are_enough_for_most_of_the_variance():
    """No more axes are kept than it takes for the share that is asked for."""
    counts = [
        embed(POINTS, WEIGHTS, width=30, kept=kept, most=99).shape[1] for kept in (0.3, 0.7, 0.99)
    ]
    assert counts == sorted(set(counts))


def test_one_point_has_one_coordinate():
    """A palette of one colour lies at the origin."""
    assert embed(np.zeros((1, 3)), np.ones(1), width=20, kept=0.98, most=12).tolist() == [[0.0]]


def test_axes_are_those_of_lapack():
    """Jacobi's rotations end in the eigenvalues that LAPACK finds, and carry rows along."""
    half = np.random.default_rng(2).normal(size=(12, 12))
    matrix = half @ half.T
    turned, axes = matrix.copy(), np.eye(12)
    rotate_to_axes(turned, axes, 10)
    np.testing.assert_allclose(np.sort(np.diag(turned)), np.linalg.eigvalsh(matrix), atol=1e-9)
    np.testing.assert_allclose(axes @ matrix @ axes.T, np.diag(np.diag(turned)), atol=1e-9)
