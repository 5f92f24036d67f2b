"""Pages opened in the user's browser."""

import os
import subprocess
import sys

import pytest

from segment.results.opening import open_page

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="BROWSER is a command of POSIX")
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")


def test_the_browser_gets_the_page(tmp_path):
    """The command in BROWSER is run with the page's address, whatever characters its name has."""
    opened = "import pathlib, sys; from segment.results.opening import open_page\n"
    opened += "sys.exit(not open_page(pathlib.Path(sys.argv[1])))"
    script = tmp_path / "browser.py"
    script.write_text("import pathlib, sys\npathlib.Path(sys.argv[1]).write_text(sys.argv[2])\n")
    page = tmp_path / "a b#?.html"
    browser = os.environ | {"BROWSER": f"{sys.executable} {script} {tmp_path / 'told'} %s"}
    # in a process of its own: Python looks for browsers once in each
    subprocess.run([sys.executable, "-c", opened, page], env=browser, check=True)
    assert (tmp_path / "told").read_text() == page.as_uri()


@pytest.mark.skipif(sys.platform == "darwin", reason="a Mac always has a display")
def test_nothing_is_opened_where_nobody_sees_it(tmp_path, monkeypatch):
    """Without a display and without BROWSER no browser is started."""
    for name in (*DISPLAYS, "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("webbrowser.open", lambda url: pytest.fail("a browser was started"))
    assert not open_page(tmp_path / "a.html")
