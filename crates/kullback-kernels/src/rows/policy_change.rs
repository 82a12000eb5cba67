//! Zero policies in the batch kernel: what they change in the rows of a batch.
//!
//! The other rows of a batch may decide which rule the batch uses. They never decide what a row gives: a row that a policy
//! leaves alone has the same bits under every rule.

use fearless_simd::{Select, Simd, SimdBase, SimdFloat, SimdMask};

use super::batch::{Batch, Usual};
use super::blocks::RowBlocks;
use super::decode::Decode;
use super::prefetch::Ahead;
use super::stage::RowBits;
use super::sums::RowTotals;
use crate::arithmetic::change::{Added, Change};
use crate::arithmetic::contrast::{Blocks, Scale};
use crate::arithmetic::double::Double;
use crate::arithmetic::lanes::{LaneMask, Lanes, Real, keep, splat};
use crate::arithmetic::pooled::Pooled;
use crate::arithmetic::two_part::TwoPart;
use crate::arithmetic::two_part::two_sum;
use crate::arithmetic::wide_lanes::WideLanes;
use crate::zeros::Zeros;

/// The most bins of a row that a 32-bit float can count.
const MOST_COUNTED: usize = 1 << 24;

/// How a policy changes the rows of a batch, with one value per row.
#[derive(Clone, Copy)]
pub(crate) enum Rule<V> {
    /// The policy changes nothing.
    None,
    /// Each bin of p and of q gets the same amount, each in its own unit.
    Same(TwoPart<V>),
    /// Each bin gets the same part of its total: `added` on the scale of q. The total becomes `total`.
    Share { added: V, total: TwoPart<V> },
    /// A missing bin gets `fill`, a part of the total on the scale of q. All missing bins of both sides together get `filled`.
    /// A bin with weight loses `p` on side P and `q` on side Q.
    Missing { fill: V, filled: V, p: TwoPart<V>, q: TwoPart<V> },
    /// Bins that are empty on a side are left out.
    Common,
}

/// What the rows of a batch have and lack, with one value per row.
struct Census<S: Simd, T: Real> {
    p_bins: Lanes<S, T>,
    q_bins: Lanes<S, T>,
    /// Bins with weight on either side.
    bins: Lanes<S, T>,
    /// The smallest weights, and below the sums over the bins with weight on both sides.
    p_least: Lanes<S, T>,
    q_least: Lanes<S, T>,
    p_common: TwoPart<Lanes<S, T>>,
    q_common: TwoPart<Lanes<S, T>>,
    /// Rows with a weight too small for this kernel.
    unusual: RowBits,
}

#[inline(always)]
fn difference<S: Simd, T: Real>(a: TwoPart<Lanes<S, T>>, b: TwoPart<Lanes<S, T>>) -> TwoPart<Lanes<S, T>> {
    sum::<S, T>(a, TwoPart { high: -b.high, low: -b.low })
}

#[inline(always)]
fn sum<S: Simd, T: Real>(a: TwoPart<Lanes<S, T>>, b: TwoPart<Lanes<S, T>>) -> TwoPart<Lanes<S, T>> {
    let TwoPart { high, low } = two_sum(a.high, b.high);
    TwoPart { high, low: low + (a.low + b.low) }
}

#[inline(always)]
pub(super) fn quotient<S: Simd, T: Real>(a: TwoPart<Lanes<S, T>>, b: TwoPart<Lanes<S, T>>) -> TwoPart<Lanes<S, T>> {
    let high = a.high / b.high;
    let rest = (a.low - high.mul_sub_precise(b.high, a.high)) - high * b.low;
    TwoPart { high, low: rest / b.high }
}

#[inline(always)]
fn product<S: Simd, T: Real>(a: TwoPart<Lanes<S, T>>, b: TwoPart<Lanes<S, T>>) -> TwoPart<Lanes<S, T>> {
    let high = a.high * b.high;
    let low = a.high.mul_sub_precise(b.high, high) + a.high.mul_add(b.low, a.low * b.high);
    TwoPart { high, low }
}

