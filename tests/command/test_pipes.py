"""The command between other programs: its streams, its environment, names of any bytes."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from segment import segment_image
from tests import commands
from tests.commands import WAIT
from tests.drawn import NOISE, RGB

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes and bytes of POSIX")
COMMAND = [sys.executable, "-m", "segment"]


def run(*arguments, given=b"", **options):
    """Run the command with bytes on standard input; return the finished process, as bytes."""
    command = [*COMMAND, *map(os.fspath, arguments)]
    return subprocess.run(command, input=given, capture_output=True, **options)


def call(*arguments, **options):
    """Run the command in this process; return what `run` does."""
    return commands.call(*arguments, text=False, **options)


def as_png(pixels):
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def shown(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


PHOTO = as_png(RGB.repeat(4, axis=0).repeat(4, axis=1))


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(PHOTO)
    return path


def test_in_and_out(tmp_path):
    """`-` alone reads an image and writes the recoloured PNG, byte for byte the file's."""
    done = run("-", given=PHOTO, cwd=tmp_path)
    assert done.returncode == 0
    assert np.array_equal(shown(done.stdout), segment_image(shown(PHOTO)).recolored())
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("-: -  32 x 24, bandwidth ")
    assert list(tmp_path.iterdir()) == []
    run("-", "--segmented", tmp_path / "a.png", given=PHOTO)
    assert (tmp_path / "a.png").read_bytes() == done.stdout


@pytest.mark.parametrize(
    ("kind", "read"),
    [
        ("png", lambda file: np.asarray(Image.open(file))),
        ("tiff", tifffile.imread),
        ("npy", np.load),
    ],
)
def test_labels_to_stdout(photo, tmp_path, kind, read):
    """--labels - writes the label map in the format asked for, and nothing else anywhere."""
    done = run(photo, "--labels", "-", "--label-format", kind, cwd=tmp_path)
    assert np.array_equal(read(io.BytesIO(done.stdout)), segment_image(shown(PHOTO)).labels)
    assert list(tmp_path.iterdir()) == [photo]


@pytest.mark.parametrize("name", ["map.png", "map.tif", "map.tiff", "map.npy", "new/map.TIF"])
def test_labels_to_a_file(photo, tmp_path, name):
    """--labels FILE takes its format from the name, and writes only that."""
    call(photo, "--labels", tmp_path / name, cwd=tmp_path)
    path = tmp_path / name
    read = np.load if name.endswith("npy") else lambda path: np.asarray(Image.open(path))
    assert np.array_equal(read(path), segment_image(shown(PHOTO)).labels)
    assert not (tmp_path / "outputs").exists()


def test_files_and_products_together(photo, tmp_path):
    """Beside a file of its own, --write says what else goes to the output folder."""
    done = call(photo, "--segmented", "-", "--write", "labels,regions", "-o", "o", cwd=tmp_path)
    assert shown(done.stdout).shape == (24, 32, 3)
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == [
        "photo_labels.png",
        "photo_regions.csv",
    ]


