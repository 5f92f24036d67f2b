"""The slow, obvious versions of what the package does fast: DESIGN.md, section 1, line by line."""

from collections import Counter

import numpy as np


def distances(points, center):
    """Distance from each point to one place.

    Squares are added in the order of the dimensions, as the compiled core does: whole
    numbers or not, the last bit is the same.
    """
    squares = np.zeros(len(points))
    for k in range(len(center)):
        squares += (points[:, k] - center[k]) ** 2
    return np.sqrt(squares)


def within(points, center, bandwidth):
    """Which points lie in the ball; compared squared, so that the root rounds nothing away."""
    squares = np.zeros(len(points))
    for k in range(len(center)):
        squares += (points[:, k] - center[k]) ** 2
    return squares <= bandwidth * bandwidth


def climb(points, seed, bandwidth, max_iter):
    """Where one seed ends, how many points its last ball holds, and its moves; or None."""
    place, moves = np.asarray(seed, dtype=float), 0
    while True:
        inside = points[within(points, place, bandwidth)]
        if len(inside) == 0:
            return None
        mean = inside.sum(axis=0) / len(inside)
        moved = np.sqrt(sum((mean - place) ** 2))
        place = mean
        if moved <= 1e-3 * bandwidth or moves == max_iter:
            return tuple(place.tolist()), len(inside), moves
        moves += 1


def find_modes(points, seeds, bandwidth, max_iter=300):
    """Modes, densest first, and the moves of the longest climb."""
    points = np.asarray(points, dtype=float)
    climbs = [climb(points, seed, bandwidth, max_iter) for seed in seeds]
    climbs = [each for each in climbs if each is not None]
    if not climbs:
        raise ValueError("no seed has a point within the bandwidth")
    weights = {end: weight for end, weight, _ in climbs}  # of equal ends, the last one's
    ends = np.array(sorted(weights, key=lambda end: (weights[end], end), reverse=True))
    modes = []
    for end in ends:
        if not any(within(end[None], mode, bandwidth)[0] for mode in modes):
            modes.append(end)
    return np.array(modes), max(moves for *_, moves in climbs)


def nearest_mode(points, modes):
    """Number of the nearest mode of each point, the first at a tie, and its distance."""
    table = np.stack([distances(np.asarray(points, dtype=float), mode) for mode in modes])
    return table.argmin(axis=0), table.min(axis=0)


def bin_seeds(points, bin_size, min_bin_freq=1):
    """Centres of the bins that hold enough points, in the order of their first points."""
    bins = Counter(tuple(np.round(point / bin_size).tolist()) for point in points)
    chosen = [center for center, count in bins.items() if count >= min_bin_freq]
    if len(chosen) == len(points):
        return np.asarray(points, dtype=float)
    centers = np.array(chosen, dtype=np.float32).reshape(len(chosen), points.shape[1])
    return (centers * bin_size).astype(float)


def mean_shift(points, bandwidth, *, min_bin_freq=1, max_iter=300, cluster_all=True):
    """Modes, labels and moves from bin seeds; orphans get -1."""
    seeds = bin_seeds(points, bandwidth, min_bin_freq)
    modes, moves = find_modes(points, seeds, bandwidth, max_iter)
    labels, far = nearest_mode(points, modes)
    if not cluster_all:
        labels[far > bandwidth] = -1
    return modes, labels, moves


def is_tied(points, modes):
    """Whether a point's two nearest modes are equally near, but for rounding."""
    if len(modes) == 1:
        return np.zeros(len(points), dtype=bool)
    first, second = np.sort([distances(points, mode) for mode in modes], axis=0)[:2]
    return second - first < 1e-9


def kth_neighbor_distance(points, quantile):
    """Mean distance from each point to its k-th nearest, itself counted."""
    k = max(1, int(len(points) * quantile))
    points = np.asarray(points, dtype=float)
    return np.mean([np.sort(distances(points, point))[k - 1] for point in points])


def count_rows(rows):
    """How often each row occurs."""
    return Counter(map(tuple, rows.tolist()))


def joint_points(image, spatial_unit, range_unit):
    """The pixels of an (H, W, C) image in scan order, as (x, y, channels) over their units."""
    height, width = image.shape[:2]
    return np.array(
        [
            [x / spatial_unit, y / spatial_unit, *(image[y, x].astype(float) / range_unit)]
            for y in range(height)
            for x in range(width)
        ]
    )


def kernel_weights(points, place, bandwidth, kernel):
    """What each point counts around a place: flat, or a Gaussian cut off at three bandwidths."""
    if kernel == "flat":
        return within(points, place, bandwidth).astype(float)
    far = distances(points, place)
    return np.where(far <= 3 * bandwidth, np.exp(-(far**2) / (2 * bandwidth**2)), 0)


def kernel_climb(points, seed, bandwidth, kernel="flat", max_iter=300):
    """As `climb`, with either kernel, over points of any dimension: end, weight, moves; or None."""
    place, moves = np.asarray(seed, dtype=float), 0
    while True:
        weights = kernel_weights(points, place, bandwidth, kernel)
        if not weights.sum():
            return None
        mean = weights @ points / weights.sum()
        moved = np.linalg.norm(mean - place)
        place = mean
        if moved <= 1e-3 * bandwidth or moves == max_iter:
            return place, weights.sum(), moves
        moves += 1


def gap_to_surface(points, seed, bandwidth, kernel="flat", max_iter=300):
    """How near any point comes to the surface of a ball on the way of `kernel_climb`."""
    reach = bandwidth * (3 if kernel == "gaussian" else 1)
    place, gap = np.asarray(seed, dtype=float), np.inf
    for _ in range(max_iter + 1):
        gap = min(gap, np.abs(distances(points, place) - reach).min())
        weights = kernel_weights(points, place, bandwidth, kernel)
        if not weights.sum():
            return gap
        mean = weights @ points / weights.sum()
        moved = np.linalg.norm(mean - place)
        if moved <= 1e-3 * bandwidth:
            return gap
        place = mean
    return gap


def choose_modes(ends, weights, bandwidth):
    """Of ends by (weight, coordinates), descending, each removes the later ones within reach."""
    last = {tuple(end): weight for end, weight in zip(ends.tolist(), weights, strict=True)}
    order = sorted(last, key=lambda end: (last[end], end), reverse=True)
    modes = []
    for end in np.array(order):
        if not any(within(end[None], mode, bandwidth)[0] for mode in modes):
            modes.append(end)
    return np.array(modes)


def basins(points, bandwidth, kernel="flat", max_iter=300):
    """Every point climbs and takes the mode nearest to its end: modes, labels and climbs."""
    climbs = [kernel_climb(points, point, bandwidth, kernel, max_iter) for point in points]
    ends = np.array([end for end, _, _ in climbs])
    modes = choose_modes(ends, [weight for _, weight, _ in climbs], bandwidth)
    return modes, nearest_mode(ends, modes)[0], climbs
