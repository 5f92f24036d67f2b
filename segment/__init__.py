"""Split images into segments with mean shift: scikit-learn's answer, hundreds of times faster.

>>> from segment import segment_image
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from segment.drawing.points_figure import cluster_figure
    from segment.errors import (
        ImageFileError,
        InvalidInputError,
        MissingPackageError,
        NotFittedError,
        SegmentError,
    )
    from segment.meanshift.bandwidth import estimate_bandwidth
    from segment.meanshift.estimator import MeanShift, mean_shift
    from segment.meanshift.seeds import get_bin_seeds
    from segment.method.fitting import fit_modes
    from segment.method.hierarchy import Hierarchy, hierarchy
    from segment.method.label_array import mean_shift_labels
    from segment.method.model import Model
    from segment.method.pipeline import segment_image
    from segment.method.segmentation import Segmentation

_HOMES = {
    "Hierarchy": "method.hierarchy",
    "ImageFileError": "errors",
    "InvalidInputError": "errors",
    "MeanShift": "meanshift.estimator",
    "MissingPackageError": "errors",
    "Model": "method.model",
    "NotFittedError": "errors",
    "SegmentError": "errors",
    "Segmentation": "method.segmentation",
    "cluster_figure": "drawing.points_figure",
    "estimate_bandwidth": "meanshift.bandwidth",
    "fit_modes": "method.fitting",
    "get_bin_seeds": "meanshift.seeds",
    "hierarchy": "method.hierarchy",
    "mean_shift": "meanshift.estimator",
    "mean_shift_labels": "method.label_array",
    "segment_image": "clusters.any_image",
}
_BEFORE = ("estimator", "model", "segmentation")  # modules that pickles of 0.1 name

__all__ = [
    "Hierarchy",
    "ImageFileError",
    "InvalidInputError",
    "MeanShift",
    "MissingPackageError",
    "Model",
    "NotFittedError",
    "SegmentError",
    "Segmentation",
    "__version__",
    "cluster_figure",
    "estimate_bandwidth",
    "fit_modes",
    "get_bin_seeds",
    "hierarchy",
    "mean_shift",
    "mean_shift_labels",
    "segment_image",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `--help` needs no NumPy."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"segment.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__


for _name in _BEFORE:
    _module = ModuleType(f"segment.{_name}", "Hands out the public names, for older pickles.")
    vars(_module)["__getattr__"] = __getattr__
    sys.modules[_module.__name__] = _module
