"""Instruction sets: the choice, the same bytes from all of them, and vector code in each."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from segment.meanshift import _tree
from segment.meanshift._instructions import AVAILABLE, VARIABLE
from segment.pixels import _joint, _pyramid
from tests.digests import CASES

ROOT = Path(__file__).parents[2]
PACKED = {
    "baseline": r"\b(?:sub|add|mul|max|cmple)p{}\b.*%xmm",
    "v3": r"\bv(?:sub|add|mul|max|cmple|fmadd\d+)p{}\b.*%ymm",
    "v4": r"\bv(?:sub|add|mul|max|cmple|fmadd\d+)p{}\b.*%zmm",
}


def run(chosen, *arguments, **environment):
    """A fresh interpreter with this instruction set."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | {VARIABLE: chosen} | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def digests(chosen, **environment):
    """Of every case, by name."""
    done = run(chosen, "-m", "tests.digests", **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def expected():
    """What the best set gives."""
    found = digests("")
    assert list(found) == list(CASES)
    assert len(set(found.values())) > 0.9 * len(found), "cases that differ"
    return found


@pytest.mark.parametrize("chosen", AVAILABLE[:-1])
def test_every_set_gives_the_same_bytes(chosen, expected):
    """Labels, modes, colours and bandwidths are equal to the bit in every set that there is."""
    assert digests(chosen) == expected


def test_older_processors_give_the_same_bytes(expected):
    """NumPy and its BLAS, told that the processor has none of the later sets, change nothing."""
    umath = pytest.importorskip("numpy._core._multiarray_umath")
    later = [name for name in umath.__cpu_dispatch__ if umath.__cpu_features__.get(name)]
    found = digests(
        AVAILABLE[0], NPY_DISABLE_CPU_FEATURES=" ".join(later), OPENBLAS_CORETYPE="Nehalem"
    )
    assert found == expected


def test_threads_give_the_same_bytes(expected):
    """One thread gives what all cores give."""
    assert digests("", SEGMENT_TEST_THREADS="1") == expected


def test_the_set_is_the_best_one_or_the_one_asked_for():
    """Without the variable the last of those there are; with it, that one."""
    show = "from segment.meanshift._instructions import CHOSEN; print(CHOSEN)"
    assert run("", "-c", show).stdout.strip() == AVAILABLE[-1]
    for name in AVAILABLE:
        assert run(name, "-c", show).stdout.strip() == name


def test_a_set_that_is_not_there_is_an_error():
    """The error names the variable, the sets of this processor, and what to do."""
    done = run("v9", "-c", "import segment.meanshift.modes")
    assert done.returncode == 1
    message = f"InvalidInputError: {VARIABLE}: expected one of {', '.join(AVAILABLE)}"
    assert f"{message}, which this processor has, got 'v9'; unset it" in done.stderr


def disassembled(module, function):
    """The instructions of a function of a compiled module."""
    if not shutil.which("objdump"):
        pytest.skip("needs objdump, of binutils")
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        pytest.skip("knows the instructions of x86-64 on Linux")
    done = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", f"--disassemble={function}", module.__file__],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = re.findall(r"^ +[0-9a-f]+:\t(.*)$", done.stdout, flags=re.M)
    if not lines:
        pytest.skip(f"{Path(module.__file__).name} is stripped of its symbols")
    return lines


@pytest.mark.parametrize("chosen", list(PACKED))
@pytest.mark.parametrize(
    ("module", "function", "kind"),
    [(_tree, "ball", "d"), (_pyramid, "ball", "s"), (_joint, "label_group", "d")],
    ids=["tree", "pyramid", "labels"],
)
def test_the_kernels_are_vector_code(module, function, kind, chosen):
    """Their arithmetic is packed, in registers of the set's width; none in double is fused."""
    lines = disassembled(module, f"{function}_{chosen}")
    packed = [line for line in lines if re.search(PACKED[chosen].format(kind), line)]
    assert len(packed) > 20
    assert not [line for line in lines if re.match(r"vfn?m(add|sub)\d+[ps]d", line)]
