"""The rules of the house: imports go one way, modules stand alone and stay small."""

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import segment

HOME = Path(segment.__file__).parent
SHARED = {"errors", "ranges", "settings", "threads", "validation"}
ALLOWED = {
    "__init__": {"errors", "bandwidth", "points_figure", "estimator", "fitting", "model"}
    | {"pipeline", "seeds", "segmentation"},
    "__main__": {"cli"},
    "cli": {"segment", "many", "masks", "outputs", "reading_options", "run_model", "work"}
    | {"options", "batch_options", "choosing_options", "exclusive_options", "file_options"}
    | {"model_options", "streams", "report"}
    | SHARED,
    "options": {"naming"} | SHARED,
    "batch_options": {"options"},
    "file_options": {"naming", "options", "reading_options"},
    "choosing_options": {"options"} | SHARED,
    "model_options": {"options"},
    "exclusive_options": {"options"},
    "streams": {"options"},
    "many": {"batch", "claims", "cluster", "here", "inputs", "interrupts", "one_model", "passing"}
    | {"page", "plan", "progress", "report", "sources", "stages", "work", "workers"}
    | SHARED,
    "claims": set(),
    "one_model": {"fitting", "interrupts", "plan", "run_model", "work"} | SHARED,
    "batch": {
        "segment",
        "inputs",
        "interrupts",
        "job",
        "outputs",
        "passing",
        "plan",
        "record",
        "report",
        "work",
        "workers",
    }
    | SHARED,
    "job": {
        "claims",
        "masks",
        "naming",
        "picture",
        "pipeline",
        "plan",
        "products",
        "reading",
        "report",
    }
    | {"page", "recolored", "segmentation", "stages", "sweep", "work", "writing"}
    | SHARED,
    "run_model": {"fitting", "masks", "model", "picture", "pixels", "plan", "reading", "work"}
    | SHARED,
    "page": {"inputs", "pixels", "report", "segmentation", "writing"} | SHARED,
    "work": {"model", "outputs", "reading_options", "sources", "writing"} | SHARED,
    "outputs": {"naming", "plan", "writing"} | SHARED,
    "plan": {"inputs"},
    "inputs": set(),
    "record": {"passing", "plan"},
    "report": {"errors", "progress"},
    "progress": {"stages"},
    "cluster": SHARED,
    "here": SHARED,
    "worker": {"passing"},
    "workers": set(),
    "masks": {"reading", "sources"} | SHARED,
    "interrupts": set(),
    "passing": set(),
    "stages": set(),
    "pipeline": {"clusters", "features", "joint_clusters", "model", "pixels", "segmentation"}
    | {"segments", "target"}
    | SHARED,
    "segments": {"clusters", "features", "pixels", "regions", "segmentation"} | SHARED,
    "joint_clusters": {"bandwidth", "clusters", "joint", "modes", "pixels"} | SHARED,
    "clusters": {"features", "bandwidth", "seeds", "modes", "tree", "pixels", "segmentation"}
    | SHARED,
    "model": {"clusters", "features", "pixels", "writing"} | SHARED,
    "fitting": {"bandwidth", "clusters", "features", "model", "modes", "pixels", "target", "tree"}
    | SHARED,
    "pixels": {"features"} | SHARED,
    "sweep": {"contact_sheet", "pipeline", "pixels"} | SHARED,
    "contact_sheet": set(),
    "figure": {"boundaries", "density", "features", "modes", "panels", "pixels", "segmentation"}
    | {"tree"}
    | SHARED,
    "points_figure": {"density", "estimator", "panels"} | SHARED,
    "panels": SHARED,
    "density": {"modes", "tree"} | SHARED,
    "boundaries": SHARED,
    "target": SHARED,
    "products": {"features", "inputs", "label_maps", "naming", "outlines", "picture"}
    | {"recolored", "region_table", "segmentation", "writing"}
    | SHARED,
    "label_maps": {"inputs", "naming", "picture", "recolored", "writing"} | SHARED,
    "recolored": {"inputs", "picture", "writing"} | SHARED,
    "writing": {"passing"} | SHARED,
    "naming": set(),
    "guards": SHARED,
    "reading": {"c_stderr", "guards", "picture", "pillow_pages", "plugins", "signatures", "sources"}
    | {"reading_options", "tiff_pages"}
    | SHARED,
    "tiff_pages": {"geotiff", "guards", "orientation", "picture", "pillow_pages", "reading_options"}
    | {"tiff_values"}
    | SHARED,
    "tiff_values": {"color_profiles", "deep_colors", "deep_profiles", "depths", "geotiff"}
    | {"picture"}
    | {"reading_options"}
    | SHARED,
    "pillow_pages": {"color_profiles", "deep_colors", "depths", "guards", "lost_depth"}
    | {"deep_profiles", "orientation"}
    | {"picture", "reading_options"}
    | SHARED,
    "lost_depth": {"deep_colors"},
    "deep_colors": set(),
    "deep_profiles": set(),
    "depths": {"picture"} | SHARED,
    "color_profiles": {"picture"} | SHARED,
    "geotiff": {"picture"},
    "picture": {"reading_options"} | SHARED,
    "plugins": {"signatures"} | SHARED,
    "sources": {"signatures"} | SHARED,
    "signatures": SHARED,
    "orientation": set(),
    "c_stderr": set(),
    "reading_options": set(),
    "estimator": {"features", "parameters", "tree", "bandwidth", "seeds", "modes"} | SHARED,
    "features": {"_colors"} | SHARED,
    "bandwidth": {"_sample"} | SHARED,
    "modes": {"_climb", "_mean_shift"} | SHARED,
    "tree": {"_mean_shift"} | SHARED,
    "parameters": SHARED,
    "joint": {"_joint", "_pyramid"} | SHARED,
    "regions": {"_merging", "_regions"} | SHARED,
    "region_table": {"_regions"} | SHARED,
    "outlines": SHARED,
    "seeds": SHARED,
    "segmentation": {"_colors", "archive", "boundaries", "figure", "pixels"} | SHARED,
    "archive": {"segmentation", "writing"} | SHARED,
    "settings": {"errors", "ranges"},
    "validation": {"errors"},
    "ranges": {"errors"},
    "threads": set(),
    "errors": set(),
}
MODULES = sorted(name for _, name, _ in pkgutil.iter_modules([str(HOME)]))
PYTHON = [name for name in [*MODULES, "__init__"] if (HOME / f"{name}.py").exists()]


