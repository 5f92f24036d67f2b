"""What QGIS and napari read of the package before they import anything of it."""

import ast
import configparser
import re
import tomllib
from pathlib import Path

import segment

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "segment"


def test_qgis_is_told_what_the_plugin_is():
    """The plug-in has the package's version, says that it has algorithms, and needs no window."""
    parser = configparser.ConfigParser()
    parser.read(PACKAGE / "qgis_plugin" / "metadata.txt", encoding="utf-8")
    general = parser["general"]
    assert general["version"] == segment.__version__
    assert general["hasProcessingProvider"] == "yes"
    assert {"name", "description", "about", "author", "qgisminimumversion"} <= set(general)


def test_napari_finds_what_the_manifest_names():
    """The entry point leads to the manifest, and this to a class that takes a viewer."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    place = project["entry-points"]["napari.manifest"][project["name"]]
    package, _, name = place.partition(":")
    manifest = (ROOT.joinpath(*package.split(".")) / name).read_text()
    assert f"name: {project['name']}\n" in manifest
    assert "Framework :: napari" in project["classifiers"]
    module, _, widget = re.search(r"python_name: (.*)", manifest)[1].partition(":")
    tree = ast.parse(ROOT.joinpath(*module.split(".")).with_suffix(".py").read_text())
    (made,) = (node for node in tree.body if getattr(node, "name", "") == widget)
    (begin,) = (node for node in made.body if getattr(node, "name", "") == "__init__")
    assert [argument.arg for argument in begin.args.args] == ["self", "napari_viewer"]
