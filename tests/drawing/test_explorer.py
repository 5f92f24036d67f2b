"""The explorer: a page with a slider through a tree of regions, used in a real browser."""

import base64
import io
import json
import re
import time

import numpy as np
import pytest
from PIL import Image
from skimage.segmentation import slic

from segment import InvalidInputError
from segment.drawing.explorer import explorer_page
from segment.regions.tree_cut import cut_tree
from segment.results.rasters import write_labels
from tests.browser import Browser
from tests.trees import Tree, grown_tree, in_scan_order

HOSTILE = "<b>&\"x'.jpg"
COMMAND = "meanshift-segment '</script><b>&x.jpg'"
# Four areas side by side, a hole in the third; each a base region.
COLORS = np.uint8([[250, 20, 20], [200, 20, 60], [20, 20, 200], [20, 200, 20]])
AREAS = np.repeat([[1, 2, 3, 4]], 40, axis=1).repeat(120, axis=0).astype(np.int32)
AREAS[50:70, 90:110] = 0
AREAS_TREE = Tree(
    AREAS,
    np.array([[0, 1, 0.25, 9600], [2, 3, 0.1 + 0.2, 9200], [4, 5, 0.75, 18800]]),
    COLORS,
    np.bincount(AREAS.ravel())[1:],
)
AREAS_IMAGE = np.concatenate([[[0, 0, 0]], COLORS]).astype(np.uint8)[AREAS]


@pytest.fixture(scope="module")
def photo_tree(bundled_photos):
    """A photo and a tree of a few hundred regions, cut apart by a mask."""
    image = bundled_photos["chelsea"]
    labels = in_scan_order(slic(image, 400, start_label=1))
    labels[:, 52:55] = 0  # two trees
    return image, grown_tree(image, labels)


def written(folder, image=AREAS_IMAGE, tree=AREAS_TREE, **options):
    said = {"name": HOSTILE, "stem": HOSTILE[:-4], "command": COMMAND, "segments": 2} | options
    path = folder / "explore.html"
    path.write_text(explorer_page(image, tree, **said), encoding="utf-8")
    return path


def test_page_is_one_file_without_network(tmp_path):
    """The page names no address, and holds no markup of a file's name."""
    text = written(tmp_path).read_text(encoding="utf-8")
    assert not re.search(r"https?:|//cdn|@import|<link|src=\"[^\"]", text)
    assert "default-src 'none'" in text
    assert "<b>" not in text
    assert text.count("</script>") == text.count("<script")


def test_page_is_the_same_for_the_same_tree(tmp_path):
    """Nothing in the page depends on the time."""
    assert written(tmp_path).read_bytes() == written(tmp_path).read_bytes()


def test_small_images_are_kept_exactly_and_others_as_jpeg(tmp_path):
    """Pixels that are looked at one by one are those of the image; photos take little room."""

    def photo(text):
        facts = json.loads(re.search(r'id="facts">(.*?)</script>', text)[1])
        kind, _, content = facts["photo"].partition(";base64,")
        return kind, np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))

    kind, pixels = photo(written(tmp_path).read_text())
    assert kind == "data:image/png"
    assert np.array_equal(pixels, AREAS_IMAGE)
    image = np.zeros((300, 400, 3), np.uint8)
    tree = Tree(np.ones((300, 400), np.int32), np.empty((0, 4)), COLORS[:1], np.array([120000]))
    kind, pixels = photo(written(tmp_path, image, tree).read_text())
    assert (kind, pixels.shape) == ("data:image/jpeg", image.shape)


def test_a_tree_of_another_image_is_refused():
    """An image of another size than the tree's is an error that says both sizes."""
    with pytest.raises(
        InvalidInputError, match=r"shape \(120, 160\) like the tree's, got \(9, 9\)"
    ):
        explorer_page(np.zeros((9, 9, 3), np.uint8), AREAS_TREE, name="a", stem="a", command="b")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    tab = Browser(tmp_path_factory.mktemp("profile"))
    yield tab
    tab.close()


