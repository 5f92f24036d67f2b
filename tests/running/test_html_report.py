"""The report of a run, read as text and used in a real browser."""

import base64
import io
import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segment import ImageFileError, segment_image
from segment.drawing.thumbnails import Thumbnail
from segment.results.outputs import Output
from segment.running.batch import Batch
from segment.running.html_report import LONGEST, HtmlReport, report_entry
from segment.running.inputs import find_inputs
from segment.running.outcomes import Outcome
from segment.running.plan import Work, plan
from segment.running.pools import Here
from segment.settings import Settings
from tests.browser import Browser
from tests.trees import grown_tree

HOSTILE = '<b>&"x".jpg' if os.name == "posix" else "&x.jpg"  # other systems forbid the rest
STRIPES = np.zeros((120, 300, 3), np.uint8)
STRIPES[:, 100:] = 0, 160, 80
STRIPES[:, 240:] = 250, 250, 0


def decoded(uri):
    with Image.open(io.BytesIO(base64.b64decode(uri.partition("base64,")[2]))) as image:
        return np.asarray(image).astype(np.int64)


def small(image, segmentation):
    """The thumbnail of a photo and its segments."""
    picture = image if image.ndim == 3 else np.dstack([image] * 3)
    return Thumbnail.of(picture, segmentation.labels, LONGEST)


def labels_of(entry):
    """The labels of a thumbnail, as the report's script finds them."""
    codes = decoded(entry["map"]) @ [1, 256, 65536]
    return np.array([0] + [row[0] for row in entry["rows"]])[codes]


@pytest.mark.parametrize("options", [{}, {"connected": True, "quantile": 0.02}])
def test_entry_holds_what_the_segments_are(bundled_photos, options):
    """Labels, sizes and colours of an entry are those of the segmentation."""
    image = bundled_photos["coffee"]
    segmentation = segment_image(image, **options)
    entry = report_entry(small(image, segmentation), segmentation)
    assert np.array_equal(labels_of(entry), segmentation.labels)
    assert decoded(entry["photo"]).shape == image.shape
    sizes = [size for _, size, _ in entry["rows"]]
    assert sizes == sorted(sizes, reverse=True)
    for label, size, color in entry["rows"]:
        assert size == segmentation.sizes[label - 1]
        assert bytes.fromhex(color) == bytes(segmentation.colors[label - 1])
    assert len(sizes) + entry["others"] == len(segmentation.sizes)


def test_entry_of_a_large_image_is_small():
    """A thumbnail has at most 320 pixels a side; segments that it loses are counted."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (450, 1000), np.uint8)
    segmentation = segment_image(image, bandwidth=2, connected=True)
    entry = report_entry(small(image, segmentation), segmentation)
    shown = labels_of(entry)
    assert shown.shape == (144, LONGEST)
    assert set(np.unique(shown)) <= {row[0] for row in entry["rows"]}
    assert entry["others"] == len(segmentation.sizes) - len(entry["rows"]) > 0
    ys, xs = ((np.arange(n) + 0.5) * 3.125 for n in shown.shape)
    assert np.array_equal(shown, segmentation.labels[np.ix_(ys.astype(int), xs.astype(int))])


def made(folder, names=(HOSTILE, "small.png", "bad.png")):
    """A run over a photo with a hostile name, a tiny image and a damaged one, and its report."""
    sources = [folder / name for name in names]
    Image.fromarray(STRIPES).save(sources[0], "PNG")
    Image.fromarray(np.arange(25, dtype=np.uint8).reshape(5, 5) * 10).save(sources[1])
    sources[2].write_text("no picture")
    settings = Settings(bandwidth=30.0)
    report = HtmlReport(folder / "report" / "report.html", settings)
    output = Output(folder / "out", with_entries=True)
    tasks = plan(find_inputs(map(str, sources)).images, folder / "out")
    for outcome in Batch(tasks, Work(settings, output)).run(Here()):
        report.add(outcome)
    report.close()
    return folder / "report" / "report.html"


def test_page_is_one_file_without_network(tmp_path):
    """The report names no address, and embeds no markup of a file's name."""
    text = made(tmp_path).read_text()
    assert not re.search(r"https?:|//cdn|@import|<link", text)
    assert "<b>" not in text
    assert text.count("</script>") == text.count("<script")
    data = json.loads(re.search(r'id="run">(.*?)</script>', text)[1])
    assert [image["status"] for image in data["images"]] == ["ok", "ok", "failed"]
    assert data["images"][0]["input"] == str(tmp_path / HOSTILE)
    assert data["images"][0]["link"] == "../%3Cb%3E%26%22x%22.jpg"
    assert data["settings"]["bandwidth"] == 30.0
    assert data["changed"] == ["bandwidth"]


