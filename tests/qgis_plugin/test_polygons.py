"""What the command writes of the segments, as the plug-in takes it to the map."""

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from segment.command.cli import command
from segment.qgis_plugin.polygons import color, placed, segments


def test_rows_and_outlines_belong_together(tmp_path):
    """Each segment has the numbers of its row of the table and its outline."""
    pixels = np.repeat(np.uint8([[[10, 20, 30], [200, 9, 9], [12, 20, 30]]]), 2, axis=0)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    words = [str(tmp_path / "a.png"), "-b", "20", "--write", "polygons,regions"]
    done = CliRunner().invoke(command, [*words, "-o", str(tmp_path)], standalone_mode=False)
    assert done.return_value == 0, done.output
    found = list(segments(str(tmp_path / "a_polygons.geojson"), str(tmp_path / "a_regions.csv")))
    assert [part.values["label"] for part in found] == [1, 2]
    assert [part.values["pixels"] for part in found] == [4, 2]
    assert [color(part.values) for part in found] == ["#0b141e", "#c80909"]
    assert [part.geometry["type"] for part in found] == ["MultiPolygon", "Polygon"]


def test_any_transform_places_polygons():
    """A turned and sheared grid puts corners where GDAL's formula does."""
    geometry = {
        "type": "MultiPolygon",
        "coordinates": [[[[0, 0], [2, 0], [2, 3], [0, 0]]], [[[5, 5], [6, 5], [6, 6], [5, 5]]]],
    }
    polygons = placed(geometry, (100, 2, 0.5, 50, 0.25, -3))
    assert polygons[0] == [[(100, 50), (104, 50.5), (105.5, 41.5), (100, 50)]]
    assert polygons[1][0][0] == (112.5, 36.25)


@pytest.mark.parametrize("values", [{"mean_b4": 3000.0}, {"mean_red": 1.0, "mean_green": 900.0}])
def test_segments_without_a_color_get_one_of_their_own(values):
    """Where the channels are no colours, neighbours in number are far from each other in hue."""
    colors = [color({"label": label} | values) for label in range(1, 60)]
    assert len(set(colors)) == 59
