//! From sums to values: the root, logarithm and unit at the end. And what the zeros of a pair of rows say.

/// What the zeros of a pair say, whatever its weights: a few bits per row, found by the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Support(u32);

impl Support {
    /// A bin has weight on both sides.
    pub const COMMON: Support = Support(1);
    /// A bin has weight in p alone.
    pub const ONLY_P: Support = Support(2);
    /// A bin has weight in q alone.
    pub const ONLY_Q: Support = Support(4);

    /// Takes the low three bits.
    #[inline]
    pub const fn from_bits(bits: u32) -> Self {
        Support(bits & 7)
    }

    /// Returns the low three bits.
    #[inline]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Adds `other` if `when`.
    #[inline]
    pub const fn with(self, other: Support, when: bool) -> Self {
        if when { Support(self.0 | other.0) } else { self }
    }

    /// Whether all of `other` is set.
    #[inline]
    pub const fn has(self, other: Support) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Turns the sums of a row, each already divided by Q, into a value.
#[derive(Clone, Copy, Debug)]
pub enum Finisher {
    /// The sum (or its root) in some unit. The last rounding may take a bounded measure a unit in the last place out of its
    /// range. It is brought back to the bound.
    Scaled { most: f64, divisor: f64, root: bool },
    /// (1 − S)/divisor. It comes from the logarithm of S if that is given and S has left the range of a float.
    PowerSum { divisor: f64 },
    /// −ln(1 − sign·sum)/factor. It comes from 1 − sum itself if that is given and small.
    Logarithm { sign: f64, factor: f64, ln_base: f64 },
}

impl Finisher {
    /// The same in a unit that is this many nats. What has no unit gets 1.
    pub(super) fn in_unit(self, nats: f64) -> Self {
        match self {
            Finisher::Scaled { most, divisor, root } => Finisher::Scaled { most, divisor: divisor * nats, root },
            Finisher::PowerSum { divisor } => Finisher::PowerSum { divisor: divisor * nats },
            Finisher::Logarithm { sign, factor, ln_base } => {
                Finisher::Logarithm { sign, factor, ln_base: ln_base * nats }
            }
        }
    }

    /// Whether the value is the root of a sum.
    pub(super) fn is_root(self) -> bool {
        matches!(self, Finisher::Scaled { root: true, .. })
    }

    /// The largest possible value.
    #[inline]
    pub fn bound(self) -> f64 {
        match self {
            Finisher::Scaled { most, divisor, root } if root => (most / divisor).sqrt(),
            Finisher::Scaled { most, divisor, .. } if divisor > 0.0 => most / divisor,
            _ => f64::INFINITY,
        }
    }

    #[inline]
    pub fn value(self, first: f64, second: Option<f64>) -> f64 {
        let value = match self {
            Finisher::Scaled { most, divisor, root } => {
                let value = if first > most { most } else { first } / divisor;
                if root { value.sqrt() } else { value }
            }
            Finisher::PowerSum { divisor } => match second {
                Some(logarithm) if !first.is_finite() => (logarithm - divisor.abs().ln()).exp(),
                _ => first / divisor,
            },
            // The sum itself has left the range of a float, and the second sum is its logarithm.
            Finisher::Logarithm { factor, ln_base, .. } if !first.is_finite() => {
                -second.unwrap_or(f64::INFINITY) / factor / ln_base
            }
            // Below order 1 the second sum is the power sum itself.
            Finisher::Logarithm { sign, factor, ln_base } => {
                let deficit = sign * first;
                let minus_ln = match second {
                    Some(direct) if deficit > 0.5 => -direct.ln(),
                    _ => -(-deficit).ln_1p(),
                };
                minus_ln / factor / ln_base
            }
        };
        positive(value)
    }

    /// A sum above which every value is larger than `value`, if values grow with the first sum alone.
    #[inline]
    pub fn most_sum(self, value: f64) -> f64 {
        match self {
            Finisher::Scaled { divisor, root, .. } if divisor > 0.0 => {
                let sum = if root { value * value } else { value } * divisor;
                // Values are good to 1e-6.
                sum * (1.0 + 1e-5)
            }
            _ => f64::INFINITY,
        }
    }
}

/// Never negative, and no −0. A NaN stays visible.
#[inline]
pub fn positive(value: f64) -> f64 {
    if value <= 0.0 { 0.0 } else { value }
}