def test_page_is_the_same_for_the_same_run(tmp_path):
    """Nothing in the report depends on the time but the seconds of each image."""
    texts = []
    for _ in range(2):
        text = made(tmp_path).read_text()
        texts.append(re.sub(r'"seconds":[\d.]+', "", text))
    assert texts[0] == texts[1]


def test_names_that_are_not_unicode(tmp_path):
    """A name of any bytes gets a link that leads to it."""
    report = HtmlReport(tmp_path / "report.html", Settings())
    name = os.fsdecode(b"caf\xe9.jpg") if sys.platform == "linux" else "café.jpg"
    report.add(Outcome(str(tmp_path / name), "failed", "is \u2028 </script> damaged"))
    report.close()
    text = (tmp_path / "report.html").read_text()
    data = json.loads(re.search(r'id="run">(.*?)</script>', text)[1])
    assert data["images"][0]["error"] == "is \u2028 </script> damaged"
    assert data["images"][0]["link"] == (
        "caf%E9.jpg" if sys.platform == "linux" else "caf%C3%A9.jpg"
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_thumbnails_that_find_no_room(tmp_path, monkeypatch):
    """Where thumbnails wait on a disk that is full, the error says which and what to do."""
    found = segment_image(STRIPES, bandwidth=30)
    entry = report_entry(small(STRIPES, found), found)
    full = open("/dev/full", "wb", buffering=0)  # noqa: PTH123, SIM115
    monkeypatch.setattr("tempfile.SpooledTemporaryFile", lambda size: full)
    report = HtmlReport(tmp_path / "report.html", Settings())
    with full, pytest.raises(ImageFileError, match="No space left on device; make room"):
        report.add(Outcome("a.jpg", "ok", entry=entry))


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    tab = Browser(tmp_path_factory.mktemp("profile"))
    yield tab
    tab.close()


@pytest.fixture
def page(browser, tmp_path):
    """A tab with the report of a run; at the end its console must be empty."""
    file = made(tmp_path)
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        width=1200,
        height=900,
        deviceScaleFactor=1,
        mobile=False,
    )
    browser.complaints.clear()
    browser.open(file.as_uri())
    yield browser
    assert browser.complaints == []


VISIBLE = "document.querySelector('dialog').open"
NAMES = (
    "[...document.querySelectorAll('.card .words')].map(e => e.firstChild.data.split('/').pop())"
)


def open_first(page):
    page.do("document.querySelector('.card button').click()")
    page.wait("current && current.map && document.getElementById('shade').width === 300")
    page.wait("!document.getElementById('afterfile').hidden")


def spot(page, across, down):
    """The place of the stage at these shares of its sides, in the window."""
    box = page.do("JSON.stringify(document.getElementById('stage').getBoundingClientRect())")
    box = json.loads(box)
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


def test_grid_shows_every_image_and_its_name_as_text(page):
    """Each image has a card, names are text whatever they hold, failures have their reason."""
    assert page.do(NAMES) == [HOSTILE, "small.png", "bad.png"]
    assert page.do("document.querySelectorAll('.card b').length") == 0
    reason = page.do("document.querySelector('.failed small').textContent")
    assert "is not an image" in reason
    assert page.do("document.getElementById('summary').textContent").startswith(
        "3 images, 1 failed"
    )
    page.wait("document.querySelector('.card canvas').width === 300")
    middle = "[...document.querySelector('.card canvas').getContext('2d')"
    assert page.do(f"{middle}.getImageData(150, 60, 1, 1).data]") == [0, 160, 80, 255]


def test_pointer_reads_the_label_under_it(page):
    """Wherever the pointer is, label, size, share and colour of that segment are shown."""
    open_first(page)
    told = {0.1: "label 2: 12,000 pixels, 33.3 %, #000000"}
    told[0.6] = "label 1: 16,800 pixels, 46.7 %, #00a050"
    told[0.95] = "label 3: 7,200 pixels, 20.0 %, #fafa00"
    for across, expected in told.items():
        page.mouse("mouseMoved", *spot(page, across, 0.5))
        assert page.do("document.getElementById('readout').textContent") == expected
    here = "[...document.querySelectorAll('#palette .here span')].map(e => e.textContent)"
    assert page.do(here) == ["", "3", "", "20.0 %"]


