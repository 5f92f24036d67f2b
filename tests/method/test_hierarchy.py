"""The hierarchy of an image: cuts that are nested, the same bytes everywhere, any input."""

import hashlib
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from scipy.cluster.hierarchy import is_valid_linkage
from scipy.ndimage import label

from segment import (
    Hierarchy,
    ImageFileError,
    InvalidInputError,
    Segmentation,
    hierarchy,
    segment_image,
)
from segment.method.hierarchy import ARCHIVE
from segment.settings import Settings
from tests.drawn import with_alpha

NOISE = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
LEVELS = [0.0, 0.2, 0.5, 0.8, 1.0, 1.3, 2.0, 1e6]


def stripes(*greys, width=20, height=30):
    """Upright stripes of one grey each."""
    rows = np.uint8([greys]).repeat(width, axis=1).repeat(height, axis=0)
    return rows[..., None].repeat(3, axis=2)


@pytest.fixture(scope="module")
def trees(bundled_photos):
    """The trees of some photos and of noise."""
    images = [bundled_photos["coffee"], bundled_photos["astronaut"], NOISE]
    return [(image, hierarchy(image)) for image in images]


def is_in_scan_order(labels):
    """Whether labels are 1..K in the order of their first pixels."""
    found, first = np.unique(labels[labels > 0], return_index=True)
    return found.tolist() == [*range(1, len(found) + 1)] and (np.diff(first) > 0).all()


def are_connected(labels):
    """Whether each label is one part, by the sides of pixels."""
    return all(label(labels == number)[1] == 1 for number in range(1, labels.max() + 1))


def is_nested(fine, coarse):
    """Whether each segment of one map lies within one of the other."""
    pairs = np.unique(np.stack([fine.ravel(), coarse.ravel()]), axis=1)
    return len(np.unique(pairs[0])) == pairs.shape[1]


def test_drawn_stripes_merge_by_what_parts_them():
    """Two like greys merge first; then a narrow stripe joins its likelier side; then all."""
    tree = hierarchy(stripes(0, 20, 200))
    assert np.array_equal(tree.labels, stripes(1, 2, 3)[..., 0])
    assert tree.merges[:, [0, 1, 3]].tolist() == [[0, 1, 1200], [2, 3, 1800]]
    assert tree.merges[0, 2] < tree.merges[1, 2]
    assert tree.colors[:, 0].tolist() == [0, 20, 200]
    assert tree.sizes.tolist() == [600, 600, 600]
    heights = tree.boundaries()
    low, high = tree.merges[:, 2].astype(np.float32)
    assert np.array_equal(heights[:, 19], np.full(30, low))
    assert np.array_equal(heights[:, 39], np.full(30, high))
    assert np.count_nonzero(heights) == 60


def test_a_tree_is_a_linkage(trees):
    """Merges are what SciPy takes as a linkage; base regions are connected, in scan order."""
    for image, tree in trees:
        assert tree.labels.shape == image.shape[:2]
        assert tree.labels.dtype == np.int32
        assert is_in_scan_order(tree.labels)
        assert are_connected(tree.labels)
        assert len(tree.merges) == len(tree.sizes) - 1
        observations = tree.merges.copy()
        observations[:, 3] = 2  # SciPy counts leaves, not pixels
        assert is_valid_linkage(observations)
        assert tree.merges[-1, 3] == tree.labels.size
        assert np.array_equal(np.bincount(tree.labels.ravel())[1:], tree.sizes)


def test_colours_are_the_means_of_the_pixels(trees):
    """The colour of a base region is its pixels' mean, that of a cut is within 1 of it."""
    image, tree = trees[0]
    for found, tolerance in ((tree, 0.5), (tree.cut(1.0), 1.0)):
        for number, color in enumerate(found.colors, 1):
            mean = image[found.labels == number].mean(axis=0)
            assert abs(color - mean).max() <= tolerance


def test_cuts_are_nested(trees):
    """Segments of a finer cut lie within segments of a coarser one, by level and by number."""
    for _, tree in trees:
        cuts = [tree.cut(level) for level in LEVELS]
        cuts += [tree.cut(segments=count) for count in (700, 90, 12, 3, 1)]
        for one in cuts:
            assert is_in_scan_order(one.labels)
            for other in cuts:
                if len(one.sizes) >= len(other.sizes):
                    assert is_nested(one.labels, other.labels)


def test_a_cut_has_what_merged_at_its_level(trees):
    """Regions that merge at the level or below are one; level 0 keeps what differs at all."""
    for _, tree in trees:
        for level in LEVELS:
            found = tree.cut(level=level)
            assert len(found.sizes) == len(tree.sizes) - (tree.merges[:, 2] <= level).sum()
            assert are_connected(found.labels)
            assert found.settings == Settings(level=level)


