"""What is taken, without a copy where rows lie in memory one after the other."""

import subprocess
import sys
import textwrap

import numpy as np
import pytest
from conftest import exact_kl

import kullback


def test_arrays_that_do_not_lie_in_order_give_the_same_bits(rng):
    p, q = rng.random((200, 16), dtype=np.float32), rng.random((200, 16), dtype=np.float32)
    want = kullback.kl(p, q)
    wide = np.zeros((200, 40), np.float32)
    wide[:, 3:19] = p
    packed = np.zeros(200 * 16 * 4 + 1, np.uint8)
    unaligned = packed[1:].view(np.float32).reshape(200, 16)
    unaligned[:] = p
    for same in [np.asfortranarray(p), wide[:, 3:19], p[::-1][::-1], p.astype(">f4"), unaligned, p.tolist(), list(p), memoryview(p)]:
        got = kullback.kl(same, q)
        if isinstance(same, list) and isinstance(same[0], list):
            np.testing.assert_allclose(got, want, rtol=1e-6)
        else:
            np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(kullback.kl(p[50:90], q[50:90]), want[50:90])
    np.testing.assert_array_equal(kullback.kl(p[::2], q[::2]), want[::2])
    cube = np.moveaxis(p.reshape(20, 10, 16), 0, 1)
    np.testing.assert_array_equal(kullback.kl(cube, np.moveaxis(q.reshape(20, 10, 16), 0, 1)), want.reshape(20, 10).T)


def test_large_arrays_that_are_copied_go_in_parts(rng):
    # More than one part of 16 MiB, with the sides cut at different rows.
    p, q = rng.random((70_000, 3, 16)), rng.random((70_000, 3, 16), dtype=np.float32)
    want = kullback.kl(p, q)
    np.testing.assert_array_equal(kullback.kl(np.moveaxis(np.moveaxis(p, 0, -1).copy(), -1, 0), q), want)
    np.testing.assert_array_equal(kullback.kl(p, np.asfortranarray(q)), want)
    bad = np.asfortranarray(p)
    bad[60_000, 1, 5] = -1
    bad[65_000, 0, 0] = np.nan
    with pytest.raises(kullback.InvalidWeightsError) as error:
        kullback.kl(bad, q)
    assert (error.value.row, error.value.bin, error.value.count, error.value.rows) == (180_001, 5, 2, 210_000)


def test_bfloat16():
    dtype = pytest.importorskip("ml_dtypes").bfloat16
    p, q = np.array([[1.5, 2.5]], dtype), np.array([[1, 1]], dtype)
    np.testing.assert_allclose(kullback.kl(p, q), exact_kl([[1.5, 2.5]], [[1, 1]]), rtol=1e-6)


def test_arrow_columns_of_every_kind(rng):
    pa = pytest.importorskip("pyarrow")
    p, q = rng.random((100, 6), dtype=np.float32), rng.random((100, 6), dtype=np.float32)
    want = kullback.kl(p, q)
    fixed = pa.FixedSizeListArray.from_arrays(pa.array(p.ravel()), 6)
    small = pa.array(p.tolist(), pa.list_(pa.float32()))
    large = pa.array(p.tolist(), pa.large_list(pa.float32()))
    chunked = pa.chunked_array([fixed[:13], fixed[13:70], fixed[70:]])
    other = pa.chunked_array([pa.FixedSizeListArray.from_arrays(pa.array(q.ravel()), 6)[a:b] for a, b in [(0, 50), (50, 100)]])
    for column in [fixed, small, large, chunked, pa.table({"p": fixed}), pa.record_batch({"p": small})]:
        np.testing.assert_array_equal(kullback.kl(column, q), want)
        np.testing.assert_array_equal(kullback.kl(column, other), want)
    np.testing.assert_array_equal(kullback.kl(fixed[10:20], q[10:20]), want[10:20])
    with_nulls = pa.array([None, *p[1:].tolist()], pa.list_(pa.float32()))
    got = kullback.kl(with_nulls, q)
    assert np.isnan(got[0])
    np.testing.assert_array_equal(got[1:], want[1:])
    np.testing.assert_array_equal(kullback.pairwise(chunked, other), kullback.pairwise(p, q))
    np.testing.assert_array_equal(kullback.matrix(chunked), p)


