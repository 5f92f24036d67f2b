"""Modes that are kept: found once, written to a file, taken for other images."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import ImageFileError, InvalidInputError, shown
from segment.pixels.bands import BandScale
from segment.settings import COLOR_SPACES, ColorSpace, Range, Settings, is_choice
from segment.validation import checked_matrix, checked_path

FORMAT = "meanshift-segment model"
VERSION = 1
OF_BANDS = 2  # the version of a file with a scale, which the first would pass over


@dataclass(frozen=True, eq=False)
class Model:
    """The modes of one image or of several, to label others with.

    `fit_modes` finds them, ``segment_image(image, model=model)`` labels with them: a pixel takes
    its nearest mode, so that a label has the same meaning in every image.

    Attributes
    ----------
    modes : (K, d) float64 array
        In the colour space, densest first; mode k is label k + 1. d is 1 or 3; for bands their
        number.
    bandwidth : float
        The one they were found with.
    n_iter : int
        Moves of the longest climb.
    color_space : {"rgb", "lab", "luv", "hsv", "gray"}
    settings : dict
        The other settings they were found with, for people who read the file.
    scale : BandScale or None
        That of the bands, which images must be labelled with; None for photos, whose type tells.
    bands : tuple of str
        Their names, where they are known.
    """

    __module__ = "segment"

    modes: NDArray[np.float64]
    bandwidth: float
    n_iter: int
    color_space: ColorSpace
    settings: dict[str, Any] = field(default_factory=dict)
    scale: BandScale | None = None
    bands: tuple[str, ...] = ()

    def save(self, path: str | Path) -> None:
        """Write the model to a JSON file, the whole file or nothing; docs/models.md describes it.

        Parameters
        ----------
        path : str or Path

        Raises
        ------
        ImageFileError
            If the folder takes no file, or the disk is full.
        """
        import json

        from segment.writing import write_whole

        content: dict[str, Any] = {
            "format": FORMAT,
            "version": VERSION if self.scale is None else OF_BANDS,
            "features": "color",
            "color_space": self.color_space,
            "bandwidth": self.bandwidth,
            "iterations": self.n_iter,
            "modes": self.modes.tolist(),  # json writes the shortest digits that read back the same
            "settings": self.settings,
        }
        if self.scale is not None:
            content["low"] = self.scale.low.tolist()
            content["unit"] = self.scale.unit.tolist()
            content["bands"] = list(self.bands)
        lines = (f'"{name}": {json.dumps(value, default=float)}' for name, value in content.items())
        text = "{\n" + ",\n".join(lines) + "\n}\n"
        write_whole(checked_path(path), lambda file: file.write(text.encode()))

    @classmethod
    def load(cls, path: str | Path) -> Model:
        """Read a model that `save` wrote; every number comes back to the bit.

        Parameters
        ----------
        path : str or Path

        Raises
        ------
        ImageFileError
            If the file cannot be read.
        InvalidInputError
            If it is not a model, a damaged one, or one of a later version.
        """
        try:
            text = checked_path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise ImageFileError(f"{path}: cannot be read: {error.strerror}; check it") from None
        except UnicodeDecodeError:
            raise InvalidInputError(f"{path}: is not a model; {_MAKE_ONE}") from None
        return _parsed(text, str(path))

    def applied_to(self, settings: Settings) -> Settings:
        """Return the settings with what the model decides: colour space, scale and bandwidth."""
        known = (("features", "color"), ("assign", "nearest"), ("level", None), ("segments", None))
        for name, mine in known:
            if getattr(settings, name) != mine:
                raise InvalidInputError(
                    f"{name}: expected {mine!r} with a model, got {getattr(settings, name)!r}; "
                    "leave one of them out"
                )
        scale = self.settings.get("scale", Settings.scale)
        if settings.scale not in (Settings.scale, scale):
            raise InvalidInputError(
                f"scale: expected {scale!r}, that of the model, got {settings.scale!r}; "
                "leave it out or fit another model"
            )
        if settings.color_space not in (Settings.color_space, self.color_space):
            raise InvalidInputError(
                f"color_space: expected {self.color_space!r}, that of the model, "
                f"got {settings.color_space!r}; leave it out or fit another model"
            )
        asked = self.bandwidth in Settings.__dataclass_fields__["bandwidth"].metadata["takes"]
        return replace(
            settings,
            color_space=self.color_space,
            scale=scale,
            bandwidth=self.bandwidth if asked else None,  # 0 where all pixels were alike
            target_segments=None,
        )

    def check_bands(self, count: int, *, scaled: bool, names: tuple[str, ...] = ()) -> None:
        """Raise InvalidInputError unless an image has the bands that the modes are of.

        Parameters
        ----------
        count : int
            Its bands.
        scaled : bool
            Whether they are bands that are scaled, not a photo's colours.
        names : tuple of str
            Theirs, where they are known.
        """
        own, mine = self.modes.shape[1], self.scale is not None
        if mine != scaled:
            raise InvalidInputError(
                f"image: expected {'bands' if mine else 'a photo'}, as the model was found on, got "
                f"{f'{count} bands' if scaled else 'a photo'}; "
                f"{'choose them as for the model' if mine else 'choose no bands and no scale'}"
            )
        if mine and (count != own or (names and self.bands and names != self.bands)):
            raise InvalidInputError(
                f"image: expected {_listed(own, self.bands)}, those of the model, "
                f"got {_listed(count, names)}; choose them with --bands"
            )


def _listed(count: int, names: tuple[str, ...]) -> str:
    return f"{count} bands" + (f" ({', '.join(names)})" if names else "")


_MAKE_ONE = "make one with --save-model"


def _parsed(text: str, name: str) -> Model:
    import json

    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(
            f"{name}: is not a model, or a damaged one ({error}); {_MAKE_ONE}"
        ) from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InvalidInputError(f"{name}: is not a model: expected format {FORMAT!r}; {_MAKE_ONE}")
    if not is_choice(content.get("version"), (VERSION, OF_BANDS)):
        raise InvalidInputError(
            f"{name}: expected a model of version {VERSION} or {OF_BANDS}, "
            f"got {shown(content.get('version'))}; "
            "make it again, or install the meanshift-segment that made it"
        )
    if content.get("features") != "color":
        raise InvalidInputError(
            f"{name}: expected a model of features 'color', got {shown(content.get('features'))}; "
            f"{_MAKE_ONE}"
        )
    return _checked(content, name)


def _checked(content: dict[str, Any], name: str) -> Model:
    """Return the model in a file's content; whatever of it is not what `save` writes is damage."""
    try:
        modes = _numbers(content["modes"])
        bandwidth, n_iter, space = (content[k] for k in ("bandwidth", "iterations", "color_space"))
        settings = _flat(content["settings"])
        Range(0).check("bandwidth", bandwidth)
        Range(0, whole=True).check("iterations", n_iter)
        if not is_choice(space, COLOR_SPACES):
            raise ValueError(f"color_space {shown(space)}")
        scale, bands = _scale(content, modes.shape[1])
        wide: tuple[int, ...] = (1,) if space == "gray" else (1, 3) if space == "rgb" else (3,)
        if modes.shape[1] not in wide and not (scale and space == "rgb"):
            raise ValueError(f"modes of shape {modes.shape} in {space}")
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else error
        raise InvalidInputError(f"{name}: is a damaged model ({what}); {_MAKE_ONE}") from None
    return Model(modes, float(bandwidth), n_iter, space, settings, scale, bands)


