//! Turns the records of a chunk into sums and flags.

use super::constants::{EXACT, LARGEST, LEAST, RECORD_HEAD};
use crate::plan::Shape;
use crate::plan::kernel_key::{dispatches, takes_usual};
use kullback_kernels::measures::Term;
use kullback_kernels::problem::Problem;
use kullback_kernels::row_sums::{RowFlags, RowSums};

/// What a chunk leaves: for each group of terms the records of its rows and parts, as words.
pub(super) struct Records {
    /// What every record of this chunk has in the upper half of its flags.
    pub(super) stamp: u16,
    /// How threads shared a row.
    pub(super) shape: Shape,
    pub(super) groups: Vec<Vec<u32>>,
}

/// The largest error of u = p·r − q, as a part of p·r. It is what rounding leaves if p and r are cut into halves, because no
/// device can be relied on to have a fused multiply-add (2⁻³³; see `scaled_difference` in `shaders/lib/rowwise.wgsl`).
pub(super) const U_ERROR: f64 = 1.0 / (1u64 << 33) as f64;

/// Like [`LEAST`], for total variation, which is of first order. All of the error may stand in one bin that holds nearly all
/// weight. Then it is half of ε, which is 2e-7 of the value here.
const LEAST_TV: f64 = 0.5 * U_ERROR / 2e-7;

/// The least sums of a row that is trusted, if the totals of its sides are not in a power-of-two ratio.
#[derive(Clone, Copy, Debug)]
pub(super) struct TrustLimits {
    /// Of the triangular discrimination.
    pub(super) least: f64,
    /// Of total variation.
    pub(super) least_tv: f64,
}

impl TrustLimits {
    /// The limits that keep the contract.
    pub(super) const SAFE: Self = Self { least: LEAST, least_tv: LEAST_TV };

    /// The smallest sum of a term for which a kernel can be trusted.
    fn trusted_from(&self, term: Term, usual: bool) -> f64 {
        match term {
            // The kernel has A·B, by which this sum is smaller, and marks the row itself.
            Term::PooledJs if usual => 0.0,
            term if usual => term.trusted_from::<f32>(false),
            Term::Tv => self.least_tv,
            // The triangular discrimination decides, or the kernel has.
            _ => 0.0,
        }
    }
}

/// The smallest sum of a term for which a kernel can be trusted.
pub(super) fn trusted_from(term: Term, usual: bool) -> f64 {
    TrustLimits::SAFE.trusted_from(term, usual)
}

/// Adds the parts of each row and decides which rows 32 bits could not hold. Returns whether every record belongs to this
/// chunk: a device that was lost silently leaves old records.
pub(super) fn collect(problem: &Problem, records: &Records, rows: usize, out: &mut RowSums) -> bool {
    collect_within(&TrustLimits::SAFE, problem, records, rows, out)
}

