"""Choosing and reusing on the command line: sweeps, targets, outlines, models, the report."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from segment import Model, fit_modes, segment_image
from segment.running.inputs import find_inputs
from tests.command.test_cli import names_in, waiting_run
from tests.commands import WAIT, call


@pytest.fixture
def photos(tmp_path, bundled_photos):
    """Two real photos as PNG files, and their pixels."""
    pixels = [bundled_photos["coffee"], bundled_photos["chelsea"]]
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path, image in zip(paths, pixels, strict=True):
        Image.fromarray(image).save(path)
    return paths, pixels


def read(path):
    with Image.open(path) as image:
        return np.asarray(image)


def test_sweep(photos, tmp_path):
    """--sweep writes one sheet for each image, and its numbers with --json."""
    paths, pixels = photos
    done = call(*paths, "--sweep", "0.05,0.2", "-j", 1, "--json", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert names_in(tmp_path / "out") == ["a_sweep.png", "b_sweep.png"]
    for line, path, image in zip(done.stdout.splitlines(), paths, pixels, strict=True):
        told = json.loads(line)
        assert told["input"] == str(path)
        assert (told["width"], told["height"]) == image.shape[1::-1]
        for trial, quantile in zip(told["sweep"], (0.05, 0.2), strict=True):
            alone = segment_image(image, quantile=quantile)
            assert trial == {
                "quantile": quantile,
                "bandwidth": alone.bandwidth,
                "segments": len(alone.sizes),
                "iterations": alone.n_iter,
                "error": None,
            }
    assert read(tmp_path / "out" / "a_sweep.png").shape[2] == 3


def test_sweep_of_bandwidths_says_the_segments(photos, tmp_path):
    """--sweep-bandwidth does the same for bandwidths; the line has the numbers of segments."""
    path, image = photos[0][0], photos[1][0]
    done = call(path, "--sweep-bandwidth", "15,60", "-v", "-o", tmp_path / "out")
    counts = [len(segment_image(image, bandwidth=h).sizes) for h in (15.0, 60.0)]
    assert f"{counts[0]}, {counts[1]} segments" in done.stderr.splitlines()[0]
    assert names_in(tmp_path / "out") == ["a_sweep.png"]


def test_target_says_the_bandwidth_that_repeats_it(photos, tmp_path):
    """The bandwidth in the line of a run with a target gives the same labels again."""
    path = photos[0][0]
    done = call(path, "--target-segments", "6", "--write", "labels", "-o", tmp_path / "x")
    bandwidth = done.stderr.partition("bandwidth ")[2].partition(" ")[0]
    assert "(nearest to 6 segments), 6 segments" in done.stderr
    call(path, "-b", bandwidth, "--write", "labels", "-o", tmp_path / "y")
    assert np.array_equal(read(tmp_path / "x/a_labels.png"), read(tmp_path / "y/a_labels.png"))
    told = json.loads(call(path, "--target-segments", "6", "--json", "-o", tmp_path).stdout)
    assert (told["target_segments"], told["segments"]) == (6, 6)


def test_boundaries_and_figure(photos, tmp_path):
    """--write boundaries and figure write pictures beside the others."""
    pytest.importorskip("matplotlib", reason="needs the extra plot")
    path, image = photos[0][0], photos[1][0]
    done = call(path, "--write", "boundaries,figure", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert names_in(tmp_path / "out") == ["a_boundaries.png", "a_figure.png"]
    outlined = segment_image(image).boundaries(image)
    assert np.array_equal(read(tmp_path / "out" / "a_boundaries.png"), outlined)
    assert read(tmp_path / "out" / "a_figure.png").shape[1] == 1560


def test_figure_without_matplotlib(photos, tmp_path):
    """Without matplotlib, --write figure is a usage error that names the extra."""
    script = (
        "import sys; sys.modules['matplotlib'] = None; from segment.command.cli import main; main()"
    )
    command = [sys.executable, "-c", script, str(photos[0][0]), "--write", "figure"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert "pip install 'meanshift-segment[plot]'" in done.stderr
    assert not (tmp_path / "outputs").exists()


def test_model_of_one_image_labels_another(photos, tmp_path):
    """--save-model keeps the modes of an image, and --model labels others with them."""
    (first, second), (image, other) = photos
    kept = tmp_path / "modes.json"
    done = call(first, "-q", "0.07", "--save-model", kept, "-o", tmp_path / "x")
    assert done.returncode == 0, done.stderr
    assert np.array_equal(
        read(tmp_path / "x/a_labels.png"), segment_image(image, quantile=0.07).labels
    )
    done = call(second, "--model", kept, "--json", "-o", tmp_path / "y")
    expected = segment_image(other, model=Model.load(kept))
    assert np.array_equal(read(tmp_path / "y/b_labels.png"), expected.labels)
    assert json.loads(done.stdout)["segments"] == np.count_nonzero(expected.sizes)


def test_fit_together(photos, tmp_path):
    """--fit-together labels all inputs with one set of modes; a bad input stays alone."""
    paths, pixels = photos
    (tmp_path / "bad.png").write_text("no picture")
    options = ["-j", 1, "--fit-together", "--save-model", tmp_path / "modes.json", "-c", "lab"]
    done = call(tmp_path / "bad.png", *paths, *options, "-o", tmp_path / "out")
    assert done.returncode == 1
    assert "bad.png: is not an image" in done.stderr
    model = fit_modes(pixels, color_space="lab")
    assert np.array_equal(Model.load(tmp_path / "modes.json").modes, model.modes)
    for path, image in zip(paths, pixels, strict=True):
        labels = read(tmp_path / "out" / f"{path.stem}_labels.png")
        assert np.array_equal(labels, segment_image(image, model=model).labels)


def test_fit_together_of_nothing_that_can_be_read(tmp_path):
    """Where no input can be read, each says so, and no model is written."""
    (tmp_path / "bad.png").write_text("no picture")
    done = call(tmp_path / "bad.png", "--save-model", tmp_path / "m.json", "-o", tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "m.json").exists()


def test_html_report(photos, tmp_path):
    """--report writes a page with every image of the run, beside the results."""
    paths, _ = photos
    page = tmp_path / "pages" / "report.html"
    done = call(
        tmp_path / "none.png",
        *paths,
        "-j",
        1,
        "--report",
        page,
        "-q",
        "0.2",
        "-o",
        tmp_path / "out",
    )
    assert done.returncode == 1
    assert names_in(page.parent) == ["report.html"]
    text = page.read_text()
    assert text.count('id="entry-') == 2
    assert "../out/a_segmented.png" in text
    assert "no such file" in text


def test_html_report_of_a_model_has_the_settings_of_the_model(photos, tmp_path):
    """What a page tells of the colour space and the bandwidth is what the model decided."""
    kept, page = tmp_path / "modes.json", tmp_path / "report.html"
    fit_modes([photos[1][0]], color_space="lab", bandwidth=21.5).save(kept)
    call(photos[0][1], "--model", kept, "--report", page, "-o", tmp_path / "out")
    assert '"bandwidth":21.5,' in page.read_text()
    assert '"color_space":"lab"' in page.read_text()


def test_html_report_that_cannot_be_written(photos, tmp_path):
    """A page below a file is an error in one line, after the results are written."""
    path = photos[0][0]
    done = call(path, "--report", path / "report.html", "-o", tmp_path / "out")
    assert done.returncode == 1
    assert "error: cannot make the folder" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(names_in(tmp_path / "out")) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes of POSIX")
def test_html_report_of_an_interrupted_run(tmp_path):
    """After Ctrl-C the report has what was done until then."""
    process = waiting_run(tmp_path, "-o", tmp_path / "out", "--report", tmp_path / "report.html")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=WAIT)
    assert process.returncode == 130
    assert (tmp_path / "report.html").read_text().count('id="entry-') == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--sweep", "0.1,2"], "quantile: expected a number in (0, 1], got 2"),
        (["--sweep", "0.1;0.2"], "expected numbers with commas between them, got '0.1;0.2'"),
        (["--sweep-bandwidth", "0"], "bandwidth: expected a number in [1e-06"),
        (["--sweep", "0.1", "--bandwidth", "9"], "'--sweep' and '--bandwidth' exclude"),
        (["--sweep", "0.1", "--sweep-bandwidth", "9"], "'--sweep' and '--sweep-bandwidth' excl"),
        (["--sweep", "0.1", "--write", "labels"], "'--sweep' and '--write' exclude"),
        (["--sweep", "0.1", "--report", "p.html"], "'--sweep' and '--report' exclude"),
        (["--sweep-bandwidth", "9", "-q", "0.1"], "'--sweep-bandwidth' and '--quantile' exclude"),
        (["--target-segments", "0"], "0 is not in the range 1<=x"),
        (["--target-segments", "3", "-b", "9"], "target_segments: expected none beside"),
        (["--model", "m", "--fit-together"], "'--model' and '--fit-together' exclude"),
        (["--model", "m", "-q", "0.2"], "'--model' and '--quantile' exclude"),
        (["--model", "none.json"], "none.json: cannot be read: No such file"),
        (["y.png", "--save-model", "m"], "expected one input, got 2; add --fit-together"),
    ],
    ids=" ".join,
)
def test_options_that_do_not_go_together(tmp_path, options, said):
    """Options that exclude each other are usage errors before anything is read or written."""
    done = call("x.png", "-o", tmp_path, *options)
    assert done.returncode == 2
    assert said in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-c", "lab"], "expected a model of color space 'lab', got one of 'rgb'"),
        (["-f", "joint"], "expected a model of features 'joint', got one of 'color'"),
    ],
    ids=" ".join,
)
def test_models_of_another_space(photos, tmp_path, options, said):
    """A colour space or feature space asked for that is not the model's is a usage error."""
    kept = tmp_path / "modes.json"
    fit_modes([photos[1][0]]).save(kept)
    done = call(photos[0][0], "--model", kept, *options)
    assert done.returncode == 2
    assert said in done.stderr


