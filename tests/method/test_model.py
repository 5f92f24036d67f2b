"""Modes that are kept: one image's or several images', in a file and back."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import MeanShift

from segment import ImageFileError, InvalidInputError, Model, fit_modes, segment_image
from tests.damage import attempted, mutated

COLORED = np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5


@pytest.fixture
def model():
    return fit_modes([COLORED], bandwidth=20)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"quantile": 0.05, "n_samples": 200, "seed": 3},
        {"bandwidth": 25.5, "min_bin_freq": 3, "kernel": "gaussian"},
        {"color_space": "lab", "max_iter": 1},
        {"target_segments": 7},
        {"color_space": "gray"},
    ],
    ids=str,
)
def test_labels_are_those_of_the_fit(bundled_photos, settings):
    """Labelling an image with its own modes gives the labels that segmenting it gives."""
    image = bundled_photos["coffee"]
    fitted = segment_image(image, **settings)
    model = fit_modes([image], **settings)
    again = segment_image(image, model=model)
    np.testing.assert_array_equal(model.modes, fitted.modes)
    assert (model.bandwidth, model.n_iter) == (fitted.bandwidth, fitted.n_iter)
    np.testing.assert_array_equal(again.labels, fitted.labels)
    np.testing.assert_array_equal(again.colors, fitted.colors)


def test_other_images_are_labelled_as_scikit_learn_predicts(bundled_photos):
    """A label is the number of the nearest mode, as `predict` has it, plus one."""
    first, other = bundled_photos["coffee"], bundled_photos["chelsea"]
    model = fit_modes([first], quantile=0.1)
    theirs = MeanShift(bandwidth=model.bandwidth, bin_seeding=True).fit(first.reshape(-1, 3))
    labels = segment_image(other, model=model).labels
    assert np.array_equal(labels.ravel(), theirs.predict(other.reshape(-1, 3)) + 1)


def test_fit_of_several_images_is_that_of_their_pixels(bundled_photos):
    """Modes of several images are those of one image that holds all their pixels."""
    images = [bundled_photos[name] for name in ("coffee", "astronaut", "chelsea")]
    together = np.concatenate([image.reshape(-1, 3) for image in images])[None]
    for options in ({}, {"color_space": "lab"}, {"bandwidth": 30.0, "max_iter": 1}):
        model = fit_modes(images, **options)
        expected = segment_image(together, **options)
        np.testing.assert_array_equal(model.modes, expected.modes)
        assert (model.bandwidth, model.n_iter) == (expected.bandwidth, expected.n_iter)
        labels = [segment_image(image, model=model).labels.ravel() for image in images]
        np.testing.assert_array_equal(np.concatenate(labels), expected.labels[0])


def test_equal_ends_count_in_the_order_of_the_pixels_of_all_images():
    """Where the order of the seeds decides, it is that of the images one after the other."""
    ends = {(19, 20, 20): 26, (9, 20, 20): 2, (13, 29, 20): 2, (13, 11, 20): 2}
    ends |= {(16, 29, 20): 11, (16, 11, 20): 11, (200, 200, 200): 40}
    pixels = np.repeat(np.array([*ends], np.uint8), [*ends.values()], axis=0)
    for rows in (pixels, pixels[::-1]):
        model = fit_modes([rows[None, :30], rows[None, 30:]], bandwidth=10.0, max_iter=0)
        expected = segment_image(rows[None], bandwidth=10.0, max_iter=0)
        np.testing.assert_array_equal(model.modes, expected.modes)


def test_colours_are_merged_in_parts(bundled_photos, monkeypatch):
    """However many colours wait before they are counted together, the modes are the same."""
    images = [bundled_photos[name] for name in ("coffee", "astronaut", "chelsea")]
    expected = fit_modes(images)
    monkeypatch.setattr("segment.method.fitting.MERGE_FROM", 1)
    np.testing.assert_array_equal(fit_modes(images).modes, expected.modes)


def test_gray_images_among_coloured_ones_count_as_coloured(bundled_photos):
    """A grey image is fitted and labelled like the same image in three equal channels."""
    gray, color = bundled_photos["chelsea"][:, :, 0], bundled_photos["coffee"]
    wide = np.repeat(gray[:, :, None], 3, axis=2)
    for images, same in (([gray, color], [wide, color]), ([color, gray], [color, wide])):
        model = fit_modes(images)
        np.testing.assert_array_equal(model.modes, fit_modes(same).modes)
        ours, theirs = (segment_image(each, model=model) for each in (gray, wide))
        np.testing.assert_array_equal(ours.labels, theirs.labels)
        np.testing.assert_array_equal(ours.colors, theirs.colors)


def test_masked_and_transparent_pixels_take_no_part():
    """What is masked or transparent in any of the images does not move the modes."""
    image = np.dstack([np.full((2, 2), 90, np.uint8)] * 3 + [np.full((2, 2), 255, np.uint8)])
    image[0, 0] = 200, 200, 200, 0
    mask = [[1, 1], [1, 0]]
    other = np.full((2, 2, 3), 94, np.uint8)
    other[1, 1] = 0
    model = fit_modes([image, other], mask=mask, bandwidth=10)
    assert model.modes.tolist() == [[(2 * 90 + 3 * 94) / 5] * 3]


def test_regions_and_orphans_of_a_model(bundled_photos):
    """Connected regions and cluster_all work on the labels of a model as on those of a fit."""
    image = bundled_photos["coffee"]
    model = fit_modes([image])
    for options in ({"min_size": 20}, {"cluster_all": False}, {"connected": True}):
        ours, fitted = (segment_image(image, **options, **way) for way in ({"model": model}, {}))
        np.testing.assert_array_equal(ours.labels, fitted.labels)
        np.testing.assert_array_equal(ours.modes, fitted.modes)


def test_labels_keep_their_numbers_where_a_mode_has_no_pixel():
    """An image without a mode's colours has no pixel of its label; the others keep theirs."""
    dark, bright = np.full((2, 2), 9, np.uint8), np.full((3, 3), 200, np.uint8)
    model = fit_modes([dark, bright], bandwidth=20)
    segmentation = segment_image(dark, model=model)
    assert np.unique(segmentation.labels).tolist() == [2]
    assert segmentation.sizes.tolist() == [0, 4]
    assert segmentation.colors.tolist() == [[200] * 3, [9] * 3]


