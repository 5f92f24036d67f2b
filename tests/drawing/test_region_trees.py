"""Trees of regions as pages hold them."""

import base64
import zlib

import numpy as np
from skimage.segmentation import slic

from segment.drawing.region_trees import MOST, packed_tree, thumbnail_tree
from segment.regions.tree_cut import coarsened, cut_tree
from tests.trees import Tree, grown_tree, in_scan_order


def unpacked(text, kind):
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), kind)


def test_packed_tree_is_the_tree(bundled_photos):
    """Labels, merges, colours and sizes come out of a page as they went in."""
    image = bundled_photos["coffee"]
    tree = grown_tree(image, slic(image, 60, start_label=1))
    found = packed_tree(tree)
    assert found["leaves"] == len(tree.sizes)
    assert not found["wide"]
    assert np.array_equal(unpacked(found["labels"], "<u2"), tree.labels.ravel())
    assert np.array_equal(unpacked(found["children"], "<u4"), tree.merges[:, :2].ravel())
    assert np.array_equal(unpacked(found["heights"], "<f8"), tree.merges[:, 2])
    assert np.array_equal(unpacked(found["colors"], "u1"), tree.colors.ravel())
    assert np.array_equal(unpacked(found["sizes"], "<f8"), tree.sizes)


def test_labels_beyond_16_bits_are_packed_in_32():
    """With more than 65,535 base regions no label wraps."""
    labels = np.arange(1, 65_537, dtype=np.int32)[None]
    rest = np.zeros((65_536, 3), np.uint8), np.ones(65_536, np.int64)
    found = packed_tree(Tree(labels, np.empty((0, 4)), *rest))
    assert found["wide"]
    assert np.array_equal(unpacked(found["labels"], "<u4"), labels[0])


def test_a_coarser_tree_has_the_same_cuts(bundled_photos):
    """Cuts above the level at which a tree is made coarser are those of the whole tree."""
    image = bundled_photos["coffee"]
    tree = grown_tree(image, slic(image, 80, start_label=1))
    n = len(tree.sizes)
    table, merges = coarsened(tree.merges, n, 30)
    assert len(merges) == len(tree.merges) - 30
    assert np.array_equal(merges[:, 2:], tree.merges[30:, 2:])
    for merged in (30, 31, 45, len(tree.merges)):
        again = cut_tree(merges, table.max(), merged - 30)[table - 1]
        assert np.array_equal(again, cut_tree(tree.merges, n, merged))


def test_thumbnails_tree_is_small_and_keeps_full_sizes():
    """A thumbnail's tree has at most 500 base regions; sizes are those of the full image."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (90, 120, 3), np.uint8)
    labels = in_scan_order(np.arange(90 * 120).reshape(90, 120) // 12 + 1)
    tree = grown_tree(image, labels)
    small = thumbnail_tree(tree, (40, 30))
    assert small.labels.shape == (30, 40)
    assert len(small.sizes) == len(small.colors) == MOST
    assert small.sizes.sum() == 90 * 120
    whole = np.append(0, cut_tree(tree.merges, 900, 400))[tree.labels]
    assert np.array_equal(small.labels, whole[1::3, 1::3])
    assert np.array_equal(small.sizes, np.bincount(whole.ravel())[1:])
    for label in (1, 7, 200):
        exact = image[whole == label].mean(axis=0)
        assert np.abs(small.colors[label - 1] - exact).max() <= 1
