# %% [markdown]
# # Among scikit-image and scikit-learn
#
# Every picture and number on this page was made by running the code above it:
# `python docs/make_example.py` writes the page from `docs/scikit.py`.
#
# ## Labels, as scikit-image has them
#
# `segment_image` returns a segmentation: labels, modes, colours, sizes, the bandwidth. Its `labels`
# are a label map already. `mean_shift_labels` returns nothing else, and is called as `slic`,
# `felzenszwalb` and `quickshift` are, so that it can take their place where they stand: axes of
# channels, masks, first labels and volumes are what `segment_image` has no parameters for. All of
# its settings go with `mean_shift_labels`, too. Channels may be any number; the last of two or four
# is alpha, unless `alpha=False` says that it is one like the others, as `slic` takes all of them.

# %%
import numpy as np
from PIL import Image
from skimage.color import label2rgb
from skimage.measure import regionprops_table
from skimage.segmentation import expand_labels, mark_boundaries

from segment import MeanShift, mean_shift_labels

coffee = np.asarray(Image.open("sample_images/coffee.png"))
labels = mean_shift_labels(coffee, quantile=0.1, min_size=300)
print(labels.shape, labels.dtype, labels.min(), labels.max())

# %% [markdown]
# The labels go straight into what scikit-image does with its own.

# %% The photo of a cup of coffee with the boundaries that scikit-image draws
marked = mark_boundaries(coffee, labels, color=(1, 1, 0))
Image.fromarray((marked * 255).astype(np.uint8))

# %%
table = regionprops_table(
    labels, coffee, properties=("label", "area", "centroid", "intensity_mean")
)
largest = np.argsort(-table["area"])[:4]
for name, values in table.items():
    print(f"{name:16}", *(f"{value:9.1f}" for value in values[largest]))

# %% [markdown]
# With `cluster_all=False` pixels whose colour is beyond the bandwidth of every mode have no
# segment, label 0. `expand_labels` gives those that are near a segment to it.

# %% Segments in their mean colours on black, which has none; the same after they grew by 4 pixels
few = mean_shift_labels(coffee, bandwidth=20, min_bin_freq=2000, cluster_all=False)
grown = expand_labels(few, distance=4)
print(f"no segment: {np.mean(few == 0):.1%} of the pixels, then {np.mean(grown == 0):.1%}")
painted = [label2rgb(each, coffee, kind="avg", bg_label=0) for each in (few, grown)]
Image.fromarray(np.concatenate(painted, axis=1).astype(np.uint8))

# %% [markdown]
# `channel_axis`, `mask` and `start_label` mean what they mean to `slic`: channels may be on any
# axis, or on none; pixels out of the mask, NaN or not, have label 0, or -1 where the first segment
# has 0.

# %%
first = np.moveaxis(coffee, -1, 0)  # as most deep learning has images: (3, 400, 600)
assert np.array_equal(mean_shift_labels(first, channel_axis=0, min_size=300), labels)

camera = np.asarray(Image.open("sample_images/camera.png")) / 255
middle = np.zeros(camera.shape, bool)
middle[100:400, 50:450] = True
camera[~middle] = np.nan
found = mean_shift_labels(camera, channel_axis=None, mask=middle, start_label=0)
print(sorted({*found[~middle].tolist()}), sorted({*found[middle].tolist()}))

# %% [markdown]
# An image may have more axes, a volume or a series of frames. It is then clustered by colour, and a
# label means the same colour everywhere in it. Connected regions, positions as features and the
# hierarchy are of images with two axes: for others they are refused.

# %%
frames = np.stack([coffee, coffee[::-1], coffee[:, ::-1]])
volume = mean_shift_labels(frames, quantile=0.1)
print(volume.shape, np.array_equal(volume[0], volume[1][::-1]))

# %% [markdown]
# ## An estimator among estimators
#
# `MeanShift` is an estimator to scikit-learn, which need not be installed for it: it passes the
# checks that scikit-learn's own passes, takes data frames and keeps their names of columns, and is
# a step of pipelines and searches.

# %%
from sklearn.metrics import silhouette_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

rng = np.random.RandomState(0)
points = np.concatenate([rng.normal(center, 1, (100, 2)) for center in ((0, 0), (6, 1), (2, 7))])
pipeline = make_pipeline(StandardScaler(), MeanShift(bin_seeding=True))
search = GridSearchCV(
    pipeline,
    {"meanshift__bandwidth": [0.3, 0.5, 0.7, 0.9]},
    scoring=lambda model, X, y=None: silhouette_score(X, model.predict(X)),
).fit(rng.permutation(points))
print(search.best_params_, np.bincount(search.predict(points)))
