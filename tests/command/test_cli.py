"""The command as a user meets it: a process of its own, its output, its exit code."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segment import __version__, segment_image
from segment.command.cli import main
from segment.running.journal import NAME as RECORD
from tests.commands import WAIT, start


def run(*arguments, cwd=None, **options):
    """Run the command and return the finished process with its output as text."""
    command = [sys.executable, "-m", "segment", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, **options)


def names_in(folder):
    """The results in a folder; beside those of several images is the record of the run."""
    return sorted(path.name for path in folder.iterdir() if path.name != RECORD)


@pytest.fixture
def photo(tmp_path, bundled_photos):
    """A real photo as a PNG file, and its pixels."""
    pixels = bundled_photos["coffee"]
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path)
    return path, pixels


def test_main_job(photo, tmp_path):
    """One command writes a label map and a recoloured image, and says so in one line."""
    path, pixels = photo
    done = run(path.name, "--quantile", "0.1", cwd=tmp_path)
    expected = segment_image(pixels, quantile=0.1)
    labels = np.asarray(Image.open(tmp_path / "outputs" / "photo_labels.png"))
    segmented = np.asarray(Image.open(tmp_path / "outputs" / "photo_segmented.png").convert("RGB"))
    assert done.returncode == 0
    assert np.array_equal(labels, expected.labels)
    assert np.array_equal(segmented, expected.recolored())
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    height, width = pixels.shape[:2]
    for part in (
        "photo.png:",
        "outputs/photo_labels.png",
        "outputs/photo_segmented.png",
        f"{width} x {height}",
        f"bandwidth {expected.bandwidth:.4g}",
        f"{len(expected.sizes)} segment",
        " s",
    ):
        assert part in line


def test_json(photo, tmp_path):
    """--json prints one object a line per image, failures included, with all that is known."""
    path, pixels = photo
    done = run(path, tmp_path / "none.jpg", "--json", "-o", tmp_path / "out")
    good, bad = (json.loads(line) for line in done.stdout.splitlines())
    expected = segment_image(pixels)
    assert good.pop("seconds") > 0
    assert good == {
        "input": str(path),
        "status": "ok",
        "error": None,
        "outputs": [
            str(tmp_path / "out" / f"photo_{kind}.png") for kind in ("labels", "segmented")
        ],
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "bandwidth": expected.bandwidth,
        "segments": len(expected.sizes),
        "iterations": expected.n_iter,
        "bands": 3,
        "names": ["red", "green", "blue"],
        "scale": {"as": "depth", "low": [0, 0, 0], "unit": [1, 1, 1]},
    }
    assert bad["status"] == "failed"
    assert "no such file" in bad["error"]
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        (
            ["-q", "0.05", "--n-samples", "200", "--seed", "7"],
            {"quantile": 0.05, "n_samples": 200, "seed": 7},
        ),
        (["-b", "30.5", "--min-bin-freq", "5"], {"bandwidth": 30.5, "min_bin_freq": 5}),
        (["-c", "lab", "--no-cluster-all"], {"color_space": "lab", "cluster_all": False}),
        (["-c", "gray", "--max-iter", "1"], {"color_space": "gray", "max_iter": 1}),
        (
            ["-f", "color", "--kernel", "flat", "--assign", "nearest", "-c", "hsv"],
            {"color_space": "hsv"},
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_clustering_options(photo, tmp_path, options, settings):
    """Each clustering option does what the library's parameter of its name does."""
    path, pixels = photo
    done = run(path, *options, "--write", "labels", "-o", tmp_path)
    assert done.returncode == 0, done.stderr
    labels = np.asarray(Image.open(tmp_path / "photo_labels.png"))
    assert np.array_equal(labels, segment_image(pixels, **settings).labels)
    assert not (tmp_path / "photo_segmented.png").exists()


def test_recolor_by_mode(photo, tmp_path):
    """--recolor mode paints a segment in the colour of its mode."""
    path, pixels = photo
    run(path, "--recolor", "mode", "--write", "segmented", "-o", tmp_path)
    segmented = np.asarray(Image.open(tmp_path / "photo_segmented.png").convert("RGB"))
    assert np.array_equal(segmented, segment_image(pixels).recolored("mode"))


def test_quiet_says_only_failures(photo, tmp_path):
    """--quiet leaves stderr to failures."""
    path, _ = photo
    done = run(path, tmp_path / "none.jpg", "--quiet", "-o", tmp_path)
    assert done.stderr == f"error: {tmp_path / 'none.jpg'}: no such file; check the name\n"


def test_verbose_says_iterations_and_a_summary(photo, tmp_path):
    """-v adds the iterations to each line, and a summary at the end."""
    path, pixels = photo
    lines = run(path, "-v", "-o", tmp_path).stderr.splitlines()
    assert lines[0].endswith(f"{segment_image(pixels).n_iter} iterations")
    assert lines[1:] == ["1 done"]