def opened(browser, path, width=1200, height=800):
    browser.resize(width, height)
    browser.complaints.clear()
    browser.open(path.as_uri())
    browser.wait("document.getElementById('busy').hidden")
    return browser


@pytest.fixture
def page(browser, tmp_path):
    """A tab with the four areas, in two segments; at the end its console must be empty."""
    yield opened(browser, written(tmp_path))
    assert browser.complaints == []


@pytest.fixture
def photo_page(browser, tmp_path, photo_tree):
    """A tab with the photo."""
    yield opened(browser, written(tmp_path, *photo_tree, segments=12))
    assert browser.complaints == []


def frame(page):
    """Wait until what was asked for is painted."""
    page.do("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def text(page, name):
    return page.do(f"document.getElementById('{name}').textContent")


def press(page, name):
    page.do(f"document.getElementById('{name}').click()")


def tool(page, name):
    page.do(f"document.querySelector('input[value={name}]').click()")


def spot(page, column, row):
    """The place in the window where a pixel of the image is shown."""
    place = page.do(
        "(() => { const box = stage.getBoundingClientRect(); return [box.left + view.left "
        f"+ ({column} + 0.5) * view.scale, box.top + view.top + ({row} + 0.5) * view.scale]; }})()"
    )
    return tuple(place)


def click(page, column, row, **more):
    at = spot(page, column, row)
    button = {"button": "left", "clickCount": 1} | more
    page.mouse("mouseMoved", *at)
    page.mouse("mousePressed", *at, **button)
    page.mouse("mouseReleased", *at, **button)


def shown(page, column, row):
    """The colour of the canvas where a pixel of the image is shown: red, green, blue, alpha."""
    frame(page)
    return page.do(
        f"(() => {{ const at = [view.left + ({column} + 0.5) * view.scale, "
        f"view.top + ({row} + 0.5) * view.scale].map(v => Math.floor(v * view.density)); "
        "return [...view.context.getImageData(...at, 1, 1).data]; })()"
    )


def labels_of(page):
    """The label map that the page would save."""
    return np.array(page.do("[...view.map].map(base => cut.labels[base])"))


def map_of(tree, merged, keep=()):
    """The label map that the tree gives."""
    table = cut_tree(tree.merges, len(tree.sizes), merged, keep)
    return np.append(0, table)[tree.labels].astype(np.int32)


def test_name_is_text(page):
    """Title and heading have the name of the file, whatever it holds."""
    assert text(page, "title") == HOSTILE
    assert page.do("document.title") == f"{HOSTILE}: regions"
    assert page.do("document.querySelectorAll('b').length") == 0
    assert text(page, "size") == "160 \u00d7 120 · 4 base regions"


def test_segments_have_their_mean_colours(page):
    """Regions are shown in the mean of their pixels; where there is none, the ground is seen."""
    assert text(page, "level") == "level 0.3"
    assert shown(page, 10, 10) == [225, 20, 40, 255]
    means = np.rint((COLORS[2] * 4400.0 + COLORS[3] * 4800.0) / 9200)
    assert shown(page, 100, 10) == [*means.tolist(), 255] == [20, 114, 106, 255]
    assert shown(page, 100, 60) == [0, 0, 0, 0]


def test_pointer_tells_the_region_under_it(page):
    """Wherever the pointer is, label, size, share, colour and place in the tree are told."""
    page.mouse("mouseMoved", *spot(page, 60, 100))
    assert text(page, "readout") == "label 1: 9,600 pixels, 50.0 %, #e11428"
    assert text(page, "lineage") == "region 4 · splits below level 0.25 · merges at 0.75"
    page.mouse("mouseMoved", *spot(page, 100, 60))
    assert text(page, "readout") == "no region"


def test_slider_goes_through_the_tree(page):
    """With the slider regions become more and fewer, each level as the tree has it."""
    page.do("document.getElementById('slider').focus()")
    counts = []
    for key, code in (("Home", 36), ("ArrowRight", 39), ("ArrowRight", 39), ("End", 35)):
        page.press(key, code)
        merged = 4 - page.do("+document.getElementById('count').value")
        counts.append(4 - merged)
        assert np.array_equal(labels_of(page), map_of(AREAS_TREE, merged).ravel())
    assert counts == [1, 2, 3, 4]
    said = page.do("document.getElementById('slider').getAttribute('aria-valuetext')")
    assert said == "4 regions, level 0"


def test_a_drag_of_the_slider_is_undone_at_once(page):
    """Undo goes back to before the drag, redo to its end."""
    page.do(
        "for (const at of [3, 2, 0]) {"
        "slider.value = at; slider.dispatchEvent(new Event('input')); }"
        "slider.dispatchEvent(new Event('change'))"
    )
    assert text(page, "command").endswith("--segments 1")
    press(page, "undo")
    assert text(page, "command").endswith("--segments 2")
    assert page.do("document.getElementById('undo').disabled")
    press(page, "redo")
    assert text(page, "command").endswith("--segments 1")


def test_a_click_splits_a_region_and_keeps_its_halves(page):
    """Split regions stay so wherever the slider goes; the command names the halves."""
    click(page, 60, 10)
    assert text(page, "said") == "Split region 4 in two."
    assert text(page, "command") == f"{COMMAND} --segments 2 --keep 0,1"
    press(page, "fewer")
    assert text(page, "command") == f"{COMMAND} --segments 1 --keep 0,1"
    assert np.array_equal(labels_of(page), map_of(AREAS_TREE, 3, [0, 1]).ravel())
    click(page, 60, 10)
    assert text(page, "said") == "This region is one of the smallest: it cannot be split."


def test_merging(page):
    """Shift, the right button or the tool merge a region with its neighbour in the tree."""
    page.do("choose(regionsChosen(4))")
    click(page, 60, 10, modifiers=8)
    assert text(page, "command") == f"{COMMAND} --segments 4 --keep 4"
    click(page, 150, 10, button="right")
    assert text(page, "command") == f"{COMMAND} --segments 4 --keep 4,5"
    assert labels_of(page).max() == 2
    tool(page, "merge")
    click(page, 150, 10)
    assert text(page, "said") == "Merged region 5 into 6."
    assert text(page, "command") == f"{COMMAND} --segments 4 --keep 6"
    click(page, 150, 10)
    assert text(page, "said") == "This region has nothing to be merged with."


def test_keeping(page):
    """A kept region stays wherever the slider goes, until it is let go; its border is white."""
    tool(page, "keep")
    click(page, 60, 10)
    page.do("choose(regionsChosen(4))")
    page.mouse("mouseMoved", *spot(page, 150, 10))
    assert text(page, "command") == f"{COMMAND} --segments 4 --keep 4"
    assert shown(page, 39, 10) == shown(page, 45, 10) == [225, 20, 40, 255]
    edge = page.do(
        "[...view.context.getImageData(0, Math.floor((view.top + 99) * view.density), "
        "view.canvas.width, 1).data].join().includes('255,255,255,255')"
    )
    assert edge
    click(page, 60, 10)
    assert text(page, "command") == f"{COMMAND} --segments 4"
    assert "follows the slider again" in text(page, "said")


def test_looking_changes_nothing(page):
    """Where a click only looks, as is the default for touch, the choice stays."""
    tool(page, "look")
    click(page, 60, 10)
    assert text(page, "command") == f"{COMMAND} --segments 2"
    assert text(page, "readout").startswith("label 1")


def test_start_over_can_be_undone(page):
    """Start over gives the first choice; undo brings back what there was."""
    click(page, 60, 10)
    press(page, "reset")
    assert text(page, "command") == f"{COMMAND} --segments 2"
    page.press("z", 90)
    assert text(page, "command") == f"{COMMAND} --segments 2"
    page.call("Input.dispatchKeyEvent", type="keyDown", key="z", modifiers=2)
    assert text(page, "command") == f"{COMMAND} --segments 2 --keep 0,1"


def test_command_by_level(page):
    """The level in the command is the exact height; where a level does more, the number stays."""
    page.do("by.value = 'level'; by.dispatchEvent(new Event('change'))")
    level = float(re.search(r"--level (\S+)", text(page, "command"))[1])
    assert level == AREAS_TREE.merges[1, 2] != 0.3
    merged = np.searchsorted(AREAS_TREE.merges[:, 2], level, "right")
    assert np.array_equal(labels_of(page), map_of(AREAS_TREE, merged).ravel())


def test_levels_with_several_merges_are_given_by_number(browser, tmp_path):
    """Between merges of the same height there is no level, so the command says the number."""
    merges = np.array([[0, 1, 0.5, 1], [2, 4, 0.5, 1], [3, 5, 0.5, 1]])
    tree = Tree(AREAS, merges, COLORS, AREAS_TREE.sizes)
    page = opened(browser, written(tmp_path, tree=tree))
    page.do("by.value = 'level'; by.dispatchEvent(new Event('change'))")
    assert text(page, "command") == f"{COMMAND} --segments 2"
    press(page, "fewer")
    assert text(page, "command") == f"{COMMAND} --level 0.5"


def test_copying(page):
    """The command goes to the clipboard as it is shown."""
    page.call("Browser.grantPermissions", permissions=["clipboardReadWrite"])
    page.call("Page.bringToFront")
    press(page, "copy")
    page.wait("document.getElementById('taken').textContent")
    assert text(page, "taken") == "The command is copied."
    assert page.do("navigator.clipboard.readText()") == f"{COMMAND} --segments 2"


def test_page_cuts_as_the_library_does(photo_page, photo_tree):
    """After random clicks at random levels the page's label map is that of `cut_tree`."""
    image, tree = photo_tree
    rng = np.random.default_rng(0)
    for _ in range(60):
        count = int(np.exp(rng.uniform(0, np.log(len(tree.sizes)))))
        column, row = int(rng.integers(image.shape[1])), int(rng.integers(image.shape[0]))
        name = rng.choice(["split", "split", "merge", "keep"])
        photo_page.do(
            f"choose(regionsChosen({count}));"
            f"here.base = view.map[{row * image.shape[1] + column}]; act('{name}')"
        )
        chosen = photo_page.do("choice")
        expected = map_of(tree, chosen["merged"], chosen["kept"])
        assert np.array_equal(labels_of(photo_page).reshape(expected.shape), expected)
        assert np.array_equal(colors_of(photo_page), means_of(tree, expected))


def colors_of(page):
    """The colours that the page shows the segments in, by label."""
    return np.array(page.do("cut.regions.slice(1).map(region => [...tree.colorOf(region)])"))


def means_of(tree, labels):
    """The mean colours of segments, from those of the base regions by their pixels."""
    table = np.zeros(len(tree.sizes) + 1, int)
    table[tree.labels] = labels
    sums = [np.bincount(table[1:], channel * tree.sizes)[1:] for channel in tree.colors.T]
    return np.rint(np.transpose(sums) / np.bincount(table[1:], tree.sizes)[1:, None])


def saved(page, folder, name):
    """Press the button and return the file that the browser saves."""
    folder.mkdir()
    page.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    press(page, "download")
    end = time.monotonic() + 20
    while not (folder / name).exists():
        assert time.monotonic() < end, [*folder.iterdir()]
        time.sleep(0.02)
    return folder / name


@pytest.mark.parametrize(("count", "mode"), [(40, "L"), (300, "I;16")])
def test_saved_label_map_is_the_commands(photo_page, photo_tree, tmp_path, count, mode):
    """The PNG that is saved has the pixels and the depth of the one that the command writes."""
    _, tree = photo_tree
    photo_page.do(f"choose(regionsChosen({count})); here.base = view.map[0]; act('split')")
    chosen = photo_page.do("choice")
    with Image.open(saved(photo_page, tmp_path / "saved", "_b_&_x'_labels.png")) as image:
        labels, form, software = np.asarray(image), image.mode, image.text["Software"]
    write_labels(map_of(tree, chosen["merged"], chosen["kept"]), tmp_path / "own.png", "png")
    with Image.open(tmp_path / "own.png") as image:
        assert (form, software) == (image.mode, image.text["Software"])
        assert np.array_equal(labels, np.asarray(image))
    assert form == mode


def test_labels_beyond_png_are_saved_as_npy(browser, tmp_path):
    """With more than 65,535 segments the file is NumPy's, byte for byte that of the command."""
    labels = np.arange(1, 70_001, dtype=np.int32).reshape(200, 350)
    tree = Tree(
        labels,
        np.array([[0, 1, 1.0, 2.0]]),
        np.zeros((70_000, 3), np.uint8),
        np.ones(70_000, np.int64),
    )
    image = np.zeros((200, 350), np.uint8)
    page = opened(browser, written(tmp_path, image, tree, stem="a", segments=70_000))
    write_labels(labels, tmp_path / "own.npy", "npy")
    file = saved(page, tmp_path / "saved", "a_labels.npy")
    assert file.read_bytes() == (tmp_path / "own.npy").read_bytes()
    assert "--label-format npy" in text(page, "taken")


def test_outlines_and_photo(page):
    """Outlines lie on the photo between segments; the photo alone has nothing on it."""
    tool(page, "outlines")
    edge = page.do("Math.floor((view.left + 80 * view.scale) * view.density) - 1")
    frame(page)
    line = page.do(f"[...view.context.getImageData({edge}, 200, 1, 1).data]")
    assert line == [255, 222, 0, 255]
    assert shown(page, 10, 10)[3] == 0
    assert page.do("document.getElementById('photo').style.visibility") == "visible"
    tool(page, "photo")
    frame(page)
    assert page.do(f"[...view.context.getImageData({edge}, 200, 1, 1).data]")[3] == 0
    tool(page, "segments")
    frame(page)
    assert page.do("document.getElementById('photo').style.visibility") == "hidden"


def test_wheel_zooms_about_the_pointer_and_dragging_moves(page):
    """The pixel under the pointer stays there while zooming; a drag moves the image, no click."""
    x, y = map(round, spot(page, 120, 90))
    under = f"[({x} - view.left) / view.scale, ({y} - view.top) / view.scale]"
    before = page.do(under)
    page.mouse("mouseWheel", x, y, deltaX=0, deltaY=-300)
    frame(page)
    assert page.do("view.scale / view.fitting") == pytest.approx(np.exp(0.6))
    assert page.do(under) == pytest.approx(before)
    page.mouse("mousePressed", x, y, button="left", clickCount=1)
    page.mouse("mouseMoved", x + 40, y + 30, button="left", buttons=1)
    page.mouse("mouseReleased", x + 40, y + 30, button="left", clickCount=1)
    assert spot(page, *(v - 0.5 for v in before)) == pytest.approx((x + 40, y + 30))
    assert text(page, "command") == f"{COMMAND} --segments 2"
    press(page, "fit")
    assert page.do("view.scale === view.fitting")


def test_two_fingers_zoom_and_a_tap_acts(page):
    """Pinching zooms and changes no region; a tap does what the tool says."""
    x, y = spot(page, 60, 60)

    def touch(kind, *places):
        points = [{"x": x + dx, "y": y + dy, "id": k} for k, (dx, dy) in enumerate(places)]
        page.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)

    touch("touchStart", (-20, 0), (20, 0))
    touch("touchMove", (-40, 0), (40, 0))
    touch("touchEnd")
    frame(page)
    assert page.do("view.scale / view.fitting") == pytest.approx(2, rel=0.05)
    assert text(page, "command") == f"{COMMAND} --segments 2"
    touch("touchStart", (0, 0))
    touch("touchEnd")
    assert text(page, "command") == f"{COMMAND} --segments 2 --keep 0,1"


