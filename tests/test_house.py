"""The rules of the house: wings and rooms, imports that go one way, names that are public."""

import ast
import doctest
import graphlib
import importlib.util
import os
import pickle
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import segment

HOME = Path(segment.__file__).parent
GROUND = {"band_statistics", "bands", "cpu_quota", "elementary", "errors", "memory_limit"}
GROUND |= {"messages", "npy", "progress", "scikit_learn", "settings", "streams", "threads"}
GROUND |= {"unfinished", "validation", "writing", "zarr_folders"}
# Which wings a wing may import from; all may from the ground, and rooms of one wing from each other
# as long as that leads in no circle.
WINGS = {
    "command": {"reading", "results", "running"},
    "running": {"clusters", "drawing", "method", "photos", "pixels", "raster", "reading"}
    | {"results", "scenes", "strips"},
    "napari_plugin": {"method", "pixels"},
    "qgis_plugin": set(),
    "results": {"drawing", "method", "pixels", "raster", "reading", "regions", "scenes", "strips"}
    | {"tiff"},
    "clusters": {"method", "pixels", "raster", "scenes", "strips", "tiff"},
    "scenes": {"meanshift", "method", "pixels", "regions", "strips", "windows"},
    "windows": {"meanshift", "method", "pixels", "strips"},
    "strips": {"pixels", "raster"},
    "method": {"drawing", "meanshift", "pixels", "regions"},
    "drawing": {"meanshift", "pixels", "regions"},
    "pixels": {"meanshift"},
    "regions": set(),
    "photos": {"decoding", "raster", "reading", "strips", "tiff"},
    "raster": {"tiff"},
    "reading": {"decoding", "tiff"},
    "decoding": set(),
    "tiff": set(),
    "meanshift": set(),
}
FACE = {"__init__", "__main__"}  # what hands out names, and what runs the command: they see all
SUFFIXES = (".py", ".pyx", ".pxd")


def rooms():
    """Every file of code by its name in the package: {"meanshift.modes": [paths]}."""
    found = {}
    for path in sorted(HOME.rglob("*")):
        if path.suffix in SUFFIXES:
            found.setdefault(".".join(path.relative_to(HOME).with_suffix("").parts), []).append(
                path
            )
    return found


ROOMS = rooms()
IMPORTABLE = [name for name in ROOMS if name.rpartition(".")[2] not in FACE]


def named(line):
    """The modules that a line of Cython or Python imports, each as far as it may be a module."""
    words = line.replace("cimport", "import").split("#")[0].strip().rstrip("(\\ ,")
    try:
        tree = ast.parse(words if not words.startswith("from") or " import " in words else "")
    except SyntaxError:  # the names follow on the next lines: the module is enough
        tree = ast.parse(words.partition(" import")[0].replace("from", "import", 1))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)


def imports_of(name):
    """The rooms that a room imports, wherever in it: `from segment import x` is one of x."""
    found = set()
    for path in ROOMS[name]:
        text = path.read_text()
        if path.suffix == ".py":
            nodes = (
                n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Import | ast.ImportFrom)
            )
            lines = map(ast.unparse, nodes)
        else:
            lines = (line for line in text.splitlines() if "import" in line.split("#")[0].split())
            lines = [*lines, *(line for line in text.splitlines() if "cimport" in line.split())]
        for line in lines:
            found |= {room_of(module) for module in named(line)}
    return found - {None, name}


def room_of(module):
    """The room that a dotted name of the package lies in; None for other packages."""
    parts = module.split(".")
    if parts[0] != "segment":
        return None
    inside = parts[1:]
    while inside and ".".join(inside) not in ROOMS:
        inside.pop()
    return ".".join(inside) or "__init__"


def wing_of(room):
    """The folder of a room; "" for the ground."""
    return room.rpartition(".")[0]


@pytest.mark.parametrize("name", IMPORTABLE)
def test_imports_go_down_from_wing_to_wing(name):
    """A room imports only from its wing, from those below it and from the ground; no package."""
    wing = wing_of(name)
    below = {"", wing, *WINGS[wing]} if wing else {""}
    for other in imports_of(name):
        assert wing_of(other) in below, other
        if not wing_of(other) and other != "__init__":
            assert other in GROUND
        assert not other.endswith("__init__") or other == "__init__", other


def test_the_ground_knows_the_version_alone():
    """Of the package's own face a room may take nothing but the version."""
    for name in IMPORTABLE:
        for path in ROOMS[name]:
            if path.suffix == ".py":
                for node in ast.walk(ast.parse(path.read_text())):
                    if isinstance(node, ast.ImportFrom) and node.module == "segment":
                        assert {alias.name for alias in node.names} <= {"__version__"}, name


def test_no_rooms_import_each_other_in_a_circle():
    """Rooms can be put in an order in which each imports only earlier ones."""
    graph = {name: imports_of(name) - {"__init__"} for name in IMPORTABLE}
    assert len([*graphlib.TopologicalSorter(graph).static_order()]) == len(graph)


def test_every_permission_is_used():
    """An arrow between wings that is allowed is there; a wing that is named exists."""
    arrows = {(wing_of(name), wing_of(other)) for name in IMPORTABLE for other in imports_of(name)}
    for wing, below in WINGS.items():
        assert (HOME / wing / "__init__.py").exists()
        assert {other for start, other in arrows if start == wing} - {"", wing} == below, wing
    assert {wing_of(name) for name in IMPORTABLE} == {"", *WINGS}
    assert {name for name in IMPORTABLE if not wing_of(name)} == GROUND