def bad_files(folder):
    """One file of each kind that cannot be segmented, with a part of what is said of it."""
    (folder / "text.jpg").write_text("not a picture\n")
    (folder / "empty.png").touch()
    (folder / "folder").mkdir()
    whole = folder / "whole.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(whole)
    (folder / "cut.jpg").write_bytes(whole.read_bytes()[:700])
    whole.unlink()
    return {
        "missing.jpg": "no such file",
        "folder": "is a folder without images",
        "text.jpg": "is not an image",
        "empty.png": "is empty",
        "cut.jpg": "is damaged",
    }


def test_bad_inputs_get_one_line_each_and_the_rest_is_done(photo, tmp_path):
    """Whatever cannot be read is named in one line; the other images are segmented."""
    path, _ = photo
    wrong = bad_files(tmp_path)
    done = run(*[tmp_path / name for name in wrong], path, "-o", tmp_path / "out")
    *errors, good, summary = done.stderr.splitlines()
    assert done.returncode == 1
    assert len(errors) == len(wrong)
    for line, (name, said) in zip(errors, wrong.items(), strict=True):
        assert line.startswith(f"error: {tmp_path / name}: {said}")
        assert "; " in line, "says what to do"
    assert good.startswith(str(path))
    assert summary == "1 done, 5 failed"
    assert names_in(tmp_path / "out") == ["photo_labels.png", "photo_segmented.png"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing argument 'INPUT...'"),
        (["x.png", "--quantile", "0"], "0.0 is not in the range 0<x<=1"),
        (["x.png", "--quantile", "1.5"], "1.5 is not in the range 0<x<=1"),
        (["x.png", "--bandwidth", "-3"], "-3.0 is not in the range 1e-06<=x<=1e+30"),
        (["x.png", "--n-samples", "0"], "0 is not in the range x>=1"),
        (["x.png", "--max-iter", "many"], "'many' is not a valid integer"),
        (["x.png", "--max-iter", "-1"], "-1 is not in the range 0<=x<=2147483647"),
        ([""], "Invalid value for 'INPUT...': expected a name, got an empty one"),
        (["x.png", ""], "Invalid value for 'INPUT...': expected a name, got an empty one"),
        *(
            (["x.png", option, ""], f"'{option}': expected a name, got an empty one")
            for option in ("--mask", "--labels", "--segmented", "--report", "--save-model")
        ),
        *(
            (["x.png", option, ""], f"'{option}': expected a name, got an empty one")
            for option in ("--model", "--files-from", "--files0-from")
        ),
        (["x.png", "-o", ""], "expected a name, got an empty one"),
        (["x.png", "--color-space", "cmyk"], "'cmyk' is not one of"),
        (["x.png", "--write", "labels,music"], "'music' is not one of labels, segmented"),
        (["x.png", "--colour"], "No such option"),
        (["x.png", "--features", "place"], "'place' is not one of 'color', 'joint'"),
        (["x.png", "-f", "joint", "--spatial-radius", "5"], "expected both or neither"),
        (["x.png", "-f", "joint", "--range-radius", "5"], "expected both or neither"),
        (["x.png", "-f", "joint", "--spatial-radius", "0", "--range-radius", "5"], "0.0 is not in"),
        (["x.png", "-f", "joint", "--spatial-radius", "nan", "--range-radius", "5"], "got nan"),
        (["x.png", "--spatial-radius", "5", "--range-radius", "5"], "expected features 'joint'"),
        (["x.png", "--spatial-weight", "-1"], "-1.0 is not in the range"),
        (["x.png", "--kernel", "cubic"], "'cubic' is not one of 'flat', 'gaussian'"),
        (["x.png", "--assign", "all"], "'all' is not one of 'nearest', 'basin'"),
        (["x.png", "--connectivity", "6"], "'6' is not one of '4', '8'"),
        (["x.png", "--min-size", "-1"], "-1 is not in the range"),
        (["x.png", "--no-connected", "--min-size", "5"], "expected 0 without connected regions"),
        (
            ["x.png", "--bandwidth", "nan"],
            "bandwidth: expected a number in [1e-06, 1e+30], got nan",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_usage_errors(arguments, said, tmp_path):
    """A wrong option is refused with exit code 2 before anything is read or written."""
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_climbs_of_no_move(photo, tmp_path):
    """`--max-iter 0` makes of each seed the mean around it, as the library does."""
    path, pixels = photo
    done = run(path, "--max-iter", "0", "-b", "40", "--labels", tmp_path / "labels.png")
    assert done.returncode == 0, done.stderr
    expected = segment_image(pixels, max_iter=0, bandwidth=40).labels
    assert np.array_equal(np.asarray(Image.open(tmp_path / "labels.png")), expected)


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        ("io.StringIO()", "{photo}: {labels}  120 x 80, bandwidth"),
        ("None", ""),
        ("Bare()", "{photo}: {labels}  120 x 80, bandwidth"),
    ],
)
def test_a_stderr_without_a_file_number(photo, tmp_path, stderr, said):
    """The command runs and talks where stderr is in memory, of a class of its own, or none."""
    path, _ = photo
    script = f"""
import io, os, sys
class Bare:
    text = ""
    def write(self, text):
        self.text += text
    def flush(self):
        pass
    getvalue = lambda self: self.text
talk = sys.stderr = {stderr}
leave = os._exit
os._exit = lambda code: (print(code, talk.getvalue() if talk else "", flush=True), leave(code))
from segment.command.cli import main
main()
"""
    labels = tmp_path / "labels.png"
    command = [sys.executable, "-c", script, str(path), "--labels", str(labels), "-b", "40"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WAIT)
    assert done.stdout.startswith(f"0 {said.format(photo=path, labels=labels)}"), done.stderr
    missing = subprocess.run(
        [*command[:3], "none.png"], capture_output=True, text=True, timeout=WAIT
    )
    assert missing.stdout.startswith("1 error: none.png: no such" if said else "1 ")


