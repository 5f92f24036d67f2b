"""Photos, and the fixtures that scikit-learn's own tests ask for."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from PIL import Image
from sklearn.neighbors import NearestNeighbors

from tests.quick_neighbors import QuickNeighbors

settings.register_profile(  # a test says what is right, not how fast: also of a slow machine
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")
BSDS = Path(__file__).parents[2] / "shared" / "bsds500" / "images"


def pytest_addoption(parser):
    """Let the fuzz test of damaged files run longer."""
    parser.addoption(
        "--fuzz-rounds", type=int, default=12, help="mutations of each file in test_fuzz.py"
    )


@pytest.fixture
def fuzz_rounds(request):
    """Mutations of each file."""
    return request.config.getoption("--fuzz-rounds")


def pytest_configure(config):
    """Know the mark of scikit-learn's own tests; commands that are run are those of users."""
    os.environ.pop("FORCE_COLOR", None)  # as CI services set it
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # installed ones have theirs
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # by a shell, for all in its background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "thread_unsafe: not for pytest-run-parallel")


@pytest.fixture(scope="session", autouse=True)
def quick_scikit_learn():
    """Mean shift as scikit-learn has it, without its checks; yield its neighbours as they are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sklearn.cluster._mean_shift.NearestNeighbors", QuickNeighbors)
        yield NearestNeighbors


@pytest.fixture(scope="session")
def bundled_photos():
    """Five photos that come with scikit-image, small enough for scikit-learn."""
    from skimage import data

    return {
        "astronaut": data.astronaut()[::5, ::5],
        "chelsea": data.chelsea()[::4, ::4],
        "coffee": data.coffee()[::5, ::5],
        "rocket": data.rocket()[::6, ::6],
        "retina": data.retina()[::15, ::15],
    }


@pytest.fixture(scope="session")
def bsds_photos():
    """Twelve photos spread over BSDS500, at full size: 481 x 321 or 321 x 481."""
    files = sorted(BSDS.rglob("*.jpg"))
    if not files:
        pytest.skip(f"needs the photos of BSDS500 in {BSDS}")
    return [np.asarray(Image.open(file)) for file in files[:: len(files) // 12]][:12]


@pytest.fixture(params=[np.float32, np.float64], ids=["float32", "float64"])
def global_dtype(request):
    """As scikit-learn's own conftest has it."""
    return request.param


@pytest.fixture
def global_random_seed():
    """As scikit-learn's own conftest has it by default."""
    return 42