def test_the_arrows_are_those_of_the_documentation():
    """docs/method.md draws each wing with what it imports."""
    text = (HOME.parent / "docs" / "method.md").read_text()
    for wing, below in WINGS.items():
        drawn = ", ".join(sorted(below)) or "nothing but the ground"
        assert f"| `{wing}/` | {drawn} |" in text, wing


@pytest.mark.parametrize("wing", WINGS)
def test_a_wing_is_understood_at_a_glance(wing):
    """A wing has a dozen rooms at most, and an empty `__init__`, so that `--help` reads little.

    That of the plug-in of QGIS has the one function that QGIS asks it for.
    """
    names = {name for name in IMPORTABLE if wing_of(name) == wing}
    assert len(names) <= 12
    body = ast.parse((HOME / wing / "__init__.py").read_text()).body
    names = [getattr(node, "name", "") for node in body]
    assert names == (["", "classFactory"] if wing == "qgis_plugin" else [])


# Rooms that another program imports, where it is: the package that it brings along.
ABROAD = {"napari_plugin.widget": "magicgui"} | dict.fromkeys(
    ("qgis_plugin.algorithm", "qgis_plugin.layers", "qgis_plugin.plugin"), "qgis"
)


# Each room in a fork of its own, beside what others have made, which takes longest to import.
ALONE = """
import os, sys, traceback
import numpy, PIL.Image, scipy.spatial, skimage.color, tifffile, click, tqdm
for name in sys.argv[1:]:
    child = os.fork()
    if not child:
        try:
            __import__(f"segment.{name}")
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    print(name, os.waitpid(child, 0)[1], flush=True)
"""


@pytest.fixture(scope="module")
def imported():
    """What becomes of each room, the first of the package in a process of its own."""
    names = [name for name in IMPORTABLE if name not in ABROAD or is_there(ABROAD[name])]
    command = [sys.executable, "-W", "error", "-c", ALONE, *names]
    few = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # Python warns of forks beside threads
    done = subprocess.run(command, capture_output=True, text=True, env=few)
    codes = dict(line.split() for line in done.stdout.splitlines())
    assert codes.keys() == set(names), done.stderr
    return {name: (code, done.stderr) for name, code in codes.items()}


def is_there(package):
    return importlib.util.find_spec(package) is not None


@pytest.mark.parametrize("name", IMPORTABLE)
def test_each_room_imports_alone(imported, name):
    """Every room can be the first to be imported, without a warning."""
    if name not in imported:
        pytest.skip(f"needs {ABROAD[name]}")
    code, said = imported[name]
    assert code == "0", said


@pytest.mark.parametrize("name", [name for name in ROOMS if ROOMS[name][0].suffix == ".py"])
def test_rooms_and_functions_stay_small(name):
    """A room has at most about 400 lines, a function at most 40 without its docstring."""
    path = ROOMS[name][0]
    assert len(path.read_text().splitlines()) <= 400
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            start = node.body[0].lineno
            if ast.get_docstring(node):
                start = node.body[0].end_lineno
            assert node.end_lineno - start <= 40, node.name


def test_click_stays_in_the_wing_of_the_command():
    """Nothing below the command knows the library that parses it."""
    for name, paths in ROOMS.items():
        if wing_of(name) != "command":
            assert "import click" not in "".join(path.read_text() for path in paths), name


PUBLIC = [name for name in segment.__all__ if name != "__version__"]


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_are_there_and_documented(name):
    """Each public name is the package's own, with a docstring whose examples hold."""
    value = getattr(segment, name)
    assert value.__doc__
    assert value.__module__ == "segment"
    assert name in dir(segment)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for examples in doctest.DocTestFinder().find(value, name, False, globs={}):
        assert runner.run(examples).failed == 0


@pytest.mark.parametrize(
    ("module", "name"),
    [("segmentation", "Segmentation"), ("model", "Model"), ("estimator", "MeanShift")],
)
def test_pickles_of_before_the_wings_load(module, name):
    """What was pickled when a class stood in a module of the package itself comes back as it."""
    reference = pickle.dumps(getattr(segment, name), 0)
    older = reference.replace(b"csegment\n", f"csegment.{module}\n".encode())
    assert older != reference
    assert pickle.loads(older) is getattr(segment, name)


def test_what_comes_back_from_a_pickle_is_equal():
    """Segmentations and models survive pickling, as workers and clusters do it."""
    image = np.repeat(np.uint8([[10, 90, 200]]), 4, axis=0)
    found = segment.segment_image(image, bandwidth=20)
    again = pickle.loads(pickle.dumps(found))
    assert np.array_equal(again.labels, found.labels)
    assert again.settings == found.settings
    model = segment.fit_modes([image], bandwidth=20)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).modes, model.modes)


def test_no_room_hides_a_public_name():
    """No module of the package has the name of a public function: it would take its place."""
    assert not {name for _, name, _ in pkgutil.iter_modules([str(HOME)])} & set(segment.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error():
    """A misspelt public name fails as it does in any module."""
    with pytest.raises(AttributeError, match="no attribute 'MeanShaft'"):
        segment.MeanShaft  # noqa: B018


def test_run_time_needs_only_what_is_declared():
    """The package works where scikit-learn cannot be imported."""
    script = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import numpy as np; from segment import MeanShift, segment_image\n"
        "MeanShift(bandwidth=2).fit([[0.0], [1.0]])\n"
        "assert segment_image(np.zeros((3, 3, 3), np.uint8), color_space='lab').labels.max() == 1"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_scikit_learn_is_imported_by_what_it_calls_alone():
    """Only the room of what scikit-learn calls imports it, and only within functions."""
    for name, paths in ROOMS.items():
        for path in paths:
            for line in path.read_text().splitlines():
                if re.match(r"\s*(from|import) sklearn", line):
                    assert name == "scikit_learn", name
                    assert line.startswith("    "), line
