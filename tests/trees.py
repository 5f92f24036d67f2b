"""Trees of regions that are quick to make, for the tests of what is done with them."""

import heapq
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Tree:
    """Base regions and merges as a hierarchy has them."""

    labels: np.ndarray
    merges: np.ndarray
    colors: np.ndarray
    sizes: np.ndarray


def grown_tree(image, labels):
    """Merge adjacent regions, those of the nearest mean colours first.

    Parameters
    ----------
    image : (H, W, 3) array
    labels : (H, W) array of whole numbers
        Base regions; 0 for none.
    """
    labels = in_scan_order(labels)
    n = labels.max()
    sizes = np.bincount(labels.ravel(), minlength=n + 1)[1:]
    sums = [np.bincount(labels.ravel(), c.ravel(), n + 1)[1:] for c in np.moveaxis(image, 2, 0)]
    colors = np.rint(np.transpose(sums) / sizes[:, None]).astype(np.uint8)
    merges = _merged([set(found) for found in _neighbours(labels, n)], colors, sizes)
    return Tree(labels, np.array(merges, np.float64).reshape(-1, 4), colors, sizes)


def in_scan_order(labels):
    """The labels 1, 2, ... in scan order of their first pixels; 0 stays."""
    values, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    first = np.where(values == 0, -1, first)
    ranks = np.argsort(np.argsort(first)) + (0 if 0 in values else 1)
    return ranks[inverse].reshape(labels.shape).astype(np.int32)


def _neighbours(labels, n):
    found = [set() for _ in range(n)]
    for a, b in ((labels[:, 1:], labels[:, :-1]), (labels[1:], labels[:-1])):
        pairs = np.unique(np.stack([a[a != b], b[a != b]]), axis=1)
        for one, other in pairs.T.tolist():
            if one and other:
                found[one - 1].add(other - 1)
                found[other - 1].add(one - 1)
    return found


def _merged(neighbours, colors, sizes):
    means, sizes = [*colors.astype(np.float64)], [*sizes.tolist()]

    def far(a, b):
        return float(np.abs(means[a] - means[b]).sum()) * min(sizes[a], sizes[b]) ** 0.15

    heap = [(far(a, b), a, b) for a in range(len(sizes)) for b in neighbours[a] if a < b]
    heapq.heapify(heap)
    merges, height = [], 0.0
    while heap:
        cost, a, b = heapq.heappop(heap)
        if neighbours[a] is None or neighbours[b] is None:
            continue
        height, made = max(height, cost), len(sizes)
        sizes.append(sizes[a] + sizes[b])
        means.append((means[a] * sizes[a] + means[b] * sizes[b]) / sizes[made])
        merges.append((a, b, height, sizes[made]))
        around = (neighbours[a] | neighbours[b]) - {a, b}
        neighbours[a] = neighbours[b] = None
        neighbours.append(around)
        for other in around:
            neighbours[other] = (neighbours[other] - {a, b}) | {made}
            heapq.heappush(heap, (far(other, made), other, made))
    return merges
