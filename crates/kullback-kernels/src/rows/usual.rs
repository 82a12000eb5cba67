//! The kernel for usual rows: their weights and totals lie in the middle of the range of a float.
//!
//! It computes as many rows at once as a vector has lanes. What a row needs once (its ratio r = Q/P, its quotients, its checks)
//! is computed for all these rows in one vector. `policy_change.rs` adds what a zero policy changes.
//!
//! The kernel reads a row twice while it stays in the nearest cache: once for totals, once for terms. Totals are summed in the
//! kernel's own precision, so r has an error ε ≈ 1e-7 (in 32 bits), and a sum of second order has an error of ε² of its scale.
//! That matters only where the two sides are almost the same. Only for these rows, and for a sum of first order, the kernel
//! reads the row a third time. This pass finds the error of r, Σ(p·r − q)/P. It is a sum of differences, so it is known to 1e-7
//! of itself.
//!
//! Where an error of a total counts more than once, the kernel sums totals again in 64 bits and keeps r in two parts. It marks
//! every row that is still uncertain, or not usual, for the kernel that takes any row. `docs/NUMERICS.md` has the argument in
//! "The contrast form" (under "Getting u") and lists the marked rows in "Rescue".

use fearless_simd::{Select, Simd, SimdBase, SimdFloat, SimdMask};

use super::batch::{Batch, Usual};
use super::blocks::RowBlocks;
use super::decode::Decode;
use super::policy_change::{Rule, quotient};
use super::prefetch::Ahead;
use super::side::inside;
use super::stage::RowBits;
use super::sums::{Gather, RowTotals, SetTotals, sum_blocks};
use crate::arithmetic::contrast::{SET, Scale};
use crate::arithmetic::lanes::{Bits, LaneMask, Lanes, keep, splat};
use crate::arithmetic::pooled::Pooled;
use crate::arithmetic::two_part::TwoPart;
use crate::measures::Term;
use crate::measures::finish::Support;
use crate::problem::Problem;
use crate::row_sums::RowFlags;
use crate::zeros::Zeros;

/// The share of its total from which on no weight is unusual and the policy raises none.
#[inline(always)]
fn least_share<T: Usual>(zeros: Zeros) -> f64 {
    match zeros {
        // The factor allows for totals that are not known to the last digit.
        Zeros::Floor(least) => T::LEAST_SHARE.max(least * 1.000_01),
        // Under these policies a weight may be as small as any.
        Zeros::Additive(_) | Zeros::Mix(_) => 0.0,
        Zeros::Exact | Zeros::Epsilon(_) | Zeros::Skip => T::LEAST_SHARE,
    }
}