def test_fits_that_cannot_be_kept(photos, tmp_path):
    """The modes of joint features cannot be kept: a usage error says so."""
    done = call(
        photos[0][0], "-f", "joint", "--save-model", tmp_path / "m.json", "-o", tmp_path / "o"
    )
    assert done.returncode == 2
    assert "Error: features: expected 'color' for modes that are kept" in done.stderr
    assert not (tmp_path / "m.json").exists()


@pytest.fixture
def scans(tmp_path):
    """A folder with a photo and a scan of two pages, all of other colours, as current folder."""
    folder = tmp_path / "in"
    folder.mkdir()
    pages = []
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 30, (20, 30, 3), np.uint8)
        pixels[:, :15] += np.array([60 * number, 90, 200], np.uint8)
        pages.append(Image.fromarray(pixels))
    pages[0].save(folder / "photo.png")
    pages[1].save(folder / "scan.tif", save_all=True, append_images=pages[2:])
    return tmp_path, [np.asarray(page) for page in pages]


def test_a_sweep_of_pages_by_workers(scans):
    """Each page of each image has a sheet; sheets and their numbers do not depend on --jobs."""
    folder, _ = scans
    command = ("in", "--page", "all", "--sweep", "0.1,0.3", "--json")
    told = {}
    for jobs in ("1", "2"):
        done = call(*command, "-j", jobs, "-o", f"out{jobs}", cwd=folder)
        told[jobs] = [json.loads(line) for line in done.stdout.splitlines()]
    names = ["photo_sweep.png", "scan_page1_sweep.png", "scan_page2_sweep.png"]
    assert names_in(folder / "out1") == names_in(folder / "out2") == names
    for one, two in zip(told["1"], told["2"], strict=True):
        assert (one["sweep"], one.get("page")) == (two["sweep"], two.get("page"))
    again = call(*command, "-o", "out1", "--existing", "skip", cwd=folder)
    assert again.stderr == "0 done, 2 skipped\n"


