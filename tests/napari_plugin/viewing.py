"""The real napari for tests: its models, its threads and widgets, without a screen."""

import importlib.util
import os
import time
import warnings

import pytest

if any(importlib.util.find_spec(name) is None for name in ("napari", "qtpy", "superqt")):
    pytest.skip("needs napari: pip install 'napari[pyqt6]'", allow_module_level=True)
# napari and what it builds on warn of each other's coming changes.
their_warnings = pytest.mark.filterwarnings("ignore")


def viewer_model():
    """A viewer as napari has it below its window."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from napari.components import ViewerModel
    return ViewerModel()


def application():
    """Qt's, which widgets and threads need."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from qtpy.QtWidgets import QApplication
    return QApplication.instance() or QApplication([])


def wait(until, seconds=20):
    """Let Qt work until something holds."""
    end, qt = time.monotonic() + seconds, application()
    while not until():
        assert time.monotonic() < end, "waited in vain"
        qt.processEvents()
        time.sleep(0.002)