@settings(deadline=None)
@given(
    st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 3), min_size=1, max_size=5),
    st.floats(0, 1e9, exclude_min=True),
)
def test_numbers_come_back_to_the_bit(tmp_path_factory, modes, bandwidth):
    """Whatever the numbers, what is loaded equals what was saved."""
    path = tmp_path_factory.getbasetemp() / "modes.json"
    saved = Model(np.array(modes), bandwidth, 7, "lab", {"quantile": 0.1})
    saved.save(path)
    loaded = Model.load(path)
    assert loaded.modes.tobytes() == saved.modes.tobytes()
    assert (loaded.bandwidth, loaded.n_iter) == (bandwidth, 7)
    assert (loaded.color_space, loaded.settings) == ("lab", {"quantile": 0.1})


def test_the_file_is_what_the_documents_say(model, tmp_path):
    """The file has the members of docs/models.md, and no others."""
    model.save(tmp_path / "modes.json")
    content = json.loads((tmp_path / "modes.json").read_text())
    assert content.pop("settings").keys() >= {"quantile", "n_samples", "seed", "kernel"}
    assert content == {
        "format": "meanshift-segment model",
        "version": 1,
        "features": "color",
        "color_space": "rgb",
        "bandwidth": 20,
        "iterations": model.n_iter,
        "modes": model.modes.tolist(),
    }


