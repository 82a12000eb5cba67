//! The one table of measures, and of the terms that they sum. Everything else that is known of a measure derives from a row
//! here: its name, what it sums, what its kernels need, when it is infinite, its shader function, whether rows of all pairs have a
//! shorter way. A row that leaves something out does not compile.

use super::facts::{MeasureFacts, TermFacts};
use super::form::Form;
use super::term::{Term, TermKind};
use super::{chi2, entropy, hellinger, jeffreys, js, kl, ks, lin_k, pooled_js, power, skew_js, triangular, tv, w1};

/// Each row: the term, what its function takes, the function, what is known of it, and its form for all pairs of many rows (`None`:
/// the row kernels are the way). The first argument is a dollar sign, for the macro that this one makes.
macro_rules! terms {
    (($d:tt) $($name:ident $(($order:ident))?: $argument:ident $function:path, $facts:path, form $form:expr;)*) => {
        impl TermKind {
            /// What is known of the term.
            #[inline(always)]
            pub const fn facts(self) -> &'static TermFacts {
                match self {
                    $(TermKind::$name => &$facts,)*
                }
            }
        }

        impl Term {
            /// The term for all pairs of many rows, if it has a form.
            pub fn form(self) -> Option<Form> {
                match self {
                    $(Term::$name $(($order))? => terms!(@form $($order,)? $form),)*
                }
            }
        }

        /// Expands to `$go!(argument function, term)` or `$go!(argument function, term, order)` with what belongs to a term: a
        /// function of the contrast, of the contrast and the pooled totals, of the weights, or of a step of a scan.
        macro_rules! with_function_of {
            ($d term:expr, $d go:ident) => {
                match $d term {
                    $(Term::$name $(($order))? => {
                        $d go!($argument $function, Term::$name $(($order))? $(, $order)?)
                    })*
                }
            };
        }
        pub(super) use with_function_of;
    };
    (@form $form:expr) => { $form };
    (@form $order:ident, $form:expr) => {{
        let _ = $order;
        $form
    }};
}

terms! { ($)
    Kl: contrast super::kl::kl_term, kl::KL, form Some(kl::kl_form());
    ReverseKl: contrast super::kl::reverse_kl_term, kl::REVERSE_KL, form Some(kl::reverse_kl_form());
    Jeffreys: contrast super::jeffreys::jeffreys_term, jeffreys::JEFFREYS, form Some(jeffreys::jeffreys_form());
    Js: contrast super::js::js_term, js::JS, form Some(js::js_form());
    LinK: contrast super::lin_k::lin_k_term, lin_k::LIN_K, form None;
    SkewJs(order): contrast super::skew_js::skew_js_term, skew_js::SKEW_JS, form None;
    PooledJs: pooled super::pooled_js::pooled_js_term, pooled_js::POOLED_JS, form None;
    HellingerDeficit: contrast super::hellinger::hellinger_deficit_term, hellinger::DEFICIT,
        form Some(hellinger::hellinger_deficit_form());
    Affinity: contrast super::hellinger::affinity_term, hellinger::AFFINITY_FACTS, form Some(hellinger::affinity_form());
    Tv: contrast super::tv::tv_term, tv::TV, form Some(tv::tv_form());
    Chi2: contrast super::chi2::chi2_term, chi2::CHI2, form Some(chi2::chi2_form());
    NeymanChi2: contrast super::chi2::neyman_chi2_term, chi2::NEYMAN_CHI2, form Some(chi2::neyman_chi2_form());
    Triangular: contrast super::triangular::triangular_term, triangular::TRIANGULAR, form Some(triangular::triangular_form());
    PowerDeficit(order): contrast super::power::power_deficit_term, power::DEFICIT,
        form Some(power::power_deficit_form(order));
    PowerSum(order): contrast super::power::power_sum_term, power::SUM, form Some(power::power_sum_form(order));
    LogPowerSum(order): contrast super::power::log_power_sum_term, power::LOGARITHM,
        form power::log_power_sum_form(order);
    CrossEntropy: weights super::entropy::cross_entropy_term, entropy::CROSS_ENTROPY, form Some(entropy::cross_entropy_form());
    Entropy: weights super::entropy::entropy_term, entropy::ENTROPY, form Some(entropy::entropy_form());
    W1: scan super::w1::w1_step, w1::W1, form None;
    Ks: scan super::ks::ks_step, ks::KS, form None;
}

