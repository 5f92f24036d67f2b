"""What scikit-learn asks of an estimator, without scikit-learn.

Nothing is imported from it but inside the methods that it calls itself, so that whoever comes here
has it loaded already. What users see is the same whether it is loaded or not, but for the class of
one error and for diagrams, which it draws.
"""

from __future__ import annotations

import functools
import inspect
import sys
import warnings
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InputTypeError, InvalidInputError, NotFittedError

if TYPE_CHECKING:
    from sklearn.utils import Tags
    from sklearn.utils.metadata_routing import MetadataRequest

MOST_NAMES = 5  # of columns, in an error


class Clusterer:
    """A clusterer to scikit-learn, whose parameters are the arguments of its constructor."""

    n_features_in_: int
    feature_names_in_: NDArray[Any]  # only after a fit on a data frame

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name."""
        return {name: getattr(self, name) for name in self._defaults()}

    def set_params(self, **params: Any) -> Self:
        """Change parameters; returns the estimator."""
        for name, value in params.items():
            if name not in self._defaults():
                raise InvalidInputError(
                    f"Invalid parameter {name!r} for estimator {self}. "
                    f"Valid parameters are: {[*self._defaults()]}."
                )
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        changed = (
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if value is not self._defaults()[name]
            and not np.array_equal(value, self._defaults()[name])
        )
        return f"{type(self).__name__}({', '.join(changed)})"

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        """The parameters in scikit-learn's order, that of their names."""
        parameters = inspect.signature(cls).parameters
        return {name: parameters[name].default for name in sorted(parameters)}

    def __sklearn_tags__(self) -> Tags:
        """Return what scikit-learn wants to know of an estimator."""
        from sklearn.utils import Tags, TargetTags

        return Tags(estimator_type="clusterer", target_tags=TargetTags(required=False))

    def get_metadata_routing(self) -> MetadataRequest:
        """Return that `fit` and `predict` ask for nothing beside points, as scikit-learn's."""
        from sklearn.utils.metadata_routing import MetadataRequest

        return MetadataRequest(owner=type(self).__name__)

    def _repr_html_(self) -> str | None:
        """Return scikit-learn's diagram for a notebook; None, which shows text, without it."""
        if sys.modules.get("sklearn") is None:
            return None
        from sklearn import get_config
        from sklearn.utils import estimator_html_repr

        if get_config()["display"] != "diagram":
            return None
        diagram: str = estimator_html_repr(self)
        return diagram

    def _keep_features(self, number: int, names: NDArray[Any] | None) -> None:
        """Keep how many columns there were in a fit, and what they are called if they are."""
        self.n_features_in_ = number
        if names is not None:
            self.feature_names_in_ = names
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def _check_features(self, number: int, names: NDArray[Any] | None) -> None:
        """Raise or warn, as scikit-learn does, where columns are not those of the fit."""
        kind, fitted = type(self).__name__, getattr(self, "feature_names_in_", None)
        if fitted is not None and names is not None:
            _check_names(fitted, names)
        elif names is not None:
            text = f"X has feature names, but {kind} was fitted without feature names"
            warnings.warn(text, stacklevel=3)
        elif fitted is not None:
            text = f"X does not have valid feature names, but {kind} was fitted with feature names"
            warnings.warn(text, stacklevel=3)
        if number != self.n_features_in_:
            raise InvalidInputError(
                f"X has {number} features, but {kind} is expecting {self.n_features_in_} "
                "features as input."
            )


def feature_names(X: ArrayLike) -> NDArray[Any] | None:
    """Return the names of the columns of a data frame; None where they are no text, or none.

    Parameters
    ----------
    X : array-like
        A data frame of pandas, polars, Arrow or another with their protocols; all others
        have no names.

    Returns
    -------
    names : (d,) array of str objects or None

    Raises
    ------
    InputTypeError
        A TypeError: some names are text and others are not.

    Examples
    --------
    >>> feature_names([[1, 2], [3, 4]]) is None
    True
    """
    kind = type(X)  # of which no column can be an attribute, as it is of a pandas frame
    if not (hasattr(kind, "__dataframe__") or hasattr(kind, "__arrow_c_stream__")):
        return None
    columns = getattr(X, "column_names" if hasattr(kind, "column_names") else "columns", ())
    names = np.array([*columns], dtype=object)
    kinds = sorted({type(name).__qualname__ for name in names})
    if len(kinds) > 1 and "str" in kinds:
        raise InputTypeError(
            "Feature names are only supported if all input features have string names, but your "
            f"input has {kinds} as feature name / column name types; make them all text, with "
            "X.columns = X.columns.astype(str) for example, or none"
        )
    return names if kinds == ["str"] else None


def _check_names(fitted: NDArray[Any], names: NDArray[Any]) -> None:
    """Raise scikit-learn's error, word by word, where columns have other names than in the fit."""
    if np.array_equal(fitted, names):
        return
    unseen, missing = sorted({*names} - {*fitted}), sorted({*fitted} - {*names})
    lines = ["The feature names should match those that were passed during fit."]
    if unseen:
        lines += ["Feature names unseen at fit time:", *_listed(unseen)]
    if missing:
        lines += ["Feature names seen at fit time, yet now missing:", *_listed(missing)]
    if not unseen and not missing:
        lines += ["Feature names must be in the same order as they were in fit."]
    raise InvalidInputError("\n".join([*lines, ""]))


def _listed(names: list[str]) -> list[str]:
    more = ["- ..."] if len(names) > MOST_NAMES else []
    return [f"- {name}" for name in names[:MOST_NAMES]] + more


def not_fitted(name: str) -> NotFittedError:
    """Return the error of an estimator that is not fitted; also scikit-learn's, if that is loaded.

    Examples
    --------
    >>> isinstance(not_fitted("MeanShift"), NotFittedError)
    True
    """
    theirs = getattr(sys.modules.get("sklearn.exceptions"), "NotFittedError", None)
    kind = NotFittedError if theirs is None else _also(theirs)
    return kind(
        f"This {name} instance is not fitted yet. Call 'fit' with appropriate arguments before "
        "using this estimator."
    )


@functools.cache
def _also(theirs: type[Exception]) -> type[NotFittedError]:
    """Make a class of errors that handlers of ours and of theirs catch."""

    class Error(NotFittedError, theirs):  # type: ignore[misc, valid-type]
        __module__ = NotFittedError.__module__

        def __reduce__(self) -> tuple[Any, ...]:  # where it is unpickled theirs may not be loaded
            return NotFittedError, self.args

    Error.__name__ = Error.__qualname__ = NotFittedError.__name__
    return Error