def changed(**members):
    return lambda text: json.dumps(json.loads(text) | members)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[: len(text) // 2], "is not a model, or a damaged one"),
        (lambda text: "[" * 100_000, "is not a model, or a damaged one"),
        (lambda text: "[1, 2]", "is not a model: expected format"),
        (changed(format="other"), "is not a model: expected format"),
        (changed(version=3), "expected a model of version 1 or 2, got 3"),
        (changed(features="joint"), "expected a model of features 'color', got 'joint'"),
        (changed(modes=[]), "is a damaged model"),
        (changed(modes=[[1, 2]]), "is a damaged model"),
        (changed(modes=[[1, 2, 3], [1, 2]]), "is a damaged model"),
        (changed(modes=[[1, 2, float("nan")]]), "is a damaged model"),
        (changed(modes="many"), "is a damaged model"),
        (changed(bandwidth="wide"), "is a damaged model"),
        (changed(bandwidth=float("inf")), "is a damaged model"),
        (changed(iterations=-1), "is a damaged model"),
        (changed(color_space="cmyk"), "is a damaged model"),
        (changed(color_space="gray"), "is a damaged model"),
        (changed(settings=None), "is a damaged model"),
        (changed(settings=[["quantile", 0.1]]), "is a damaged model"),
        (changed(settings={"quantile": [[[0.1]]]}), "is a damaged model"),
        (changed(modes=[[10**400, 1, 1]]), "is a damaged model"),
        (changed(modes=[[1e200, 1, 1]]), "is a damaged model"),
        (changed(modes=[["1", "2", "3"]]), "is a damaged model"),
        (changed(modes=[[True, 2, 3]]), "is a damaged model"),
        (changed(modes=[1, 2, 3]), "is a damaged model"),
        (changed(modes={"1": 2}), "is a damaged model"),
        (changed(bandwidth=True), "is a damaged model"),
        (changed(bandwidth=10**400), "is a damaged model"),
        (changed(iterations=10**400), "is a damaged model"),
        (changed(iterations=1.5), "is a damaged model"),
        (changed(color_space=["rgb"]), "is a damaged model"),
        (changed(version=True), "expected a model of version 1 or 2, got True"),
        (changed(version=10**400), "expected a model of version 1 or 2, got 1000"),
        (
            lambda text: text.replace(": 1", ": " + "1" * 5000, 1),
            "is not a model, or a damaged one",
        ),
        (lambda text: text.replace('"modes"', '"nodes"'), "is a damaged model (no 'modes')"),
    ],
)
def test_files_that_are_no_models(model, tmp_path, change, said):
    """A file that is damaged, newer or something else is refused by name, with what to do."""
    path = tmp_path / "modes.json"
    model.save(path)
    path.write_text(change(path.read_text()))
    with pytest.raises(InvalidInputError) as caught:
        Model.load(path)
    assert str(caught.value).startswith(f"{path}: {said}")
    assert ";" in str(caught.value)


def test_damage_of_any_kind(model, tmp_path):
    """Whatever bytes are changed, a file gives a model or the error of one, in one line."""
    path = tmp_path / "modes.json"
    model.save(path)
    whole, refused = path.read_bytes(), 0
    for seed in range(1000):
        path.write_bytes(mutated(whole, seed))
        loaded, said = attempted(lambda: Model.load(path), InvalidInputError)
        if loaded is None:
            refused += 1
            assert said.startswith(f"{path}: ")
            assert len(said) < 1000
        else:
            assert loaded.modes.ndim == 2
            assert np.isfinite(loaded.modes).all()
    assert refused > 500


def test_numbers_of_any_kind_are_kept(tmp_path):
    """Settings given as NumPy's numbers are in the file as numbers."""
    model = fit_modes([COLORED], quantile=np.float32(0.25), n_samples=np.int64(9))
    model.save(tmp_path / "modes.json")
    assert Model.load(tmp_path / "modes.json").settings == model.settings


def test_one_image_is_no_sequence_of_images():
    """One array, which might be H grey images, is refused; a stack of (N, H, W, C) is N images."""
    rows = COLORED.tolist()
    for images in (COLORED, COLORED[:, :, 0], rows, [rows], "ab", b"ab", 5, None):
        with pytest.raises(InvalidInputError, match=r"images: expected (a sequence of )?arrays, "):
            fit_modes(images, bandwidth=20)
    stack, listed = fit_modes(COLORED[None], bandwidth=20), fit_modes([COLORED], bandwidth=20)
    np.testing.assert_array_equal(stack.modes, listed.modes)


def test_a_binary_file_is_no_model(tmp_path):
    """A picture given for a model is refused."""
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(InvalidInputError, match="is not a model"):
        Model.load(tmp_path / "a.png")


def test_a_missing_file(tmp_path):
    """A model that is not there is a file error."""
    with pytest.raises(ImageFileError, match="No such file"):
        Model.load(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"features": "joint"}, "features: expected 'color' with a model, got 'joint'"),
        ({"assign": "basin"}, "assign: expected 'nearest' with a model, got 'basin'"),
        ({"color_space": "lab"}, "color_space: expected 'rgb', that of the model, got 'lab'"),
    ],
)
def test_models_of_another_space(model, settings, said):
    """Another feature space or colour space than the model's is refused."""
    with pytest.raises(InvalidInputError, match=said):
        segment_image(COLORED, model=model, **settings)


@pytest.mark.parametrize("settings", [{"features": "joint"}, {"assign": "basin"}])
def test_fits_that_cannot_be_kept(settings):
    """Modes at places of an image, and labels that are not the nearest mode's, are refused."""
    with pytest.raises(InvalidInputError, match="for modes that are kept"):
        fit_modes([COLORED], **settings)


