"""One image with several bandwidths: what each gives, and a sheet to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import ArrayLike, NDArray

from segment.drawing.contact_sheet import Panel, contact_sheet
from segment.drawing.scaling import fit_panel
from segment.errors import InvalidInputError
from segment.method.pipeline import Prepared
from segment.pixels.bands import BandImage
from segment.pixels.image import pixels_of
from segment.settings import Settings


@dataclass(frozen=True)
class Trial:
    """What one bandwidth gave.

    Attributes
    ----------
    quantile : float or None
        None where the bandwidth was given.
    bandwidth, segments, iterations : numbers or None
        None where there are no segments.
    error : str or None
        Why there are none.
    """

    quantile: float | None
    bandwidth: float | None = None
    segments: int | None = None
    iterations: int | None = None
    error: str | None = None

    def caption(self) -> tuple[str, str]:
        """Return it as two lines of text."""
        name = f"bandwidth {self.bandwidth:.4g}" if self.bandwidth is not None else "no segments"
        found = f"{self.segments} segment{'' if self.segments == 1 else 's'}"
        if self.quantile is None:
            return name, found if self.error is None else "no segments"
        return f"quantile {self.quantile:g}", name if self.error else f"{name}, {found}"


def sweep(
    image: NDArray[Any] | BandImage,
    choices: Sequence[Settings],
    *,
    mask: ArrayLike | None = None,
    recolor: Literal["mean", "mode"] = "mean",
) -> tuple[list[Trial], Any]:
    """Segment an image once for each choice; its distinct colours and tree are built once.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array, or BandImage
        As `segment_image` takes it.
    choices : sequence of Settings
        Alike but for quantile and bandwidth.
    mask : (H, W) array-like, optional
    recolor : {"mean", "mode"}, default "mean"

    Returns
    -------
    trials : list of Trial
        One for each choice, in their order; a choice that gives no segments says why.
    sheet : PIL image
        The original, then the image recoloured by each choice.
    """
    pixels = pixels_of(image, mask, scale=choices[0].scale)
    prepared = Prepared(pixels, choices[0])
    height, width = pixels.shape
    photo = pixels_of(image, scale=choices[0].scale).rgb()  # all of it, whatever the mask
    panels = [Panel(fit_panel(photo), ("original", f"{width} x {height}"))]
    trials = []
    for settings in choices:
        quantile = settings.quantile if settings.bandwidth is None else None
        try:
            found = prepared.segment(settings)
        except InvalidInputError as error:
            trial = Trial(quantile, settings.bandwidth, error=str(error))
            picture = None
        else:
            trial = Trial(quantile, found.bandwidth, len(found.sizes), found.n_iter)
            picture = fit_panel(found.recolored(recolor, ground=255))  # as the photo beside it
        trials.append(trial)
        panels.append(Panel(picture, trial.caption()))
    return trials, contact_sheet(panels)
