"""The estimator: `MeanShift` and `mean_shift`, drop-ins for scikit-learn's."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InvalidInputError, shown
from segment.meanshift.bandwidth import estimate_bandwidth
from segment.meanshift.modes import choose_modes, climb_to_ends
from segment.meanshift.points import distinct_points
from segment.meanshift.seeds import get_bin_seeds
from segment.meanshift.tree import build_tree, nearest_mode
from segment.scikit_learn import Clusterer, feature_names, not_fitted
from segment.settings import ASSIGNS, KERNELS, Assign, Kernel, Range, is_choice
from segment.validation import checked_bandwidth, checked_matrix

CHOICES: dict[str, tuple[Any, ...]] = {
    "bin_seeding": (True, False),
    "cluster_all": (True, False),
    "kernel": KERNELS,
    "assign": ASSIGNS,
}


class MeanShift(Clusterer):
    """Mean shift clustering.

    Parameters
    ----------
    bandwidth : float, >= 1e-150, optional
        Radius of the kernel, in the unit of the points. Larger: fewer clusters.
        Default: `estimate_bandwidth` of the points.
    seeds : (m, d) array-like, optional
        Where the climbs start. Default: see `bin_seeding`.
    bin_seeding : bool, default False
        Start from the bins of `get_bin_seeds` (quick) instead of from every point.
    min_bin_freq : int, >= 1, default 1
        Bins with fewer points give no seed.
    cluster_all : bool, default True
        Otherwise points farther than `bandwidth` from every mode get label -1.
    n_jobs : int, optional
        Threads; None and negative numbers take the cores available. The result does
        not depend on it.
    max_iter : int, >= 0, default 300
        Longest climb.
    kernel : {"flat", "gaussian"}, default "flat"
        Weight at distance d: 1 up to the bandwidth h, or exp(-d^2 / (2 h^2)) up to 3 h.
    assign : {"nearest", "basin"}, default "nearest"
        A point takes its nearest mode, or climbs and takes the mode nearest to its end.

    Attributes
    ----------
    cluster_centers_ : (k, d) array
        The modes, densest first; float32 for float32 points, else float64.
    labels_ : (n,) int64 array
        Number of the nearest mode, the first at a tie; -1 for orphans.
    n_iter_ : int
        Moves of the longest climb.
    n_features_in_ : int
        d.
    feature_names_in_ : (d,) array of str
        Names of the columns; only after a fit on a data frame whose columns are named by text.

    Notes
    -----
    Modes and labels are bit-identical to scikit-learn's where sums of the points are
    exact in float64, as those of whole numbers are; else modes agree within 1e-3
    bandwidth and at least 99.9 % of the labels are equal.

    References
    ----------
    D. Comaniciu and P. Meer, "Mean shift: a robust approach toward feature space
    analysis", PAMI 24(5), 2002.

    Examples
    --------
    >>> from segment import MeanShift
    >>> X = [[1, 1], [2, 1], [1, 0], [4, 7], [3, 5], [3, 6]]
    >>> clustering = MeanShift(bandwidth=2).fit(X)
    >>> clustering.labels_
    array([1, 1, 1, 0, 0, 0])
    >>> clustering.predict([[0, 0], [5, 5]])
    array([1, 0])
    >>> clustering
    MeanShift(bandwidth=2)
    """

    __module__ = "segment"

    def __init__(
        self,
        *,
        bandwidth: float | None = None,
        seeds: ArrayLike | None = None,
        bin_seeding: bool = False,
        min_bin_freq: int = 1,
        cluster_all: bool = True,
        n_jobs: int | None = None,
        max_iter: int = 300,
        kernel: Kernel = "flat",
        assign: Assign = "nearest",
    ) -> None:
        self.bandwidth = bandwidth
        self.seeds = seeds
        self.bin_seeding = bin_seeding
        self.min_bin_freq = min_bin_freq
        self.cluster_all = cluster_all
        self.n_jobs = n_jobs
        self.max_iter = max_iter
        self.kernel = kernel
        self.assign = assign

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Find the modes of the points and label them.

        Parameters
        ----------
        X : (n, d) array-like
            Finite numbers, in any unit; or a data frame of pandas, polars or Arrow.
        y : ignored

        Raises
        ------
        InvalidInputError
            A ValueError: `X` or a parameter is not what it should be, or no seed has a
            point within `bandwidth`.
        """
        self._check_parameters()
        points, names = checked_matrix(X), feature_names(X)
        bandwidth = self._bandwidth(points)
        distinct = distinct_points(points)
        tree = build_tree(distinct.points, distinct.weights)
        basin = self.assign == "basin"
        ends = climb_to_ends(
            tree,
            distinct.points if basin else self._seeds(points, bandwidth),
            bandwidth=float(bandwidth),
            kernel=self.kernel,
            max_iter=self.max_iter,
            threads=self._threads(),
        )
        modes, owner = choose_modes(ends, float(bandwidth))
        labels, distances = nearest_mode(tree, modes)
        if basin:
            labels = owner[ends.which]
        if not self.cluster_all:
            labels[distances > bandwidth] = -1
        self.cluster_centers_ = modes.astype(points.dtype if points.dtype.kind == "f" else float)
        self.labels_: NDArray[np.int64] = distinct.spread(labels).astype(np.int64)
        self.n_iter_ = ends.n_iter
        self._keep_features(points.shape[1], names)
        return self

    def fit_predict(self, X: ArrayLike, y: object = None) -> NDArray[np.int64]:
        """Fit and return `labels_`."""
        return self.fit(X).labels_

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Label new points by their nearest mode, however far away.

        Parameters
        ----------
        X : (n, d) array-like
            With the columns of the fit; a UserWarning where only one of the two has names.

        Returns
        -------
        labels : (n,) int64 array
            In 0..k-1.

        Raises
        ------
        NotFittedError
            Before a fit; scikit-learn's, too, where that is loaded.
        InvalidInputError
            A ValueError: `X` is not what it should be, or has other columns than the fit.
        """
        if not hasattr(self, "cluster_centers_"):
            raise not_fitted(type(self).__name__)
        points = checked_matrix(X)
        self._check_features(points.shape[1], feature_names(X))
        distinct = distinct_points(points)
        tree = build_tree(distinct.points, distinct.weights)
        labels, _ = nearest_mode(tree, self.cluster_centers_.astype(np.float64))
        return distinct.spread(labels).astype(np.int64)

    def _check_parameters(self) -> None:
        if self.bandwidth is not None:
            checked_bandwidth("bandwidth", self.bandwidth)
        Range(1, whole=True).check("min_bin_freq", self.min_bin_freq)
        Range(0, 2**31 - 1, whole=True).check("max_iter", self.max_iter)
        if self.n_jobs is not None:
            Range(-(2**31), whole=True).check("n_jobs", self.n_jobs)
            if self.n_jobs == 0:
                raise InvalidInputError("n_jobs: expected a number of threads or -1, got 0")
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            if not is_choice(value, choices):
                expected = " or ".join(map(str, choices))
                raise InvalidInputError(f"{name}: expected {expected}, got {shown(value)}")
        if self.assign == "basin" and (self.seeds is not None or self.bin_seeding):
            raise InvalidInputError(
                "assign: expected 'nearest' with seeds or bin_seeding, got 'basin', where the "
                "points are the seeds"
            )

    def _bandwidth(self, points: NDArray[Any]) -> float:
        if self.bandwidth is not None:
            return checked_bandwidth("bandwidth", self.bandwidth)  # type: ignore[no-any-return]
        estimated = estimate_bandwidth(points)
        if estimated:  # 0 where points lie on each other: then each place is a mode
            checked_bandwidth("bandwidth, estimated", estimated)
        return estimated

    def _seeds(self, points: NDArray[Any], bandwidth: float) -> NDArray[Any]:
        if self.seeds is not None:
            seeds = checked_matrix(self.seeds, "seeds")
            if seeds.shape[1] != points.shape[1]:
                raise InvalidInputError(
                    f"seeds: expected shape (m, {points.shape[1]}) like the points, "
                    f"got {seeds.shape}"
                )
            return seeds
        if self.bin_seeding:
            return get_bin_seeds(points, bandwidth, self.min_bin_freq)
        return points

    def _threads(self) -> int | None:
        return self.n_jobs if self.n_jobs is not None and self.n_jobs > 0 else None


def mean_shift(
    X: ArrayLike,
    *,
    bandwidth: float | None = None,
    seeds: ArrayLike | None = None,
    bin_seeding: bool = False,
    min_bin_freq: int = 1,
    cluster_all: bool = True,
    max_iter: int = 300,
    n_jobs: int | None = None,
    kernel: Kernel = "flat",
    assign: Assign = "nearest",
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Cluster points with mean shift; the parameters are those of `MeanShift`.

    Returns
    -------
    cluster_centers : (k, d) array
        The modes, densest first.
    labels : (n,) int64 array
        Number of the nearest mode; -1 for orphans without `cluster_all`.

    Examples
    --------
    >>> from segment import mean_shift
    >>> modes, labels = mean_shift([[1.0], [2.0], [9.0]], bandwidth=2)
    >>> modes.ravel(), labels
    (array([1.5, 9. ]), array([0, 0, 1]))
    """
    model = MeanShift(
        bandwidth=bandwidth,
        seeds=seeds,
        bin_seeding=bin_seeding,
        min_bin_freq=min_bin_freq,
        cluster_all=cluster_all,
        max_iter=max_iter,
        n_jobs=n_jobs,
        kernel=kernel,
        assign=assign,
    ).fit(X)
    return model.cluster_centers_, model.labels_


mean_shift.__module__ = "segment"