def test_coloured_images_have_no_place_in_a_gray_model():
    """A colour image is refused by a model of grey values; in color_space 'gray' it is not."""
    gray = COLORED[:, :, 0]
    with pytest.raises(InvalidInputError, match="the model was fitted on grey images"):
        segment_image(COLORED, model=fit_modes([gray], bandwidth=9))
    model = fit_modes([gray], bandwidth=9, color_space="gray")
    assert segment_image(COLORED, model=model).labels.all()


def test_a_model_of_one_colour(tmp_path):
    """Where all pixels are alike the estimated bandwidth is 0, and the model labels them."""
    flat = np.full((3, 4, 3), 9, np.uint8)
    fit_modes([flat]).save(tmp_path / "modes.json")
    segmentation = segment_image(flat, model=Model.load(tmp_path / "modes.json"))
    assert (segmentation.bandwidth, segmentation.sizes.tolist()) == (0.0, [12])
    assert segmentation.labels.tolist() == segment_image(flat).labels.tolist()


def test_no_images():
    """A fit of nothing is refused."""
    with pytest.raises(InvalidInputError, match="images: expected at least one"):
        fit_modes([])


SENSED = np.random.RandomState(3).randint(0, 4096, (9, 8, 5)).astype(np.uint16)


def test_a_model_of_bands_comes_back(tmp_path):
    """Scale and modes of bands come back to the bit, and label as before."""
    model = fit_modes([SENSED, SENSED[:3] // 2], bandwidth=80, scale="2%,98%")
    model.save(tmp_path / "m.json")
    again = Model.load(tmp_path / "m.json")
    assert np.array_equal(again.modes, model.modes)
    assert np.array_equal(again.scale.low, model.scale.low)
    assert np.array_equal(again.scale.unit, model.scale.unit)
    labels = segment_image(SENSED, model=model).labels
    assert np.array_equal(segment_image(SENSED, model=again).labels, labels)
    assert segment_image(SENSED, model=again, scale="2%,98%").settings.scale == "2%,98%"


def test_a_model_of_one_image_of_bands_labels_it_as_itself():
    """With the modes of an image its labels are those of the image alone, and so is its scale."""
    for scale in ("depth", "range", "std"):
        alone = segment_image(SENSED, bandwidth=70, scale=scale)
        found = segment_image(SENSED, model=fit_modes([SENSED], bandwidth=70, scale=scale))
        assert np.array_equal(found.labels, alone.labels)
        assert np.array_equal(found.unit, alone.unit)


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (SENSED[..., :4], {"alpha": False}, "image: expected 5 bands, those of the scale, got 4"),
        (SENSED[..., :3], {}, "image: expected 5 bands, those of the scale, got 3"),
        (SENSED, {"scale": "range"}, "scale: expected 'depth', that of the model, got 'range'"),
    ],
)
def test_a_model_takes_the_bands_it_was_found_on(image, options, message):
    """Other bands, and another scale, are refused."""
    model = fit_modes([SENSED], bandwidth=80)
    with pytest.raises(InvalidInputError, match=message):
        segment_image(image, model=model, **options)
    photo = fit_modes([SENSED[..., :3]], bandwidth=80)
    with pytest.raises(InvalidInputError, match="expected a photo, as the model was found on, got"):
        segment_image(SENSED, model=photo)


@pytest.mark.parametrize(
    "images",
    [
        [SENSED, SENSED[..., :4].astype(np.uint8)[..., [0, 1, 2, 3, 3]]],
        [SENSED, SENSED[..., :3]],
        [SENSED[..., :3], SENSED],
    ],
)
def test_images_of_other_bands_are_not_fitted_together(images):
    """Bands of another number or type, and photos among bands, are refused."""
    with pytest.raises(InvalidInputError, match="images: expected the same bands of one type"):
        fit_modes(images, bandwidth=80)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("low", [0, 0]),
        ("unit", [0, 1, 1, 1, 1]),
        ("unit", ["a"] * 5),
        ("bands", ["a"]),
        ("bands", "abcde"),
        ("low", None),
    ],
)
def test_damaged_scales(tmp_path, name, value):
    """A scale that does not fit the modes, or divides by nothing, is damage."""
    path = tmp_path / "m.json"
    fit_modes([SENSED], bandwidth=80).save(path)
    content = json.loads(path.read_text())
    content[name] = value
    path.write_text(json.dumps(content))
    with pytest.raises(InvalidInputError, match="is a damaged model"):
        Model.load(path)