impl<S: Simd, T: Decode> Batch<'_, S, T>
where
    T: Usual,
{
    /// Writes the sums of all rows into `sums` (one value per term and row, each divided by Q), and what it found into `flags`.
    /// A row marked [`RowFlags::RESCUE`] has no sums.
    ///
    /// Every term is first summed at the plain ratio r of the rounded totals. This is allowed because an error ε of r moves a
    /// sum of second order by a part ε of itself and by ε²/2. So a sum that is large enough keeps the contract, and `lost`
    /// finds the rows whose sums are too small. For these rows alone, or for all rows if a term asks for it, the ratio is
    /// refined and the terms are summed again. A row that is still lost is marked. See `docs/NUMERICS.md`, "The contrast form".
    #[expect(
        clippy::too_many_lines,
        reason = "the steps share a dozen vectors, which a function for each would have to hand on"
    )]
    #[inline(always)]
    pub(crate) fn run(
        mut self,
        problem: &Problem,
        totals: &mut SetTotals<S, T>,
        ahead: &Ahead,
        flags: &mut [RowFlags],
        sums: &mut [f64],
    ) {
        let (simd, terms) = (self.simd, problem.terms.as_slice());
        let all: RowBits = (1 << self.count) - 1;
        let mut marked = (self.p.staged.inexact | self.q.staged.inexact | !self.usual()) & all;
        flags.fill(RowFlags(Support::COMMON.bits()));
        // A weight that is NaN shows in the total of its row, and may hide the least weights of the other rows.
        let less = marked != 0 || self.may_be_less_than(least_share::<T>(problem.zeros));
        let needs_pooled = problem.needs().pooled;
        // Before the policy adds anything to the totals.
        let mut pooled = if needs_pooled { self.pooled() } else { Pooled::none(simd) };
        let (rule, unusual, asks) = self.rule(problem.zeros, less);
        marked |= unusual;
        if needs_pooled {
            if let Rule::Common = rule {
                pooled = self.pooled();
            }
            marked |= (!pooled.are_held(simd)).to_bitmask();
        }
        if less && matches!(rule, Rule::None | Rule::Same(_) | Rule::Share { .. }) {
            marked |= self.supports(problem.zeros, flags);
            if !matches!(rule, Rule::None) {
                flags.fill(RowFlags(Support::COMMON.bits()));
            }
        }
        marked = (marked | !self.usual()) & all;
        // Totals in two parts leave nothing to refine.
        let is_known = self.two_parts;
        let plain = self.q.totals / self.p.totals;
        let mut ratio = match is_known {
            true => quotient::<S, T>(self.q.in_two_parts(), self.p.in_two_parts()),
            false => TwoPart { high: plain, low: splat::<S, T>(simd, 0.0) },
        };
        let q_sum = self.q_sum(rule);
        let (divisor, inverse) = (T::divisor(simd, q_sum), splat::<S, T>(simd, 1.0) / q_sum.high);
        let mut wanted = all & !marked;
        let mut refined = is_known || wanted & !asks == 0 || terms.iter().any(|term| term.asks_refined());
        while wanted != 0 {
            if refined && !is_known {
                let residual = match rule {
                    Rule::Same(_) => {
                        self.residual_changed(self.scale(ratio, rule, pooled), ahead, wanted, &mut totals[0])
                    }
                    Rule::Common => self.residual(plain, true, &mut totals[0]),
                    // These rules add the same on both sides at any ratio.
                    Rule::None | Rule::Share { .. } | Rule::Missing { .. } => {
                        self.residual(plain, false, &mut totals[0])
                    }
                };
                ratio = self.refined(plain, residual);
            }
            let scales = self.scale(ratio, rule, pooled);
            let mut lost = if refined { 0 } else { asks };
            for (slot, term) in terms.iter().enumerate() {
                if slot % SET == 0 {
                    self.sum(&terms[slot..terms.len().min(slot + SET)], refined, &scales, ahead, wanted, totals);
                }
                let sum = self.gathered(&mut totals[slot % SET]);
                lost |= self.lost(sum * inverse, *term, refined, &scales, rule);
                let values = T::divided(sum, divisor).in_order();
                let each = values[..self.count].iter().enumerate();
                if let (true, 1, Some(sums)) = (wanted == all, terms.len(), sums.first_chunk_mut()) {
                    *sums = values;
                } else if wanted == all {
                    each.for_each(|(row, value)| sums[row * terms.len() + slot] = *value);
                } else {
                    let wanted = each.filter(|(row, _)| wanted >> row & 1 == 1);
                    wanted.for_each(|(row, value)| sums[row * terms.len() + slot] = *value);
                }
            }
            lost &= wanted;
            if refined {
                marked |= lost;
                break;
            }
            wanted = lost;
            refined = true;
        }
        while marked != 0 {
            flags[marked.trailing_zeros() as usize] = RowFlags(RowFlags::RESCUE);
            marked &= marked - 1;
        }
    }

    /// The totals as parts of their sum.
    #[inline(always)]
    fn pooled(&self) -> Pooled<S, T> {
        Pooled::new(self.simd, self.p.totals, self.q.totals)
    }

    /// The rows whose totals are in bounds.
    #[inline(always)]
    fn usual(&self) -> RowBits {
        let (least, most) = (splat::<S, T>(self.simd, T::LEAST_TOTAL), splat::<S, T>(self.simd, T::MOST_TOTAL));
        let inside = |total: Lanes<S, T>| total.simd_ge(least) & total.simd_le(most);
        (inside(self.p.totals) & inside(self.q.totals)).to_bitmask()
    }

    /// Whether a weight of some row may be a smaller share of its total. An empty bin counts as such a weight.
    #[inline(always)]
    fn may_be_less_than(&self, share: f64) -> bool {
        let share = splat::<S, T>(self.simd, share);
        let totals = self.p.totals.max(self.q.totals);
        // Where rows lie along, the smallest weights are not known per row. They are compared with the largest total of all
        // rows, which is on the safe side.
        let totals = if self.layout.across { totals } else { Lanes::<S, T>::splat(self.simd, totals.reduce_max()) };
        let least = totals * share;
        !(self.p.least.simd_ge(least) & self.q.least.simd_ge(least)).all_true()
    }

    /// Finds which bins of each row are empty. Returns the rows that are not usual and those that `floor` changes.
    #[inline(always)]
    pub(crate) fn supports(&self, zeros: Zeros, flags: &mut [RowFlags]) -> RowBits {
        let simd = self.simd;
        let lanes = Lanes::<S, T>::LEN;
        let zero = splat::<S, T>(simd, 0.0);
        let none = zero.simd_lt(zero);
        let share = splat::<S, T>(simd, least_share::<T>(zeros));
        let inside = inside::<S, T>(simd, self.layout);
        // `floor` raises an empty bin too.
        let floored = if matches!(zeros, Zeros::Floor(_)) { !none } else { none };
        let (p_least, q_least) = (self.p.totals * share, self.q.totals * share);
        let mut marked = 0;
        for row in 0..self.layout.units(self.count) {
            let (x, y) = (self.p.staged.unit(row, self.layout), self.q.staged.unit(row, self.layout));
            let (x_least, y_least) = (self.of_row(p_least, row), self.of_row(q_least, row));
            let (mut common, mut only_p, mut only_q, mut unusual) = (none, none, none, none);
            for (i, (x, y)) in x.chunks_exact(lanes).zip(y.chunks_exact(lanes)).enumerate() {
                let (x, y) = (Lanes::<S, T>::from_slice(simd, x), Lanes::<S, T>::from_slice(simd, y));
                let floored = if i + 1 == self.layout.vectors { floored & inside } else { floored };
                let (has_x, has_y) = (x.simd_gt(zero), y.simd_gt(zero));
                common |= has_x & has_y;
                only_p |= has_x & !has_y;
                only_q |= has_y & !has_x;
                unusual |= ((has_x | floored) & x.simd_lt(x_least)) | ((has_y | floored) & y.simd_lt(y_least));
                unusual |= x.simd_lt(zero) | y.simd_lt(zero);
            }
            let bits = |common, p, q| {
                let support = Support::default();
                support.with(Support::COMMON, common).with(Support::ONLY_P, p).with(Support::ONLY_Q, q).bits()
            };
            if self.layout.across {
                let of = |mask: LaneMask<S, T>| mask.to_bitmask();
                let (common, only_p, only_q) = (of(common), of(only_p), of(only_q));
                for (lane, flags) in flags.iter_mut().enumerate() {
                    let is = |mask: u64| mask >> lane & 1 == 1;
                    *flags = RowFlags(bits(is(common), is(only_p), is(only_q)));
                }
                marked = of(unusual);
            } else {
                flags[row] = RowFlags(bits(common.any_true(), only_p.any_true(), only_q.any_true()));
                marked |= RowBits::from(unusual.any_true()) << row;
            }
        }
        marked & ((1 << self.count) - 1)
    }

    /// Sums at most [`SET`] terms over the wanted rows, one term into each of `totals`. `scales` has one row per lane.
    /// Where r has two parts, a set of terms makes a from both, as it does u; a lone term does where totals have two parts.
    #[inline(always)]
    pub(crate) fn sum(
        &self,
        terms: &[Term],
        two_parts: bool,
        scales: &Scale<S, T>,
        ahead: &Ahead,
        wanted: RowBits,
        totals: &mut SetTotals<S, T>,
    ) {
        let ([first, ..], [term, rest @ ..]) = (&mut *totals, terms) else { return };
        if rest.is_empty() && scales.change.is_none() && (term.needs().second_part || !self.two_parts) {
            // `None` is written out here: the compiler then sees it in every block, and copies nothing that only a policy
            // needs.
            let scales = Scale { ratio: scales.ratio, q_total: scales.q_total, pooled: scales.pooled, change: None };
            let mut blocks = RowBlocks::new(self, scales, ahead, wanted, std::array::from_mut(first));
            term.sum_plain(self.simd, &mut blocks);
        } else {
            // A lone term goes either way, and must give the same bits by both.
            let two_parts = if rest.is_empty() { self.two_parts } else { two_parts };
            self.sum_set(terms, two_parts, scales, ahead, wanted, totals);
        }
    }

    /// Sums several terms. It is a function of its own: inside its caller, a compiler would give up inlining the loops of lone
    /// terms, which then take half as long again.
    #[inline(never)]
    fn sum_set(
        &self,
        terms: &[Term],
        two_parts: bool,
        scales: &Scale<S, T>,
        ahead: &Ahead,
        wanted: RowBits,
        totals: &mut SetTotals<S, T>,
    ) {
        self.simd.vectorize(
            #[inline(always)]
            || {
                let mut blocks = RowBlocks::new(self, *scales, ahead, wanted, totals);
                Term::sum_set(terms, self.simd, two_parts, &mut blocks);
            },
        );
    }

    /// Returns the sum of row i in lane i.
    #[inline(always)]
    pub(crate) fn gathered(&self, totals: &mut RowTotals<S, T>) -> Lanes<S, T> {
        totals.gather(self.simd, Gather::of(self.layout), self.count).high
    }

    /// The ratio of each row in two parts, from the plain ratio and Σ(p·r − q) at that ratio.
    #[inline(always)]
    fn refined(&self, plain: Lanes<S, T>, residual: Lanes<S, T>) -> TwoPart<Lanes<S, T>> {
        let low = -(residual / self.p.totals);
        let high = plain + low;
        TwoPart { high, low: (plain - high) + low }
    }

    /// Σ(p·r − q) of each row, over the `common` bins of both sides or over all bins.
    #[inline(always)]
    pub(crate) fn residual(&self, plain: Lanes<S, T>, common: bool, totals: &mut RowTotals<S, T>) -> Lanes<S, T> {
        let (simd, gather) = (self.simd, Gather::of(self.layout));
        let lanes = Lanes::<S, T>::LEN;
        let zero = splat::<S, T>(simd, 0.0);
        for row in 0..self.layout.units(self.count) {
            let (x, y) = (self.p.staged.unit(row, self.layout), self.q.staged.unit(row, self.layout));
            let ratio = self.of_row(plain, row);
            // This is a macro because a closure may be compiled without the instruction set.
            macro_rules! off {
                ($x:expr, $y:expr) => {{
                    let (x, y) = (Lanes::<S, T>::from_slice(simd, $x), Lanes::<S, T>::from_slice(simd, $y));
                    let off = x.mul_sub_precise(ratio, y);
                    if common { keep::<S, T>(simd, x.simd_gt(zero) & y.simd_gt(zero), off) } else { off }
                }};
            }
            sum_blocks!(simd, S, T, totals, row, gather, x.len(), at => {
                let (mut a, mut b) = (zero, zero);
                let (mut xs, mut ys) = (x[at.clone()].chunks_exact(2 * lanes), y[at].chunks_exact(2 * lanes));
                for (x, y) in (&mut xs).zip(&mut ys) {
                    a += off!(&x[..lanes], &y[..lanes]);
                    b += off!(&x[lanes..], &y[lanes..]);
                }
                for (x, y) in xs.remainder().chunks_exact(lanes).zip(ys.remainder().chunks_exact(lanes)) {
                    a += off!(x, y);
                }
                a + b
            });
        }
        self.gathered(totals)
    }

    /// The rows whose sum (of either sign) cannot be trusted: it is NaN, infinite, or smaller than what rounding may have left.
    /// Where r is a power of two, nothing has been rounded.
    #[inline(always)]
    fn lost(
        &self,
        value: Lanes<S, T>,
        term: Term,
        refined: bool,
        scale: &Scale<S, T>,
        rule: Rule<Lanes<S, T>>,
    ) -> RowBits {
        let v = |value: f64| splat::<S, T>(self.simd, value);
        let (mut from, mut least) = (v(term.trusted_from::<T>(refined)), v(0.0));
        let value = value.abs();
        if let Rule::Missing { filled, .. } = rule {
            // A refined ratio does not mend the error of what a policy adds.
            from = from.max(v(term.trusted_from_given::<T>()) * (filled / scale.q_total));
        }
        if term == Term::PooledJs {
            // The sum is A·B of a sum of second order, or nearly.
            from *= scale.pooled.p * scale.pooled.q;
        }
        let least_sum = term.least_sum::<T>(self.layout.bins);
        if least_sum > 0.0 {
            let seen = v(least_sum) / scale.q_total;
            from = from.max(seen);
            // Equal rows have a sum of exactly 0.
            least = value.simd_eq(v(0.0)).select(v(0.0), seen);
        }
        if refined && term.is_exact_at_powers_of_two() {
            let mantissa = Bits::<S, T>::splat(self.simd, T::MANTISSA_MASK);
            let power_of_two = (scale.ratio.high.to_bits() & mantissa).simd_eq(v(0.0).to_bits());
            let exact = Lanes::<S, T>::from_bits(power_of_two.select(least.to_bits(), from.to_bits()));
            let nothing_lost = scale.ratio.low.simd_eq(v(0.0)) & self.adds_nothing(scale);
            from = nothing_lost.select(exact, from);
        }
        (!(value.simd_ge(from) & value.simd_le(v(f64::from(f32::MAX))))).to_bitmask()
    }
}
