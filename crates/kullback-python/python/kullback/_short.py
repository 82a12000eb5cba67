"""The measures under their names: short forms of `kullback.rowwise`, with the same keywords.

Each is made from one line below: its name, what it is, and an example.
"""

import inspect
from typing import Any, Literal, Protocol, Unpack, overload

from kullback._calls import rowwise
from kullback._options import OnInvalid, Progress, RowwiseOptions, Statuses, Values


class _Pair(Protocol):
    """A measure of two sides."""

    __name__: str

    @overload
    def __call__(
        self, p: Any, q: Any = None, *, out: Values | None = None, return_status: Literal[False] = False, **options: Unpack[RowwiseOptions]
    ) -> Values: ...
    @overload
    def __call__(
        self, p: Any, q: Any = None, *, out: Values | None = None, return_status: Literal[True], **options: Unpack[RowwiseOptions]
    ) -> tuple[Values, Statuses]: ...


class _Family(Protocol):
    """A measure of two sides and an order."""

    __name__: str

    @overload
    def __call__(
        self,
        p: Any,
        q: Any,
        order: float,
        *,
        out: Values | None = None,
        return_status: Literal[False] = False,
        **options: Unpack[RowwiseOptions],
    ) -> Values: ...
    @overload
    def __call__(
        self, p: Any, q: Any, order: float, *, out: Values | None = None, return_status: Literal[True], **options: Unpack[RowwiseOptions]
    ) -> tuple[Values, Statuses]: ...


_DOC = """{what}

Row by row over the last axis, or `axis`; both sides are normalised. Shapes and keywords are those of `kullback.rowwise`.

>>> import kullback
>>> kullback.{call}
{result}
"""


