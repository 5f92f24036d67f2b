"""scikit-learn's neighbours without its checks of arguments, which take most of its mean shift."""

from sklearn.neighbors import NearestNeighbors


class QuickNeighbors(NearestNeighbors):
    """Asks the k-d tree that scikit-learn has built, where it asks that, too."""

    def radius_neighbors(self, X=None, radius=None, return_distance=True, sort_results=False):
        """Return the places of the neighbours of each row of `X`; see `NearestNeighbors`."""
        if return_distance or self._fit_method != "kd_tree":
            return super().radius_neighbors(X, radius, return_distance, sort_results)
        return self._tree.query_radius(X, self.radius if radius is None else radius)