def test_slider_moves(page):
    """Dragging over the image and the keys of the slider move the border of before and after."""
    open_first(page)
    cut = "getComputedStyle(document.getElementById('afterfile')).clipPath"
    assert page.do(cut) == "inset(0px 0px 0px 50%)"
    button = {"button": "left", "buttons": 1}
    page.mouse("mousePressed", *spot(page, 0.5, 0.5), clickCount=1, **button)
    page.mouse("mouseMoved", *spot(page, 0.25, 0.5), **button)
    page.mouse("mouseReleased", *spot(page, 0.25, 0.5), button="left")
    moved = float(re.search(r"([\d.]+)%", page.do(cut))[1])
    assert moved == pytest.approx(25, abs=0.6)
    page.do("document.getElementById('slider').focus()")
    page.press("ArrowRight", 39)
    assert float(re.search(r"([\d.]+)%", page.do(cut))[1]) == pytest.approx(moved + 0.5)


def test_full_images_stand_behind_the_slider(page):
    """Before is the input's file and after the segmented one, by relative links."""
    open_first(page)
    page.wait("document.getElementById('before').src.startsWith('file:')")
    for layer, name in (("before", "x%22.jpg"), ("afterfile", "x%22_segmented.png")):
        assert page.do(f"document.getElementById('{layer}').src").endswith(name)
        assert page.do(f"document.getElementById('{layer}').naturalWidth") == 300


def test_thumbnails_stay_where_the_files_are_gone(page, tmp_path):
    """A report that was moved away from its files shows what it holds itself."""
    moved = tmp_path / "elsewhere" / "deep" / "report.html"
    moved.parent.mkdir(parents=True)
    moved.write_bytes((tmp_path / "report" / "report.html").read_bytes())
    page.open(moved.as_uri())
    page.do("document.querySelector('.card button').click()")
    page.wait("current && current.map")
    page.wait("document.getElementById('before').naturalWidth === 300")
    assert page.do("document.getElementById('afterfile').hidden")
    assert page.do("document.getElementById('after').width") == 300
    page.complaints.clear()  # of the files that are not there


def test_palette_lists_segments_and_shows_one(page):
    """The palette has every segment with its share; choosing one darkens the others."""
    open_first(page)
    rows = "[...document.querySelectorAll('#palette li')].map(e => e.textContent)"
    assert page.do(rows) == ["146.7 %", "233.3 %", "320.0 %"]
    page.do("document.querySelectorAll('#palette button')[2].click()")
    row = "document.getElementById('shade').getContext('2d').getImageData(0, 60, 300, 1).data"
    assert page.do(f"(row => [10, 150, 290].map(x => row[4 * x + 3]))({row})") == [180, 180, 0]
    assert page.do("document.getElementById('readout').textContent").startswith("label 3")


def test_sorting(page):
    """Cards can be sorted by each key, in both directions; failures come last."""

    def order(key):
        page.do(
            f"document.getElementById('sort').value = '{key}';"
            "document.getElementById('sort').dispatchEvent(new Event('change'))"
        )
        return page.do(NAMES)

    assert order("size") == ["bad.png", "small.png", HOSTILE]
    assert order("segments") == [HOSTILE, "small.png", "bad.png"]
    page.do("document.getElementById('turn').click()")
    assert order("segments") == ["small.png", HOSTILE, "bad.png"]
    assert order("name") == ["small.png", "bad.png", HOSTILE]
    seconds = page.do("run.images.map(i => i.seconds)")
    first = seconds[0] >= seconds[1]  # at a tie the order of the run
    slow, quick = (HOSTILE, "small.png") if first else ("small.png", HOSTILE)
    assert order("seconds") == [slow, quick, "bad.png"]


def test_filter_and_failures(page):
    """A part of the name, or the failures only, choose what is shown."""
    page.do(
        "document.getElementById('filter').value = 'SMALL';"
        "document.getElementById('filter').dispatchEvent(new Event('input'))"
    )
    assert page.do(NAMES) == ["small.png"]
    page.do(
        "document.getElementById('filter').value = '';document.getElementById('onlyfailed').click()"
    )
    assert page.do(NAMES) == ["bad.png"]


