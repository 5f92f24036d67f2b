"""Time the explorer's page in a headless Chromium: `python -m benchmarks.explorer`.

The page of a photo of 12 million pixels, in a window of 1400 x 900, without a graphics card: how
long it takes to open, and what a frame takes while the slider moves or the image is dragged.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.photos import large_photo
from segment import hierarchy
from segment.drawing.explorer import explorer_page
from tests.browser import Browser

FRAMES = 60
SLIDING = "preview(regionsChosen(steps[(7 * i) % steps.length])); paint();"
DRAGGING = "moved = true; paint();"
TIMED = """(() => {{
  pick("view", "{view}");
  const times = [];
  for (let i = 0; i < {frames}; i++) {{
    const start = performance.now();
    {work}
    times.push(performance.now() - start);
  }}
  return times;
}})()"""


def main() -> None:
    """Print the size of the page, the time to open it, and quartiles of frames."""
    with tempfile.TemporaryDirectory() as folder:
        large_photo(Path(folder, "photo.jpg"))
        image = np.asarray(Image.open(Path(folder, "photo.jpg")))
    text = explorer_page(image, hierarchy(image), name="photo", stem="photo", command="command")
    print(f"{image.shape[1]} x {image.shape[0]} pixels, page of {len(text) / 1e6:.1f} MB")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        page.write_text(text, encoding="utf-8")
        browser = Browser(Path(folder, "profile"))
        browser.resize(1400, 900)
        start = time.perf_counter()
        browser.open(page.as_uri())
        browser.wait("document.getElementById('busy').hidden")
        print(f"ready after {time.perf_counter() - start:.2f} s")
        print(f"{'milliseconds a frame':24}{'best':>8}{'quarter':>8}{'half':>8}")
        for view in ("segments", "outlines"):
            for name, work in (("slider", SLIDING), ("dragging", DRAGGING)):
                times = browser.do(TIMED.format(view=view, frames=FRAMES, work=work))
                best, quarter, half = np.quantile(times, [0, 0.25, 0.5])
                print(f"{f'{view}, {name}':24}{best:8.1f}{quarter:8.1f}{half:8.1f}")
        browser.close()


if __name__ == "__main__":
    main()
