"""Every example of the documentation runs."""

import doctest
import importlib
import inspect
import pathlib
import re
import warnings

import numpy as np
import pytest

import kullback

MODULES = ["kullback", "kullback.scipy", "kullback.polars", "kullback.pandas", "kullback.duckdb", "kullback._short", "kullback._status"]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_modules(name):
    other = name.rsplit(".", 1)[-1]
    if other in ("polars", "pandas", "duckdb"):
        pytest.importorskip(other)
    module = importlib.import_module(name)
    found = doctest.testmod(module)
    assert found.attempted > 0 and found.failed == 0


@pytest.mark.parametrize("name", sorted(kullback.__all__))
def test_everything_is_documented_and_its_examples_run(name):
    thing = getattr(kullback, name)
    if isinstance(thing, str):
        return
    text = thing.__doc__
    assert text and len(text) > 40, name
    if isinstance(thing, type) and issubclass(thing, BaseException):
        return
    examples = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    runner = doctest.DocTestRunner()
    runner.run(examples)
    assert runner.failures == 0
    if callable(thing) and not isinstance(thing, type):
        assert examples.examples, f"{name} has no example"


def test_every_measure_has_a_short_form_with_the_keywords_of_rowwise():
    def keywords(function):
        parameters = inspect.signature(function).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}

    names = [name.partition(":")[0] for name in kullback.measures()]
    assert len(names) > 20
    for name in names:
        short = getattr(kullback, name)
        assert short.__name__ == name in kullback.__all__
        if name != "entropy":
            assert keywords(short) == keywords(kullback.rowwise), name


def test_the_types_of_keywords_are_those_of_rowwise():
    from kullback._options import RowwiseOptions

    keywords = [each.name for each in inspect.signature(kullback.rowwise).parameters.values() if each.kind is each.KEYWORD_ONLY]
    assert sorted(RowwiseOptions.__annotations__) == sorted(set(keywords) - {"out", "return_status"})


def test_the_guide_makes_rows_of_lines():
    pytest.importorskip("pandas")
    pytest.importorskip("polars")
    guide = (pathlib.Path(__file__).parents[3] / "docs" / "PYTHON.md").read_text()
    section = guide.split("### From a table of lines to rows")[1].split("\n## ")[0]
    of_pandas, of_polars = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    with warnings.catch_warnings():
        warnings.simplefilter("error", kullback.LabelWarning)
        for code, want in [(of_pandas, [[0.412726, 0.666667]] * 2), (of_polars, [[0.346574, 0.5]] * 2)]:
            *lines, last = [line for line in code.splitlines() if line and not line.startswith("#")]
            known = {}
            exec("\n".join(lines), known)
            found = eval(last, known)
            values = found.to_numpy() if len(found.columns) == 2 else found.drop("origin").to_numpy()
            np.testing.assert_allclose(values, want, atol=1e-6)
            # The guide shows these.
            assert all(f"{value:g}" in code for row in want for value in row)