def test_stdin_into_a_folder(tmp_path):
    """With an output folder the results of standard input are files, and --json may be used."""
    done = run("-", "--json", "-o", tmp_path, given=PHOTO)
    facts = json.loads(done.stdout)
    names = ["stdin_labels.png", "stdin_segmented.png"]
    assert facts["outputs"] == [str(tmp_path / name) for name in names]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.png", "b.png", "--labels", "x.png"], "take one input, got 2; use -o for several"),
        (["a.png", "--labels", "x.jpg"], "expected a name that ends in .png, .tif, .tiff, .npy"),
        (["a.png", "--segmented", "x.jpg"], ".png, .tif, .tiff, got 'x.jpg'"),
        (
            ["a.png", "--labels", "x.npy", "--overviews"],
            "of TIFFs, got npy for the label map",
        ),
        (["a.png", "--label-format", "png", "--overviews"], "those of TIFFs, got png"),
        (["a.png", "--segmented", "x.png", "--overviews"], "got --segmented x.png; name a .tif"),
        (["-", "--overviews"], "got --segmented -; name a .tif"),
        (["a.png", "--labels", "-", "--label-format", "zarr"], "do not go to standard output"),
        (["a.png", "--labels", "-", "--overviews"], "do not go to standard output"),
        (["a.png", "--labels", "-", "--segmented", "-"], "both go to '-'; name two files"),
        (["a.png", "--labels", "x.png", "--segmented", "./x.png"], "both go to"),
        (["a.png", "--labels", "-", "--json"], "both go to standard output; name a file"),
        (["a.png", "--labels", "x.png", "--page", "all"], "has many results; use -o instead"),
        (["-", "--files-from", "-"], "can be read once; name a file for one of the two"),
        (["-", "--mask", "-"], "can be read once"),
        (["-", "--scheduler", "tcp://x:1", "-o", "o"], "takes files; pipes and standard streams"),
        (["a.png", "--labels", "-", "--scheduler", "tcp://x:1"], "takes files; pipes and"),
        (["a.png", "--page", "0"], "'0' is neither 'all' nor a number from 1"),
        (["a.png", "--max-pixels", "0"], "0 is not in the range x>=1"),
    ],
    ids=" ".join,
)
def test_what_does_not_go_together(arguments, said, tmp_path):
    """Options that contradict each other are a usage error before anything is read."""
    done = call(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.decode().split())
    assert done.stdout == b""


def on_a_terminal(arguments, stream, given=None):
    """Run the command with one of its streams on a terminal; its exit code and stderr."""
    controller, terminal = os.openpty()
    streams = {"stdin": given or subprocess.DEVNULL, "stdout": subprocess.PIPE, stream: terminal}
    with subprocess.Popen([*COMMAND, *arguments], stderr=subprocess.PIPE, **streams) as process:
        said = process.communicate(timeout=WAIT)[1]
    os.close(terminal)
    os.close(controller)
    return process.returncode, " ".join(said.decode().split())


def test_terminals_are_refused(photo):
    """An image is neither read from a terminal nor written to one: a hint instead."""
    code, said = on_a_terminal(["-"], "stdin")
    assert (code, "Standard input is a terminal; pipe an image in" in said) == (2, True)
    with photo.open("rb") as file:
        code, said = on_a_terminal(["-"], "stdout", file)
    assert (code, "Standard output is a terminal; redirect it" in said) == (2, True)
    code, said = on_a_terminal([str(photo), "--labels", "-"], "stdout")
    assert (code, "'> labels.png'" in said) == (2, True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (b"", "error: -: is empty; pipe an image in, or name a file"),
        (b"text\n", "error: -: is not an image of a kind known here; expected JPEG, PNG, ..."),
        (PHOTO[:70], "error: -: is damaged or cut off; get a whole copy; --allow-truncated ..."),
    ],
)
def test_bad_standard_input(tmp_path, given, said):
    """What is no image is one line and exit code 1, and nothing goes to standard output."""
    done = run("-", given=given, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith(said.removesuffix("..."))


def test_closed_standard_input(tmp_path):
    """A caller that closes standard input is told so."""
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m segment - -o {tmp_path} <&-"], capture_output=True
    )
    assert done.returncode == 1
    assert done.stderr == b"error: -: standard input is closed; pipe an image in, or name a file\n"


