"""Planes of an image to the strength of its edges at several scales, and to its texture."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from segment.elementary import exp_minus, log_above
from segment.pixels._filters import add_gradient_rows, filter_rows
from segment.pixels.lab import lightness
from segment.threads import equal_slices, on_threads

Plane = NDArray[np.float32]
ROWS = 64  # that are worth a thread of their own
COARSE = 4.0  # pixels of scale from which half the resolution loses nothing
STEP = 2.5066282746310002  # sqrt(2 pi): a step of height 1 has gradient 1 at every scale
FINE = 1.0  # pixels, of the derivatives that see texture
AROUND = 2.5  # pixels, over which their energy is averaged
FAINT = 4.0  # units of lightness, below which texture hardly counts
FOLD = 20.0  # units of the texture's channels in which its energy grows by e


def gradient(planes: Plane, scale: float) -> Plane:
    """Return how strong the edge is at each pixel, for all planes together.

    Parameters
    ----------
    planes : (r, H, W) float32 array
        Coordinates of a space in which distances mean something.
    scale : float
        Standard deviation of the Gaussian whose derivatives are taken, in pixels.

    Returns
    -------
    strength : (H, W) float32 array
        In the unit of the planes: a straight step between two constant areas has its height.

    Notes
    -----
    Root of the largest eigenvalue of the sum of the planes' structure tensors (Di Zenzo,
    "A note on the gradient of a multi-image", CVGIP 33, 1986).

    Examples
    --------
    >>> step = np.repeat(np.float32([0, 0, 0, 0, 8, 8, 8, 8]), 5).reshape(1, 8, 5)
    >>> gradient(step, 1.0)[:, 2].round().tolist()
    [0.0, 0.0, 2.0, 7.0, 7.0, 2.0, 0.0, 0.0]
    """
    if scale < COARSE:
        return _gradient(planes, scale)
    height, width = planes.shape[1:]
    return enlarged(_gradient(_halved(planes), scale / 2), 2, (height, width))


def texture(lightness: Plane) -> NDArray[np.uint8]:
    """Return the texture around each pixel: how much there is, and in which directions.

    Parameters
    ----------
    lightness : (H, W) float32 array
        In 0..100.

    Returns
    -------
    channels : (H, W, 3) uint8 array
        Logarithm of the mean energy of four directional derivatives, and the differences of
        two opposite pairs, so that distances mean something; 20 units where it grows by e.
    """
    smooth, slope = _taps(FINE)
    across, downwards = _filtered(lightness, slope, smooth), _filtered(lightness, smooth, slope)
    both, apart = across + downwards, across - downwards
    half = np.float32(0.5)
    squares = (across * across, downwards * downwards, both * both * half, apart * apart * half)
    around = _taps(AROUND)[0]
    logs = [_log(_filtered(square, around, around)) for square in squares]
    mean = (logs[0] + logs[1] + logs[2] + logs[3]) / 4
    channels = np.stack([mean, logs[0] - logs[1] + 1, logs[2] - logs[3] + 1], axis=-1)
    return np.rint(channels * FOLD).clip(0, 255).astype(np.uint8)


def steps(rgb: NDArray[np.uint8]) -> Plane:
    """Return the step of lightness to the pixels around each, (H, W), in 0..100.

    Examples
    --------
    >>> steps(np.uint8([[0, 0, 255]]).repeat(3).reshape(1, 3, 3)).round().tolist()
    [[0.0, 100.0, 100.0]]
    """
    strength = np.empty(rgb.shape[:2], np.float32)

    def work(part: slice) -> None:
        above, below = max(part.start - 1, 0), min(part.stop + 1, len(rgb))
        rows = rgb[above:below]
        light = lightness(rows.reshape(-1, 3)).reshape(rows.shape[:2])
        around = np.pad(light, ((above == part.start, below == part.stop), (1, 1)), mode="edge")
        here, size = around[1:-1, 1:-1], part.stop - part.start
        strength[part] = np.max(
            [
                np.abs(here - around[:size, 1:-1]),
                np.abs(here - around[2 : size + 2, 1:-1]),
                np.abs(here - around[1:-1, :-2]),
                np.abs(here - around[1:-1, 2:]),
            ],
            axis=0,
        )

    for start in range(0, len(rgb), ROWS):
        work(slice(start, min(start + ROWS, len(rgb))))
    return strength


def _log(energy: Plane) -> NDArray[np.float64]:
    return log_above(np.sqrt(np.maximum(energy, 0)).astype(np.float64) / FAINT)


@functools.cache
def _taps(scale: float) -> tuple[Plane, Plane]:
    """Return a Gaussian that sums to 1, and its derivative in units of a step's height."""
    reach = int(3 * scale + 0.5)
    place = np.arange(-reach, reach + 1, dtype=np.float64)
    bell = exp_minus(place * place / (2 * scale * scale))
    bell = bell / np.add.accumulate(bell)[-1]
    slope = place / (scale * scale) * bell * (scale * STEP)
    return bell.astype(np.float32), slope.astype(np.float32)


def _filtered(plane: Plane, along: Plane, down: Plane) -> Plane:
    out = np.empty_like(plane)
    parts = equal_slices(len(plane), ROWS)
    on_threads(lambda part: filter_rows(plane, along, down, out, part.start, part.stop), parts)
    return out


def _gradient(planes: Plane, scale: float) -> Plane:
    smooth, slope = _taps(scale)
    tensor = np.zeros((3, *planes.shape[1:]), np.float32)
    strength = np.empty(planes.shape[1:], np.float32)

    def work(part: slice) -> None:
        for plane in planes:
            add_gradient_rows(plane, smooth, slope, tensor, part.start, part.stop)
        across, both, down = tensor[:, part]
        half = (across - down) / 2
        largest = (across + down) / 2 + np.sqrt(half * half + both * both)
        strength[part] = np.sqrt(np.maximum(largest, 0))

    on_threads(work, equal_slices(planes.shape[1], ROWS))
    return strength


def _halved(planes: Plane) -> Plane:
    """Average two by two pixels; at an odd border the last ones count twice."""
    height, width = planes.shape[1:]
    even = np.pad(planes, ((0, 0), (0, height % 2), (0, width % 2)), mode="edge")
    rows = even[:, ::2] + even[:, 1::2]
    return np.ascontiguousarray((rows[:, :, ::2] + rows[:, :, 1::2]) / 4)


def enlarged(plane: Plane, factor: int, shape: tuple[int, int]) -> Plane:
    """Interpolate a plane linearly between the centres of its pixels.

    Parameters
    ----------
    plane : (h, w) float32 array
    factor : int
        Pixels of the larger plane along a side of one of the smaller.
    shape : (H, W)
        Of the larger plane; beyond the centres of the outermost pixels their values count.
    """
    for axis, size in enumerate(shape):
        place = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / factor - np.float32(0.5)
        place = place.clip(0, plane.shape[axis] - 1)
        first = place.astype(np.intp)
        second = np.minimum(first + 1, plane.shape[axis] - 1)
        share = (place - first).astype(np.float32).reshape((-1, 1) if axis == 0 else (1, -1))
        low = plane.take(first, axis)
        plane = low + (plane.take(second, axis) - low) * share
    return plane
