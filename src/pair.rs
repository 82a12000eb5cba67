//! One value for one pair of rows, without an engine of one's own.

use std::sync::LazyLock;

use kullback_kernels::error::{Error, Result, Side};
use kullback_kernels::measures::Divergence;
use kullback_kernels::weights::{Rows, Weight};

use crate::engine::Engine;
use crate::options::{Device, Options};

/// The measure between two rows, in nats, with zeros as they are. The rows need not sum to 1.
///
/// It runs on the CPU and takes about a microsecond beside the bins. For other options, and for many rows, make an
/// [`Engine`](crate::Engine): it computes millions of pairs in one call.
///
/// ```
/// let observed = [42_u32, 31, 27];
/// let expected = [0.25_f32, 0.5, 0.25];
/// let value = kullback::divergence(kullback::Divergence::Renyi(2.0), &observed, &expected)?;
/// assert!((value - 0.173449).abs() < 1e-6);
/// # Ok::<(), kullback::Error>(())
/// ```
///
/// # Errors
/// Rows of different lengths or of no bins, an invalid weight, a row without weight ([`Error::EmptyRow`]), an order outside the
/// definition.
pub fn divergence<P: Weight, Q: Weight>(measure: Divergence, p: &[P], q: &[Q]) -> Result<f64> {
    static ENGINE: LazyLock<Result<Engine>> = LazyLock::new(|| Engine::builder().device(Device::Cpu).build());
    let engine = ENGINE.as_ref().map_err(Clone::clone)?;
    let (p_row, q_row) = (Rows::new(p, p.len())?, Rows::new(q, q.len())?);
    let value = engine.rowwise(&[measure], p_row, q_row, &Options::default())?[measure][0];
    if value.is_nan() {
        let is_empty = (0..p.len()).all(|bin| p_row.get(0, bin) == Some(0.0));
        return Err(Error::EmptyRow { side: if is_empty { Side::P } else { Side::Q } });
    }
    Ok(value)
}

/// One function per measure.
macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident($($order:ident)?) = $measure:expr;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            /// Those of [`divergence`].
            pub fn $name<P: Weight, Q: Weight>($($order: f64,)? p: &[P], q: &[Q]) -> Result<f64> {
                divergence($measure, p, q)
            }
        )*

        #[cfg(test)]
        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

functions! {
    /// Kullback–Leibler, Σ p̂ ln(p̂/q̂), in nats.
    ///
    /// ```
    /// let value = kullback::kl(&[42_u32, 31, 27], &[0.25_f32, 0.5, 0.25])?;
    /// assert!((value - 0.090482).abs() < 1e-6);
    /// # Ok::<(), kullback::Error>(())
    /// ```
    kl() = Divergence::Kl;
    /// KL(q̂‖p̂), in nats.
    reverse_kl() = Divergence::ReverseKl;
    /// KL(p̂‖q̂) + KL(q̂‖p̂), the population stability index, in nats.
    jeffreys() = Divergence::Jeffreys;
    /// Jensen–Shannon, ½KL(p̂‖m̂) + ½KL(q̂‖m̂) with m̂ = (p̂+q̂)/2, in nats.
    js() = Divergence::Js;
    /// The root of [`js`].
    js_distance() = Divergence::JsDistance;
    /// Lin's K, KL(p̂‖m̂) with m̂ = (p̂+q̂)/2, in nats.
    lin_k() = Divergence::LinK;
    /// Jensen–Shannon with the weight `weight` on p̂ and 1 − `weight` on q̂, in nats.
    skew_js(weight) = Divergence::SkewJs(weight);
    /// Jensen–Shannon with the totals of the rows as weights, in nats. 2(N + M) times it is the statistic of the G-test.
    pooled_js() = Divergence::PooledJs;
    /// √(1 − Σ√(p̂q̂)).
    hellinger() = Divergence::Hellinger;
    /// −ln Σ√(p̂q̂).
    bhattacharyya() = Divergence::Bhattacharyya;
    /// Total variation, ½ Σ|p̂ − q̂|.
    tv() = Divergence::Tv;
    /// Pearson, Σ (p̂ − q̂)²/q̂.
    chi2() = Divergence::Chi2;
    /// Neyman, Σ (p̂ − q̂)²/p̂.
    neyman_chi2() = Divergence::NeymanChi2;
    /// Σ (p̂ − q̂)²/(p̂ + q̂).
    triangular() = Divergence::Triangular;
    /// ln(Σ p̂ᴬ q̂¹⁻ᴬ)/(A − 1), A = `order`, in nats.
    renyi(order) = Divergence::Renyi(order);
    /// (Σ p̂ᴬ q̂¹⁻ᴬ − 1)/(A − 1), A = `order`.
    tsallis(order) = Divergence::Tsallis(order);
    /// (Σ p̂ᴬ q̂¹⁻ᴬ − 1)/(A(A − 1)), A = `order`.
    alpha(order) = Divergence::Alpha(order);
    /// −Σ p̂ ln q̂, in nats.
    cross_entropy() = Divergence::CrossEntropy;
    /// Wasserstein, ∫|F − G| of the cumulated rows, with steps of 1 between the bins. For other positions use
    /// [`Options::positions`](crate::Options::positions).
    w1() = Divergence::W1;
    /// Kolmogorov–Smirnov, max |F − G| of the cumulated rows.
    ks() = Divergence::Ks;
}

/// −Σ p̂ ln p̂, in nats.
///
/// # Errors
/// Those of [`divergence`].
pub fn entropy<P: Weight>(p: &[P]) -> Result<f64> {
    divergence(Divergence::Entropy, p, p)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_has_a_function() {
        let names: Vec<String> = Divergence::names().map(|name| name.trim_end_matches(":A").to_owned()).collect();
        let missing: Vec<&String> =
            names.iter().filter(|name| *name != "entropy" && !NAMES.contains(&name.as_str())).collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert_eq!(names.len(), NAMES.len() + 1);
    }

    #[test]
    fn what_has_no_value_is_an_error() {
        assert_eq!(kl(&[0.0, 0.0], &[1.0, 1.0]), Err(Error::EmptyRow { side: Side::P }));
        assert_eq!(kl(&[1_u8, 0], &[0_u8, 0]), Err(Error::EmptyRow { side: Side::Q }));
        assert_eq!(kl(&[1.0, 2.0], &[1.0]), Err(Error::BinsDiffer { p: 2, q: 1 }));
        assert!(kl::<f32, f32>(&[], &[]).is_err());
        assert!(matches!(kl(&[1.0, f64::NAN], &[1.0, 1.0]), Err(Error::InvalidWeights { bin: 1, .. })));
        assert!(matches!(renyi(-1.0, &[1.0, 2.0], &[1.0, 1.0]), Err(Error::Order { .. })));
        assert_eq!(kl(&[1.0, 1.0], &[1.0, 0.0]), Ok(f64::INFINITY));
        assert_eq!(js(&[3_u16, 1], &[0.75, 0.25]), Ok(0.0));
        assert_eq!(entropy(&[1.0, 1.0]).map(|value| (value - std::f64::consts::LN_2).abs() < 1e-12), Ok(true));
    }
}
