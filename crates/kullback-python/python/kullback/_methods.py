"""The measures as methods of a namespace of a frame library."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kullback._calls import rowwise


_OF_ROWS = {"against", "by", "axis", "positions", "out", "return_status", "progress"}


def check(measures: Sequence[str], options: dict[str, Any]) -> None:
    """Refuses names and options that are none, also where there is no row to compare."""
    rowwise(np.empty((0, 1)), [1.0], list(measures), **{name: given for name, given in options.items() if name not in _OF_ROWS})


class Methods:
    """One method per measure, each by `rowwise` of the class that inherits them."""

    def rowwise(self, q: Any = None, measure: Any = "kl", **options: Any) -> Any:
        raise NotImplementedError

    def kl(self, q: Any = None, **options: Any) -> Any:
        """Kullback–Leibler, Σ p̂ ln(p̂/q̂), in [0, ∞]."""
        return self.rowwise(q, "kl", **options)

    def reverse_kl(self, q: Any = None, **options: Any) -> Any:
        """KL(q̂‖p̂), in [0, ∞]."""
        return self.rowwise(q, "reverse_kl", **options)

    def jeffreys(self, q: Any = None, **options: Any) -> Any:
        """KL(p̂‖q̂) + KL(q̂‖p̂), in [0, ∞]; the same as `psi`."""
        return self.rowwise(q, "jeffreys", **options)

    def js(self, q: Any = None, **options: Any) -> Any:
        """Jensen–Shannon, ½KL(p̂‖m̂) + ½KL(q̂‖m̂) with m̂ = (p̂+q̂)/2, in [0, ln 2]."""
        return self.rowwise(q, "js", **options)

    def js_distance(self, q: Any = None, **options: Any) -> Any:
        """The root of Jensen–Shannon, a metric, in [0, √ln 2]."""
        return self.rowwise(q, "js_distance", **options)

    def lin_k(self, q: Any = None, **options: Any) -> Any:
        """Lin's K, KL(p̂‖m̂) with m̂ = (p̂+q̂)/2, in [0, ln 2]."""
        return self.rowwise(q, "lin_k", **options)

    def pooled_js(self, q: Any = None, **options: Any) -> Any:
        """Jensen–Shannon with the totals N and M of the rows as weights, in [0, ln 2]. 2(N + M) times it is the G statistic."""
        return self.rowwise(q, "pooled_js", **options)

    def hellinger(self, q: Any = None, **options: Any) -> Any:
        """√(1 − Σ√(p̂q̂)), a metric, in [0, 1]."""
        return self.rowwise(q, "hellinger", **options)

    def bhattacharyya(self, q: Any = None, **options: Any) -> Any:
        """−ln Σ√(p̂q̂), in [0, ∞]."""
        return self.rowwise(q, "bhattacharyya", **options)

    def tv(self, q: Any = None, **options: Any) -> Any:
        """Total variation, ½ Σ|p̂ − q̂|, in [0, 1]."""
        return self.rowwise(q, "tv", **options)

    def chi2(self, q: Any = None, **options: Any) -> Any:
        """Pearson's χ² divergence, Σ (p̂ − q̂)²/q̂, in [0, ∞]."""
        return self.rowwise(q, "chi2", **options)

    def neyman_chi2(self, q: Any = None, **options: Any) -> Any:
        """Neyman's χ² divergence, Σ (p̂ − q̂)²/p̂, in [0, ∞]."""
        return self.rowwise(q, "neyman_chi2", **options)

    def triangular(self, q: Any = None, **options: Any) -> Any:
        """Σ (p̂ − q̂)²/(p̂ + q̂), in [0, 2]."""
        return self.rowwise(q, "triangular", **options)

    def cross_entropy(self, q: Any = None, **options: Any) -> Any:
        """−Σ p̂ ln q̂, in [0, ∞]."""
        return self.rowwise(q, "cross_entropy", **options)

    def entropy(self, **options: Any) -> Any:
        """Shannon's entropy −Σ p̂ ln p̂, in [0, ln n]."""
        return self.rowwise(None, "entropy", **options)

    def w1(self, q: Any = None, **options: Any) -> Any:
        """Wasserstein, ∫|F − G| of the cumulated rows over `positions` (without: steps of 1), in [0, ∞)."""
        return self.rowwise(q, "w1", **options)

    def ks(self, q: Any = None, **options: Any) -> Any:
        """Kolmogorov–Smirnov, max |F − G| of the cumulated rows, in [0, 1]."""
        return self.rowwise(q, "ks", **options)

    def skew_js(self, q: Any, order: float, **options: Any) -> Any:
        """Jensen–Shannon with the weight A on p̂ and 1 − A on q̂, 0 < A < 1, in [0, ln 2]."""
        return self.rowwise(q, f"skew_js:{float(order)!r}", **options)

    def renyi(self, q: Any, order: float, **options: Any) -> Any:
        """Rényi, ln(Σ p̂ᴬ q̂¹⁻ᴬ)/(A − 1) of an order A ≥ 0, in [0, ∞]; of order 1 it is `kl`."""
        return self.rowwise(q, f"renyi:{float(order)!r}", **options)

    def tsallis(self, q: Any, order: float, **options: Any) -> Any:
        """Tsallis, (Σ p̂ᴬ q̂¹⁻ᴬ − 1)/(A − 1) of an order A > 0, in [0, ∞]; of order 1 it is `kl` in nats."""
        return self.rowwise(q, f"tsallis:{float(order)!r}", **options)

    def alpha(self, q: Any, order: float, **options: Any) -> Any:
        """(Σ p̂ᴬ q̂¹⁻ᴬ − 1)/(A(A − 1)) of an order A other than 0 and 1, in [0, ∞]."""
        return self.rowwise(q, f"alpha:{float(order)!r}", **options)

    def psi(self, q: Any = None, **options: Any) -> Any:
        """The population stability index, Σ (p̂ − q̂) ln(p̂/q̂), in [0, ∞]."""
        return self.rowwise(q, "psi", **options)