def test_arrow_columns_that_cannot_be_meant():
    pa = pytest.importorskip("pyarrow")
    q = [1.0, 1.0]
    with pytest.raises(kullback.InputError, match="row 1"):
        kullback.kl(pa.array([[1.0, 2.0], [1.0]]), q)
    with pytest.raises(kullback.InputError, match="bin 1"):
        kullback.kl(pa.array([[1.0, 2.0], [1.0, None]]), q)
    with pytest.raises(TypeError):
        kullback.kl(pa.array([["a", "b"]]), q)
    with pytest.raises((TypeError, kullback.InputError)):
        kullback.kl(pa.array([1.0, 2.0]), q)
    with pytest.raises(kullback.InputError, match="2 columns"):
        kullback.kl(pa.table({"a": [1.0], "b": [2.0]}), q)
    with pytest.raises(kullback.InputError):
        kullback.kl(pa.array([None, None], pa.list_(pa.float64())), q)


def test_null_rows_have_no_value_whatever_becomes_of_zeros():
    pa = pytest.importorskip("pyarrow")
    p = pa.chunked_array([pa.array([None, [1.0, 2.0]]), pa.array([[3.0, 4.0]])])
    table = pa.StructArray.from_arrays([pa.array([[1.0, 2.0]] * 3)], ["p"], mask=pa.array([True, False, False]))
    for zeros in ["exact", "additive:1", "mix:0.1", "floor:0.1", "epsilon:0.1", "skip"]:
        for side in [p, table]:
            got, status = kullback.kl(side, [1.0, 1.0], zeros=zeros, return_status=True)
            assert np.isnan(got).tolist() == [True, False, False] and status[0] == kullback.Status.EMPTY, zeros
        assert np.isnan(kullback.kl([[1.0, 1.0]] * 3, p, zeros=zeros)).tolist() == [True, False, False]
    for function in [kullback.pairwise, kullback.nearest, kullback.entropy]:
        assert np.isnan(function(p, k=1)[1][0, 0] if function is kullback.nearest else np.ravel(function(p))[0])
    for function in [kullback.pairwise, kullback.nearest, lambda p, **options: kullback.summary(p, [1.0, 1.0], **options)]:
        with pytest.raises(kullback.InputError, match="null rows"):
            function(p, zeros="additive:1")
    with pytest.raises(kullback.InputError, match="null"):
        kullback.Engine("cpu").upload(p)


def test_tensors():
    torch = pytest.importorskip("torch")
    p, q = torch.rand(20, 5), torch.rand(20, 5)
    np.testing.assert_array_equal(kullback.kl(p, q), kullback.kl(p.numpy(), q.numpy()))
    short = p.to(torch.bfloat16)
    np.testing.assert_array_equal(kullback.kl(short, q), kullback.kl(short.float(), q))
    np.testing.assert_array_equal(kullback.kl(short.t(), torch.ones(20)), kullback.kl(short.float().t(), torch.ones(20)))
    with pytest.raises(kullback.InputError, match="detach"):
        kullback.kl(p.requires_grad_(), q)


class Tensor:
    """As another library's, by the interface that they share."""

    def __init__(self, array, device=(1, 0)):
        self._array, self._device = array, device

    def __dlpack__(self, **options):
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self._device


def test_tensors_by_the_interface_that_libraries_share(rng):
    p, q = rng.random((20, 5)), rng.random((20, 5))
    np.testing.assert_array_equal(kullback.kl(Tensor(p), Tensor(q)), kullback.kl(p, q))
    with pytest.raises(kullback.InputError, match="CPU"):
        kullback.kl(Tensor(p, (2, 0)), q)


@pytest.mark.parametrize(
    "code",
    [
        "kullback.kl(p, q)",
        "kullback.kl(p[1000:], q[1000:])",
        "kullback.kl(pa.FixedSizeListArray.from_arrays(pa.array(p.ravel()), 64), q)",
        "kullback.kl(Tensor(p), Tensor(q))",
    ],
)
def test_nothing_is_copied(code):
    """The peak memory of a process that compares 512 MiB of rows grows by less than a twentieth of them."""
    pytest.importorskip("pyarrow")
    script = f"""
        import resource, sys
        import numpy as np, pyarrow as pa
        import kullback
        sys.path.insert(0, {str(__file__).rsplit("/", 1)[0]!r})
        from test_inputs import Tensor
        p = np.ones((1_000_000, 64), np.float32); q = np.ones((1_000_000, 64), np.float32)
        # What the libraries need once.
        small = p[:2000], q[:2000]
        (lambda p, q: {code})(*small)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        values = {code}
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert not values.any()
        print((after - before) * 1024 - values.nbytes)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 512 * 2**20 / 20, f"{done.stdout} bytes"