def test_an_endless_pipe_of_nothing(tmp_path):
    """What does not begin like an image is refused without reading it to its end."""
    read, write = os.pipe()
    with subprocess.Popen(
        [*COMMAND, "-"], stdin=read, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        os.close(read)
        os.write(write, b"%PDF-1.7" + bytes(5000))  # and left open
        said = process.communicate(timeout=WAIT)[1]
        os.close(write)
    assert (process.returncode, said) == (1, b"error: -: is a PDF document; export it as PNG\n")


def test_pipes_as_files(photo, tmp_path):
    """A named pipe is read like a file, and a result can be written to one."""
    fifo, out = tmp_path / "in", tmp_path / "out"
    os.mkfifo(fifo)
    os.mkfifo(out)
    script = f"cat {photo} > {fifo} & cat {out} > {tmp_path / 'copy.png'} & "
    script += f"{sys.executable} -m segment {fifo} --segmented {out}; wait"
    done = subprocess.run(["sh", "-c", script], capture_output=True, timeout=WAIT)
    assert done.stderr.startswith(f"{fifo}: {out}  32 x 24".encode())
    assert np.array_equal(
        shown((tmp_path / "copy.png").read_bytes()), segment_image(shown(PHOTO)).recolored()
    )


@pytest.mark.parametrize("extra", ["", "--label-format npy --labels -"])
def test_a_closed_pipe_ends_quietly(tmp_path, extra):
    """A reader that has enough ends the command with the status of SIGPIPE, without a word."""
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8)).save(
        tmp_path / "a.png"
    )
    script = f"{sys.executable} -m segment - -b 9 {extra} < {tmp_path / 'a.png'}; echo $? >&2"
    with subprocess.Popen(
        ["sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        said = process.stderr.read()
    assert said == b"141\n"


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_stops_half_way_is_noticed(tmp_path, unbuffered):
    """A result that was taken only in part is not counted as written, however Python buffers."""
    noise = np.random.default_rng(0).integers(0, 255, (400, 400, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    options = "-b 90 --label-format npy --labels -"
    script = f"{sys.executable} -m segment {tmp_path / 'a.png'} {options} --quiet; echo $? >&2"
    with subprocess.Popen(
        ["sh", "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    ) as process:
        assert process.stdout.read(6) == b"\x93NUMPY"
        process.stdout.close()
        said = process.stderr.read()
    assert said == b"141\n"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_json_into_a_closed_pipe(photo, tmp_path, jobs):
    """So do lines of JSON."""
    (tmp_path / "b.png").write_bytes(PHOTO)
    script = f"{sys.executable} -m segment {photo} {tmp_path / 'b.png'} "
    script += f"--json -o {tmp_path} -j {jobs}; echo $? >&2"
    with subprocess.Popen(
        ["sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b"141\n"


def test_a_file_called_minus(tmp_path):
    """`./-` is a file, not standard input."""
    (tmp_path / "-").write_bytes(PHOTO)
    done = run("./-", "--labels", "map.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "map.png").exists()


def test_names_of_any_bytes(tmp_path):
    """JSON is UTF-8 for any name, bytes that are not are spelt out; the results get the bytes."""
    name = os.fsencode(tmp_path) + b"/caf\xe9\n\xf0\x9f\x98\x80.png"
    Path(os.fsdecode(name)).write_bytes(PHOTO)
    done = run(
        name, "--json", "-o", tmp_path / "o", env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    (line,) = done.stdout.decode("ascii").splitlines()
    facts = json.loads(line)
    assert facts["input"] == str(tmp_path) + "/caf\\xe9\n\U0001f600.png"
    json.dumps(facts, ensure_ascii=False).encode("utf-8")  # no half of a pair in it
    assert b"caf\xe9\n\xf0\x9f\x98\x80_labels.png" in {
        os.fsencode(path.name) for path in (tmp_path / "o").iterdir()
    }
    failed = run(name + b"x", "--labels", "-")
    assert failed.stderr.count(b"\n") == 1


BARE = {"PATH": os.environ.get("PATH", ""), "LANG": "C", "LC_ALL": "C"}


@pytest.mark.parametrize(
    "environment", [BARE, {**BARE, "PYTHONIOENCODING": "ascii"}, {**BARE, "PYTHONUTF8": "0"}]
)
def test_bare_environments(tmp_path, environment):
    """Without a home, in the C locale and in ASCII only everything works, and stays quiet."""
    path = tmp_path / "Zürich.png"
    path.write_bytes(PHOTO)
    code = run(path, "-o", tmp_path / "o", env=environment)
    assert (code.returncode, code.stderr.count(b"\n")) == (0, 1)
    assert (tmp_path / "o" / "Zürich_labels.png").exists()
    assert run("--help", env=environment).returncode == 0
    missing = run(tmp_path / "Zürich.jpg", env=environment, cwd=tmp_path)
    assert (missing.returncode, missing.stderr.count(b"\n")) == (1, 1)


def test_a_folder_that_cannot_be_written_to_does_not_matter(tmp_path, photo):
    """Where nothing goes to the output folder it is not made: any current directory will do."""
    (tmp_path / "outputs").touch()  # in the way of the folder
    assert run("-", given=PHOTO, cwd=tmp_path).returncode == 0
    assert run(photo, "--labels", "-", cwd=tmp_path).returncode == 0
    assert run(photo, cwd=tmp_path).returncode == 1


def test_streams_among_files(photo, tmp_path):
    """Standard input and pipes are read beside files, whatever --jobs says, by this process."""
    fifo = tmp_path / "fifo.png"
    os.mkfifo(fifo)
    (tmp_path / "list").write_text("photo.png\n-\n")
    script = f"cat photo.png > fifo.png & {sys.executable} -m segment fifo.png "
    script += "--files-from list -j 3 -o out --json < photo.png; wait"
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, timeout=WAIT)
    facts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [fact["input"] for fact in facts] == ["fifo.png", "photo.png", "-"], done.stderr
    assert len({(tmp_path / fact["outputs"][0]).read_bytes() for fact in facts}) == 1


def test_a_mask_from_a_pipe_holds_for_all_images(photo, tmp_path):
    """A mask that can be read only once holds for each of several images."""
    mask = np.zeros((24, 32), np.uint8)
    mask[:, 9:] = 1
    (tmp_path / "b.png").write_bytes(PHOTO)
    done = run("photo.png", "b.png", "--mask", "-", "-o", "o", given=as_png(mask), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for name in ("photo", "b"):
        labels = np.asarray(Image.open(tmp_path / "o" / f"{name}_labels.png"))
        assert np.array_equal(labels > 0, mask == 1)


def test_files_of_their_own_and_folders(photo, tmp_path):
    """--labels takes a folder with one image in it; --existing skip knows its file, too."""
    command = ("in", "--labels", "maps/a.tif", "--existing", "skip", "-v")
    (tmp_path / "in").mkdir()
    photo.rename(tmp_path / "in" / "photo.png")
    assert b"1 done" in call(*command, cwd=tmp_path).stderr
    assert b"0 done, 1 skipped" in call(*command, cwd=tmp_path).stderr
    (tmp_path / "maps" / "a.tif").unlink()
    assert b"1 done" in call(*command, cwd=tmp_path).stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "maps"]
    (tmp_path / "in" / "b.png").write_bytes(PHOTO)
    refused = call(*command, cwd=tmp_path)
    assert (refused.returncode, b"take one input, got 2" in refused.stderr) == (2, True)


def test_what_went_to_stdout_is_not_skipped(photo, tmp_path):
    """Standard output has no record: the same command again writes the same again."""
    command = (photo, "--labels", "-", "--existing", "skip")
    first, second = (call(*command, cwd=tmp_path) for _ in range(2))
    assert first.stdout == second.stdout != b""
    assert list(tmp_path.iterdir()) == [photo]


def test_an_output_never_replaces_the_input(photo):
    """--segmented with the input's own name is refused and the input stays."""
    done = call(photo, "--segmented", photo)
    assert done.returncode == 1
    assert b"would replace an input" in done.stderr
    assert photo.read_bytes() == PHOTO


def test_warnings_and_the_libraries_words(tmp_path):
    """A warning is a line of its own, in JSON too; what libraries say comes with -v only."""
    stack = np.stack([NOISE, NOISE]).astype(np.uint16) * 257
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="rgb")
    (tmp_path / "b.png").write_bytes(PHOTO[:70])
    done = run("a.tif", "b.png", "--json", cwd=tmp_path)
    warning = "has more pages than the first, which was taken; see --page"
    facts = [json.loads(line) for line in done.stdout.splitlines()]
    assert facts[0]["warnings"] == [warning]
    assert "warnings" not in facts[1]
    lines = done.stderr.decode().splitlines()
    assert lines[0] == f"warning: a.tif: {warning}"
    assert len(lines) == 3
    told = run("b.png", "-v", cwd=tmp_path).stderr.decode().splitlines()
    assert any(line.startswith("b.png: ") and "Error" in line for line in told)
    assert run("a.tif", "--quiet", cwd=tmp_path).stderr == b""
