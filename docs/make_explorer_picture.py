"""Photograph the explorer in a headless Chromium: `python -m docs.make_explorer_picture`."""

import base64
import io
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from segment import hierarchy
from segment.drawing.explorer import explorer_page
from tests.browser import Browser

ROOT = Path(__file__).parents[1]
PHOTO = "sample_images/coffee.png"


def main() -> None:
    """Make docs/explorer.png of one of the sample images."""
    image = np.asarray(Image.open(ROOT / PHOTO))
    command = f"meanshift-segment {PHOTO}"
    text = explorer_page(
        image, hierarchy(image), name="coffee.png", stem="coffee", command=command, segments=12
    )
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        page.write_text(text, encoding="utf-8")
        browser = Browser(Path(folder, "profile"))
        browser.resize(1180, 720)
        browser.open(page.as_uri())
        browser.wait("document.getElementById('busy').hidden")
        browser.do("pick('view', 'outlines')")
        browser.mouse("mouseMoved", 420, 300)
        browser.do("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        shot = browser.call("Page.captureScreenshot", format="png")["data"]
        browser.close()
    picture = Image.open(io.BytesIO(base64.b64decode(shot))).convert("RGB")
    picture.quantize(256, dither=Image.Dither.NONE).save(ROOT / "docs" / "explorer.png")


if __name__ == "__main__":
    main()