/// Does the same with other limits.
pub(super) fn collect_within(
    limits: &TrustLimits,
    problem: &Problem,
    records: &Records,
    rows: usize,
    out: &mut RowSums,
) -> bool {
    let terms = problem.terms.len();
    let parts = records.shape.parts() as usize;
    let float = |word: u32| f64::from(f32::from_bits(word));
    out.resize(rows, terms);
    out.sums.fill(0.0);
    let mut of_this_chunk = true;
    for (row, mut rest) in out.sums.chunks_mut(terms).enumerate() {
        let mut flags = 0;
        let mut lost = false;
        for (group, terms_of) in records.groups.iter().zip(dispatches(&problem.terms)) {
            let sums = rest.split_off_mut(..terms_of.len()).unwrap_or_default();
            let usual = takes_usual(problem, terms_of, records.shape);
            let words = RECORD_HEAD + sums.len();
            let of_row = &group[row * parts * words..(row + 1) * parts * words];
            let total = float(of_row[2]) + float(of_row[3]);
            let (mut yardstick, mut found) = (0.0, 0);
            for part in of_row.chunks(words) {
                of_this_chunk &= part[0] >> 16 == u32::from(records.stamp);
                found |= part[0];
                yardstick += float(part[1]);
                for (sum, word) in sums.iter_mut().zip(&part[RECORD_HEAD..]) {
                    *sum += float(*word);
                }
            }
            // Written so that a NaN is lost.
            let most = |term: &Term| if term.is_scan() { f64::from(f32::MAX) } else { LARGEST };
            let in_range = sums.iter().zip(terms_of).all(|(sum, term)| sum.abs() < most(term));
            let u_is_good = found & EXACT != 0 || usual || yardstick / total >= limits.least;
            lost |= !(in_range && u_is_good);
            if usual && found & EXACT == 0 {
                // The kernel has summed at a rounded ratio Q/P, and says in place of the yardstick how far off it is.
                for (sum, term) in sums.iter_mut().zip(terms_of) {
                    *sum = term.rescaled(*sum, yardstick, total).unwrap_or(*sum);
                }
            }
            sums.iter_mut().for_each(|sum| *sum /= total);
            if found & EXACT == 0 {
                // Written so that a NaN is lost.
                let good = |(sum, term): (&f64, &Term)| sum.abs() >= limits.trusted_from(*term, usual);
                lost |= !sums.iter().zip(terms_of).all(good);
            }
            lost |= sums.iter().zip(terms_of).any(|(sum, term)| term.is_lost(*sum));
            flags |= found;
        }
        // An invalid weight settles a row. A weight that is only too small for the device looks like no weight.
        flags = if flags & (RowFlags::INVALID_P | RowFlags::INVALID_Q) != 0 {
            flags & !RowFlags::RESCUE
        } else if flags & RowFlags::RESCUE != 0 {
            flags
        } else if flags & RowFlags::EMPTY == 0 && lost {
            flags | RowFlags::RESCUE
        } else {
            flags
        };
        out.flags[row] = RowFlags(flags & 0xff);
    }
    of_this_chunk
}

#[cfg(test)]
mod tests {
    use super::*;
    use kullback_kernels::measures::Divergence;
    use kullback_kernels::unit::Unit;
    use kullback_kernels::weights::Rows;
    use kullback_kernels::zeros::Zeros;

    #[test]
    fn records_of_another_chunk_are_told_apart() {
        let rows = Rows::new(&[1.0_f32, 2.0, 3.0, 4.0], 2).expect("rows");
        let problem = Problem::new(&[Divergence::Kl], &rows, &rows, Zeros::Exact, Unit::Nats).expect("problem");
        // Two rows: flags with the stamp, yardstick, total in two parts, one sum.
        let record = |stamp: u32| [stamp << 16 | 1 | EXACT, 0, 1.0_f32.to_bits(), 0, 0.25_f32.to_bits()];
        let mut sums = RowSums::default();
        for (stamps, ends_well) in [([7, 7], true), ([7, 6], false), ([6, 7], false), ([0, 0], false)] {
            let records = Records { stamp: 7, shape: Shape::of(&problem), groups: vec![stamps.map(record).concat()] };
            assert_eq!(collect(&problem, &records, 2, &mut sums), ends_well, "{stamps:?}");
        }
        assert_eq!((sums.sums[0], sums.flags[0]), (0.25, RowFlags(1)));
    }

    #[test]
    fn sums_move_from_the_rounded_ratio_to_the_true_one() {
        let rows = Rows::new(&[1.0_f32; 8], 8).expect("rows");
        let measures = [Divergence::Chi2, Divergence::Js];
        let mut problem = Problem::new(&measures, &rows, &rows, Zeros::Exact, Unit::Nats).expect("problem");
        problem.row_threads = Some(1);
        let shape = Shape::of(&problem);
        assert!(takes_usual(&problem, &problem.terms, shape));
        let (off, total, sum) = (2.0_f32.powi(-22), 1.5_f32, 0.75_f32);
        let record = [7 << 16 | 1, off.to_bits(), total.to_bits(), 0, sum.to_bits(), sum.to_bits()];
        let mut sums = RowSums::default();
        let records = Records { stamp: 7, shape, groups: vec![record.to_vec()] };
        assert!(collect(&problem, &records, 1, &mut sums));
        let (chi2, js) = (sums.sums[0], sums.sums[1]);
        assert_eq!(js, 0.5);
        assert!((chi2 / 0.5 - 1.0 - 2.0 * f64::from(off)).abs() < 1e-12, "{chi2}");
    }
}
