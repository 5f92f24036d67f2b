"""Workers of a cluster: how much each is given at once."""

from types import SimpleNamespace

import pytest

from segment.clusters.crew import PARTS, ClusterCrew
from segment.strips.strips import Share


@pytest.mark.parametrize(
    ("workers", "expected"),
    [
        pytest.param([(4000, 2), (3000, 1)], 1000, id="the-least-of-all-threads"),
        pytest.param([(0, 2), (90_000, 1)], 5000, id="no-more-than-is-asked-for"),
        pytest.param([(0, 2), (0, 1)], 5000, id="workers-without-a-limit"),
    ],
)
def test_a_window_takes_half_of_what_a_thread_has(workers, expected):
    """High strips are bounded by the memory of workers, and each thread gets several."""
    described = {
        name: {"memory_limit": limit, "nthreads": threads}
        for name, (limit, threads) in enumerate(workers)
    }
    client = SimpleNamespace(scheduler_info=lambda n_workers: {"workers": described})
    assert ClusterCrew(client).share(5000) == Share(PARTS * 3, expected)