def test_keyboard_alone(page):
    """With the keyboard alone a region is found, told, split, and all of it undone."""
    page.press("Tab", 9)
    assert page.do("document.activeElement.id") == "stage"
    for _ in range(3):
        page.press("ArrowRight", 39)
    frame(page)
    assert text(page, "readout").startswith("label 2")
    assert page.do("!document.getElementById('cross').hasAttribute('hidden')")
    page.press("Enter", 13, "\r")
    assert text(page, "command") == f"{COMMAND} --segments 2 --keep 2,3"
    page.press("m", 77, "m")
    assert text(page, "command") == f"{COMMAND} --segments 2 --keep 5"
    page.press("]", 221, "]")
    assert text(page, "command") == f"{COMMAND} --segments 3 --keep 5"
    page.press("+", 187, "+")
    page.press("2", 50, "2")
    assert page.do("view.scale > view.fitting && checked('view') === 'outlines'")
    before = page.do("view.left")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="ArrowRight", modifiers=8)
    assert page.do("view.left") == before - 60
    for _ in range(3):
        page.call("Input.dispatchKeyEvent", type="keyDown", key="z", modifiers=2)
    assert text(page, "command") == f"{COMMAND} --segments 2"


def test_every_control_has_a_name_and_is_reached(page):
    """All buttons, fields and choices have a name for screen readers, and Tab reaches them."""
    names = page.do(
        "[...document.querySelectorAll('button, input, select')].map(e => "
        "(e.getAttribute('aria-label') || e.textContent || e.closest('label')?.textContent).trim())"
    )
    assert len(names) == len([*filter(None, names)]) >= 20
    reached = set()
    page.do("choose(regionsChosen(3)); choose(regionsChosen(2)); goBack(trail.past, trail.future)")
    for _ in range(24):
        page.press("Tab", 9)
        reached.add(page.do("document.activeElement.id || document.activeElement.name"))
    wanted = {"stage", "out", "fit", "in", "count", "slider", "fewer", "more", "view", "tool"}
    assert wanted | {"undo", "redo", "reset", "by", "command", "copy", "download"} <= reached


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone_width_dark_and_light(browser, tmp_path, photo_tree, scheme):
    """On a phone nothing is cut off to the right; text stands out in both schemes."""
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.call("Emulation.setEmulatedMedia", features=[feature])
    page = opened(browser, written(tmp_path, *photo_tree), 360, 700)
    assert page.do("document.documentElement.scrollWidth") <= 360
    assert page.do("view.across") == 360
    tones = page.do(
        "['color', 'backgroundColor'].map(k => getComputedStyle(document.body)[k]"
        ".match(/\\d+/g).slice(0, 3).reduce((a, b) => a + +b, 0))"
    )
    assert (tones[0] > 600 and tones[1] < 150) == (scheme == "dark")
    assert abs(tones[0] - tones[1]) > 500
    assert page.complaints == []


