"""Run docs/example.py and docs/scikit.py cell by cell; write their pages with what came out."""

import ast
import contextlib
import io
import re
import sys
from pathlib import Path
from typing import Any

from PIL import Image

DOCS = Path(__file__).parent
PAGES = ("example", "scikit")


def write_page(name: str, folder: Path) -> None:
    """Write NAME.md and its pictures, NAME/N.png, into a folder; run where outputs/ is."""
    (folder / name).mkdir(exist_ok=True)
    names: dict[str, Any] = {}
    parts = []
    cells = re.split(r"^# %%", (DOCS / f"{name}.py").read_text(), flags=re.MULTILINE)[1:]
    for number, cell in enumerate(cells, start=1):
        head, _, body = cell.partition("\n")
        if "[markdown]" in head:
            parts.append(re.sub(r"^# ?", "", body.strip(), flags=re.MULTILINE))
            continue
        parts.append(f"```python\n{body.strip()}\n```")
        said, value = run(body, names)
        if said:
            parts.append(f"```\n{said.rstrip()}\n```")
        picture = drawn(value)
        if picture is not None:
            picture.save(folder / name / f"{number}.png", optimize=True)
            parts.append(f"![{head.strip() or repr(value).strip('<>')}]({name}/{number}.png)")
    (folder / f"{name}.md").write_text("\n\n".join(parts) + "\n")


def run(code: str, names: dict[str, Any]) -> tuple[str, Any]:
    """Run a cell; return what it prints, and the value of its last line if it has one."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(tree, "example.py", "exec"), names)
        if last is None:
            return said.getvalue(), None
        value = eval(compile(ast.Expression(last.value), "example.py", "eval"), names)
    return said.getvalue(), value


def drawn(value: Any) -> Image.Image | None:
    """What a notebook would show of a value, small enough for a page."""
    if hasattr(value, "savefig"):
        file = io.BytesIO()
        value.savefig(file, dpi=80)
        return Image.open(file).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    if hasattr(value, "_repr_png_") and not isinstance(value, Image.Image):
        return Image.open(io.BytesIO(value._repr_png_()))
    return value if isinstance(value, Image.Image) else None


if __name__ == "__main__":
    for page in PAGES:
        write_page(page, Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS)