def imports_of(path):
    """The modules of the package that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module)
    return {name.rpartition(".")[2] for name in found if name.split(".")[0] == "segment"}


@pytest.mark.parametrize("name", PYTHON)
def test_imports_go_one_way(name):
    """A module imports only what lies downstream of it."""
    assert imports_of(HOME / f"{name}.py") <= ALLOWED[name]


@pytest.mark.parametrize("name", [name for name in MODULES if name != "__main__"])
def test_each_module_imports_alone(name):
    """Every module can be the first to be imported, without a warning."""
    subprocess.run([sys.executable, "-W", "error", "-c", f"import segment.{name}"], check=True)


@pytest.mark.parametrize("name", PYTHON)
def test_modules_stay_small(name):
    """A module has at most about 250 lines, a function at most 40 without its docstring."""
    path = HOME / f"{name}.py"
    assert len(path.read_text().splitlines()) <= 275
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            start = node.body[0].lineno
            if ast.get_docstring(node):
                start = node.body[0].end_lineno
            assert node.end_lineno - start <= 40, node.name


@pytest.mark.parametrize("name", [name for name in segment.__all__ if name != "__version__"])
def test_public_names_are_there_and_documented(name):
    """Each public name can be imported from the package and has a docstring."""
    assert getattr(segment, name).__doc__
    assert name in dir(segment)


def test_no_module_hides_a_public_name():
    """No module has the name of a public function: importing it would put it in its place."""
    assert not set(MODULES) & set(segment.__all__)


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