def _scale(content: dict[str, Any], count: int) -> tuple[BandScale | None, tuple[str, ...]]:
    """Return the scale of so many bands and their names, of a file that has them."""
    if content["version"] != OF_BANDS:
        return None, ()
    low, unit = (_numbers([content[name]])[0] for name in ("low", "unit"))
    names = content["bands"]
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise TypeError("names of bands that are none")
    if len(low) != count or len(unit) != count or len(names) not in (0, count):
        raise ValueError(f"{len(unit)} scales and {len(names)} names of {count} bands")
    if not (unit > 0).all():
        raise ValueError(f"units {unit.tolist()}")
    return BandScale(low, unit), tuple(names)


def _numbers(rows: Any) -> NDArray[np.float64]:
    """Numbers in rows of equal length; NumPy alone would also take text and truth values."""
    for row in rows:
        if any(type(value) not in (int, float) for value in row):
            raise TypeError("modes that are no numbers")
    return checked_matrix(np.array(rows, dtype=np.float64), "modes")


def _flat(settings: Any) -> dict[str, Any]:
    """Settings as `save` writes them: names with values that hold no others."""
    if not isinstance(settings, dict):
        raise TypeError("settings that are none")
    if any(isinstance(value, (dict, list)) for value in settings.values()):
        raise TypeError("settings of a kind that there is not")
    return settings
