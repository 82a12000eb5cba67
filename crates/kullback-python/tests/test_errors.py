"""Bad input is a typed exception with the numbers in it, and never the end of the interpreter."""

import datetime
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import kullback


def test_invalid_weights_say_where(rng, device):
    p, q = rng.random((50, 6), dtype=np.float32), rng.random((50, 6), dtype=np.float32)
    for bad in [-1.0, np.nan, np.inf]:
        wrong = q.copy()
        wrong[17, 3] = wrong[30, 0] = bad
        with pytest.raises(kullback.InvalidWeightsError) as caught:
            kullback.kl(p, wrong, device=device)
        error = caught.value
        assert (error.count, error.rows, error.row, error.side, error.bin) == (2, 50, 17, "Q", 3)
        assert error.value == bad or np.isnan(bad)
        assert "row 17 of Q, bin 3" in str(error) and isinstance(error, ValueError)
        values, status = kullback.kl(p, wrong, on_invalid="null", return_status=True, device=device)
        assert np.isnan(values[[17, 30]]).all() and status[17] == kullback.Status.INVALID
        with pytest.raises(kullback.InvalidWeightsError):
            kullback.pairwise(p, wrong, device=device)


def test_shapes_that_do_not_meet():
    with pytest.raises(kullback.ShapeError) as caught:
        kullback.kl(np.ones((3, 4)), np.ones((3, 5)))
    assert (caught.value.p, caught.value.q) == (4, 5)
    with pytest.raises(kullback.ShapeError) as caught:
        kullback.kl(np.ones((3, 4)), np.ones((2, 4)))
    assert (caught.value.p, caught.value.q) == (3, 2)
    with pytest.raises(kullback.InputError, match="leading axes"):
        kullback.kl(np.ones((2, 3, 4)), np.ones((3, 2, 4)))
    with pytest.raises(kullback.ShapeError):
        kullback.kl(np.ones((3, 0)), np.ones((3, 0)))
    with pytest.raises(kullback.InputError, match="axes"):
        kullback.pairwise(np.ones((2, 3, 4)))


@pytest.mark.parametrize(
    "arguments",
    [
        {"measure": "kld"},
        {"measure": "renyi:-1"},
        {"measure": []},
        {"unit": "shannons"},
        {"zeros": "eps"},
        {"zeros": "mix:2"},
        {"on_invalid": "ignore"},
        {"device": "tpu"},
        {"device": "gpu:99"},
        {"device": "gpu:"},
        {"against": "total", "q": [1, 1]},
    ],
)
def test_choices_that_are_none(arguments):
    arguments = {"q": [1.0, 1.0], **arguments}
    with pytest.raises(kullback.Error) as caught:
        kullback.rowwise([[1.0, 2.0]], **arguments)
    assert len(str(caught.value)) > 20


def test_a_misspelt_measure_gets_the_nearest():
    with pytest.raises(kullback.InputError, match="did you mean `js_distance`") as caught:
        kullback.rowwise([[1, 2]], [1, 1], "jsdistance")
    assert caught.value.nearest == "js_distance"


def test_nothing_to_compare_with():
    with pytest.raises(kullback.InputError, match="against"):
        kullback.kl([[1, 2]])
    with pytest.raises(kullback.InputError, match='not "mean"'):
        kullback.kl([[1, 2]], against="mean")


@pytest.mark.parametrize(
    "wrong",
    [
        "a text",
        ["a", "b"],
        [[1, 2], [3]],
        3.0,
        None,
        object(),
        {"a": 1},
        [[1 + 2j, 1]],
        np.array([["a", "b"]]),
        np.array([[1j, 2]]),
        np.array([[datetime.datetime(2020, 1, 1)] * 2], "M8[s]"),
        np.array([[object(), object()]]),
        np.array([[1, 2]], [("a", "i4")])["a"][()].tolist() and np.zeros((1, 2), [("a", "i4")]),
        range,
        lambda: 3,
        b"bytes",
        {1, 2},
        iter([1, 2]),
    ],
)
def test_objects_that_are_no_weights(wrong):
    for call in [lambda: kullback.kl(wrong, [1.0, 1.0]), lambda: kullback.kl([[1.0, 1.0]], wrong), lambda: kullback.pairwise(wrong)]:
        with pytest.raises((TypeError, ValueError)):
            call()


