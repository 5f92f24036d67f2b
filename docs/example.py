# %% [markdown]
# # A notebook: from a photo to its segments
#
# Every picture and number on this page was made by running the code above it:
# `python docs/make_example.py` writes the page from `docs/example.py`.

# %%
import numpy as np
from PIL import Image

from segment import MeanShift, Model, Segmentation, cluster_figure, fit_modes, segment_image

photo = np.asarray(Image.open("sample_images/coffee.png"))
segmentation = segment_image(photo)
segmentation

# %% [markdown]
# In a notebook a segmentation shows itself, each segment in its mean colour. Its parts are plain
# arrays. Labels follow the density of the modes, the densest first, not the size of the segments:
# label 7 has more pixels than label 6.

# %%
for label, (size, color) in enumerate(
    zip(segmentation.sizes.tolist(), segmentation.colors.tolist(), strict=True), start=1
):
    print(f"label {label}: {size:6} pixels, mean colour {color}")

# %% [markdown]
# ## Outlines
#
# Colour alone scatters a segment over the image. Connected regions of at least 300 pixels make
# better outlines.

# %% The photo of a cup of coffee with yellow lines around its regions
regions = segment_image(photo, min_size=300)
Image.fromarray(regions.boundaries(photo))

# %% [markdown]
# ## So many segments
#
# Instead of a bandwidth a number can be given. The segmentation tells the bandwidth that gave it.

# %%
five = segment_image(photo, target_segments=5)
print(f"{len(five.sizes)} segments with bandwidth {five.bandwidth}")
five

# %% [markdown]
# ## What mean shift sees
#
# Below the pictures: some of the pixels in the colour space, in the colour of their segment, with
# the modes as rings; and climbs to the modes of the largest segments. A climb starts at a pixel
# (left) and goes to the mean of the pixels within the bandwidth until that no longer moves it. The
# density never falls on the way, and flat stretches are where a narrower bandwidth would
# find further modes.

# %% Photo, segments, boundaries; pixels in colour space with the modes; density along climbs
segmentation.figure(photo, "coffee.png")

# %% [markdown]
# ## The same labels for several images
#
# One set of modes, found in two photos together, labels each of them and a third one. A label means
# the same colour everywhere.

# %%
astronaut = np.asarray(Image.open("sample_images/astronaut.png"))
model = fit_modes([photo, astronaut], quantile=0.1)
for image in (photo, astronaut, photo[::-1, ::2]):
    print(segment_image(image, model=model).sizes.tolist())

# %% [markdown]
# A model is kept as JSON, a segmentation as NumPy arrays; both come back to the bit.

# %%
model.save("outputs/modes.json")
segmentation.save("outputs/coffee.npz")
assert np.array_equal(Model.load("outputs/modes.json").modes, model.modes)
assert np.array_equal(Segmentation.load("outputs/coffee.npz").labels, segmentation.labels)

# %% [markdown]
# ## Points that are no pixels
#
# `MeanShift` stands in for scikit-learn's. In two dimensions the density that it climbs can be seen
# as a whole: a mode is a top, and a cluster is what climbs to it.

# %% Three clusters of points with their centres, and the density as a surface with three tops
rng = np.random.RandomState(0)
points = np.concatenate([rng.normal(center, 1, (150, 2)) for center in ((0, 0), (5, 1), (2, 5))])
clusters = MeanShift(bandwidth=2).fit(points)
cluster_figure(points, clusters)
