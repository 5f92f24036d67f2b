"""Prints what `segment_image` and `MeanShift` answer to many cases, as digests by name, in JSON.

`tests/meanshift/test_instructions.py` runs it in processes with other instruction sets.
"""

import hashlib
import itertools
import json
import os

import numpy as np
from skimage import data

from segment import MeanShift, segment_image
from segment.meanshift.modes import choose_modes, climb_to_ends
from segment.pixels.joint import build_pyramid, joint_seeds, label_pixels

SPACES = {"rgb": 1.0, "lab": 0.4, "luv": 0.5, "hsv": 0.006, "gray": 0.8}  # scale of the radii
IMAGES = {
    "coffee": lambda: data.coffee()[120:150, 180:222],
    "chelsea": lambda: data.chelsea()[90:118, 120:158],
    "retina": lambda: data.retina()[600:630, 500:538],
    "camera": lambda: data.camera()[150:180, 200:238],
    "16 bits": lambda: data.coffee()[100:130, 200:230].astype(np.uint16) * 199 + 77,
    "floats": lambda: np.sqrt(data.astronaut()[60:88, 200:230] / 255.0),
}
OPTIONS = list(
    itertools.product(["color", "joint"], SPACES, ["flat", "gaussian"], ["nearest", "basin"])
)
CASES = [
    *(f"coffee, {', '.join(options)}" for options in OPTIONS),
    *(  # every option with every other image, but not all of them together
        f"{name}, {', '.join(OPTIONS[i])}"
        for n, name in enumerate(list(IMAGES)[1:])
        for i in range(n, len(OPTIONS), 5)
    ),
    *(f"points, {kernel}, {assign}" for _, _, kernel, assign in OPTIONS[:4]),
    *(f"bands, {count}, {kernel}" for count in (2, 4, 9) for kernel in ("flat", "gaussian")),
]


def digest(*arrays):
    """Of the bytes of some arrays or numbers."""
    return hashlib.sha256(b"".join(np.asarray(array).tobytes() for array in arrays)).hexdigest()


def of_image(name, features, space, kernel, assign):
    """The digest of all that a segmentation is."""
    image = IMAGES[name]()
    options = {"features": features, "color_space": space, "kernel": kernel, "assign": assign}
    narrow = SPACES[space] / (3 if kernel == "gaussian" else 1)
    if features == "joint":
        options |= {"spatial_radius": 6.5, "range_radius": 25 * narrow, "min_size": 5}
    elif kernel == "gaussian":
        options |= {"bandwidth": 30 * narrow, "min_size": 9}
    threads = int(os.environ.get("SEGMENT_TEST_THREADS", 0)) or None
    found = segment_image(image, threads=threads, **options)
    return digest(
        found.labels, found.modes, found.colors, found.mode_colors, found.sizes,
        found.bandwidth, found.n_iter,
    )  # fmt: skip


def of_points(kernel, assign):
    """The digest of what the estimator finds in points of four dimensions, not on any grid."""
    points = np.random.default_rng(2).normal(0, 1, (400, 4)) + np.eye(4).repeat(100, axis=0) * 4
    bandwidth = 1.9 if kernel == "flat" else 0.8
    model = MeanShift(bandwidth=bandwidth, kernel=kernel, assign=assign).fit(points)
    return digest(model.cluster_centers_, model.labels_, model.n_iter_)


def of_bands(count, kernel):
    """The digest of what is found in colour and in joint, in bands of 8 bits and of floats."""
    names = ("coffee", "retina", "chelsea")
    bands = np.concatenate([IMAGES[name]()[:28, :38] for name in names], axis=2)[..., :count]
    found, width = [], (20 if kernel == "flat" else 9) * count**0.5
    for image in (bands, np.rint(bands * 0.7 * 2**12) / 2**12):
        pyramid = build_pyramid(image, None, (6.5, width))
        seeds = joint_seeds(image, None, (6.5, width), 1.0)
        ends = climb_to_ends(pyramid, seeds, bandwidth=1.0, kernel=kernel)
        modes = choose_modes(ends, 1.0).places
        model = MeanShift(bandwidth=width, kernel=kernel, bin_seeding=True)
        model.fit(image.reshape(-1, count))
        found += [ends.places[ends.which], ends.weights[ends.which]]  # one a seed
        found += [modes, label_pixels(pyramid, modes, bandwidth=1.0)]
        found += [model.cluster_centers_, model.labels_]
    return digest(*found)


if __name__ == "__main__":
    print(json.dumps({case: (
        of_points(*case.split(", ")[1:]) if case.startswith("points") else
        of_bands(int(case.split(", ")[1]), case.split(", ")[2]) if case.startswith("bands") else
        of_image(*case.split(", "))) for case in CASES}))  # fmt: skip
