"""The hierarchy on the command line: levels, numbers of segments, the tree to files, whole runs."""

import json

import numpy as np
import pytest
from PIL import Image

from segment import Hierarchy, hierarchy, segment_image
from segment.running.inputs import find_inputs
from tests.commands import call, photos, results, run


@pytest.fixture(scope="module")
def photo(tmp_path_factory, bundled_photos):
    """A photo as a file, its pixels and its tree."""
    path = tmp_path_factory.mktemp("photo") / "a.png"
    Image.fromarray(bundled_photos["coffee"]).save(path)
    return path, bundled_photos["coffee"], hierarchy(bundled_photos["coffee"])


def read(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_a_level_is_that_cut_of_the_hierarchy(photo, tmp_path):
    """--level writes the library's cut, and says level and segments."""
    path, _, tree = photo
    done = call(path, "--level", "0.7", "-o", tmp_path)
    found = tree.cut(0.7)
    assert done.returncode == 0, done.stderr
    assert f"level 0.7, {len(found.sizes)} segments" in done.stderr
    assert np.array_equal(read(tmp_path / "a_labels.png"), found.labels)
    assert np.array_equal(read(tmp_path / "a_segmented.png").shape[:2], found.labels.shape)


def test_a_number_of_segments_tells_its_level(photo, tmp_path):
    """--segments has exactly so many; the level that --json tells gives them again."""
    path, _, tree = photo
    done = call(path, "--segments", 6, "-o", tmp_path, "--json")
    told = json.loads(done.stdout)
    assert (told["segments"], told["level"]) == (6, tree.merges[-6, 2])
    labels = read(tmp_path / "a_labels.png")
    assert np.array_equal(labels, tree.cut(segments=6).labels)
    call(path, "--level", repr(told["level"]), "-o", tmp_path / "again")
    assert np.array_equal(read(tmp_path / "again" / "a_labels.png"), labels)


def test_the_tree_and_its_map_are_written(photo, tmp_path):
    """--write hierarchy writes the tree and the heights, 10,000 to a level, as 16-bit grey."""
    path, _, tree = photo
    done = call(path, "--write", "hierarchy", "-o", tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(results(tmp_path)) == ["a_hierarchy.npz", "a_hierarchy.png"]
    again = Hierarchy.load(tmp_path / "a_hierarchy.npz")
    assert np.array_equal(again.labels, tree.labels)
    assert np.array_equal(again.merges, tree.merges)
    grey = read(tmp_path / "a_hierarchy.png")
    assert grey.dtype == np.uint16
    wanted = np.rint(tree.boundaries().astype(float) * 10_000)
    assert np.array_equal(grey, np.minimum(wanted, 65535))


def test_labels_beside_the_tree_are_those_of_level_1(photo, tmp_path):
    """With --write hierarchy and no level, what else is written is the cut at level 1."""
    path, _, tree = photo
    call(path, "--write", "hierarchy,labels", "-o", tmp_path)
    assert np.array_equal(read(tmp_path / "a_labels.png"), tree.cut(1.0).labels)


def test_the_map_is_known_as_a_result(photo, tmp_path):
    """A folder with a map of heights and a tree has no inputs but the photo."""
    path = tmp_path / "a.png"
    path.write_bytes(photo[0].read_bytes())
    call(path, "--write", "hierarchy", "-o", tmp_path)
    assert [image.name for image in find_inputs([str(tmp_path)]).images] == [str(path)]


def test_tables_polygons_outlines_and_reports_are_of_the_cut(photo, tmp_path):
    """A row and a feature for each segment, a report with the level."""
    path, _, tree = photo
    report, products = tmp_path / "report.html", "regions,polygons,boundaries"
    done = call(path, "--segments", 5, "--write", products, "--report", report, "-o", tmp_path)
    assert done.returncode == 0, done.stderr
    table = (tmp_path / "a_regions.csv").read_text().splitlines()
    assert [int(row.split(",")[1]) for row in table[1:]] == tree.cut(segments=5).sizes.tolist()
    assert len(json.loads((tmp_path / "a_polygons.geojson").read_text())["features"]) == 5
    assert read(tmp_path / "a_boundaries.png").ndim == 3
    assert "segments" in report.read_text()


def test_a_mask_goes_with_a_level(photo, tmp_path):
    """Pixels out of the mask have label 0, as the library has them."""
    path, image, _ = photo
    mask = np.zeros(image.shape[:2], np.uint8)
    mask[:, 20:90] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    call(path, "--level", 0.5, "--mask", tmp_path / "mask.png", "-o", tmp_path / "out")
    wanted = segment_image(image, level=0.5, mask=mask)
    assert np.array_equal(read(tmp_path / "out" / "a_labels.png"), wanted.labels)


def test_the_number_of_jobs_changes_no_byte(tmp_path):
    """A folder gives the same files by one process and by two."""
    folder = photos(tmp_path / "in", 4)
    options = ("--level", 0.6, "--write", "labels,hierarchy,regions")
    for jobs in (1, 2):
        done = run(folder, *options, "-o", tmp_path / str(jobs), "--jobs", jobs)
        assert done.returncode == 0, done.stderr
    assert len(results(tmp_path / "1")) == 16
    assert results(tmp_path / "1") == results(tmp_path / "2")


def test_a_run_resumes_at_the_same_level_only(tmp_path):
    """--existing skip leaves out what was made at this level, and makes another level anew."""
    folder = photos(tmp_path / "in", 2)
    out = ("-o", tmp_path / "out", "-j", 1, "--existing", "skip", "--json")

    def statuses(*options):
        lines = call(folder, *options, *out).stdout.splitlines()
        return [json.loads(line)["status"] for line in lines]

    assert statuses("--level", 0.6) == ["ok", "ok"]
    assert statuses("--level", 0.6) == ["skipped", "skipped"]
    assert statuses("--level", 0.7) == ["ok", "ok"]
    assert statuses("--segments", 2) == ["ok", "ok"]
    assert statuses("--segments", 2) == ["skipped", "skipped"]


@pytest.mark.parametrize("tree", [("--level", "1"), ("--segments", "3"), ("--write", "hierarchy")])
@pytest.mark.parametrize(
    "other",
    [
        ("--bandwidth", "9"),
        ("--quantile", "0.1"),
        ("--features", "color"),
        ("--color-space", "lab"),
        ("--target-segments", "4"),
        ("--min-size", "0"),
        ("--connectivity", "8"),
        ("--connected",),
        ("--sweep", "0.1"),
        ("--sweep-bandwidth", "9"),
        ("--model", "m.json"),
        ("--save-model", "m.json"),
        ("--fit-together",),
    ],
)
def test_options_of_clusters_are_refused(photo, tmp_path, tree, other):
    """What only clusters have is a usage error beside the hierarchy, also at its default."""
    done = call(photo[0], *tree, *other, "-o", tmp_path)
    assert done.returncode == 2
    assert f"'{other[0]}'" in done.stderr
    assert f"'{tree[0]}" in done.stderr
    assert "exclude each other; leave one of them out" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--level", "nan"), "level: expected a number in"),
        (("--level", "-1"), "'--level': -1.0 is not in the range"),
        (("--segments", "0"), "'--segments': 0 is not in the range"),
        (("--segments", "2.5"), "'--segments': '2.5' is not a valid integer"),
        (("--level", "1", "--segments", "2"), "'--level' and '--segments' exclude each other"),
    ],
)
def test_values_that_make_no_sense_are_usage_errors(photo, options, said):
    """A level or a number out of range, or both, end the run before it begins."""
    done = call(photo[0], *options)
    assert done.returncode == 2
    assert said in done.stderr
