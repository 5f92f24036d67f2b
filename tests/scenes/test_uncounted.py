"""Scenes of more distinct colours than the memory holds: the segmentation of memory, to the bit."""

import contextlib
import functools
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segment import ImageFileError, InvalidInputError, fit_modes
from segment.method.pipeline import segment_pixels
from segment.pixels.bands import BandImage
from segment.scenes import spectra as kept_spectra
from segment.scenes import uncounted
from segment.scenes.census import per_color
from segment.scenes.scaling import scaled_scene
from segment.scenes.scene import segment_scene
from segment.scenes.spectra import KeptSpectra, boxes_over
from segment.settings import Settings
from segment.strips.rows import SceneRows
from segment.strips.scratch import Forgetful, Scratch
from segment.strips.strips import Crew, Strips, Threads
from tests.scenes.sources import ArraySource
from tests.scenes.test_scene import FACTS
from tests.scenes.test_stepped import or_error

FEW = 150  # colours that fit the memory
KINDS = {"uint16": 4, "uint8": 4, "float32": 2, "int32": 1, "int16": 6}


@pytest.fixture(autouse=True, scope="module")
def small():
    """Small images fill several trees, and have several boxes in each strip.

    Half of the memory holds as many seeds as all of it colours, however many cores there are.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uncounted, "AT_ONCE", 50)
        patch.setattr(uncounted, "per_seed", lambda channels: per_color(channels) // 2)
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


def uncounted_scene(rows, asked, strips, folder, model=None, memory=FEW, forgets=False):
    """Segment with memory for a few colours: the segmentation, and its label map."""
    room = memory * per_color(rows.channels)
    kept = contextlib.nullcontext(Forgetful()) if forgets else Scratch(folder / "scene", "key")
    with kept as scratch:
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
    {"scale": st.sampled_from(["range", "std", "0,4095", "depth"])},
    optional={
        "bandwidth": st.sampled_from([45.0, 70.0, np.float64(50.0), np.float32(52.8)]),
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
    st.booleans(),
    ASKED,
)
@settings(deadline=None, max_examples=12)
def test_passes_over_the_strips_give_the_answer_of_memory(
    tmp_path_factory, kind, seed, size, height, masked, forgets, options
):
    """Labels, means, sizes, modes and bandwidth are those of counted colours, to the bit.

    So it is where a strip has no pixel that takes part, and where nothing is kept.
    """
    image, asked = spectra(kind, seed, *size), Settings(**options)
    visible = None
    if masked:
        visible = np.random.default_rng(seed).random(size) > 0.2
        visible[8:16] = False
    strips, folder = Strips(len(image), height, Threads(2)), tmp_path_factory.mktemp("scene")
    bits = image.itemsize * 8
    run = functools.partial(uncounted_scene, rows_of(image, asked, strips, visible), asked, strips)
    expected = or_error(segment_pixels, BandImage(image, visible, bits), asked)
    found = or_error(run, folder, forgets=forgets)
    if isinstance(found, str):
        assert found == expected or "bins as wide as it for the memory" in found
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
    with pytest.raises(InvalidInputError, match=r"at most 150 distinct .* --scale other than"):
        uncounted_scene(rows, Settings() if modelled else asked, Strips(30, 7), tmp_path, model)


@pytest.mark.parametrize("options", [{"assign": "basin"}, {"kernel": "gaussian"}])
def test_what_needs_counted_colours_is_refused(tmp_path, options):
    """Climbs from every pixel, and sums that depend on their order, say what to do."""
    image, asked = spectra("uint16", 1, 30, 20), Settings(**({"bandwidth": 30.0} | options))
    strips = Strips(30, 4)
    with pytest.raises(InvalidInputError, match=r"at most 150 distinct .* nearest and --kernel"):
        uncounted_scene(rows_of(image, asked, strips), asked, strips, tmp_path)


def test_more_bins_than_memory_are_refused(tmp_path):
    """A bandwidth of which nearly every pixel has a bin of its own is one error."""
    image, asked = spectra("uint16", 1, 30, 20), Settings(bandwidth=0.3)
    strips = Strips(30, 4)
    with pytest.raises(InvalidInputError, match=r"at most 150 bins .* raise the bandwidth"):
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
    assert f"climbs took {found.n_iter + 1} passes; faster with" in found.remarks[0]
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


def interrupted(rows, asked, strips, folder, monkeypatch):
    """Begin to segment with memory for a few colours; end in the third step of the climbs."""
    step, calls = uncounted.stepped, []

    def stopping(*arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return step(*arguments, **options)

    monkeypatch.setattr(uncounted, "stepped", stopping)
    with pytest.raises(KeyboardInterrupt):
        uncounted_scene(rows, asked, strips, folder)


@pytest.mark.parametrize("height", [4, 5])
def test_climbs_go_on_where_they_were_left(tmp_path, monkeypatch, height):
    """A run that ends in the third step is taken up there, and finds the same.

    In strips of another height it begins anew: spectra are kept by strips.
    """
    image, asked, told = spectra("uint16", 1, 30, 20), Settings(bandwidth=30.0), []
    strips = Strips(30, 4, Threads(2), lambda *step: told.append(step))
    rows = rows_of(image, asked, strips)
    interrupted(rows, asked, strips, tmp_path, monkeypatch)
    told.clear()
    strips = Strips(30, height, Threads(2), strips.told)
    found, labels = uncounted_scene(rows, asked, strips, tmp_path)
    stages = {stage for stage, _, _ in told}
    assert ("seeding" in stages, "climbing, step 2" in stages) == (height == 5, height == 5)
    assert "counting" not in stages
    assert_same(found, labels, segment_pixels(BandImage(image, None, 16), asked))


@pytest.mark.parametrize("damage", ["lost", "cut off", "flipped"])
@pytest.mark.parametrize("kind", ["raw", "boxes"])
def test_spectra_that_are_not_as_they_were_are_kept_anew(tmp_path, monkeypatch, damage, kind):
    """A run that goes on after its spectra were damaged begins anew, and finds the same."""
    image, asked, strips = spectra("uint16", 1, 30, 20), Settings(bandwidth=30.0), Strips(30, 4)
    rows = rows_of(image, asked, strips)
    interrupted(rows, asked, strips, tmp_path, monkeypatch)
    spoil(tmp_path / "scene" / f"spectra-8-12.{kind}", damage)
    found, labels = uncounted_scene(rows, asked, strips, tmp_path)
    assert_same(found, labels, segment_pixels(BandImage(image, None, 16), asked))


@pytest.mark.parametrize("damage", ["lost", "cut off"])
def test_spectra_that_are_lost_end_a_run(tmp_path, damage):
    """What is lost while climbs go on is one error; no strip counts as empty for that."""
    values = spectra("uint16", 1, 4, 20).reshape(-1, 4)
    kept, boxes = KeptSpectra(tmp_path, values.dtype, 4), boxes_over(values.astype(float))
    kept.keep(0, 4, values, boxes)
    every = np.ones(len(boxes.sums), bool)
    assert np.array_equal(kept.values(0, 4, kept.boxes(0, 4), every), values)
    spoil(tmp_path / "spectra-0-4.raw", damage)
    with pytest.raises(ImageFileError, match=r"lost what it keeps in .* start it again"):
        kept.values(0, 4, boxes, every)
    spoil(tmp_path / "spectra-0-4.boxes", damage)
    with pytest.raises(ImageFileError, match=r"lost what it keeps in .* start it again"):
        kept.boxes(0, 4)


def spoil(path, damage):
    """Lose a file, cut it off, or change a byte of it."""
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content[:24] if damage == "cut off" else content)
    if damage == "lost":
        path.unlink()


def test_sums_that_are_rounded_are_refused(tmp_path):
    """Where sums of points depend on the order of the pixels the result would on the strips."""
    image = np.random.default_rng(3).normal(1e10, 1e4, (30, 20, 2))
    asked, strips = Settings(scale="0,100", bandwidth=1e5), Strips(30, 4)
    with pytest.raises(InvalidInputError, match=r"values that add up exactly .* scale of smaller"):
        uncounted_scene(rows_of(image, asked, strips), asked, strips, tmp_path)


def test_more_memory_counts_what_was_not_counted(tmp_path):
    """A run that goes on with memory for all of its colours counts them after all."""
    image, asked, strips = spectra("uint16", 1, 30, 20), Settings(bandwidth=30.0), Strips(30, 4)
    rows = rows_of(image, asked, strips)
    with Scratch(tmp_path / "scene", "key") as scratch:
        less = segment_scene(rows, asked, strips, scratch, memory=FEW * per_color(4))
        more = segment_scene(rows, asked, strips, scratch, memory=1000 * per_color(4))
    assert less.remarks
    assert not more.remarks
    assert np.array_equal(less.modes, more.modes)
    assert np.array_equal(less.labels(rows, 0, 30), more.labels(rows, 0, 30))


def test_without_room_on_the_disk_nothing_is_kept(tmp_path, monkeypatch):
    """Spectra that would take more than half of what is free are read from the scene each time."""
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=600 * 4 * 3))
    image, asked, strips = spectra("uint16", 1, 30, 20), Settings(bandwidth=30.0), Strips(30, 4)
    kept = []
    monkeypatch.setattr(KeptSpectra, "keep", lambda *given: kept.append(given))
    found, labels = uncounted_scene(rows_of(image, asked, strips), asked, strips, tmp_path)
    assert not kept
    assert_same(found, labels, segment_pixels(BandImage(image, None, 16), asked))


@pytest.mark.parametrize("memory", [FEW, 1000])
def test_spaces_that_take_no_bands_are_refused(tmp_path, memory):
    """Four bands are no colours that Lab could take, whatever the memory."""
    image, strips = spectra("uint16", 1, 30, 20), Strips(30, 4)
    asked = Settings(bandwidth=30.0, color_space="lab")
    with pytest.raises(InvalidInputError, match="color_space: expected 'rgb' for 4 bands"):
        uncounted_scene(rows_of(image, asked, strips), asked, strips, tmp_path, memory=memory)
