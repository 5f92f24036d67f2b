"""Scenes of more distinct colours than the memory holds: the segmentation of memory, to the bit."""

import functools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segment import InvalidInputError, fit_modes
from segment.method.pipeline import segment_pixels
from segment.pixels.bands import BandImage
from segment.scenes import spectra as kept_spectra
from segment.scenes import uncounted
from segment.scenes.census import per_color
from segment.scenes.scaling import scaled_scene
from segment.scenes.scene import segment_scene
from segment.settings import Settings
from segment.strips.rows import SceneRows
from segment.strips.scratch import Scratch
from segment.strips.strips import Crew, Strips, Threads
from tests.scenes.sources import ArraySource
from tests.scenes.test_scene import FACTS
from tests.scenes.test_stepped import or_error

FEW = 150  # colours that fit the memory
KINDS = {"uint16": 4, "uint8": 4, "float32": 2, "int32": 1}


@pytest.fixture(autouse=True, scope="module")
def small():
    """Small images fill several trees, and have several boxes in each strip."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uncounted, "AT_ONCE", 50)
        patch.setattr(kept_spectra, "IN_BOX", 8)
        yield


def spectra(kind, seed, height, width):
    """Four fields of bands with noise: distinct in nearly every pixel."""
    generator = np.random.default_rng(seed)
    fields = generator.integers(20, 200, (2, 2, KINDS[kind]))
    wide = fields.repeat(-(-height // 2), axis=0).repeat(-(-width // 2), axis=1)[:height, :width]
    noisy = wide + generator.integers(0, 25, wide.shape)
    if kind == "uint8":
        return noisy.astype(kind)
    return (noisy * 16 + generator.integers(0, 16, wide.shape)).astype(kind)


def rows_of(image, asked, strips, visible=None):
    """The rows of a scene of bands, scaled."""
    rows = SceneRows(ArraySource(image, visible=visible), range(image.shape[2]))
    shown = (0, 1, 2) if image.shape[2] > 2 else (0,)
    return scaled_scene(rows, strips, asked.scale, shown, None)


def uncounted_scene(rows, asked, strips, folder, model=None, memory=FEW):
    """Segment with memory for a few colours: the segmentation, and its label map."""
    room = memory * per_color(rows.channels)
    with Scratch(folder / "scene", "key") as scratch:
        found = segment_scene(rows, asked, strips, scratch, memory=room, model=model)
        labels = np.concatenate([found.labels(rows, top, bottom) for top, bottom in strips])
    return found, labels


class Elsewhere(Crew):
    """Does the last strips first; all that they need and make is sent there."""

    def in_order(self, rows, work, strips):
        every = list(strips)
        made = []
        for strip in reversed(every):
            there, here = pickle.loads(pickle.dumps((work, rows)))
            made.append(pickle.loads(pickle.dumps(there(here, *strip))))
        return zip(every, reversed(made), strict=True)


def assert_same(found, labels, expected):
    assert np.array_equal(labels, expected.labels)
    assert (found.bandwidth, found.n_iter) == (expected.bandwidth, expected.n_iter)
    for name in FACTS:
        assert np.array_equal(getattr(found, name), getattr(expected, name)), name


ASKED = st.fixed_dictionaries(
    {"scale": st.sampled_from(["range", "std", "0,4095"])},
    optional={
        "bandwidth": st.sampled_from([45.0, 70.0, np.float64(50.0)]),
        "connected": st.just(True),
        "cluster_all": st.just(False),
        "min_bin_freq": st.just(3),
        "max_iter": st.sampled_from([0, 2]),
        "quantile": st.just(0.6),
    },
)


@given(
    st.sampled_from(list(KINDS)),
    st.integers(0, 99),
    st.tuples(st.integers(24, 30), st.integers(15, 20)),
    st.sampled_from([3, 8, 16]),
    st.booleans(),
    ASKED,
)
@settings(deadline=None, max_examples=15)
def test_passes_over_the_strips_give_the_answer_of_memory(
    tmp_path_factory, kind, seed, size, height, masked, options
):
    """Labels, means, sizes, modes and bandwidth are those of counted colours, to the bit."""
    image, asked = spectra(kind, seed, *size), Settings(**options)
    visible = np.random.default_rng(seed).random(size) > 0.2 if masked else None
    strips, folder = Strips(len(image), height, Threads(2)), tmp_path_factory.mktemp("scene")
    bits = image.itemsize * 8
    run = functools.partial(uncounted_scene, rows_of(image, asked, strips, visible), asked, strips)
    expected = or_error(segment_pixels, BandImage(image, visible, bits), asked)
    found = or_error(run, folder)
    if isinstance(expected, str) or isinstance(found, str):
        assert found == expected
        return
    assert_same(*found, expected)


@pytest.mark.parametrize("color_space", ["rgb", "lab"])
@pytest.mark.parametrize("modelled", [False, True])
def test_16_bit_photos_are_refused(tmp_path, color_space, modelled):
    """Their sums depend on the order of the pixels: they need counted colours, models too."""
    image = np.random.default_rng(5).integers(0, 65535, (30, 20, 3), np.uint16)
    asked = Settings(bandwidth=60.0, color_space=color_space)
    model = fit_modes([image[:8]], bandwidth=60.0, color_space=color_space) if modelled else None
    rows = SceneRows(ArraySource(image), [0, 1, 2], lambda values: values / 257.0)
    with pytest.raises(InvalidInputError, match=r"at most 150 distinct colours .* raise --memory"):
        uncounted_scene(rows, Settings() if modelled else asked, Strips(30, 7), tmp_path, model)


@pytest.mark.parametrize("options", [{"assign": "basin"}, {"kernel": "gaussian"}])
def test_what_needs_counted_colours_is_refused(tmp_path, options):
    """Climbs from every pixel, and sums that depend on their order, say what to do."""
    image, asked = spectra("uint16", 1, 30, 20), Settings(**({"bandwidth": 30.0} | options))
    strips = Strips(30, 4)
    with pytest.raises(InvalidInputError, match=r"at most 150 distinct colours .* raise --memory"):
        uncounted_scene(rows_of(image, asked, strips), asked, strips, tmp_path)


def test_more_bins_than_memory_are_refused(tmp_path):
    """A bandwidth of which nearly every pixel has a bin of its own is one error."""
    image, asked = spectra("uint16", 1, 30, 20), Settings(bandwidth=0.3)
    strips = Strips(30, 4)
    with pytest.raises(InvalidInputError, match=r"at most 150 bins of it .* raise the bandwidth"):
        uncounted_scene(rows_of(image, asked, strips), asked, strips, tmp_path)


def test_a_sample_without_width_is_refused(tmp_path):
    """Where the sample gives no bandwidth one has to be set."""
    image, asked = spectra("uint16", 1, 30, 20), Settings(quantile=0.001, n_samples=2)
    image[:, :10] = 99
    strips = Strips(30, 4)
    with pytest.raises(InvalidInputError, match=r"expected more than 0 .* set one"):
        uncounted_scene(rows_of(image, asked, strips), asked, strips, tmp_path)


def test_what_is_remarkable_is_told(tmp_path):
    """Users hear how often the scene was read, and what would be faster; not where it was not."""
    image, asked, strips = spectra("uint16", 1, 30, 20), Settings(bandwidth=30.0), Strips(30, 4)
    rows = rows_of(image, asked, strips)
    found, _ = uncounted_scene(rows, asked, strips, tmp_path)
    assert f"climbs read it {found.n_iter + 1} times; faster with" in found.remarks[0]
    assert not uncounted_scene(rows, asked, strips, tmp_path, memory=1000)[0].remarks


def test_a_model_labels_what_cannot_be_counted(tmp_path):
    """The modes of a part label the whole, which is neither counted nor climbed on."""
    image, asked, strips = spectra("uint16", 1, 30, 20), Settings(scale="0,4095"), Strips(30, 7)
    whole = BandImage(image, None, 16)
    model = fit_modes([BandImage(image[:8], None, 16)], bandwidth=50.0, scale="0,4095")
    found, labels = uncounted_scene(rows_of(image, asked, strips), asked, strips, tmp_path, model)
    assert_same(found, labels, segment_pixels(whole, Settings(), model=model))
    assert not found.remarks


def test_others_can_do_the_work(tmp_path):
    """Strips that are done elsewhere, in any order, give the same."""
    image, asked = spectra("uint16", 1, 30, 20), Settings(bandwidth=30.0, min_size=9)
    rows = rows_of(image, asked, Strips(30, 4))
    here = uncounted_scene(rows, asked, Strips(30, 4), tmp_path)
    there = uncounted_scene(rows, asked, Strips(30, 4, Elsewhere()), tmp_path)
    assert_same(*here, segment_pixels(BandImage(image, None, 16), asked))
    assert np.array_equal(here[1], there[1])
    assert np.array_equal(here[0].modes, there[0].modes)


@pytest.mark.parametrize("height", [4, 5])
def test_climbs_go_on_where_they_were_left(tmp_path, monkeypatch, height):
    """A run that ends between two steps is taken up at the second one, and finds the same.

    In strips of another height it begins anew: spectra are kept by strips.
    """
    image, asked = spectra("uint16", 1, 30, 20), Settings(bandwidth=30.0)
    told = []
    strips = Strips(30, 4, Threads(2), lambda *step: told.append(step))
    rows, room = rows_of(image, asked, strips), FEW * per_color(4)
    whole, _ = uncounted_scene(rows, asked, strips, tmp_path)
    step, calls = uncounted.stepped, []

    def stopping(*arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return step(*arguments, **options)

    monkeypatch.setattr(uncounted, "stepped", stopping)
    with pytest.raises(KeyboardInterrupt), Scratch(tmp_path / "scene", "key") as scratch:
        segment_scene(rows, asked, strips, scratch, memory=room)
    told.clear()
    strips = Strips(30, height, Threads(2), strips.told)
    with Scratch(tmp_path / "scene", "key") as scratch:
        again = segment_scene(rows, asked, strips, scratch, memory=room)
    assert {stage for stage, _, _ in told} >= {"climbing, step 3"}
    assert ("seeding" in {stage for stage, _, _ in told}) == (height == 5)
    assert not {stage for stage, _, _ in told} & {"counting"}
    assert np.array_equal(again.modes, whole.modes)
    assert (again.n_iter, again.sizes.tolist()) == (whole.n_iter, whole.sizes.tolist())
