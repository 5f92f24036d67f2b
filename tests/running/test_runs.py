"""Many images by one command: where they come from, who does them, in which order."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from segment.running.journal import NAME
from tests.commands import photos, results, run


@pytest.fixture
def tree(tmp_path):
    """Images in a folder and in two below it, a text and a damaged image beside them."""
    photos(tmp_path / "in", 3, size=16)
    photos(tmp_path / "in" / "x", 2, size=12)
    photos(tmp_path / "in" / "x" / "y", 1, size=8)
    (tmp_path / "in" / "notes.txt").write_text("not an image")
    return tmp_path


def inputs(done):
    return [json.loads(line)["input"] for line in done.stdout.splitlines()]


def test_recursive_mirrors_the_tree(tree):
    """-r writes the results of each folder into a folder of its name."""
    done = run("in", "-r", "-o", "out", "-v", "--write", "labels", cwd=tree)
    assert done.returncode == 0
    assert list(results(tree / "out")) == [
        "000_labels.png",
        "001_labels.png",
        "002_labels.png",
        "x/000_labels.png",
        "x/001_labels.png",
        "x/y/000_labels.png",
    ]
    assert "left out: 1 other file\n" in done.stderr


def test_same_bytes_and_order_with_any_number_of_jobs(tree):
    """Results, their order and what is said of them do not depend on --jobs."""
    said = {}
    for jobs in (1, 2, 5):
        done = run("in", "-r", "-o", f"out{jobs}", "-j", jobs, "--json", cwd=tree)
        said[jobs] = [json.loads(line) for line in done.stdout.splitlines()]
        for line in said[jobs]:
            assert line.pop("seconds") > 0
            line["outputs"] = [name.replace(f"out{jobs}", "out") for name in line["outputs"]]
    assert said[1] == said[2] == said[5]
    assert [line["input"] for line in said[1]] == sorted(line["input"] for line in said[1])
    assert results(tree / "out1") == results(tree / "out2") == results(tree / "out5")


def test_a_second_run_takes_the_same_inputs(tree):
    """Results in a folder that is scanned, wherever they are in it, are no inputs."""
    runs = [
        run("in", "-r", "-o", "in/out", "--json", cwd=tree),
        run("in", "-r", "-o", "in/out", "--json", cwd=tree),
        run("in", "-r", "-o", "in", "--json", cwd=tree),
        run("in", "-r", "-o", "in", "--json", cwd=tree),
        run("in", "-r", "-o", "in/x", "--json", "--existing", "skip", cwd=tree),
    ]
    assert [done.returncode for done in runs] == [0] * 5
    assert len(inputs(runs[0])) == 6
    assert all(inputs(done) == inputs(runs[0]) for done in runs)


@pytest.fixture
def pages(tree):
    """A scan of three pages, of which the second is another size, beside the images."""
    first, *more = [Image.new("RGB", (9, 9 + i), (40 * i, 0, 99)) for i in range(3)]
    first.save(tree / "in" / "scan.tif", save_all=True, append_images=more)
    Image.new("RGB", (7, 7)).save(tree / "in" / "scan_page2.png")
    return tree


def test_pages_in_folders(pages):
    """All pages of an image in a folder have results and outcomes; it is resumed as a whole."""
    command = ("in", "--page", "all", "--json", "--write", "labels")
    said = {}
    for jobs in ("1", "2"):
        done = run(*command, "none", "-o", f"out{jobs}", "-j", jobs, cwd=pages)
        facts = [json.loads(line) for line in done.stdout.splitlines()]
        said[jobs] = [(fact["input"], fact.get("page")) for fact in facts]
    scan = [("in/scan.tif", page) for page in (1, 2, 3)]
    assert said["1"][3:] == [*scan, ("in/scan_page2.png", None), ("none", None)]
    assert said["1"] == said["2"]
    assert results(pages / "out1") == results(pages / "out2")
    assert {f"scan_page{page}_labels.png" for page in (1, 2, 3)} < set(results(pages / "out1"))
    assert "scan_page2.png_labels.png" in results(pages / "out1")
    again = ("-o", "out1", "--existing", "skip")
    assert run(*command, *again, cwd=pages).stderr == "0 done, 5 skipped\n"
    (pages / "out1" / "scan_page3_labels.png").unlink()
    assert "3 done, 4 skipped" in run(*command, *again, cwd=pages).stderr
    refused = run(*command, "-o", "out1", "--existing", "error", cwd=pages)
    assert refused.stderr.count("already there") == 5


def test_results_of_any_page_are_there(pages):
    """--existing error with all pages refuses where only the result of a later page is left."""
    command = ("in/scan.tif", "--page", "all", "-o", "out", "--existing", "error")
    (pages / "out").mkdir()
    (pages / "out" / "scan_page3_segmented.png").write_bytes(b"kept")
    refused = run(*command, cwd=pages)
    assert refused.returncode == 1
    assert "scan_page3_segmented.png is already there" in refused.stderr
    assert len(results(pages / "out")) == 1
    (pages / "out" / "scan_page3_segmented.png").rename(pages / "out" / "can_page3_segmented.png")
    assert run(*command, cwd=pages).returncode == 0


@pytest.mark.parametrize(("page", "shown"), [("2", "2"), ("all", "*")])
def test_dry_run_with_pages(pages, page, shown):
    """--dry-run names results as the run does, with a star where the pages are not counted yet."""
    done = run("in/scan.tif", "--page", page, "--dry-run", "--write", "labels", cwd=pages)
    assert done.stdout == f"in/scan.tif: {Path(f'outputs/scan_page{shown}_labels.png')}\n"


def test_folders_that_gave_nothing_are_told_in_their_place(pages):
    """A folder without images is told where it was named, also behind a scan of many pages."""
    (pages / "none").mkdir()
    done = run("in/scan.tif", "none", "in/x", "--page", "all", "--json", "-o", "out", cwd=pages)
    assert inputs(done) == ["in/scan.tif"] * 3 + ["none", "in/x/000.png", "in/x/001.png"]


def test_what_is_named_must_be_an_image(tree):
    """A named file that is no image is an error, the same file in a folder is not."""
    assert run("in", "-o", "out", cwd=tree).returncode == 0
    done = run("in", "in/notes.txt", "-o", "out", cwd=tree)
    assert done.returncode == 1
    assert "error: in/notes.txt: is not an image" in done.stderr


@pytest.mark.parametrize(("option", "separator"), [("--files-from", "\n"), ("--files0-from", "\0")])
@pytest.mark.parametrize("source", ["list", "-"])
def test_lists_of_inputs(tree, option, separator, source):
    """A list from a file or from stdin adds inputs after those that are named."""
    names = separator.join(["in/x", "in/001.png", "in/002.png"]) + separator
    (tree / "list").write_text(names)
    done = run("in/002.png", option, source, "--json", "-o", "out", cwd=tree, input=names)
    assert done.returncode == 0
    assert inputs(done) == ["in/002.png", "in/x/000.png", "in/x/001.png", "in/001.png"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--files-from", "none"], "'--files-from': none: cannot be read: No such file"),
        (["in", "--existing", "append"], "'append' is not one of"),
        (["in", "--jobs", "0"], "0 is not in the range x>=1"),
        (["in", "--jobs", "2", "--scheduler", "tcp://127.0.0.1:1"], "--jobs does not go with"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_usage_errors(tree, arguments, said):
    """A wrong option is refused with exit code 2 before anything is written."""
    done = run(*arguments, "-o", "out", cwd=tree)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tree / "out").exists()


def test_fail_fast_stops_at_the_first_failure(tree):
    """--fail-fast begins nothing after an image has failed; without it the rest is done."""
    (tree / "in" / "000.png").write_bytes(b"damaged")
    for jobs in (1, 2):
        done = run("in", "-r", "-o", f"out{jobs}", "--fail-fast", "-j", jobs, cwd=tree)
        assert done.returncode == 1
        assert done.stderr.startswith("error: in/000.png: is not an image")
    assert results(tree / "out1") == {}
    assert "5 done, 1 failed" in run("in", "-r", "-o", "out1", cwd=tree).stderr


def test_existing(tree):
    """--existing skip resumes, with other settings it does not; error keeps what is there."""
    command = ("in", "-r", "-o", "out")
    run("in", "-o", "out", cwd=tree)
    assert run(*command, "--existing", "skip", cwd=tree).stderr.endswith(" images/s\n")
    assert run(*command, "--existing", "skip", cwd=tree).stderr == "0 done, 6 skipped\n"
    before = results(tree / "out")
    refused = run(*command, "--existing", "error", "-q", "0.5", cwd=tree)
    assert refused.returncode == 1
    assert refused.stderr.count("is already there; move it, or take --existing skip") == 6
    assert results(tree / "out") == before
    done = run(*command, "--existing", "skip", "-q", "0.5", "--json", cwd=tree)
    assert {json.loads(line)["status"] for line in done.stdout.splitlines()} == {"ok"}


def test_a_single_image_leaves_no_record_unless_it_is_to_be_skipped(tree):
    """Beside the results of one named image there is nothing else; with skip it is resumable."""
    run("in/000.png", "-o", "out", cwd=tree)
    assert not (tree / "out" / NAME).exists()
    command = ("in/000.png", "-o", "out", "--existing", "skip", "-v")
    assert "1 done" in run(*command, cwd=tree).stderr
    assert "0 done, 1 skipped" in run(*command, cwd=tree).stderr


def test_standard_input_leaves_no_record(tree):
    """What a pipe brought cannot be known again: nothing is kept of it to skip it by."""
    photo = (tree / "in" / "000.png").read_bytes()
    command = [sys.executable, "-m", "segment", "-", "--write", "labels", "-o", "out"]
    done = subprocess.run([*command, "--existing", "skip"], cwd=tree, input=photo)
    assert done.returncode == 0
    assert [path.name for path in (tree / "out").iterdir()] == ["stdin_labels.png"]


@pytest.fixture
def files(tree):
    """A mask, a list and a model beside the images."""
    Image.new("L", (16, 16), 255).save(tree / "000_labels.png")
    (tree / "000_segmented.png").write_text("in/000.png")
    assert run("in/000.png", "--save-model", "model.json", cwd=tree).returncode == 0
    return tree


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--mask", "000_labels.png", "--labels", "./000_labels.png"], "the file of --mask"),
        (["--mask", "000_labels.png", "--report", "000_labels.png"], "the file of --mask"),
        (["--model", "model.json", "--report", "in/../model.json"], "the file of --model"),
        (
            ["--files-from", "000_segmented.png", "--report", "000_segmented.png"],
            "the file of --files-from",
        ),
        (["--labels", "z.png", "--report", "z.png"], "the file of --labels"),
        (["--save-model", "y", "--report", "y"], "the file of --report"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_two_uses_of_one_file(files, options, said):
    """An output over a file that is read, or over another output, is refused at once."""
    before = results(files)
    done = run("in/000.png", *options, cwd=files)
    assert done.returncode == 2
    assert f"would replace {said}" in " ".join(done.stderr.split())
    assert results(files) == before


@pytest.mark.parametrize(
    ("options", "result"),
    [
        (["--mask", "000_labels.png"], "000_labels.png"),
        (["--files-from", "000_segmented.png"], "000_segmented.png"),
        (["--report", "000_labels.png"], "000_labels.png"),
        (["--write", "labels,segmented", "--labels", "000_segmented.png"], "000_segmented.png"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_results_that_would_replace_other_files(files, options, result):
    """An image fails whose result has the name of the mask, a list, or another output."""
    before = (files / result).read_bytes()
    done = run("in/000.png", *options, "-o", ".", cwd=files)
    assert done.returncode == 1
    assert f"its result {result} would replace an input or another output" in done.stderr
    assert "--report" in options or (files / result).read_bytes() == before


def test_devices_may_take_several_outputs(tree):
    """What is no file keeps nothing: two outputs may go to it."""
    done = run("in/000.png", "--labels", "/dev/null", "--report", "/dev/null", cwd=tree)
    assert done.returncode == 0


def test_dry_run(tree):
    """--dry-run lists on stdout what would be read and written, and writes nothing."""
    done = run("in", "none.png", "-r", "-o", "out", "--dry-run", "--write", "labels", cwd=tree)
    assert done.returncode == 1
    assert done.stderr == "error: none.png: no such file; check the name\n"
    lines = done.stdout.splitlines()
    assert lines[0] == f"in/000.png: {Path('out/000_labels.png')}"
    assert len(lines) == 6
    assert not (tree / "out").exists()
    planned = run("in", "-o", "out", "--dry-run", "--json", cwd=tree).stdout.splitlines()
    assert [json.loads(line)["status"] for line in planned] == ["planned"] * 3


def test_the_mask_reaches_every_worker(tree):
    """--mask holds for each image, and one of another size is that image's error."""
    mask = Image.new("L", (16, 16))
    mask.paste(255, (0, 0, 8, 16))
    mask.save(tree / "mask.png")
    done = run("in", "-r", "-o", "out", "--mask", "mask.png", "-j", "2", cwd=tree)
    assert "3 done, 3 failed" in done.stderr
    assert done.stderr.count("mask: expected shape") == 3
    labels = Image.open(tree / "out" / "001_labels.png")
    assert labels.crop((8, 0, 16, 16)).getextrema() == (0, 0)
    assert labels.crop((0, 0, 8, 16)).getextrema()[0] > 0


