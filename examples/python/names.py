# %% [markdown]
# # Names that lived the same life
#
# A name is the histogram of its births a year, in the United States from 1880 to 2017. Names whose histograms are alike were fashionable
# at the same time; the Jensen–Shannon divergence in bits is 0 for the same years and 1 for none in common.
#
# Data: `examples/data/babynames.parquet`, from the Social Security Administration (public domain).

# %%
import pathlib
import sys

import numpy as np
import pyarrow.parquet as pq

import kullback

here = pathlib.Path(__file__).parent if "__file__" in globals() else pathlib.Path.cwd()
table = pq.read_table(next(folder / "data" / "babynames.parquet" for folder in [here.parent, here / "examples"] if (folder / "data").exists()))
print(table.schema.names, f"{table.num_rows:,} names")

# %% [markdown]
# ## The nearest of the well known
#
# Of the names with at least 5,000 births, each against every other: fifteen million pairs of 138 years.

# %%
births = kullback.matrix(table["births"])
common = births.sum(axis=1) >= 5_000
labels = np.array([f"{name} ({sex})" for name, sex in zip(table["name"].to_pylist(), table["sex"].to_pylist(), strict=True)])[common]
births = births[common]
rows, values = kullback.nearest(births, k=3, measure="js", unit="bits")
print(f"{len(labels):,} names")
known = ["Emma (F)", "Jennifer (F)", "Linda (F)", "Jason (M)", "Walter (M)"]
for name in known:
    here = int(np.flatnonzero(labels == name)[0])
    near = ", ".join(f"{labels[row]} {value:.3f}" for row, value in zip(rows[here], values[here], strict=True))
    print(f"{name:13} {near}")

# %% [markdown]
# ## As a picture
#
# The forty most given names, ordered so that like stands beside like: a walk from one name to the nearest that is left.

# %%
most = np.argsort(-births.sum(axis=1))[:40]
matrix = kullback.pairwise(births[most], measure="js", unit="bits")
order = [int(np.argmax(matrix.sum(axis=0)))]
while len(order) < len(most):
    left = [i for i in range(len(most)) if i not in order]
    order.append(min(left, key=lambda i: matrix[order[-1], i]))

import matplotlib

if "ipykernel" not in sys.modules:
    matplotlib.use("Agg")
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(9, 8), layout="constrained")
picture = axes.imshow(matrix[np.ix_(order, order)], cmap="viridis_r", vmin=0, vmax=1)
names = labels[most][order]
axes.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
axes.set_yticks(range(len(names)), names, fontsize=7)
figure.colorbar(picture, label="Jensen–Shannon divergence (bits)")
axes.set_title("The same years (dark: none in common)")
if "ipykernel" not in sys.modules:
    target = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "names.svg")
    figure.savefig(target)
    print(f"the picture is {target}")
