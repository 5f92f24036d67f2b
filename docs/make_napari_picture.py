"""Make the picture of the panel in napari: `python -m docs.make_napari_picture`, with a screen.

It needs napari with a Qt and OpenGL; `xvfb-run` is screen enough.
"""

import time
from pathlib import Path

from PIL import Image
from skimage import io

HOME = Path(__file__).parents[1]
SIZE = 1080, 620
COLORS = 128  # of the picture: photos and flat panels look the same in so many


def waited(until):
    """Let Qt work until something holds."""
    from qtpy.QtWidgets import QApplication

    while not until():
        QApplication.instance().processEvents()
        time.sleep(0.01)


def main():
    """Open the viewer with a photo, segment it, photograph the window."""
    import napari
    from npe2 import PluginManager

    manifest = HOME / "segment" / "napari_plugin" / "napari.yaml"
    if "meanshift-segment" not in PluginManager.instance():
        PluginManager.instance().register(str(manifest))
    viewer = napari.Viewer(show=True)
    viewer.window.resize(*SIZE)
    viewer.add_image(io.imread(HOME / "sample_images" / "coffee.png"), name="coffee")
    _, panel = viewer.window.add_plugin_dock_widget("meanshift-segment")
    panel.run.native.click()
    waited(lambda: len(viewer.layers) == 2)
    viewer.layers["coffee segments"].opacity = 0.6
    viewer.reset_view()
    end = time.monotonic() + 2
    waited(lambda: time.monotonic() > end)
    shot = Image.fromarray(viewer.window.screenshot(canvas_only=False)).convert("RGB")
    shot.quantize(COLORS, dither=Image.Dither.NONE).save(
        HOME / "docs" / "napari.png", optimize=True
    )


if __name__ == "__main__":
    main()
