"""Options that exclude each other."""

from __future__ import annotations

import click

from segment.options import given

FINDING = (  # how modes are found: of no use where they are known
    "quantile",
    "n_samples",
    "seed",
    "bandwidth",
    "target_segments",
    "spatial_weight",
    "spatial_radius",
    "range_radius",
    "kernel",
    "assign",
    "min_bin_freq",
    "max_iter",
)


def check_together(write: tuple[str, ...]) -> None:
    """Refuse options of the command at hand that exclude each other, as usage errors."""
    decides = ("bandwidth", "target_segments", "spatial_radius", "range_radius")
    elsewhere = ("model", "save_model", "fit_together")
    written = ("write", "report_page", "labels", "segmented", "label_format")
    _exclude("sweep", ("sweep_bandwidth", *decides, *elsewhere, *written))
    _exclude("sweep_bandwidth", ("quantile", *decides, *elsewhere, *written))
    _exclude("model", ("save_model", "fit_together", *FINDING))
    if "figure" in write:
        _check_matplotlib()


def _check_matplotlib() -> None:
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise click.UsageError(
            "'--write figure' needs matplotlib, which is not installed; "
            "pip install 'meanshift-segment[plot]'"
        )


def _exclude(name: str, others: tuple[str, ...]) -> None:
    if not given(name):
        return
    for other in others:
        if given(other):
            raise click.UsageError(
                f"{_spelt(name)} and {_spelt(other)} exclude each other; leave one of them out"
            )


def _spelt(name: str) -> str:
    params = click.get_current_context().command.params
    return f"'{next(max(p.opts, key=len) for p in params if p.name == name)}'"
