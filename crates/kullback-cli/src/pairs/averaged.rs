//! A matrix of any size as one that a picture can show: each entry is the mean of a block.

/// Sums of blocks, which the rows of the matrix are added to as they come. Memory is that of the picture.
pub(super) struct AveragedMatrix {
    /// Rows and columns of the matrix in one entry.
    pub(super) group: [usize; 2],
    columns: usize,
    /// Columns of entries.
    width: usize,
    entries: Vec<Block>,
}

/// What is known of the values of one block.
#[derive(Clone, Copy, Default)]
struct Block {
    sum: f64,
    finite: u32,
    has_infinite: bool,
}

impl AveragedMatrix {
    /// A matrix of `rows` by `columns` as at most `most` by `most` entries.
    pub(super) fn new(rows: usize, columns: usize, most: usize) -> Self {
        let group = [rows, columns].map(|count| count.div_ceil(most.max(1)).max(1));
        let (height, width) = (rows.div_ceil(group[0]), columns.div_ceil(group[1]));
        Self { group, columns, width, entries: vec![Block::default(); height * width] }
    }

    /// Adds whole rows of the matrix, from row `first` on.
    pub(super) fn add(&mut self, values: &[f64], first: usize) {
        for (row, values) in (first..).zip(values.chunks(self.columns.max(1))) {
            let line = self.entries.iter_mut().skip(row / self.group[0] * self.width);
            for (block, values) in line.zip(values.chunks(self.group[1])) {
                values.iter().for_each(|value| block.add(*value));
            }
        }
    }

    /// One value per entry: the mean of its finite values. Infinite if it has only infinite ones, and NaN if it has no values.
    pub(super) fn values(&self) -> Vec<f64> {
        self.entries.iter().map(Block::value).collect()
    }

    /// The labels of the entries, which are those of the first row or column of each.
    pub(super) fn labels(&self, labels: [&[String]; 2]) -> [Vec<String>; 2] {
        let of = |side: usize| labels[side].iter().step_by(self.group[side]).cloned().collect();
        [of(0), of(1)]
    }
}

impl Block {
    fn add(&mut self, value: f64) {
        if value.is_finite() {
            self.sum += value;
            self.finite += 1;
        } else {
            self.has_infinite |= value.is_infinite();
        }
    }

    fn value(&self) -> f64 {
        match (self.finite, self.has_infinite) {
            (0, true) => f64::INFINITY,
            (0, false) => f64::NAN,
            (count, _) => self.sum / f64::from(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFINITE: f64 = f64::INFINITY;
    const NOTHING: f64 = f64::NAN;
    const VALUES: [f64; 15] =
        [1.0, 2.0, 3.0, 4.0, 5.0, INFINITE, NOTHING, NOTHING, INFINITE, NOTHING, NOTHING, NOTHING, 7.0, 0.5, 9.0];

    #[test]
    fn an_entry_is_the_mean_of_its_finite_values() {
        for at_once in [1, 2, 5] {
            let mut matrix = AveragedMatrix::new(5, 3, 3);
            assert_eq!(matrix.group, [2, 1]);
            for (rows, first) in VALUES.chunks(3 * at_once).zip((0..).step_by(at_once)) {
                matrix.add(rows, first);
            }
            let values = matrix.values();
            assert_eq!(values[..3], [2.5, 3.5, 3.0]);
            assert!(values[3].is_nan() && values[4].is_nan() && values[5] == INFINITE, "{values:?}");
            assert_eq!(values[6..], [7.0, 0.5, 9.0]);
        }
        let mut small = AveragedMatrix::new(5, 3, 2);
        small.add(&VALUES, 0);
        assert_eq!((small.group, small.values().len()), ([3, 2], 4));
        assert_eq!(small.values()[..2], [3.0, 3.0]);
        let labels = ["a", "b", "c", "d", "e"].map(str::to_owned);
        assert_eq!(small.labels([&labels, &labels[..3]]), [vec!["a", "d"], vec!["a", "c"]]);
    }

    #[test]
    fn a_small_matrix_is_itself() {
        let mut matrix = AveragedMatrix::new(5, 3, 5);
        matrix.add(&VALUES, 0);
        let same = matrix
            .values()
            .iter()
            .zip(VALUES)
            .all(|(got, want)| got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan());
        assert!(same);
    }
}