/// Each row: the variant, its name and aliases, and what is known of it. A family takes an order after a colon: the row says
/// which orders it takes, in code and in words.
macro_rules! measures {
    (@option) => { None };
    (@option $order:ident) => { Some($order) };
    (@allowed) => { (true, "") };
    (@allowed $order:ident, $allowed:expr, $expected:literal) => { ($allowed($order), $expected) };
    (@named $variant:ident) => { Some(Divergence::$variant) };
    (@named $variant:ident, $order:ident) => { None };
    (@family $variant:ident) => { None::<fn(f64) -> Divergence> };
    (@family $variant:ident, $order:ident) => { Some(Divergence::$variant as fn(f64) -> Divergence) };
    ($($(#[$doc:meta])* $variant:ident $(($order:ident: $of:ty))?: [$name:literal $(, $alias:literal)*], $facts:expr
        $(, $allowed:expr, $expected:literal)?;)*) => {
        /// A measure of how far one distribution is from another.
        ///
        /// Definitions are for the normalised rows p̂ = p/Σp and q̂ = q/Σq, in nats; `0·ln(0/x) = 0`. Every value is ≥ 0, exactly 0
        /// for equal rows (but for the two entropies), and +∞ exactly where the definition is. The name of each variant (for
        /// [`FromStr`](std::str::FromStr) and [`Display`](std::fmt::Display)) stands at the start of its description.
        #[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
        pub enum Divergence {
            $($(#[$doc])* $variant $(($of))?,)*
        }

        impl Divergence {
            /// What is known of the measure.
            #[inline]
            pub(crate) fn facts(self) -> MeasureFacts {
                match self {
                    $(Divergence::$variant $(($order))? => $facts,)*
                }
            }

            /// The name, and the order of a family.
            pub(super) fn name(self) -> (&'static str, Option<f64>) {
                match self {
                    $(Divergence::$variant $(($order))? => ($name, measures!(@option $($order)?)),)*
                }
            }

            /// Whether the order of a family is allowed, and in words which are.
            pub(super) fn allowed(self) -> (bool, &'static str) {
                match self {
                    $(Divergence::$variant $(($order))? => measures!(@allowed $($order)? $(, $allowed, $expected)?),)*
                }
            }

            /// Every measure without an order, by name and alias.
            pub(super) fn named() -> impl Iterator<Item = (&'static str, Divergence)> {
                let all = [$((&[$name $(, $alias)*][..], measures!(@named $variant $(, $order)?)),)*];
                all.into_iter().flat_map(|(names, measure)| names.iter().filter_map(move |name| Some((*name, measure?))))
            }

            /// Every family, by name.
            pub(super) fn families() -> impl Iterator<Item = (&'static str, fn(f64) -> Divergence)> {
                let all = [$(($name, measures!(@family $variant $(, $order)?)),)*];
                all.into_iter().filter_map(|(name, make)| Some((name, make?)))
            }
        }
    };
}

measures! {
    /// `kl`: Kullback–Leibler, Σ p̂ ln(p̂/q̂), in \[0, ∞\].
    Kl: ["kl"], kl::kl();
    /// `reverse_kl`: KL(q̂‖p̂), in \[0, ∞\].
    ReverseKl: ["reverse_kl"], kl::reverse_kl();
    /// `jeffreys` (alias `psi`): KL(p̂‖q̂) + KL(q̂‖p̂), the population stability index, in \[0, ∞\].
    Jeffreys: ["jeffreys", "psi"], jeffreys::jeffreys();
    /// `js`: Jensen–Shannon, ½KL(p̂‖m̂) + ½KL(q̂‖m̂) with m̂ = (p̂+q̂)/2, in \[0, ln 2\].
    Js: ["js"], js::js();
    /// `js_distance`: the root of `js` in the chosen unit, in \[0, √ln 2\].
    JsDistance: ["js_distance"], js::js_distance();
    /// `lin_k`: KL(p̂‖m̂) with m̂ = (p̂+q̂)/2, which is Lin's K, in \[0, ln 2\].
    LinK: ["lin_k"], lin_k::lin_k();
    /// `skew_js:A`: A·KL(p̂‖m̂) + (1−A)·KL(q̂‖m̂) with m̂ = A·p̂ + (1−A)·q̂, 0 < A < 1; A = ½ means `js`. In \[0, ln 2\].
    SkewJs(order: f64): ["skew_js"], skew_js::skew_js(order),
        skew_js::allows, "A must lie between 1e-12 and 1 - 1e-12";
    /// `pooled_js`: N/(N+M)·KL(p̂‖m̂) + M/(N+M)·KL(q̂‖m̂) with m̂ = (p+q)/(N+M), N = Σp and M = Σq as stored. In \[0, ln 2\]. The
    /// one measure that depends on the scale of the rows: 2(N+M) times its value in nats is the statistic of the G-test.
    PooledJs: ["pooled_js"], pooled_js::pooled_js();
    /// `hellinger`: √(1 − BC) with BC = Σ√(p̂q̂), in \[0, 1\].
    Hellinger: ["hellinger"], hellinger::hellinger();
    /// `bhattacharyya`: −ln BC, in \[0, ∞\].
    Bhattacharyya: ["bhattacharyya"], hellinger::bhattacharyya();
    /// `tv`: total variation, ½ Σ|p̂ − q̂|, in \[0, 1\].
    Tv: ["tv"], tv::tv();
    /// `chi2`: Pearson, Σ (p̂ − q̂)²/q̂, in \[0, ∞\].
    Chi2: ["chi2"], chi2::chi2();
    /// `neyman_chi2`: Σ (p̂ − q̂)²/p̂, in \[0, ∞\].
    NeymanChi2: ["neyman_chi2"], chi2::neyman_chi2();
    /// `triangular`: Σ (p̂ − q̂)²/(p̂ + q̂), in \[0, 2\].
    Triangular: ["triangular"], triangular::triangular();
    /// `renyi:A`: ln(Σ p̂ᴬ q̂¹⁻ᴬ)/(A − 1), A ≥ 0; A = 1 means `kl`, A = ∞ (`renyi:inf`) the limit ln max p̂/q̂. In \[0, ∞\].
    Renyi(order: f64): ["renyi"], power::renyi(order),
        power::renyi_allows, "A must lie between 0 and 1e100, or be inf";
    /// `tsallis:A`: (Σ p̂ᴬ q̂¹⁻ᴬ − 1)/(A − 1), A > 0; A = 1 means `kl` in nats. In \[0, ∞\].
    Tsallis(order: f64): ["tsallis"], power::tsallis(order),
        power::tsallis_allows, "A must be above 0, and at most 1e100";
    /// `alpha:A`: (Σ p̂ᴬ q̂¹⁻ᴬ − 1)/(A(A − 1)), A ∉ {0, 1}. In \[0, ∞\].
    Alpha(order: f64): ["alpha"], power::alpha(order),
        power::alpha_allows, "A must be neither 1 nor within 1e-12 of 0, and between -1e100 and 1e100";
    /// `cross_entropy`: −Σ p̂ ln q̂, in \[0, ∞\].
    CrossEntropy: ["cross_entropy"], entropy::cross_entropy();
    /// `entropy`: −Σ p̂ ln p̂, in \[0, ln n\]. The value does not depend on q.
    Entropy: ["entropy"], entropy::entropy();
    /// `w1` (alias `wasserstein`): the Wasserstein distance of order 1, ∫|F − G| of the cumulated rows over the positions of the bins (without any, steps of 1). In \[0, ∞).
    W1: ["w1", "wasserstein"], w1::w1();
    /// `ks`: Kolmogorov–Smirnov, max |F − G| of the cumulated rows, in \[0, 1\].
    Ks: ["ks"], ks::ks();
}
