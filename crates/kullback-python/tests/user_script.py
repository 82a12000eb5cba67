"""What a user writes, for the type checker."""

import numpy as np
import numpy.typing as npt

import kullback
import kullback.scipy


def worst(p: npt.NDArray[np.float32], q: list[list[float]]) -> int:
    values = kullback.kl(p, q, unit="bits")
    both = kullback.rowwise(p, q, ["kl", "js"])
    days: npt.NDArray[np.float64] = kullback.js(p, against="previous", by=["a", "b"] * (len(p) // 2), axis=-1)
    psi, status = kullback.rowwise(p, q, "psi", return_status=True)
    one: npt.NDArray[np.float64] = both["js"]
    engine = kullback.Engine("cpu", threads=2)
    kept = engine.upload(p)
    again: npt.NDArray[np.float64] = engine.rowwise(kept, q, "js", on_invalid="null")
    rows, near = kullback.nearest(p, k=3)
    matrix = kullback.pairwise(p, measure=["js"])["js"]
    counts = kullback.summary(p, q, "kl", against=None, top=3)
    assert status[0] == kullback.Status.OK and kept.bins and counts["rows"] and again.size
    try:
        kullback.js_distance(p, q)
    except kullback.InvalidWeightsError as error:
        print(error.row + 1, error.value)
    print(kullback.scipy.entropy(p, axis=1, base=2), kullback.devices()[0]["name"])
    return int(np.argmax(values + one + psi) + days.size + rows[0, 0] + matrix.shape[0] + near.size)


if __name__ == "__main__":
    print(worst(np.ones((4, 3), np.float32), [[1.0, 2.0, 3.0]]))