def test_a_browser_that_is_too_old_is_told(browser, tmp_path):
    """Where the browser cannot unpack the page, it says so instead of waiting for ever."""
    page = written(tmp_path)
    page.write_text(page.read_text().replace("DecompressionStream", "MissingStream"))
    browser.open(page.as_uri())
    browser.wait("document.getElementById('busy').textContent.includes('2023')")
    browser.complaints.clear()


def test_one_region_alone(browser, tmp_path):
    """An image of one region has a slider of one step, and can be saved."""
    tree = Tree(np.ones((1, 1), np.int32), np.empty((0, 4)), COLORS[:1], np.array([1]))
    page = opened(browser, written(tmp_path, np.zeros((1, 1, 3), np.uint8), tree, stem="a"))
    assert text(page, "noun") == "region"
    assert page.do("fewer.disabled && more.disabled")
    with Image.open(saved(page, tmp_path / "saved", "a_labels.png")) as image:
        assert np.asarray(image).tolist() == [[1]]
    assert page.complaints == []


def test_a_large_image_costs_only_the_screen(browser, tmp_path):
    """What is painted of 12 million pixels is as many as the screen has."""
    labels = (np.arange(4000) // 50 + 1)[None].repeat(3000, axis=0).astype(np.int32)
    merges = [(80 + j - 1 if j else 0, j + 1, float(j), 1) for j in range(79)]
    tree = Tree(
        labels, np.array(merges), np.zeros((80, 3), np.uint8), np.full(80, 150_000, np.int64)
    )
    page = opened(browser, written(tmp_path, np.zeros((3000, 4000), np.uint8), tree))
    assert page.do("view.map.length") == 12_000_000
    assert page.do("view.words.length") == 850 * 800
    page.mouse("mouseMoved", *spot(page, 1234, 1500))
    assert text(page, "readout").startswith("label 1: ")
