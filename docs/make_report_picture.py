"""Photograph a page in a headless Chromium: `python -m docs.make_report_picture`."""

import base64
import io
import tempfile
from pathlib import Path

from PIL import Image

from segment.results.outputs import Output
from segment.running.batch import Batch
from segment.running.html_report import HtmlReport
from segment.running.inputs import find_inputs
from segment.running.plan import Work, plan
from segment.running.pools import Here
from segment.settings import Settings
from tests.browser import Browser

ROOT = Path(__file__).parents[1]
PHOTOS = ("coffee.png", "camera.png")


def main() -> None:
    """Make docs/report.png of a run over two of the sample images."""
    with tempfile.TemporaryDirectory() as folder:
        report = HtmlReport(Path(folder, "report.html"), Settings())
        images = find_inputs(f"sample_images/{name}" for name in PHOTOS).images
        work = Work(Settings(), Output(Path(folder), with_entries=True))
        for outcome in Batch(plan(images, Path(folder)), work).run(Here()):
            report.add(outcome)
        report.close()
        browser = Browser(Path(folder, "profile"))
        browser.resize(1180, 720)
        browser.open(report.path.as_uri())
        browser.do("document.querySelector('.card button').click()")
        browser.wait("!document.getElementById('afterfile').hidden")
        browser.do("tell(1)")
        shot = browser.call("Page.captureScreenshot", format="png")["data"]
        browser.close()
    picture = Image.open(io.BytesIO(base64.b64decode(shot))).convert("RGB")
    picture.quantize(256, dither=Image.Dither.NONE).save(ROOT / "docs" / "report.png")


if __name__ == "__main__":
    main()
