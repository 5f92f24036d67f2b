"""A page opened in the user's browser, where there is one to be seen."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def open_page(path: Path) -> bool:
    """Open a page in the browser and return whether that went well.

    The variable BROWSER chooses another one, as Python's `webbrowser` has it. Where nobody
    could see a window, as on a server, nothing is opened: browsers of text take the terminal.
    """
    if not _has_display():
        return False
    import webbrowser

    return webbrowser.open(path.absolute().as_uri())


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))