class Liar:
    """Says that it is what it is not."""

    def __init__(self, **methods):
        for name, method in methods.items():
            setattr(type(self), name, method)


@pytest.mark.parametrize("name", ["__arrow_c_stream__", "__arrow_c_array__", "__dlpack__", "__array__"])
@pytest.mark.parametrize("gives", [None, 3, "text", ZeroDivisionError])
def test_objects_that_lie(name, gives):
    def method(self, *arguments, **options):
        if gives is ZeroDivisionError:
            raise ZeroDivisionError
        return gives

    kind = type("Liar", (), {name: method, "__dlpack_device__": lambda self: (1, 0)} if "dlpack" in name else {name: method})
    with pytest.raises((TypeError, ValueError, ZeroDivisionError, kullback.Error)):
        kullback.kl(kind(), [1.0, 1.0])


def test_random_objects_never_end_the_interpreter(rng):
    """A great many calls with arguments drawn from a bag of odd things."""
    bag = [
        np.ones((3, 4)), np.ones((3, 4), "f2"), np.ones((3, 4), ">f4"), np.zeros((0, 4)), np.zeros((3, 0)), np.float64(3), 7, -1, None,
        "kl", "js", ["kl"], ["kl", "js"], [], (), {}, True, np.nan, [[1, 2]], [[np.nan, 1]], np.full((3, 4), np.inf), "gpu:999", b"x",
        np.array(None), np.ones((2, 2, 4)), np.ones(4), np.ones((3, 4))[:, ::2], np.ones((3, 4)).T, 1e300, object(), 2**70,
    ]
    names = ["against", "by", "axis", "unit", "zeros", "on_invalid", "device", "out", "return_status", "progress"]
    done = 0
    for _ in range(3000):
        pick = lambda: bag[rng.integers(len(bag))]
        options = {names[rng.integers(len(names))]: pick() for _ in range(rng.integers(0, 3))}
        function = [kullback.rowwise, kullback.pairwise, kullback.nearest, kullback.summary][rng.integers(4)]
        try:
            function(pick(), pick(), *([pick()] if rng.integers(2) else []), **options)
            done += 1
        except (TypeError, ValueError, kullback.Error, OverflowError):
            pass
    assert done > 10


def test_buffers_that_change_meanwhile():
    """Values of rows that another thread writes to are of no use; the interpreter goes on."""
    p, q = np.ones((100_000, 64), np.float32), np.ones((100_000, 64), np.float32)
    stop = threading.Event()

    def scribble():
        rng = np.random.default_rng(1)
        while not stop.is_set():
            p[rng.integers(100_000, size=1000)] = rng.choice([0.0, np.nan, -1.0, 1e30, np.inf])

    thread = threading.Thread(target=scribble)
    thread.start()
    try:
        for _ in range(20):
            assert kullback.js(p, q, on_invalid="null").shape == (100_000,)
    finally:
        stop.set()
        thread.join()


def test_other_threads_run_meanwhile():
    p = np.random.default_rng(1).random((300_000, 64), dtype=np.float32)
    ticks, stop = [], threading.Event()

    def tick():
        while not stop.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    begin = time.monotonic()
    kullback.rowwise(p, p[::-1].copy(), ["js", "renyi:2.5", "hellinger"], device="cpu")
    end = time.monotonic()
    stop.set()
    thread.join()
    assert sum(begin < at < end for at in ticks) > 5


