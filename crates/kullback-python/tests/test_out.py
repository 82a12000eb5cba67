"""Arrays that the caller gives for the values."""

import numpy as np
import pytest

import kullback


def test_out_is_written_and_returned(rng):
    p, q = rng.random((3, 10, 8)), rng.random((3, 10, 8))
    out = np.zeros((3, 10))
    assert kullback.kl(p, q, out=out) is out
    np.testing.assert_array_equal(out, kullback.kl(p, q))
    outs = {"kl": np.zeros((3, 10)), "js": np.zeros((3, 10))}
    assert kullback.rowwise(p, q, ["kl", "js"], out=outs)["js"] is outs["js"]
    np.testing.assert_array_equal(outs["kl"], out)
    for wrong in [np.zeros(30), np.zeros((3, 10), "f4"), np.zeros((10, 3)).T, [0.0] * 30]:
        with pytest.raises((TypeError, kullback.InputError)):
            kullback.kl(p, q, out=wrong)
    with pytest.raises(kullback.InputError):
        read_only = np.zeros((3, 10))
        read_only.flags.writeable = False
        kullback.kl(p, q, out=read_only)


def test_every_out_is_checked_before_the_work(rng):
    p = rng.random((5, 4))
    first = np.full(5, 7.0)
    for out in [{"kl": first}, {"kl": first, "js": np.zeros(4)}, first]:
        with pytest.raises((TypeError, kullback.InputError)):
            kullback.rowwise(p, p, ["kl", "js"], out=out)
    assert (first == 7).all()


def test_no_out_lies_in_the_memory_of_another(rng):
    p, q = rng.random((6, 4)), rng.random((6, 4))
    both = np.full(9, 7.0)
    for first, second in [(both[:6], both[:6]), (both[:6], both[3:]), (both[3:], both[:6])]:
        with pytest.raises(kullback.InputError, match=r'out\["js"\] lies in the memory of out\["kl"\].* of its own'):
            kullback.rowwise(p, q, ["kl", "js"], out={"kl": first, "js": second})
    same = np.frombuffer(both.data, np.float64)
    with pytest.raises(kullback.InputError, match="in the memory"):
        kullback.rowwise(p, q, ["kl", "js"], out={"kl": both[:6], "js": same[2:8]})
    assert (both == 7).all()
    # Neighbours in memory do not meet, nor do arrays without values, and one measure may be asked for twice.
    whole = np.empty((2, 6))
    found = kullback.rowwise(p, q, ["kl", "js", "kl"], out={"kl": whole[0], "js": whole[1]})
    np.testing.assert_array_equal(whole, [kullback.kl(p, q), kullback.js(p, q)])
    assert found["kl"].base is whole
    nothing = np.empty(0)
    kullback.rowwise(p[:0], q[:0], ["kl", "js"], out={"kl": nothing, "js": nothing})


def test_no_out_lies_in_the_memory_of_an_input(rng):
    pa = pytest.importorskip("pyarrow")
    memory = rng.random(64)
    before = memory.copy()
    rows = memory.reshape(8, 8)
    engine = kullback.Engine("cpu")
    lists = pa.FixedSizeListArray.from_arrays(pa.array(memory), 8)
    kept = engine.upload(lists)
    sides = [rows, rows[:, ::2], rows.T, rows.astype(">f8").view(), lists]
    for side in sides:
        out = side.ravel().view("f8")[:8] if getattr(side, "dtype", None) == np.dtype(">f8") else memory[8:16]
        other = np.ones((8, 4 if getattr(side, "shape", (8, 8)) == (8, 4) else 8))
        for p, q in [(side, other), (other, side)]:
            for call in [kullback.kl, engine.rowwise, lambda p, q, out: kullback.rowwise(p, q, ["kl"], out={"kl": out})]:
                with pytest.raises(kullback.InputError, match="memory of .* of its own"):
                    call(p, q, out=out)
    for p, q in [(kept, np.ones((8, 8))), (np.ones(8), kept)]:
        with pytest.raises(kullback.InputError, match="memory of .* of its own"):
            engine.rowwise(p, q, out=memory[8:16])
    for side in [rows, rows.T, lists]:
        with pytest.raises(kullback.InputError, match="memory of .* of its own"):
            kullback.pairwise(side, np.ones((8, 8)), out=memory.reshape(8, 8))
        with pytest.raises(kullback.InputError, match="memory of .* of its own"):
            kullback.pairwise(side, out=memory.reshape(8, 8))
    np.testing.assert_array_equal(memory, before)
