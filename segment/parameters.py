"""What scikit-learn's tools ask of an estimator's parameters."""

from __future__ import annotations

import inspect
from typing import Any, Self

import numpy as np

from segment.errors import InvalidInputError


class Parametrized:
    """An object whose parameters are the arguments of its constructor, by name."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name."""
        return {name: getattr(self, name) for name in self._defaults()}

    def set_params(self, **params: Any) -> Self:
        """Change parameters; returns the estimator."""
        for name, value in params.items():
            if name not in self._defaults():
                raise InvalidInputError(
                    f"Invalid parameter {name!r} for {type(self).__name__}; "
                    f"valid are {sorted(self._defaults())}"
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
        signature = inspect.signature(cls)
        return {name: parameter.default for name, parameter in signature.parameters.items()}