def test_pages_are_fitted_together_and_labelled_by_workers(scans):
    """--fit-together takes every page of every image, and each worker labels with its modes."""
    folder, pages = scans
    command = ("in", "--page", "all", "--fit-together", "--write", "labels", "-o", "out")
    assert call(*command, "-j", "2", "--save-model", "m.json", cwd=folder).returncode == 0
    model = fit_modes(pages)
    assert np.array_equal(Model.load(folder / "m.json").modes, model.modes)
    for name, page in zip(("photo", "scan_page1", "scan_page2"), pages, strict=True):
        labels = read(folder / "out" / f"{name}_labels.png")
        assert np.array_equal(labels, segment_image(page, model=model).labels)
    skip = ("--existing", "skip")
    assert call(*command, *skip, cwd=folder).stderr == "0 done, 2 skipped\n"
    (folder / "in" / "photo.png").unlink()  # other modes
    assert "2 done" in call(*command, *skip, cwd=folder).stderr


def test_what_decides_on_the_results_is_not_skipped(scans):
    """A model of another content and another target are other settings to --existing skip."""
    folder, pages = scans
    kept = folder / "m.json"
    command = ("in/photo.png", "-o", "out", "--existing", "skip", "-v")
    for number, expected in ((0, "1 done"), (0, "1 skipped"), (1, "1 done")):
        fit_modes([pages[number]]).save(kept)
        assert expected in call(*command, "--model", kept, cwd=folder).stderr
    for target, expected in (("2", "1 done"), ("2", "1 skipped"), ("3", "1 done")):
        assert expected in call(*command, "--target-segments", target, cwd=folder).stderr