def test_main_under_capture(capsys, monkeypatch, photo, tmp_path):
    """The command can be called in a process whose stderr is a test's or a notebook's."""
    path, _ = photo
    codes = []
    monkeypatch.setattr(sys, "argv", ["x", str(path), "--labels", str(tmp_path / "a.png")])
    monkeypatch.setattr(os, "_exit", codes.append)
    monkeypatch.setattr(sys, "stderr", sys.stderr)  # given back at the end
    main()
    assert codes == [0]
    assert capsys.readouterr().err.startswith(f"{path}: {tmp_path / 'a.png'}  ")


def test_output_folder_that_cannot_be_made(photo, tmp_path):
    """An output folder below a file is refused in one line that names it."""
    path, _ = photo
    done = run(path, "-o", path / "below")
    assert done.returncode == 1
    assert done.stderr == (
        f"error: {path}: cannot make the folder {path / 'below'}: Not a directory; "
        "choose another with -o\n"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="file sizes are limited by POSIX")
def test_full_disk(photo, tmp_path):
    """A disk that fills while a result is written costs that image, and leaves no part of it."""
    path, _ = photo
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)); "
    script = limited + (
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "from segment.command.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(path), "-o", str(tmp_path / "out")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "cannot write" in done.stderr
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes of POSIX")
def test_interrupt(tmp_path):
    """Ctrl-C ends the run with 130 and a summary; what is finished stays whole."""
    process = waiting_run(tmp_path, "-o", tmp_path / "out")
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=WAIT)[1]
    assert process.returncode == 130
    assert re.fullmatch(r"interrupted: 2 done, .* images/s\n", said)
    names = ("00_labels.png", "00_segmented.png", "01_labels.png", "01_segmented.png")
    assert names_in(tmp_path / "out") == list(names)
    for name in names:
        Image.open(tmp_path / "out" / name).load()


def waiting_run(folder, *options):
    """A run that has done two images, and waits for the third, a pipe to which nobody writes."""
    for name in ("00.png", "01.png", "03.png"):
        Image.fromarray(np.full((4, 4), 9, np.uint8)).save(folder / name)
    os.mkfifo(folder / "02.png")
    inputs = [folder / f"{number:02}.png" for number in range(4)]
    process = start(*inputs, *options)
    for _ in range(2):
        process.stderr.readline()
    return process


def test_version():
    """--version prints the name and the version."""
    assert run("--version").stdout == f"meanshift-segment, version {__version__}\n"


def test_results_do_not_depend_on_the_order_of_inputs(photo, tmp_path):
    """Two images give the same bytes whichever comes first."""
    path, pixels = photo
    other = tmp_path / "other.png"
    Image.fromarray(pixels[::-1, ::2]).save(other)
    run(path, other, "-o", tmp_path / "a")
    run(other, path, "-o", tmp_path / "b")
    names = names_in(tmp_path / "a")
    assert names == names_in(tmp_path / "b")
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_standard_output_that_is_closed(photo, tmp_path):
    """JSON that has nowhere to go is one line on stderr and exit code 1."""
    command = f"{sys.executable} -m segment {photo[0]} --json -o {tmp_path} >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "error: cannot write to standard output: it is closed\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_standard_output_that_takes_nothing(photo, tmp_path):
    """JSON that cannot be written is one line on stderr and exit code 1."""
    command = f"{sys.executable} -m segment {photo[0]} --json -o {tmp_path} > /dev/full"
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(["sh", "-c", command], env=buffered, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "error: cannot write to standard output: No space left on device\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_closed_streams(photo, tmp_path, closed):
    """A caller that closes a stream gets its results all the same."""
    command = f"{sys.executable} -m segment {photo[0]} -o {tmp_path / 'o'} {closed}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert len(names_in(tmp_path / "o")) == 2


@pytest.mark.parametrize("bandwidth", ["1e-6", "0.01", "1e30"])
def test_extreme_bandwidths_say_nothing_strange(photo, tmp_path, bandwidth):
    """No warning of NumPy's reaches the user."""
    small = tmp_path / "small.png"
    Image.fromarray(photo[1][:20, :20]).save(small)
    done = run(small, "-b", bandwidth, "-o", tmp_path)
    (line,) = done.stderr.splitlines()
    assert str(small) in line
    assert "Warning" not in line
