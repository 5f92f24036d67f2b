"""What becomes of the images of a run, and what one of them may do to the others."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from segment.reading.reading_options import ReadingOptions
from segment.results.outputs import Output
from segment.running import job
from segment.running.batch import Batch, made_with
from segment.running.inputs import find_inputs
from segment.running.plan import Work, plan
from segment.running.pools import Here
from segment.settings import Settings


def tasks_for(*sources, folder):
    return plan(find_inputs(map(str, sources)).images, folder)


def run(tasks, settings, output, pool=None, **options):
    return list(Batch(tasks, Work(settings, output), **options).run(pool or Here()))


def test_outputs_never_replace_an_input(tmp_path):
    """An image whose result would replace another input fails and both files stay."""
    pixels = np.zeros((4, 4, 3), np.uint8)
    for name in ("a.png", "a_labels.png"):
        Image.fromarray(pixels).save(tmp_path / name)
    before = (tmp_path / "a_labels.png").read_bytes()
    tasks = tasks_for(tmp_path / "a.png", tmp_path / "a_labels.png", folder=tmp_path)
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
    tasks = tasks_for(tmp_path / "cube.png", folder=tmp_path)
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

    monkeypatch.setattr("segment.running.job.segment_pixels", out_of_memory)
    (outcome,) = run(tasks_for(tmp_path / "a.png", folder=tmp_path), Settings(), Output(tmp_path))
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
        tasks = tasks_for(tmp_path / "a.png", spelt, tmp_path / "a_labels.png", folder=tmp_path)
        assert len(tasks) == 2
        first, *_ = run(tasks[:2], Settings(bandwidth=5), Output(tmp_path))
        assert "would replace an input" in first.error


@pytest.fixture
def three(tmp_path):
    """Tasks for three small images, and their work."""
    for number in range(3):
        pixels = np.full((4, 4, 3), 80 * number, np.uint8)
        pixels[number, number] = 255
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    return (
        tasks_for(*paths, folder=tmp_path / "out"),
        Settings(bandwidth=5),
        Output(tmp_path / "out"),
    )


def statuses(outcomes):
    return [outcome.status for outcome in outcomes]


def test_skip_does_what_is_not_done(three):
    """Images that were done are skipped with the names of their results; the others are done."""
    tasks, settings, output = three
    (done,) = run(tasks[1:2], settings, output)
    outcomes = run(tasks, settings, output, existing="skip")
    assert statuses(outcomes) == ["ok", "skipped", "ok"]
    assert outcomes[1].outputs == done.outputs


@pytest.mark.parametrize(
    "change",
    [
        {"settings": Settings(bandwidth=6)},
        {"settings": Settings(bandwidth=5, cluster_all=False)},
        {"products": ("labels",)},
        {"products": ("labels", "segmented", "regions")},
        {"recolor": "mode"},
    ],
    ids=str,
)
def test_other_settings_are_not_skipped(three, change):
    """Images that were made with other settings, or are to give other results, are done again."""
    tasks, settings, output = three
    run(tasks, settings, output)
    settings = change.pop("settings", settings)
    output = Output(output.folder, **change)
    assert statuses(run(tasks, settings, output, existing="skip")) == ["ok"] * 3
    assert statuses(run(tasks, settings, output, existing="skip")) == ["skipped"] * 3


def damage_input(folder):
    pixels = np.zeros((5, 4, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "1.png")


def rewrite_input(folder):
    content = (folder / "1.png").read_bytes()
    (folder / "1.png").write_bytes(content)
    os.utime(folder / "1.png", ns=(1, 1))


@pytest.mark.parametrize(
    "change",
    [
        damage_input,
        rewrite_input,
        lambda folder: (folder / "out" / "1_labels.png").unlink(),
        lambda folder: (folder / "out" / "1_labels.png").write_bytes(b"cut"),
        lambda folder: os.utime(folder / "out" / "1_segmented.png", ns=(1, 1)),
    ],
    ids=["input changed", "input rewritten", "result lost", "result cut", "result replaced"],
)
def test_what_has_changed_is_not_skipped(three, tmp_path, change):
    """An image is done again when it or one of its results is not what it was."""
    tasks, settings, output = three
    run(tasks, settings, output)
    change(tmp_path)
    assert statuses(run(tasks, settings, output, existing="skip")) == ["skipped", "ok", "skipped"]


def test_another_image_under_the_same_name_is_not_skipped(three, tmp_path):
    """Results of an image are not taken for those of another with its name, size and time."""
    tasks, settings, output = three
    run(tasks[:1], settings, output)
    (tmp_path / "x").mkdir()
    other = tmp_path / "x" / "0.png"
    other.write_bytes((tmp_path / "0.png").read_bytes())
    status = (tmp_path / "0.png").stat()
    os.utime(other, ns=(status.st_mtime_ns, status.st_mtime_ns))
    again = tasks_for(other, folder=output.folder)
    assert statuses(run(again, settings, output, existing="skip")) == ["ok"]


def test_error_keeps_what_is_there(three):
    """With "error" an image with a result in its place fails, and the result stays as it was."""
    tasks, settings, output = three
    output.folder.mkdir()
    (output.folder / "1_labels.tif").write_text("mine")
    outcomes = run(tasks, settings, output, existing="error")
    assert statuses(outcomes) == ["ok", "failed", "ok"]
    assert "1_labels.tif is already there; move it" in outcomes[1].error
    assert not (output.folder / "1_labels.png").exists()
    assert (output.folder / "1_labels.tif").read_text() == "mine"


def test_the_digest_holds_what_decides_on_the_results(tmp_path):
    """The number of cores and the folder of the results leave the digest, the mask changes it."""
    mask = tmp_path / "mask.png"
    mask.touch()
    plain = Work(Settings(), Output(tmp_path))
    assert made_with(plain) == made_with(Work(Settings(), Output(tmp_path / "x"), cores=3))
    before = made_with(Work(Settings(), Output(tmp_path), mask=mask))
    assert before != made_with(plain)
    mask.write_text("changed")
    assert made_with(Work(Settings(), Output(tmp_path), mask=mask)) != before


@pytest.mark.parametrize(
    ("reading", "same"),
    [
        (ReadingOptions(page=2), False),
        (ReadingOptions(ignore_icc=True), False),
        (ReadingOptions(allow_truncated=True), False),
        (ReadingOptions(max_pixels=7), True),
    ],
    ids=str,
)
def test_how_images_are_read_decides_on_the_results(tmp_path, reading, same):
    """What is read enters the digest; the limit above which nothing is read does not."""
    work = Work(Settings(), Output(tmp_path))
    assert (made_with(work._replace(reading=reading)) == made_with(work)) is same


class Counting(ThreadPoolExecutor):
    """A pool that counts the calls that it was given and that have not been asked for."""

    window = 4

    def __init__(self):
        super().__init__(2)
        self.waiting = self.most = 0

    def submit(self, *arguments):
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        return super().submit(*arguments)


def test_work_is_handed_over_as_it_is_consumed(three):
    """No more calls are under way than the pool asks for, and outcomes come in order."""
    tasks, settings, output = three
    pool = Counting()
    names = []
    for outcome in Batch(tasks * 5, Work(settings, output)).run(pool):
        pool.waiting -= 1
        names.append(outcome.input)
    assert names == [task.input for task in tasks * 5]
    assert pool.most == 4


def test_a_stopped_run_tells_what_is_finished(three):
    """After a stop nothing is begun, and images that are finished are told."""
    tasks, settings, output = three
    outcomes = []
    batch = Batch(tasks, Work(settings, output))
    for outcome in batch.run(Here(), stopped=lambda: len(outcomes) >= 2):
        outcomes.append(outcome)
    assert statuses(outcomes) == ["ok", "ok"]
    assert not (output.folder / "2_labels.png").exists()


def test_an_unforeseen_fault_costs_one_image(three, monkeypatch):
    """What nobody thought of is told of that image, and the rest is done."""
    tasks, settings, output = three
    segment_pixels = job.segment_pixels

    def fail_on_the_second(image, *arguments, **options):
        if image[1, 1, 0] == 255:
            raise RuntimeError("cannot be")
        return segment_pixels(image, *arguments, **options)

    monkeypatch.setattr("segment.running.job.segment_pixels", fail_on_the_second)
    outcomes = run(tasks, settings, output)
    assert statuses(outcomes) == ["ok", "failed", "ok"]
    assert "RuntimeError: cannot be" in outcomes[1].error


def test_a_preview_writes_nothing(three):
    """A preview names what would be written, what would be skipped and what is missing."""
    tasks, settings, output = three
    run(tasks[:1], settings, output)
    tasks[1].source.unlink()
    outcomes = list(Batch(tasks, Work(settings, output), existing="skip").preview())
    assert statuses(outcomes) == ["skipped", "failed", "planned"]
    assert outcomes[2].outputs == [
        str(output.folder / "2_labels.png"),
        str(output.folder / "2_segmented.png"),
    ]
    assert not (output.folder / "2_labels.png").exists()
