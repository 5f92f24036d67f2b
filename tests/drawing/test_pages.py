"""Pages of HTML put together to one file."""

import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from segment.drawing.pages import data_script, image_uri, page_around


def test_scripts_and_styles_stand_in_their_places(tmp_path):
    """What a page names by a path from its folder is in it, in order; data lie between."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "a.js").write_text("let a = '\\\\1';\n")
    (tmp_path / "b.css").write_text("b { color: red; }\n")
    page = tmp_path / "page.html"
    page.write_text(
        '<link rel="stylesheet" href="b.css">\n<p>\n<!-- data -->\n'
        '<script src="parts/a.js"></script>\n<script>a;</script>\n'
    )
    before, after = page_around(page)
    assert before == "<style>\nb { color: red; }\n</style>\n<p>\n"
    assert after == "\n<script>\nlet a = '\\\\1';\n</script>\n<script>a;</script>\n"


@pytest.mark.parametrize("text", ["</script><b>", "<!--", "&amp;", "\u2028\udce9", 'a"b\\'])
def test_data_are_text_to_html(text):
    """No character of the data can end their element, and they come back as they were."""
    element = data_script("x", {"name": text})
    content = re.fullmatch(r'<script type="application/json" id="x">(.*)</script>', element)[1]
    assert not set(content) & set("<>&\u2028")
    assert content.isascii()
    assert json.loads(content) == {"name": text}


def test_image_uri_is_the_image():
    """A data URI says its kind and has the file's bytes."""
    pixels = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    uri = image_uri(Image.fromarray(pixels), "PNG")
    kind, _, content = uri.partition(";base64,")
    assert kind == "data:image/png"
    with Image.open(io.BytesIO(base64.b64decode(content))) as image:
        assert np.array_equal(np.asarray(image), pixels)
