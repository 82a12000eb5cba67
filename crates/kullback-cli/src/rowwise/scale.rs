//! Whether the two sides have the same scale, which a policy that adds an amount takes for granted: an amount that is nothing beside
//! counts may be most of a row of shares.

use kullback::Zeros;

use super::against::row_total;
use super::pair::BatchPair;

/// So many rows are looked at.
const ROWS: u64 = 10_000;
/// The amounts of a row are large from this part of its total on.
const LARGE: f64 = 0.01;
/// The two sides have other scales if one total is more than this many times the other.
const APART: f64 = 10.0;

/// The first row whose two sides have other scales, beside the amount.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Uneven {
    pub(crate) row: u64,
    pub(crate) amount: f64,
    pub(crate) bins: usize,
    pub(crate) totals: [f64; 2],
}

/// Looks at the first rows of a run.
#[derive(Debug, Default)]
pub(crate) struct Scales {
    seen: u64,
    pub(crate) first: Option<Uneven>,
}

impl Scales {
    pub(crate) fn look(&mut self, zeros: Zeros, pair: &BatchPair) {
        let Zeros::Additive(amount) = zeros else { return };
        let (p, q) = (pair.p.rows(), pair.q.rows());
        for row in 0..p.len() {
            if self.seen == ROWS || self.first.is_some() {
                return;
            }
            self.seen += 1;
            let totals = [row_total(&p, row), row_total(&q, pair.q_row(row))];
            let [least, most] = [totals[0].min(totals[1]), totals[0].max(totals[1])];
            let added = amount * p.bins() as f64;
            // A total of 0 or NaN is told elsewhere.
            if least > 0.0 && most > APART * least && added > LARGE * least {
                self.first = Some(Uneven { row: pair.p.file_row(row), amount, bins: p.bins(), totals });
            }
        }
    }
}

impl std::fmt::Display for Uneven {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { row, amount, bins, totals: [p, q] } = self;
        write!(
            f,
            "row {row} of P has the total {p} and its row of Q {q}: the amount {amount} in {bins} bins is large beside the smaller, and the two are smoothed unevenly. Give both sides as counts, or use --zeros mix:L, which adds a share"
        )
    }
}