@pytest.mark.parametrize("count", [1, 2, 7, 100])
def test_a_cut_has_the_number_of_segments_that_is_asked_for(trees, count):
    """As many as asked for, exactly; the cut is the one at the height of its last merge."""
    for _, tree in trees:
        found = tree.cut(segments=count)
        assert len(found.sizes) == count
        height = tree.merges[len(tree.sizes) - count - 1, 2]
        if (tree.merges[:, 2] <= height).sum() == len(tree.sizes) - count:
            assert np.array_equal(found.labels, tree.cut(height).labels)


def test_more_segments_than_there_are_is_all_there_are():
    """Where the tree has fewer base regions, a cut has these."""
    tree = hierarchy(stripes(0, 90))
    assert np.array_equal(tree.cut(segments=99).labels, tree.labels)


def test_a_cut_tells_of_its_segments(trees):
    """Sizes are counts of labels; the mode is the colour of the largest base region."""
    _, tree = trees[1]
    found = tree.cut(segments=9)
    assert np.array_equal(np.bincount(found.labels.ravel())[1:], found.sizes)
    for number in range(1, 10):
        inside = np.unique(tree.labels[found.labels == number])
        largest = inside[np.argmax(tree.sizes[inside - 1])]
        assert np.array_equal(found.mode_colors[number - 1], tree.colors[largest - 1])
    assert np.array_equal(found.modes, found.mode_colors)
    assert found.bandwidth == tree.bandwidth


def test_segment_image_takes_a_level_or_a_number(bundled_photos):
    """`segment_image` with a level or a number is that cut of the hierarchy."""
    image = bundled_photos["coffee"]
    tree = hierarchy(image)
    assert np.array_equal(segment_image(image, level=0.7).labels, tree.cut(0.7).labels)
    assert np.array_equal(segment_image(image, segments=6).labels, tree.cut(segments=6).labels)


def digest(tree):
    parts = (tree.labels, tree.merges, tree.colors, tree.sizes, tree.boundaries())
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


SCRIPT = """
import sys, numpy as np
from segment import hierarchy
from tests.method.test_hierarchy import digest
for image in np.load(sys.argv[1]).values():
    print(digest(hierarchy(image, threads=int(sys.argv[2]))))
print(sum(np._core._multiarray_umath.__cpu_features__.values()), file=sys.stderr)
"""
DISPATCHED = np._core._multiarray_umath.__cpu_dispatch__
FEATURES = np._core._multiarray_umath.__cpu_features__
PLAIN = {  # what makes NumPy, OpenBLAS and the C library take code for an old processor
    "NPY_DISABLE_CPU_FEATURES": ",".join(name for name in DISPATCHED if FEATURES.get(name)),
    "OPENBLAS_CORETYPE": "Prescott",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2_Usable,-AVX2,-FMA_Usable,-FMA,-AVX512F,-FMA4",
}


def test_processors_and_threads_change_nothing(bundled_photos, trees, tmp_path):
    """Trees are equal to the bit for old processors' code, and on one thread and on three."""
    images = {"a": bundled_photos["coffee"], "b": bundled_photos["astronaut"], "c": NOISE}
    np.savez(tmp_path / "images.npz", **images)
    here = [digest(tree) for _, tree in trees]
    for threads, environment in ((1, PLAIN), (3, {})):
        command = [sys.executable, "-c", SCRIPT, tmp_path / "images.npz", str(threads)]
        done = subprocess.run(
            command, env={**os.environ, **environment}, capture_output=True, text=True
        )
        assert done.stdout.split() == here, done.stderr
        assert (int(done.stderr.split()[-1]) < sum(FEATURES.values())) == bool(environment)


def test_whole_photos_are_the_same_for_old_processors(bsds_photos, tmp_path):
    """The same for photos of full size."""
    np.savez(tmp_path / "images.npz", *bsds_photos[:4])
    told = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT, tmp_path / "images.npz", "2"],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for environment in (PLAIN, {})
    ]
    assert told[0] == told[1]


def test_a_larger_copy_has_the_same_tree(bundled_photos):
    """Three pixels to a side for each pixel of a photo: the same regions, but for their borders."""
    image = np.tile(bundled_photos["coffee"], (1, 5, 1))[:, :500]
    small = hierarchy(image).cut(segments=8)
    large = hierarchy(image.repeat(3, axis=0).repeat(3, axis=1)).cut(segments=8)
    table = np.zeros((9, 9), int)
    np.add.at(table, (small.labels, large.labels[1::3, 1::3]), 1)
    assert min(table.max(axis=0).sum(), table.max(axis=1).sum()) > 0.9 * small.labels.size