def _short(function: Any, name: str, leading: list[str], what: str, call: str, result: str) -> Any:
    """Gives a function its name, its text, and the signature of `rowwise` after its leading parameters."""
    keywords = [
        parameter
        for parameter in inspect.signature(rowwise).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    positional = [inspect.Parameter(each, inspect.Parameter.POSITIONAL_OR_KEYWORD) for each in leading]
    if leading == ["p", "q"]:
        positional[1] = positional[1].replace(default=None)
    function.__name__ = function.__qualname__ = name
    function.__doc__ = _DOC.format(what=what, call=f"{name}({call})", result=result)
    function.__signature__ = inspect.Signature([*positional, *keywords])
    return function


def _pair(name: str, what: str, call: str, result: str) -> Any:
    def measure(p: Any, q: Any = None, **options: Any) -> Any:
        return rowwise(p, q, name, **options)

    return _short(measure, name, ["p", "q"], what, call, result)


def _family(name: str, what: str, call: str, result: str) -> Any:
    def measure(p: Any, q: Any, order: float, **options: Any) -> Any:
        return rowwise(p, q, f"{name}:{float(order)!r}", **options)

    return _short(measure, name, ["p", "q", "order"], what, call, result)


_WORN, _FAIR = "[[30, 70]]", "[[50, 50]]"
_TWO = f"{_WORN}, {_FAIR}"

kl: _Pair = _pair("kl", "Kullback–Leibler, Σ p̂ ln(p̂/q̂), in [0, ∞].", "[[0.5, 0.5]], [[0.9, 0.1]]", "array([0.51082562])")
reverse_kl: _Pair = _pair("reverse_kl", "KL(q̂‖p̂), in [0, ∞].", "[[0.9, 0.1]], [[0.5, 0.5]]", "array([0.51082562])")
jeffreys: _Pair = _pair("jeffreys", "KL(p̂‖q̂) + KL(q̂‖p̂), in [0, ∞]; the same as `psi`.", _TWO, "array([0.16945957])")
psi: _Pair = _pair(
    "psi", "The population stability index, Σ (p̂ − q̂) ln(p̂/q̂), in [0, ∞].", _TWO, "array([0.16945957])"
)
js: _Pair = _pair(
    "js", "Jensen–Shannon, ½KL(p̂‖m̂) + ½KL(q̂‖m̂) with m̂ = (p̂+q̂)/2, in [0, ln 2].", "[[1, 0]], [[0, 1]]", "array([0.69314718])"
)
js_distance: _Pair = _pair(
    "js_distance", "The root of Jensen–Shannon, a metric, in [0, √ln 2].", "[[1, 0]], [[0, 1]]", "array([0.83255461])"
)
lin_k: _Pair = _pair("lin_k", "Lin's K, KL(p̂‖m̂) with m̂ = (p̂+q̂)/2, in [0, ln 2].", "[[1, 0]], [[0, 1]]", "array([0.69314718])")
pooled_js: _Pair = _pair(
    "pooled_js",
    "Jensen–Shannon with the totals N and M of the rows as weights, in [0, ln 2]. 2(N + M) times it is the G statistic.",
    "[[10, 10, 20]], [[20, 20, 20]]",
    "array([0.01384429])",
)
hellinger: _Pair = _pair("hellinger", "√(1 − Σ√(p̂q̂)), a metric, in [0, 1].", "[[1, 0]], [[0, 1]]", "array([1.])")
bhattacharyya: _Pair = _pair("bhattacharyya", "−ln Σ√(p̂q̂), in [0, ∞].", _TWO, "array([0.02131934])")
tv: _Pair = _pair("tv", "Total variation, ½ Σ|p̂ − q̂|, in [0, 1].", _TWO, "array([0.2])")
chi2: _Pair = _pair("chi2", "Pearson's χ² divergence, Σ (p̂ − q̂)²/q̂, in [0, ∞].", _TWO, "array([0.16])")
neyman_chi2: _Pair = _pair("neyman_chi2", "Neyman's χ² divergence, Σ (p̂ − q̂)²/p̂, in [0, ∞].", _TWO, "array([0.19047619])")
triangular: _Pair = _pair("triangular", "Σ (p̂ − q̂)²/(p̂ + q̂), in [0, 2].", _TWO, "array([0.08333333])")
cross_entropy: _Pair = _pair("cross_entropy", "−Σ p̂ ln q̂, in [0, ∞].", _TWO, "array([0.69314718])")
w1: _Pair = _pair(
    "w1",
    "Wasserstein, ∫|F − G| of the cumulated rows over `positions` (without: steps of 1), in [0, ∞).",
    "[[3, 1]], [[2, 2]], positions=[0, 10]",
    "array([2.5])",
)
ks: _Pair = _pair("ks", "Kolmogorov–Smirnov, max |F − G| of the cumulated rows, in [0, 1].", _TWO, "array([0.2])")
skew_js: _Family = _family(
    "skew_js",
    "Jensen–Shannon with the weight A on p̂ and 1 − A on q̂, 0 < A < 1, in [0, ln 2].",
    f"{_TWO}, 0.5",
    "array([0.02100593])",
)
renyi: _Family = _family(
    "renyi",
    "Rényi, ln(Σ p̂ᴬ q̂¹⁻ᴬ)/(A − 1) of an order A ≥ 0, in [0, ∞]; of order 1 it is `kl`.",
    f"{_TWO}, 2",
    "array([0.14842001])",
)
tsallis: _Family = _family(
    "tsallis",
    "Tsallis, (Σ p̂ᴬ q̂¹⁻ᴬ − 1)/(A − 1) of an order A > 0, in [0, ∞]; of order 1 it is `kl` in nats.",
    f"{_TWO}, 2",
    "array([0.16])",
)
alpha: _Family = _family(
    "alpha",
    "(Σ p̂ᴬ q̂¹⁻ᴬ − 1)/(A(A − 1)) of an order A other than 0 and 1, in [0, ∞].",
    f"{_TWO}, 2",
    "array([0.08])",
)


@overload
def entropy(
    p: Any,
    *,
    axis: int = -1,
    unit: str = "nats",
    zeros: str = "exact",
    on_invalid: OnInvalid = "error",
    device: str = "auto",
    out: Values | None = None,
    return_status: Literal[False] = False,
    progress: Progress = None,
) -> Values: ...
@overload
def entropy(
    p: Any,
    *,
    axis: int = -1,
    unit: str = "nats",
    zeros: str = "exact",
    on_invalid: OnInvalid = "error",
    device: str = "auto",
    out: Values | None = None,
    return_status: Literal[True],
    progress: Progress = None,
) -> tuple[Values, Statuses]: ...
def entropy(
    p: Any,
    *,
    axis: int = -1,
    unit: str = "nats",
    zeros: str = "exact",
    on_invalid: OnInvalid = "error",
    device: str = "auto",
    out: Values | None = None,
    return_status: Any = False,
    progress: Progress = None,
) -> Any:
    """Shannon's entropy −Σ p̂ ln p̂, in [0, ln n].

    Row by row over the last axis, or `axis`; rows are normalised. Keywords are those of `kullback.rowwise`.

    >>> import kullback
    >>> kullback.entropy([[1, 1, 1, 1], [1, 0, 0, 0]], unit="bits")
    array([2., 0.])
    """
    return rowwise(
        p,
        None,
        "entropy",
        axis=axis,
        unit=unit,
        zeros=zeros,
        on_invalid=on_invalid,
        device=device,
        out=out,
        return_status=return_status,
        progress=progress,
    )