def test_ctrl_c_stops_a_long_call():
    script = """
        import numpy as np, os, signal, threading, time
        import kullback
        # A process in the background may have been started to ignore it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        p = np.random.default_rng(1).random((20_000, 64))
        threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        begin = time.monotonic()
        try:
            kullback.pairwise(p, measure="renyi:2.7", out=np.memmap("/dev/zero", np.float64, "c", shape=(20_000, 20_000)))
        except KeyboardInterrupt:
            print("stopped", time.monotonic() - begin)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith("stopped"), done.stdout + done.stderr
    assert float(done.stdout.split()[1]) < 15


def test_progress_is_told_and_may_end_the_call():
    p = np.ones((50_000, 64), np.float32)
    told = []
    kullback.kl(p, p, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (50_000, 50_000) and told == sorted(told)

    def enough(done, total):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        kullback.kl(p, p, progress=enough)
    assert not kullback.kl(p, p, progress=True).any()


def in_a_process(script, **options):
    return subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=120, **options)


def test_interrupts_use_the_signal_of_python():
    # Which it is depends on who started the process.
    done = in_a_process("""
        import signal
        before = signal.getsignal(signal.SIGINT)
        import kullback
        kullback.kl([[0.5, 0.5]] * 1000, [0.9, 0.1], progress=lambda done, total: None)
        print(signal.getsignal(signal.SIGINT) is before)
    """)
    assert done.stdout == "True\n", done.stderr


def test_calls_on_a_gpu_from_many_threads_end():
    """Short calls and watched ones wait for the same buffers: none holds the interpreter meanwhile."""
    from conftest import software_gpu

    if software_gpu() is None:
        pytest.skip("no adapter")
    done = in_a_process(f"""
        import threading
        import numpy as np
        import kullback
        engine = kullback.Engine({software_gpu()!r}, memory=1 << 20)
        large, small = np.ones((60_000, 64), np.float32), np.ones((8, 8), np.float32)
        def watched():
            for _ in range(3):
                engine.rowwise(large, large, progress=lambda done, total: None)
        def short():
            for _ in range(50):
                engine.rowwise(small, small)
        threads = [threading.Thread(target=work) for work in [watched] * 3 + [short] * 2]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print("over")
    """)
    assert done.stdout == "over\n", done.stderr


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_has_threads_of_its_own():
    done = in_a_process("""
        import os
        import numpy as np
        import kullback
        p = np.ones((20_000, 64), np.float32)
        engine = kullback.Engine("cpu")
        assert not kullback.kl(p, p).any()
        child = os.fork()
        if child == 0:
            assert not kullback.kl(p, p).any()
            try:
                engine.rowwise(p, p)
            except kullback.InputError as error:
                os._exit(7 if "process" in str(error) else 1)
            os._exit(2)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status))
    """)
    assert done.stdout == "7\n", done.stderr


def test_what_is_in_no_memory_is_an_error():
    huge = np.broadcast_to(np.ones(4), (10**13, 4))
    with pytest.raises(MemoryError):
        kullback.kl(huge, [1, 1, 1, 1])
    with pytest.raises((MemoryError, kullback.Error)):
        kullback.kl(np.broadcast_to(np.uint8(1), (2**61, 1)), [1])
    with pytest.raises((MemoryError, kullback.Error)):
        kullback.pairwise(huge)


def test_what_an_object_throws_is_thrown():
    class Stops:
        def __array__(self, *arguments, **options):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kullback.kl(Stops(), [1.0, 1.0])


def test_masked_arrays_are_refused():
    masked = np.ma.array([[1, 2, 3]], mask=[[0, 0, 1]])
    with pytest.raises(kullback.InputError, match="masked"):
        kullback.kl(masked, [1, 1, 1])
    assert kullback.kl(np.ma.array([[1, 2, 3]]), [1, 2, 3]) == 0


def test_errors_of_contributions_carry_their_numbers():
    with pytest.raises(kullback.InvalidWeightsError) as caught:
        kullback.contributions([[1, 2], [3, -1]], [1, 1])
    assert (caught.value.row, caught.value.bin, caught.value.side, caught.value.value) == (1, 1, "P", -1)
    for unit in ["1", "-2", "abc"]:
        with pytest.raises(kullback.InputError):
            kullback.contributions([[1, 2]], [1, 1], unit=unit)
    np.testing.assert_allclose(kullback.contributions([[1e308, 1e308, 0]], [[1, 1, 1]]).sum(), np.log(1.5), rtol=1e-12)