def test_the_report_of_a_run_by_workers(scans):
    """Entries come back from the workers, one a page; what was skipped is told without one."""
    folder, _ = scans
    command = ("in", "--page", "all", "-j", "2", "-o", "out", "--report", "report.html")
    assert call(*command, cwd=folder).returncode == 0
    text = (folder / "report.html").read_text()
    assert text.count('id="entry-') == 3
    images = json.loads(text.partition('id="run">')[2].partition("</script>")[0])["images"]
    names = [image["name"] for image in images]
    assert names == ["in/photo.png", "in/scan.tif, page 1", "in/scan.tif, page 2"]
    assert [image["after"] for image in images][1] == "out/scan_page1_segmented.png"
    assert call(*command, "--existing", "skip", cwd=folder).stderr == "0 done, 2 skipped\n"
    assert '"status":"skipped"' in (folder / "report.html").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")
def test_the_report_knows_a_recoloured_image_by_any_name(scans):
    """With --segmented the report shows that file; of standard streams it has no links."""
    folder, _ = scans
    call("in/photo.png", "--segmented", "x.png", "--report", "report.html", cwd=folder)
    assert '"after":"x.png"' in (folder / "report.html").read_text()
    script = f"{sys.executable} -m segment - --segmented - --report report.html"
    subprocess.run(["sh", "-c", f"{script} < in/photo.png > x.png"], cwd=folder, check=True)
    text = (folder / "report.html").read_text()
    assert '"link":null' in text
    assert '"after":null' in text


def test_pictures_are_no_inputs(scans):
    """Sheets, outlines and figures in a folder are known as results when it is scanned."""
    pytest.importorskip("matplotlib", reason="needs the extra plot")
    folder, _ = scans
    call("in", "-o", "in", "-j", 1, "--write", "boundaries,figure", cwd=folder)
    call("in", "-o", "in", "-j", 1, "--sweep", "0.1", cwd=folder)
    assert len(names_in(folder / "in")) == 8
    found = find_inputs([str(folder / "in")])
    assert (len(found.images), found.own) == (2, 6)


def test_a_dry_run_finds_no_modes(scans):
    """--dry-run neither fits nor writes a model or a page."""
    folder, _ = scans
    kept = ("--fit-together", "--save-model", "m.json", "--report", "p.html")
    done = call("in", "--dry-run", *kept, cwd=folder)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2)
    assert [path.name for path in folder.iterdir()] == ["in"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-", "--save-model", "m.json"], "read images twice; save what a pipe brings"),
        (["a.png", "-", "--fit-together"], "read images twice"),
        (["a.png", "--page", "all", "--save-model", "m"], "got all pages; add --fit-together"),
        (["a.png", "--report", "a.png"], "--report a.png would replace an input"),
        (["a.png", "--save-model", "./a.png"], "--save-model ./a.png would replace an input"),
        (["a.png", "--sweep", "0.1", "--labels", "x.png"], "'--sweep' and '--labels' exclude"),
        (["a.png", "--report", "-", "--json"], "both go to standard output"),
    ],
    ids=" ".join,
)
def test_files_that_do_not_go_together(tmp_path, options, said):
    """What would be read twice or replace an input is refused before anything is read."""
    done = call(*options, cwd=tmp_path)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
    assert not list(tmp_path.iterdir())