def test_keyboard_alone(page):
    """With the keyboard alone an image is opened, the next one is shown, and it is closed."""
    for _ in range(9):
        page.press("Tab", 9)
        if page.do("document.activeElement.closest('.card') !== null"):
            break
    page.press("Enter", 13, "\r")
    page.wait(f"{VISIBLE} && current.map")
    assert page.do("document.getElementById('title').textContent").endswith(HOSTILE)
    page.press("PageDown", 34)
    page.wait("current.map && current.place === 1")
    assert page.do("document.getElementById('title').textContent").endswith("small.png")
    page.press("Escape", 27)
    page.wait(f"!{VISIBLE}")
    page.wait("document.activeElement.closest('.card')?.dataset.place === '1'")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone_width_dark_and_light(page, scheme):
    """On a phone nothing is cut off to the right; text stands out in both schemes."""
    page.call(
        "Emulation.setDeviceMetricsOverride",
        width=360,
        height=700,
        deviceScaleFactor=1,
        mobile=True,
    )
    page.call(
        "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
    )
    open_first(page)
    assert page.do("document.documentElement.scrollWidth") <= 360
    assert page.do("document.querySelector('dialog').scrollWidth") <= 360
    tones = page.do(
        "['color', 'backgroundColor'].map(k => getComputedStyle(document.body)[k]"
        ".match(/\\d+/g).slice(0, 3).reduce((a, b) => a + +b, 0))"
    )
    assert (tones[0] > 600 and tones[1] < 150) == (scheme == "dark")
    assert abs(tones[0] - tones[1]) > 500


STRIPS = np.repeat([[1, 2, 3]], (100, 140, 60), axis=1).repeat(120, axis=0)
STRIPS[:60, 100:240] = 4  # half of the middle one


def test_slider_through_the_regions(browser, tmp_path):
    """Where a run has cut trees of regions, a slider shows their levels, with sizes and colours."""
    tree = grown_tree(STRIPES, STRIPS)
    found = segment_image(STRIPES, bandwidth=30)
    entry = report_entry(small(STRIPES, found), found, tree)
    report = HtmlReport(tmp_path / "report.html", Settings())
    report.add(Outcome("a.tif", "ok", None, [], 300, 120, 30.0, 3, 9, 0.01, entry=entry))
    report.close()
    browser.resize(1200, 900)
    browser.complaints.clear()
    browser.open((tmp_path / "report.html").as_uri())
    browser.do("document.querySelector('.card button').click()")
    browser.wait("!document.getElementById('levels').hidden")
    assert browser.do("document.getElementById('told').textContent") == "3 regions"
    rows = "[...document.querySelectorAll('#palette li button')].map(e => e.title)"
    assert len(browser.do(rows)) == 3
    browser.do("document.getElementById('regions').focus()")
    browser.press("End", 35)
    assert browser.do("document.getElementById('told').textContent") == "4 regions"
    assert browser.do(rows)[:2] == [
        "label 1: 12,000 pixels, #000000",
        "label 2: 8,400 pixels, #00a050",
    ]
    browser.press("Home", 36)
    (row,) = browser.do(rows)
    assert row == "label 1: 36,000 pixels, #327d25"
    assert browser.do(
        "[...document.getElementById('after').getContext('2d').getImageData(150, 60, 1, 1).data]"
    ) == [0x32, 0x7D, 0x25, 255]
    browser.mouse("mouseMoved", *spot(browser, 0.9, 0.5))
    told = browser.do("document.getElementById('readout').textContent")
    assert told == "label 1: 36,000 pixels, 100.0 %, #327d25"
    assert browser.complaints == []


def test_thousands_of_images_stay_light(browser, tmp_path):
    """Of 2,000 images only the thumbnails in sight are made, and taken back out of sight."""
    found = segment_image(STRIPES, bandwidth=30)
    entry = report_entry(small(STRIPES, found), found)
    report = HtmlReport(tmp_path / "report.html", Settings())
    for i in range(2000):
        name = f"photo-{i:04}.jpg"
        report.add(Outcome(name, "ok", None, [], 300, 120, 30.0, 3, 9, 0.01, entry=entry))
    report.close()
    browser.complaints.clear()
    browser.open((tmp_path / "report.html").as_uri())
    count = "[...document.querySelectorAll('.card canvas')].filter(c => c.width === 300).length"
    browser.wait(f"{count} > 3 && document.querySelector('.card img').src")
    assert browser.do(count) < 100
    browser.do("scrollTo(0, document.body.scrollHeight)")
    browser.wait("document.querySelector('.card canvas').width === 0")
    browser.wait("cards[1999].querySelector('canvas').width === 300")
    assert browser.do(count) < 100
    assert browser.complaints == []
