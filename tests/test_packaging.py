"""What is built and what travels: kernels, data, the bounds of dependencies, the Pythons of CI."""

import ast
import importlib.machinery
import importlib.util
import re
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "segment"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETUP = (ROOT / "setup.py").read_text()
KERNELS = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in PACKAGE.rglob("*.pyx")
}
EXTRAS = PROJECT["project"]["optional-dependencies"]
DECLARED = [
    *PROJECT["project"]["dependencies"],
    *(line for extra in EXTRAS.values() for line in extra),
]


MADE = ("*.pyc", *(f"*{suffix}" for suffix in importlib.machinery.EXTENSION_SUFFIXES))


@pytest.mark.parametrize("name", KERNELS)
def test_every_kernel_is_compiled_and_described(name):
    """A .pyx is a compiled module, in one file, with its types beside it."""
    path = KERNELS[name]
    built = importlib.util.find_spec(name).origin
    assert built.endswith(tuple(importlib.machinery.EXTENSION_SUFFIXES))
    beside = {f"{path.stem}{suffix}" for suffix in importlib.machinery.EXTENSION_SUFFIXES}
    older = [file.name for file in path.parent.iterdir() if file.name in beside]
    assert len(older) <= 1, f"delete all of {older} and build again: the first hides the others"
    assert path.with_suffix(".pyi").exists()


def test_flags_are_those_of_kernels_that_exist():
    """Whatever module setup.py names is a kernel, or what all kernels share."""
    named = set(re.findall(r'"(segment\.[\w.]+)"', SETUP))
    assert "segment._cyutility" in named
    assert named - {"segment._cyutility"} <= set(KERNELS)


def test_every_folder_is_a_package():
    """A folder with code has an `__init__`: setuptools takes no others along."""
    assert {path.parent for path in PACKAGE.rglob("*.py")} == {
        path.parent for path in PACKAGE.rglob("__init__.py")
    }


def test_no_file_stays_behind():
    """A file is code, or package data, or one that MANIFEST.in lays to the kernels in the sdist."""
    data = PROJECT["tool"]["setuptools"]["package-data"]["segment"]
    sources = re.search(r"recursive-include segment (.*)", (ROOT / "MANIFEST.in").read_text())[1]
    known = ["*.py", "*.pyx", *sources.split(), *(pattern.rpartition("/")[2] for pattern in data)]
    for path in PACKAGE.rglob("*.*"):
        assert any(fnmatch(path.name, pattern) for pattern in [*known, *MADE]), path


@pytest.mark.parametrize("line", sorted(set(DECLARED)))
def test_a_dependency_has_one_lower_bound(line):
    """A dependency has a lower bound and no upper one, the same wherever it is listed."""
    requirement = Requirement(line)
    assert [bound.operator for bound in requirement.specifier] == [">="]
    same = {
        str(Requirement(other).specifier)
        for other in DECLARED
        if Requirement(other).name == requirement.name
    }
    assert len(same) == 1, same


def test_pythons_are_the_same_everywhere():
    """The oldest Python of the package is that of the stable ABI; CI tests those of the wheels."""
    oldest = PROJECT["project"]["requires-python"].removeprefix(">=")
    assert "OLDEST = ({}, {})".format(*oldest.split(".")) in SETUP
    wheels = [
        re.sub(r"cp3(\d+)-\*", r"3.\1", name) for name in PROJECT["tool"]["cibuildwheel"]["build"]
    ]
    tests = (ROOT / ".github" / "workflows" / "tests.yml").read_text()
    assert re.findall(r'"(3\.\d+)"', re.search(r"python: \[(.*)\]", tests)[1]) == wheels
    assert wheels[0] == oldest


def test_tests_of_a_wheel_are_there():
    """Everything that is laid beside a wheel to test it exists."""
    for source in PROJECT["tool"]["cibuildwheel"]["test-sources"]:
        assert (ROOT / source).exists(), source


def test_what_is_imported_is_declared():
    """Every library that a module imports is in pyproject.toml, not there by way of another."""
    names = {"PIL": "pillow", "skimage": "scikit-image", "pillow_jxl": "pillow-jxl-plugin"}
    # For a Pillow that was built without AVIF; in methods that scikit-learn itself calls; what QGIS
    # has with it.
    spare = {"pillow_avif", "sklearn", "qgis", "osgeo"}
    imported = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(node.module.partition(".")[0])
    others = imported - set(sys.stdlib_module_names) - {"segment"} - spare
    declared = {Requirement(line).name for line in DECLARED}
    assert {names.get(name, name).replace("_", "-") for name in others} <= declared
