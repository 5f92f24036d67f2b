"""An array to an array of labels, called as scikit-image's functions are."""

from __future__ import annotations

import math
import operator
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InvalidInputError, shown
from segment.method.pipeline import SETTINGS, segment_image
from segment.settings import Settings, is_choice
from segment.validation import as_array, checked_mask


def mean_shift_labels(
    image: ArrayLike,
    *,
    channel_axis: SupportsIndex | None = -1,
    mask: ArrayLike | None = None,
    start_label: int = 1,
    **settings: Any,
) -> NDArray[np.int32]:
    """Return the label of every pixel, as ``slic`` and ``felzenszwalb`` of scikit-image do.

    Parameters
    ----------
    image : (M, N[, P, ...][, C]) array-like
        Grey or of C channels; of the values and channels that `segment_image` takes.
    channel_axis : int or None, default -1
        The axis of the channels; None for a grey image, which has none.
    mask : (M, N[, P, ...]) array-like, optional
        Pixels where it is 0 take no part, whatever their values are, NaN included.
    start_label : {0, 1}, default 1
        Label of the first segment. Pixels of no segment (out of the mask, transparent, or
        beyond every mode without `cluster_all`) have the one before it: 0, or -1.
    **settings
        Parameters of `segment_image` by name, with its defaults: the bands (`alpha`, `scale`), the
        bandwidth (`quantile`, `bandwidth`, `n_samples`, `seed`, `target_segments`), the points
        (`features`, `color_space`, `spatial_weight`, `spatial_radius`, `range_radius`), the climb
        (`kernel`, `assign`, `min_bin_freq`, `max_iter`, `cluster_all`), regions (`connected`,
        `connectivity`, `min_size`), the hierarchy (`level`, `segments`, `keep`), `model` and
        `threads`.

    Returns
    -------
    labels : (M, N[, P, ...]) int32 array
        Those of `segment_image`: clusters in the order of their modes, densest first, or
        connected regions in scan order.

    Raises
    ------
    InvalidInputError
        A ValueError: as for `segment_image`; or an image of more than two axes beside the
        channels is to have regions or a hierarchy, or its positions are to count.

    See Also
    --------
    segment_image : the same, and the modes, colours, sizes and bandwidth.

    Notes
    -----
    Volumes and other images of more than two axes are clustered by colour, whose answer does
    not depend on where pixels stand: their labels are those of all their pixels in one row.

    Examples
    --------
    >>> import numpy as np
    >>> from segment import mean_shift_labels
    >>> image = np.zeros((3, 2, 3), np.uint8)  # channels first
    >>> image[:, :, 1:] = 200
    >>> mean_shift_labels(image, channel_axis=0, bandwidth=30)
    array([[2, 1, 1],
           [2, 1, 1]], dtype=int32)
    >>> mean_shift_labels(image, channel_axis=0, bandwidth=30, start_label=0)
    array([[1, 0, 0],
           [1, 0, 0]], dtype=int32)
    """
    if not is_choice(start_label, (0, 1)):
        raise InvalidInputError(f"start_label: expected 0 or 1, got {shown(start_label)}")
    pixels = _channels_last(as_array("image", image), channel_axis)
    *shape, channels = pixels.shape
    if len(shape) > 2:
        _check_by_color(settings, len(shape))
    plane = math.prod(shape[:-1]), shape[-1]
    if mask is not None:
        mask = checked_mask("mask", mask, tuple(shape))
        pixels = np.where(mask[..., None], pixels, np.zeros((), pixels.dtype))
        mask = mask.reshape(plane)
    found = segment_image(pixels.reshape(*plane, channels), mask=mask, **settings)
    labels = found.labels.reshape(shape)
    return labels if start_label else labels - np.int32(1)


mean_shift_labels.__module__ = "segment"


def _channels_last(image: NDArray[Any], axis: SupportsIndex | None) -> NDArray[Any]:
    """Return the image with its channels on the last axis, one where it has no axis of them."""
    if axis is None:
        if image.ndim < 2:
            raise InvalidInputError(
                f"image: expected a grey one of shape (M, N[, P, ...]), got shape {image.shape}"
            )
        return image[..., None]
    try:
        place = operator.index(axis)
    except TypeError:
        place = image.ndim
    if isinstance(axis, bool | np.bool_) or not -image.ndim <= place < image.ndim:
        raise InvalidInputError(
            f"channel_axis: expected one of the {image.ndim} axes of the image by its number, or "
            f"None for a grey image, got {shown(axis)}"
        )
    if image.ndim < 3:
        raise InvalidInputError(
            f"channel_axis: expected None for an image of {image.ndim} axes, got {place}; "
            "with None it is grey"
        )
    return np.moveaxis(image, place, -1)


def _check_by_color(settings: dict[str, Any], axes: int) -> None:
    """Refuse settings that ask where pixels stand, which they do on two axes alone."""
    known = Settings(**{name: settings[name] for name in SETTINGS & settings.keys()})
    asked = {
        "features": known.features == "joint",
        "connected": bool(known.connected),
        "min_size": bool(known.min_size),
        "level": known.level is not None,
        "segments": known.segments is not None,
    }
    for name in filter(asked.__getitem__, asked):
        raise InvalidInputError(
            f"{name}: expected its default for an image of {axes} axes beside the channels, got "
            f"{getattr(known, name)!r}; leave it out, or label the image plane by plane"
        )