def test_workers_import_what_the_command_imports(tree):
    """A file of the user's that is called as one of our modules is not imported by workers."""
    for name in ("segment.py", "numpy.py"):
        (tree / name).write_text("raise SystemExit('imported the wrong module')")
    script = "import sys; sys.path.remove(''); from segment.command.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "in", "-o", "out", "-j", "2"],
        cwd=tree,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_one_photo_waits_for_no_import_that_it_does_without(tmp_path):
    """A JPEG alone is done without what is for workers, records, rare formats and other methods."""
    photos(tmp_path, 1)
    Image.open(tmp_path / "000.png").save(tmp_path / "photo.jpg")
    without = "skimage scipy tifffile tqdm concurrent json hashlib"
    without += " segment.running.worker segment.decoding.frame segment.pixels.lab"
    script = (
        "import sys\n"
        "from segment.command.cli import command\n"
        "code = command.main(['photo.jpg', '--bandwidth', '9', '--quiet'], standalone_mode=False)\n"
        f"sys.exit(code or ', '.join(set({without.split()}) & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(
            ["--files-from", "names"], "holds NUL, which no name does", id="nul-for-line-ends"
        ),
        pytest.param(
            ["in", "--report", "in"], "--report: expected the name of a file", id="folder"
        ),
        pytest.param(["in", "--save-model", ""], "'--save-model': expected a name", id="no-name"),
        pytest.param(["in", "--save-model", " "], "--save-model: expected the name", id="blank"),
        pytest.param(
            ["in", "--fit-together", "-f", "joint"],
            "features: expected 'color' for modes that are kept",
            id="joint-modes",
        ),
    ],
)
def test_what_cannot_be_is_told_before_the_work(tree, arguments, said):
    """What the options ask for in vain is a usage error, and nothing is written."""
    (tree / "names").write_bytes(b"in/000.png\0in/001.png\0")
    done = run(*arguments, "-o", "out", cwd=tree)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tree / "out").exists()
