"""Joint features beyond memory: the same to the bit as in memory, whatever the windows."""

import itertools
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from PIL import Image

from segment.errors import InvalidInputError
from segment.meanshift.bandwidth import sample_indices
from segment.method.joint_clusters import joint_clusters, joint_units
from segment.pixels.bands import BandScale
from segment.pixels.image import Pixels
from segment.settings import Settings
from segment.strips.rows import as_stored
from segment.strips.strips import Crew, ReadingAhead, Threads
from segment.windows.ground import Sample
from segment.windows.joint_scene import joint_modes, known_scene
from segment.windows.mode_sweep import ModeSweep, TooEarlyError
from segment.windows.planned_windows import least_rows

AHEAD = ReadingAhead()
SAMPLES = Path(__file__).parents[2] / "sample_images"


@dataclass
class ArrayRows:
    """An array as a scene; tells how many rows were asked for each time."""

    image: np.ndarray
    visible: np.ndarray | None = None
    scaled: Callable = as_stored
    asked: list = field(default_factory=list)

    @property
    def height(self):
        return self.image.shape[0]

    @property
    def width(self):
        return self.image.shape[1]

    def points(self, top, bottom):
        self.asked.append(bottom - top)
        seen = None if self.visible is None else self.visible[top:bottom]
        return self.scaled(self.image[top:bottom]), seen


@dataclass
class Elsewhere(Crew):
    """Does several strips at once, in any order; all that they need and make is sent there."""

    at_once: int
    seed: int

    def in_order(self, rows, work, strips):
        coming, chance = iter(strips), np.random.default_rng(self.seed)
        while some := [*itertools.islice(coming, self.at_once)]:
            made = {}
            for number in chance.permutation(len(some)):
                there, here, strip = pickle.loads(pickle.dumps((work, rows, some[number])))
                made[number] = pickle.loads(pickle.dumps(there(here, *strip)))
                rows.asked += here.asked[len(rows.asked) :]
            yield from zip(some, (made[number] for number in range(len(some))), strict=True)


def in_memory(image, visible, settings):
    """What the library finds with all of the image at hand."""
    shown = None if visible is None else visible.ravel()
    scale = BandScale(np.zeros(image.shape[2]), np.ones(image.shape[2]))
    pixels = Pixels(image.reshape(-1, image.shape[2]), shown, image.shape[:2], scale)
    return joint_clusters(pixels, settings)


def sample_of(image, visible, settings):
    """The pixels that the bandwidth is found from."""
    shown = np.ones(image.shape[:2], bool) if visible is None else visible
    y, x = np.nonzero(shown)
    chosen = sample_indices(len(x), settings.n_samples, settings.seed)
    return Sample(image[y[chosen], x[chosen]], x[chosen], y[chosen])


def assert_same(image, visible, settings, window_rows, strip, crew=AHEAD, parts=1):
    """Modes, bandwidth, moves and the labels of all strips are those of memory, to the bit."""
    expected = in_memory(image, visible, settings)
    rows = ArrayRows(image, visible)
    sample = sample_of(image, visible, settings)
    found = joint_modes(rows, settings, crew, window_rows, parts, sample)
    assert max(rows.asked) <= window_rows
    np.testing.assert_array_equal(found.modes, expected.modes)
    assert (found.bandwidth, found.n_iter) == (expected.bandwidth, expected.n_iter)
    scene = known_scene(rows, settings, found)
    tops = range(0, len(image), strip)
    strips = [scene.labels(rows, top, min(top + strip, len(image))) for top in tops]
    np.testing.assert_array_equal(np.concatenate(strips), expected.labels)


