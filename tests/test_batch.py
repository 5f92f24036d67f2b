"""Names of results, and what one image may do to the others."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segment.batch import run
from segment.job import Output
from segment.plan import plan
from segment.settings import Settings


def names(*sources):
    return [task.stem.name for task in plan(map(Path, sources), Path("out"))]


@pytest.mark.parametrize(
    ("sources", "stems"),
    [
        (["a.jpg", "b.jpg"], ["a", "b"]),
        (["a.jpg", "a.png", "b.jpg"], ["a.jpg", "a.png", "b"]),
        (["x/a.jpg", "y/a.jpg"], ["a.jpg", "a.jpg-2"]),
        (["a.jpg", "a.jpg"], ["a"]),
        (["a.png", "a.jpg", "a.jpg.png"], ["a.png", "a.jpg", "a.jpg-2"]),
        (["archive.tar.png"], ["archive.tar"]),
    ],
    ids=lambda value: ",".join(value),
)
def test_plan(sources, stems):
    """Results are named by the stem, by the whole name where stems clash, by number at last."""
    assert names(*sources) == stems


def test_outputs_never_replace_an_input(tmp_path):
    """An image whose result would replace another input fails and both files stay."""
    pixels = np.zeros((4, 4, 3), np.uint8)
    for name in ("a.png", "a_labels.png"):
        Image.fromarray(pixels).save(tmp_path / name)
    before = (tmp_path / "a_labels.png").read_bytes()
    tasks = plan([tmp_path / "a.png", tmp_path / "a_labels.png"], tmp_path)
    outcomes = list(run(tasks, Settings(bandwidth=5), Output(tmp_path)))
    assert [outcome.status for outcome in outcomes] == ["failed", "ok"]
    assert "would replace an input" in outcomes[0].error
    assert (tmp_path / "a_labels.png").read_bytes() == before
    assert not (tmp_path / "a_segmented.png").exists()


def test_more_than_65535_segments_go_to_tiff(tmp_path):
    """A label map with more segments than 16 bits hold becomes a 32-bit TIFF, never wrapped."""
    levels = np.arange(0, 256, 6, np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(43 * 43, 43, 3)
    Image.fromarray(cube).save(tmp_path / "cube.png")
    tasks = plan([tmp_path / "cube.png"], tmp_path)
    (outcome,) = run(tasks, Settings(bandwidth=1), Output(tmp_path, ("labels",)))
    assert outcome.segments == 43**3
    labels = np.asarray(Image.open(tmp_path / "cube_labels.tif"))
    assert labels.max() == 43**3
    assert len(np.unique(labels)) == 43**3


def test_memory_error_costs_one_image(tmp_path, monkeypatch):
    """An image that does not fit into memory fails by name."""
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "a.png")

    def out_of_memory(*_, **__):
        raise MemoryError

    monkeypatch.setattr("segment.job.segment_pixels", out_of_memory)
    (outcome,) = run(plan([tmp_path / "a.png"], tmp_path), Settings(), Output(tmp_path))
    assert (outcome.status, outcome.error) == (
        "failed",
        "needs more memory than there is; scale it down",
    )


def test_links_and_dots_do_not_hide_an_input(tmp_path):
    """An input is protected, and taken once, however its path is spelt."""
    (tmp_path / "x").mkdir()
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("a.png", "a_labels.png"):
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / name)
    for spelt in (tmp_path / "x" / ".." / "a_labels.png", tmp_path / "link" / "a_labels.png"):
        tasks = plan([tmp_path / "a.png", spelt, tmp_path / "a_labels.png"], tmp_path)
        assert len(tasks) == 2
        first, *_ = run(tasks[:2], Settings(bandwidth=5), Output(tmp_path))
        assert "would replace an input" in first.error