def test_borders_of_large_images_are_those_of_their_pixels():
    """The border between two flat areas is found to the pixel, whatever the image is reduced by."""
    image = np.zeros((1100, 1501, 3), np.uint8)
    image[:, 703:] = 180, 40, 40
    found = hierarchy(image).cut(segments=2)
    assert np.array_equal(
        found.labels, np.where(np.arange(1501) < 703, 1, 2) + np.zeros((1100, 1), int)
    )


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 300, 3), (300, 1, 3), (2, 2, 3), (1, 1000, 3)])
def test_images_of_any_shape_have_a_tree(shape):
    """One pixel, one row, one column: every pixel is in a region, and one merge is left to do."""
    image = np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)
    tree = hierarchy(image)
    assert tree.labels.min() == 1
    assert len(tree.merges) == len(tree.sizes) - 1
    assert len(tree.cut(segments=1).sizes) == 1


@pytest.mark.parametrize("colors", [1, 2])
def test_few_colours_are_as_many_regions(colors):
    """An image of one colour is one region that nothing merges; of two halves, two."""
    tree = hierarchy(stripes(*[30, 220][:colors]))
    assert len(tree.sizes) == colors
    assert len(tree.merges) == colors - 1
    assert [len(tree.cut(level).sizes) for level in (0.0, 1e6)] == [colors, 1]
    assert tree.boundaries().any() == (colors > 1)


def test_masks_that_cut_the_image_apart_leave_parts():
    """Each part has a tree of its own; no level and no number makes two of them one."""
    image, mask = stripes(0, 120, 250), np.ones((30, 60), bool)
    mask[:, 30] = mask[11] = False
    tree = hierarchy(image, mask=mask)
    assert np.array_equal(tree.labels > 0, mask)
    assert is_in_scan_order(tree.labels)
    assert are_connected(tree.labels)
    assert len(tree.sizes) == 8
    assert len(tree.merges) == 4
    for found in (tree.cut(1e6), tree.cut(segments=1), tree.cut(segments=4)):
        assert np.array_equal(found.labels, np.where(mask, label(mask)[0], 0))
    assert len(tree.cut(segments=5).sizes) == 5
    assert np.isfinite(tree.boundaries()).all()
    assert not tree.boundaries()[~mask].any()


def test_what_a_mask_hides_changes_nothing():
    """The pixels out of a mask may have any colour: the tree is the same to the bit."""
    mask = np.ones((60, 80), bool)
    mask[20:40, 30:60] = False
    other = np.where(mask[..., None], NOISE, np.uint8(255) - NOISE)
    assert digest(hierarchy(NOISE, mask=mask)) == digest(hierarchy(other, mask=mask))


def test_masks_of_large_images_count_pixel_by_pixel():
    """On an image that is looked at reduced, exactly the masked pixels have label 0."""
    image = stripes(0, 120, 250, width=400, height=500)
    mask = np.random.default_rng(0).random(image.shape[:2]) > 0.01
    mask[:, 300:303] = False
    tree = hierarchy(image, mask=mask)
    assert np.array_equal(tree.labels > 0, mask)
    assert is_in_scan_order(tree.labels)


def test_transparent_pixels_are_masked_ones():
    """Alpha 0 is as good as a mask; an image without a visible pixel is an error."""
    alpha = np.full((30, 60), 255)
    alpha[:, :7] = 0
    image = stripes(0, 120, 250)
    seen, masked = hierarchy(with_alpha(image, alpha)), hierarchy(image, mask=alpha)
    assert digest(seen) == digest(masked)
    with pytest.raises(InvalidInputError, match="every pixel is transparent"):
        hierarchy(with_alpha(image, alpha * 0))


@pytest.mark.parametrize(
    "image",
    [
        NOISE[..., 0],
        NOISE[..., :1],
        NOISE.astype(np.uint16) * 257,
        NOISE / 255,
        NOISE.astype(np.float32) / 255,
        NOISE[..., 0] > 127,
    ],
    ids=["grey", "channel", "16 bits", "float64", "float32", "bool"],
)
def test_values_of_any_type_are_taken(image):
    """Grey is a colour; 16 bits and floats give the tree of the same image in 8 bits."""
    grey = image.ndim == 2 or image.shape[2] == 1
    wanted = NOISE[..., :1].repeat(3, axis=2) if grey else NOISE
    if image.dtype == bool:
        wanted = np.where(wanted > 127, np.uint8(255), np.uint8(0))
    assert digest(hierarchy(image)) == digest(hierarchy(wanted))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "cut: expected a level or a number of segments, one of the two"),
        ({"level": 1.0, "segments": 2}, "one of the two"),
        ({"level": float("nan")}, r"level: expected a number in \[0, 1000000\], got nan"),
        ({"level": -0.1}, "level: expected a number in .*, got -0.1"),
        ({"level": "1"}, "level: expected a number"),
        ({"segments": 0}, "segments: expected a whole number in .*, got 0"),
        ({"segments": 2.5}, "segments: expected a whole number in .*, got 2.5"),
    ],
)
def test_a_cut_says_what_it_takes(options, message):
    """Neither or both, and values out of range, are errors that say what to give."""
    tree = hierarchy(stripes(0, 90))
    with pytest.raises(InvalidInputError, match=message):
        tree.cut(**options)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mask": np.ones((2, 2))}, "mask: expected shape"),
        ({"threads": 0}, "threads: expected a whole number >= 1, got 0"),
    ],
)
def test_hierarchy_says_what_it_takes(arguments, message):
    """A mask of another shape and a wrong number of threads are errors."""
    with pytest.raises(InvalidInputError, match=message):
        hierarchy(stripes(0, 90), **arguments)