impl<S: Simd, T: Decode + Usual> Batch<'_, S, T> {
    /// Finds the rule of a policy, and sets totals to those that the policy leaves. Returns the rule, the rows that are not
    /// usual, and the rows for which the rule asks for the refined ratio. `less` says that a weight may be too small, or
    /// missing.
    #[inline(always)]
    pub(crate) fn rule(&mut self, zeros: Zeros, less: bool) -> (Rule<Lanes<S, T>>, RowBits, RowBits) {
        let simd = self.simd;
        let v = |value: f64| splat::<S, T>(simd, value);
        let zero = v(0.0);
        let (bins, least_share) = (self.in_two_parts(self.layout.bins as f64), v(T::LEAST_SHARE));
        match zeros {
            Zeros::Additive(amount) => {
                let amount = self.in_two_parts(amount);
                let added = product::<S, T>(amount, bins);
                for side in [&mut self.p, &mut self.q] {
                    let total = sum::<S, T>(added, side.in_two_parts());
                    (side.totals, side.totals_low) = (total.high, total.low);
                }
                let enough = amount.high.simd_ge(self.p.totals.max(self.q.totals) * least_share);
                (Rule::Same(amount), (!enough).to_bitmask(), 0)
            }
            Zeros::Mix(share) => {
                // (1 − L)·p̂ + L/n is proportional to p + P·L/(1 − L)/n.
                let q = self.q.in_two_parts();
                let added = self.part(q, share / (1.0 - share) / self.layout.bins as f64);
                let total = sum::<S, T>(product::<S, T>(TwoPart { high: added, low: zero }, bins), q);
                let enough = added.simd_ge(total.high * least_share);
                (Rule::Share { added, total }, (!enough).to_bitmask(), RowBits::MAX)
            }
            // Bins are counted in the kernel's precision.
            Zeros::Epsilon(_) | Zeros::Skip if less && self.layout.bins > MOST_COUNTED => (Rule::None, RowBits::MAX, 0),
            Zeros::Epsilon(epsilon) if less => {
                let census = self.census();
                let fill = self.part(self.q.in_two_parts(), epsilon);
                let (p_missing, q_missing) = (census.bins - census.p_bins, census.bins - census.q_bins);
                let p = self.loss(fill, p_missing, census.p_bins);
                let q = self.loss(fill, q_missing, census.q_bins);
                // A bin that loses much of its weight is not known to the last digit.
                let two = v(2.0);
                let p_least = census.p_least * (self.q.totals / self.p.totals);
                let enough = p_least.simd_ge(p.high * two) & census.q_least.simd_ge(q.high * two);
                let enough = enough & fill.simd_ge(self.q.totals * least_share);
                let filled = fill * (p_missing + q_missing);
                let missing = filled.simd_gt(zero);
                let unusual = (missing & !enough).to_bitmask() | census.unusual;
                (Rule::Missing { fill, filled, p, q }, unusual, missing.to_bitmask())
            }
            Zeros::Skip if less => {
                let census = self.census();
                let missing = (census.p_bins.simd_lt(census.bins)) | (census.q_bins.simd_lt(census.bins));
                for (side, common) in [(&mut self.p, census.p_common), (&mut self.q, census.q_common)] {
                    side.totals = missing.select(common.high, side.totals);
                    side.totals_low = missing.select(common.low, side.totals_low);
                }
                (Rule::Common, census.unusual, 0)
            }
            Zeros::Exact | Zeros::Epsilon(_) | Zeros::Floor(_) | Zeros::Skip => (Rule::None, 0, 0),
        }
    }

    /// A part of a total, rounded once.
    #[inline(always)]
    fn part(&self, total: TwoPart<Lanes<S, T>>, part: f64) -> Lanes<S, T> {
        let part = self.in_two_parts(part);
        let TwoPart { high, low } = product::<S, T>(total, part);
        high + low
    }

    /// The same number in every lane.
    #[inline(always)]
    fn in_two_parts(&self, number: f64) -> TwoPart<Lanes<S, T>> {
        let v = |value: f64| splat::<S, T>(self.simd, value);
        TwoPart { high: v(number), low: v(number - T::from_f64(number).to_f64()) }
    }

    /// What each bin with weight pays for the missing bins of its side.
    #[inline(always)]
    fn loss(&self, fill: Lanes<S, T>, missing: Lanes<S, T>, present: Lanes<S, T>) -> TwoPart<Lanes<S, T>> {
        let zero = splat::<S, T>(self.simd, 0.0);
        let present = present.max(splat::<S, T>(self.simd, 1.0));
        let high = missing / present;
        let low = -(high.mul_sub_precise(present, missing) / present);
        product::<S, T>(TwoPart { high: fill, low: zero }, TwoPart { high, low })
    }

    /// Finds in one pass what `epsilon` and `skip` need to know about each row: the bins with weight on p, on q and on either
    /// side, the smallest weights, and the sums over the bins with weight on both sides.
    ///
    /// The counts are exact although they are kept in the kernel's precision, because `rule` calls this only for rows of at
    /// most [`MOST_COUNTED`] bins. The sums run in 64 bits, because under `skip` they become the totals in two parts. The
    /// stored weights alone decide which bins have weight (`docs/NUMERICS.md`, "The contrast form", under "Policies"). A weight
    /// that is negative or too small beside its total makes its row unusual. Where rows lie across, one unit holds all rows,
    /// one per lane.
    #[expect(clippy::too_many_lines, reason = "one pass over the weights, which the registers of one loop hold")]
    #[inline(always)]
    fn census(&self) -> Census<S, T> {
        let (simd, lanes) = (self.simd, Lanes::<S, T>::LEN);
        let (zero, one) = (splat::<S, T>(simd, 0.0), splat::<S, T>(simd, 1.0));
        let most = splat::<S, T>(simd, f64::from(f32::MAX));
        let share = splat::<S, T>(simd, T::LEAST_SHARE);
        let (p_share, q_share) = (self.p.totals * share, self.q.totals * share);
        let mut all: Census<S, T> = Census {
            p_bins: zero,
            q_bins: zero,
            bins: zero,
            p_least: most,
            q_least: most,
            p_common: TwoPart { high: zero, low: zero },
            q_common: TwoPart { high: zero, low: zero },
            unusual: 0,
        };
        for row in 0..self.layout.units(self.count) {
            let (xs, ys) = (self.p.staged.unit(row, self.layout), self.q.staged.unit(row, self.layout));
            let (x_share, y_share) = (self.of_row(p_share, row), self.of_row(q_share, row));
            let (mut x_bins, mut y_bins, mut bins) = (zero, zero, zero);
            let (mut x_least, mut y_least) = (most, most);
            let (mut x_wide, mut y_wide) = (WideLanes::zero(simd), WideLanes::zero(simd));
            let mut unusual = zero.simd_lt(zero);
            for (x, y) in xs.chunks_exact(lanes).zip(ys.chunks_exact(lanes)) {
                let (x, y) = (Lanes::<S, T>::from_slice(simd, x), Lanes::<S, T>::from_slice(simd, y));
                let (has_x, has_y) = (x.simd_gt(zero), y.simd_gt(zero));
                let both = has_x & has_y;
                x_bins += keep::<S, T>(simd, has_x, one);
                y_bins += keep::<S, T>(simd, has_y, one);
                bins += keep::<S, T>(simd, has_x | has_y, one);
                x_least = x_least.min(has_x.select(x, most));
                y_least = y_least.min(has_y.select(y, most));
                unusual |= (has_x & x.simd_lt(x_share)) | (has_y & y.simd_lt(y_share));
                unusual |= x.simd_lt(zero) | y.simd_lt(zero);
                let (x, y) = (keep::<S, T>(simd, both, x), keep::<S, T>(simd, both, y));
                T::widen::<S>(&mut x_wide, x);
                T::widen::<S>(&mut y_wide, y);
            }
            if self.layout.across {
                let unusual = unusual.to_bitmask();
                return Census {
                    p_bins: x_bins,
                    q_bins: y_bins,
                    bins,
                    p_least: x_least,
                    q_least: y_least,
                    p_common: T::narrow(simd, x_wide),
                    q_common: T::narrow(simd, y_wide),
                    unusual,
                };
            }
            all.p_bins.as_mut_slice()[row] = x_bins.reduce_sum();
            all.q_bins.as_mut_slice()[row] = y_bins.reduce_sum();
            all.bins.as_mut_slice()[row] = bins.reduce_sum();
            all.p_least.as_mut_slice()[row] = x_least.reduce_min();
            all.q_least.as_mut_slice()[row] = y_least.reduce_min();
            for (common, wide) in [(&mut all.p_common, x_wide), (&mut all.q_common, y_wide)] {
                let TwoPart { high, low } = Double::from(wide.total()).split::<T>();
                common.high.as_mut_slice()[row] = high;
                common.low.as_mut_slice()[row] = low;
            }
            all.unusual |= RowBits::from(unusual.any_true()) << row;
        }
        all
    }

    /// The totals and the change of each row, as its bins need them, at a ratio of the totals.
    #[inline(always)]
    pub(crate) fn scale(
        &self,
        ratio: TwoPart<Lanes<S, T>>,
        rule: Rule<Lanes<S, T>>,
        pooled: Pooled<S, T>,
    ) -> Scale<S, T> {
        let zero = splat::<S, T>(self.simd, 0.0);
        let change = match rule {
            Rule::None => None,
            Rule::Same(amount) => {
                let a = product::<S, T>(amount, ratio);
                Some(Change::Every(Added { a: a.high, q: amount.high, u: difference::<S, T>(a, amount) }))
            }
            // On one scale, p and q get the same amount.
            Rule::Share { added, .. } => {
                Some(Change::Every(Added { a: added, q: added, u: TwoPart { high: zero, low: zero } }))
            }
            Rule::Missing { fill, p, q, .. } => {
                let filled = TwoPart { high: fill, low: zero };
                let minus = |x: TwoPart<Lanes<S, T>>| TwoPart { high: -x.high, low: -x.low };
                Some(Change::Missing {
                    fill,
                    p: -p.high,
                    q: -q.high,
                    both: difference::<S, T>(q, p),
                    only_p: difference::<S, T>(minus(p), filled),
                    only_q: difference::<S, T>(filled, minus(q)),
                })
            }
            Rule::Common => Some(Change::Common),
        };
        Scale { ratio, q_total: self.q_sum(rule).high, pooled, change }
    }

    /// Σq after the policy.
    #[inline(always)]
    pub(crate) fn q_sum(&self, rule: Rule<Lanes<S, T>>) -> TwoPart<Lanes<S, T>> {
        match rule {
            Rule::Share { total, .. } => total,
            _ => self.q.in_two_parts(),
        }
    }

    /// The rows in which the rule rounds nothing beyond what a bin rounds without it.
    #[inline(always)]
    pub(crate) fn adds_nothing(&self, scale: &Scale<S, T>) -> LaneMask<S, T> {
        let zero = splat::<S, T>(self.simd, 0.0);
        match scale.change {
            None | Some(Change::Common) => LaneMask::<S, T>::splat(self.simd, true),
            Some(Change::Every(added)) => added.u.high.simd_eq(zero),
            Some(Change::Missing { p, q, .. }) => p.simd_eq(zero) & q.simd_eq(zero),
        }
    }

    /// Σ(a − q) of each wanted row, after the policy.
    #[inline(always)]
    pub(crate) fn residual_changed(
        &self,
        scale: Scale<S, T>,
        ahead: &Ahead,
        wanted: RowBits,
        totals: &mut RowTotals<S, T>,
    ) -> Lanes<S, T> {
        let (simd, lanes) = (self.simd, Lanes::<S, T>::LEN);
        let mut blocks = RowBlocks::new(self, scale, ahead, wanted, std::array::from_mut(totals));
        while let Some(block) = blocks.next() {
            let mut sum = splat::<S, T>(simd, 0.0);
            for (i, (x, y)) in block.p.chunks_exact(lanes).zip(block.q.chunks_exact(lanes)).enumerate() {
                let (x, y) = (Lanes::<S, T>::from_slice(simd, x), Lanes::<S, T>::from_slice(simd, y));
                if let Some(change) = block.scale.change {
                    let (x, y, added) = change.apply(simd, x, y, block.inside(simd, i));
                    sum += added.difference(x, y, block.scale.ratio);
                }
            }
            blocks.put(&[sum]);
        }
        self.gathered(totals)
    }
}