def textured(shape, channels, seed):
    """A gradient, patches and noise."""
    rng = np.random.default_rng(seed)
    patches = rng.integers(0, 90, (shape[0] // 9 + 1, shape[1] // 9 + 1, channels))
    patches = patches.repeat(9, axis=0).repeat(9, axis=1)[: shape[0], : shape[1]]
    slope = np.add.outer(np.linspace(0, 60, shape[0]), np.linspace(0, 60, shape[1]))
    return (patches + slope[..., None] + rng.integers(0, 40, (*shape, channels))).astype(np.uint8)


@given(st.data())
@examples(deadline=None, max_examples=40)
def test_windows_of_any_height_give_what_memory_gives(data):
    """Whatever the height of the windows, the bands, masks, units and options: the same bits."""
    draw = data.draw
    shape = draw(st.sampled_from([(70, 20), (45, 1), (61, 2), (120, 9), (33, 40)]))
    image = textured(shape, draw(st.sampled_from([1, 3, 4])), draw(st.integers(0, 999)))
    if draw(st.booleans()):
        image = np.rint(image / 1.037 * 2**12) / 2**12
    visible = None
    if draw(st.booleans()):
        visible = np.random.default_rng(3).random(shape) < draw(st.sampled_from([0.05, 0.5]))
        visible[20:41] &= draw(st.booleans())
        visible[-1, -1] = True
    settings = Settings(
        features="joint",
        max_iter=draw(st.sampled_from([0, 1, 4, 300])),
        cluster_all=draw(st.booleans()),
    )
    if draw(st.booleans()):
        radius = draw(st.sampled_from([0.3, 1.0, 2.5, 6.0]))
        settings = replace(settings, spatial_radius=radius, range_radius=33.0)
    else:
        bandwidth = draw(st.sampled_from([None, 9.5, 40]))
        settings = replace(settings, spatial_weight=5.0, bandwidth=bandwidth)
        settings = replace(settings, n_samples=draw(st.sampled_from([1, 30])))
    if draw(st.booleans()):
        settings = replace(settings, min_bin_freq=2)
    rows = draw(st.sampled_from([5, 15, 23, 40, 64]))
    try:
        bandwidth = in_memory(image, visible, settings).bandwidth
    except InvalidInputError as error:
        sample = sample_of(image, visible, settings)
        with pytest.raises(InvalidInputError, match=str(error)[:9]):
            joint_modes(ArrayRows(image, visible), settings, AHEAD, 64, sample=sample)
        return
    rows = int(max(rows, least_rows(joint_units(shape, settings)[0] * bandwidth + 1e-6)))
    crew = draw(st.sampled_from([AHEAD, Threads(2), Elsewhere(1, 0), Elsewhere(5, 1)]))
    parts, strip = draw(st.sampled_from([1, 9])), draw(st.sampled_from([7, 16, 50]))
    assert_same(image, visible, settings, rows, strip, crew, parts)


@pytest.mark.parametrize(
    ("name", "settings", "window_rows"),
    [
        ("coffee.png", Settings(features="joint", spatial_radius=7, range_radius=15), 60),
        ("astronaut.png", Settings(features="joint", spatial_radius=15, range_radius=20), 97),
        ("coffee.png", Settings(features="joint", spatial_radius=5, range_radius=9), 30),
        ("camera.png", Settings(features="joint", color_space="gray", spatial_weight=1.5), 190),
        ("coffee.png", Settings(features="joint", color_space="lab", spatial_weight=2), 160),
    ],
)
def test_photos_are_segmented_as_in_memory(name, settings, window_rows):
    """Photos in windows of tens of rows: modes, labels, bandwidth and moves to the bit."""
    photo = Image.open(SAMPLES / name).convert("L" if settings.color_space == "gray" else "RGB")
    image = np.asarray(photo)[40:300, 100:240]
    image = image.reshape(*image.shape[:2], -1)
    crew = AHEAD if settings.spatial_radius is None else Elsewhere(3, 2)
    assert_same(image, None, settings, window_rows, 64, crew)


def test_how_far_it_is_is_told():
    """Each window is told of with the rows whose seeds have climbed, up to those of the scene."""
    steps = []
    settings = Settings(features="joint", spatial_radius=6, range_radius=30)
    rows = ArrayRows(textured((150, 30), 3, 5))
    joint_modes(rows, settings, AHEAD, 40, told=lambda *at: steps.append(at))
    stages, done, rows = zip(*steps, strict=True)
    assert (set(stages), set(rows), done[-1]) == ({"climbing"}, {150}, 150)
    assert len(done) > 4
    assert list(done) == sorted(set(done))


def test_a_mode_that_was_chosen_too_early_is_chosen_again(monkeypatch):
    """Where an end comes that removes a mode chosen before, all is done again, chosen later."""
    image = textured((150, 30), 3, 5)
    settings = Settings(features="joint", spatial_radius=6, range_radius=30)
    settle, calls = ModeSweep.settle, []

    def too_early(self, below):
        calls.append(below)
        if len(calls) in (2, 5):
            raise TooEarlyError
        settle(self, below)

    monkeypatch.setattr(ModeSweep, "settle", too_early)
    assert_same(image, None, settings, 40, 40)
    assert calls[2] < calls[0]
    assert calls[5] < calls[2]


@pytest.mark.parametrize(
    ("options", "rows", "message"),
    [
        pytest.param(
            {"kernel": "gaussian"}, 99, "kernel: expected 'flat' .* memory", id="gaussian"
        ),
        pytest.param({"assign": "basin"}, 99, "assign: expected 'nearest' .* memory", id="basin"),
        pytest.param({"bandwidth": None}, 99, "sample: expected one", id="sample"),
        pytest.param({}, 42, "memory: expected room for 43 rows", id="memory"),
        pytest.param({"spatial_weight": 0}, 99, r"memory: expected .*e\+30 rows", id="no-weight"),
        pytest.param({"min_bin_freq": 99}, 120, "seeds: expected at least one", id="no-seed"),
    ],
)
def test_what_cannot_be_done_beyond_memory_is_refused(options, rows, message):
    """Errors say what was expected, what was got and what to do instead."""
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (130, 4, 3)).astype(np.uint8)
    settings = Settings(features="joint", spatial_weight=130 / 255 / 20, bandwidth=0.9999)
    with pytest.raises(InvalidInputError, match=message):
        joint_modes(ArrayRows(image), replace(settings, **options), AHEAD, rows)