def test_a_tree_of_another_image_is_not_drawn_over_this_one():
    """Outlines of a cut over an image of another shape are an error that says so."""
    with pytest.raises(InvalidInputError, match="give the image that was segmented"):
        hierarchy(stripes(0, 90)).cut(1.0).boundaries(NOISE)


@pytest.mark.parametrize("name", ["bandwidth", "features", "quantile", "segments"])
def test_a_level_goes_with_nothing_else(name):
    """The settings of clusters have no meaning for a cut, and are refused beside it."""
    value = {"features": "joint", "segments": 3}.get(name, 0.5)
    with pytest.raises(InvalidInputError, match=f"level: expected no {name} beside it"):
        segment_image(NOISE, level=1.0, **{name: value})


def test_trees_come_back_to_the_bit(trees, tmp_path):
    """What is loaded equals what was saved, and so do its cuts; so do pickles."""
    for _, tree in trees:
        tree.save(tmp_path / "tree.npz")
        for again in (Hierarchy.load(tmp_path / "tree.npz"), pickle.loads(pickle.dumps(tree))):
            for name, (kind, _) in ARCHIVE.arrays.items():
                ours, theirs = getattr(again, name), getattr(tree, name)
                assert type(ours) is type(theirs)
                assert np.asarray(ours).dtype == kind
                assert np.array_equal(ours, theirs)
            assert again.settings == tree.settings
            assert np.array_equal(again.cut(0.8).labels, tree.cut(0.8).labels)


@pytest.fixture
def saved(tmp_path):
    hierarchy(stripes(0, 20, 200)).save(tmp_path / "tree.npz")
    return tmp_path / "tree.npz"


MERGES = np.array([[0, 1, 0.5, 1200], [2, 3, 0.9, 1800]])


@pytest.mark.parametrize(
    "arrays",
    [
        {"labels": np.full((30, 60), 9, np.int32)},
        {"labels": np.full((30, 60), -1, np.int32)},
        {"labels": np.ones((30, 60))},
        {"labels": np.ones((30, 60), np.int32)},
        {"sizes": np.array([600, 600], np.int64)},
        {"merges": MERGES[:, :3]},
        {"merges": np.concatenate([MERGES, MERGES])},
        {"merges": MERGES * [1, 1, -1, 1]},
        {"merges": MERGES * [1, 1, np.nan, 1]},
        {"merges": MERGES[::-1]},
        {"merges": MERGES + [0.5, 0, 0, 0]},
        {"merges": np.array([[0, 1, 0.5, 1200], [0, 2, 0.9, 1800]])},
        {"about": np.array('{"version": 1, "settings": {"level": -3}}')},
    ],
)
def test_damaged_trees(saved, arrays):
    """A file whose parts do not fit each other is refused by name."""
    with np.load(saved) as file:
        content = {name: file[name] for name in file.files}
    with saved.open("wb") as file:
        np.savez(file, **(content | arrays))
    with pytest.raises(InvalidInputError, match=r"tree\.npz: is damaged"):
        Hierarchy.load(saved)


def test_files_that_are_no_trees(tmp_path):
    """A segmentation is no hierarchy, nor the other way round; a missing file is a file error."""
    tree = hierarchy(stripes(0, 90))
    tree.save(tmp_path / "tree.npz")
    tree.cut(1.0).save(tmp_path / "cut.npz")
    with pytest.raises(InvalidInputError, match="is not a hierarchy"):
        Hierarchy.load(tmp_path / "cut.npz")
    with pytest.raises(InvalidInputError, match="is not a segmentation"):
        Segmentation.load(tmp_path / "tree.npz")
    with pytest.raises(ImageFileError, match="cannot be read"):
        Hierarchy.load(tmp_path / "none.npz")


def test_a_tree_says_what_it_is():
    """Its text has the size of the image, the base regions and the highest level."""
    tree = hierarchy(stripes(0, 20, 200))
    assert repr(tree) == f"<Hierarchy: 60 x 30, 3 regions, levels up to {tree.merges[-1, 2]:.4g}>"
