"""The measures under their names: short forms of `kullback.rowwise`, with the same keywords."""

from typing import Any

from kullback._core import rowwise


def kl(p: Any, q: Any = None, **options: Any) -> Any:
    """The Kullback–Leibler divergence KL(p‖q) = Σ p̂ ln(p̂/q̂), in [0, ∞].

    Row by row over the last axis; both sides are normalised. Shapes and keywords are those of `kullback.rowwise`.

    >>> import kullback
    >>> kullback.kl([[0.5, 0.5]], [[0.9, 0.1]])
    array([0.51082562])
    """
    return rowwise(p, q, "kl", **options)


def js(p: Any, q: Any = None, **options: Any) -> Any:
    """The Jensen–Shannon divergence ½KL(p̂‖m̂) + ½KL(q̂‖m̂) with m̂ = (p̂+q̂)/2, in [0, ln 2].

    Row by row over the last axis; both sides are normalised. Shapes and keywords are those of `kullback.rowwise`.

    >>> import kullback
    >>> kullback.js([[1, 0]], [[0, 1]])
    array([0.69314718])
    """
    return rowwise(p, q, "js", **options)


def js_distance(p: Any, q: Any = None, **options: Any) -> Any:
    """The the root of the Jensen–Shannon divergence, a metric, in [0, √ln 2].

    Row by row over the last axis; both sides are normalised. Shapes and keywords are those of `kullback.rowwise`.

    >>> import kullback
    >>> kullback.js_distance([[1, 0]], [[0, 1]])
    array([0.83255461])
    """
    return rowwise(p, q, "js_distance", **options)


def hellinger(p: Any, q: Any = None, **options: Any) -> Any:
    """The Hellinger distance √(1 − Σ√(p̂q̂)), a metric, in [0, 1].

    Row by row over the last axis; both sides are normalised. Shapes and keywords are those of `kullback.rowwise`.

    >>> import kullback
    >>> kullback.hellinger([[1, 0]], [[0, 1]])
    array([1.])
    """
    return rowwise(p, q, "hellinger", **options)


def psi(p: Any, q: Any = None, **options: Any) -> Any:
    """The population stability index Σ (p̂ − q̂) ln(p̂/q̂), also called Jeffreys divergence, in [0, ∞].

    Row by row over the last axis; both sides are normalised. Shapes and keywords are those of `kullback.rowwise`.

    >>> import kullback
    >>> kullback.psi([[30, 70]], [[50, 50]])
    array([0.16945957])
    """
    return rowwise(p, q, "psi", **options)


def tv(p: Any, q: Any = None, **options: Any) -> Any:
    """The total variation ½ Σ|p̂ − q̂|, in [0, 1].

    Row by row over the last axis; both sides are normalised. Shapes and keywords are those of `kullback.rowwise`.

    >>> import kullback
    >>> kullback.tv([[30, 70]], [[50, 50]])
    array([0.2])
    """
    return rowwise(p, q, "tv", **options)


def chi2(p: Any, q: Any = None, **options: Any) -> Any:
    """The Pearson's χ² divergence Σ (p̂ − q̂)²/q̂, in [0, ∞].

    Row by row over the last axis; both sides are normalised. Shapes and keywords are those of `kullback.rowwise`.

    >>> import kullback
    >>> kullback.chi2([[30, 70]], [[50, 50]])
    array([0.16])
    """
    return rowwise(p, q, "chi2", **options)


def renyi(p: Any, q: Any, order: float, **options: Any) -> Any:
    """The Rényi divergence ln(Σ p̂ᴬ q̂¹⁻ᴬ)/(A − 1) of an order A ≥ 0, in [0, ∞]; of order 1 it is `kl`.

    Row by row over the last axis; both sides are normalised. Shapes and keywords are those of `kullback.rowwise`.

    >>> import kullback
    >>> kullback.renyi([[30, 70]], [[50, 50]], 2)
    array([0.14842001])
    """
    return rowwise(p, q, f"renyi:{float(order)!r}", **options)


def entropy(p: Any, **options: Any) -> Any:
    """The Shannon entropy −Σ p̂ ln p̂, in [0, ln n].

    Row by row over the last axis; rows are normalised. Shapes and keywords are those of `kullback.rowwise`.

    >>> import kullback
    >>> kullback.entropy([[1, 1, 1, 1], [1, 0, 0, 0]], unit="bits")
    array([2., 0.])
    """
    return rowwise(p, None, "entropy", **options)
