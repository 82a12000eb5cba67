//! Random rows that hit the hard part. A printed seed reproduces them.

use kullback::WeightType;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, Gamma, StandardNormal};

use crate::Values;

/// The families a row may belong to; row i of [`hard_rows`] belongs to family `i % FAMILIES.len()`.
pub const FAMILIES: [&str; 24] = [
    "dirichlet 0.01",
    "dirichlet 1",
    "dirichlet 100",
    "zeros here and there",
    "disjoint supports",
    "one-hot",
    "one-hot against dense",
    "equal",
    "proportional",
    "differs by 1e-2 … 1e-7",
    "differs by 1e-2 … 1e-7, other total",
    "subnormal or tiny",
    "huge totals",
    "wide range",
    "almost one-hot",
    "empty",
    "one large count beside small ones",
    "weights of 2^-60 beside a total below 2^90",
    "totals from 1e-25 to 1e25, with zeros",
    "weights around the thresholds of the kernels",
    "counts around 2^24",
    "one bin with nearly all, small weights exchanged",
    "heavy tails",
    "two weights",
];

/// The version of the generator. A seed gives different rows in different versions.
pub const GENERATOR: u32 = 2;

/// Random rows for both sides, row by row.
#[derive(Clone, Debug)]
pub struct HardRows {
    /// Side P.
    pub p: Values,
    /// Side Q.
    pub q: Values,
    /// Bins per row.
    pub bins: usize,
    /// The number of rows.
    pub rows: usize,
}

fn dirichlet(rng: &mut SmallRng, alpha: f64, bins: usize) -> Vec<f64> {
    let Ok(gamma) = Gamma::new(alpha, 1.0) else { return vec![1.0; bins] };
    // Below 1e-250 of a row, the square of a weight over the row leaves the range of a 64-bit float.
    let clear = |x: f64| if x < 1e-250 { 0.0 } else { x };
    let mut row: Vec<f64> = (0..bins).map(|_| clear(gamma.sample(rng))).collect();
    let total: f64 = row.iter().sum();
    if total > 0.0 {
        row.iter_mut().for_each(|x| *x /= total);
    } else {
        row[rng.random_range(0..bins)] = 1.0;
    }
    row
}

/// The number that stands for 1 in a type: probabilities for floats, and for integers counts that fill the type.
fn scale(weight_type: WeightType) -> f64 {
    match weight_type {
        WeightType::U8 => 250.0,
        WeightType::U16 => 65_000.0,
        WeightType::U32 | WeightType::I32 => 16_000_000.0,
        WeightType::U64 | WeightType::I64 => 4e15,
        _ => 1.0,
    }
}

fn largest(weight_type: WeightType) -> f64 {
    match weight_type {
        WeightType::F16 => 60_000.0,
        WeightType::F32 | WeightType::Bf16 => 3e38,
        WeightType::F64 => 1e308,
        WeightType::U8 => 255.0,
        WeightType::U16 => 65_535.0,
        WeightType::U32 => 4e9,
        WeightType::I32 => 2e9,
        WeightType::U64 | WeightType::I64 => 9e18,
    }
}

fn smallest(weight_type: WeightType) -> f64 {
    match weight_type {
        WeightType::F16 => 6e-8,
        WeightType::F32 | WeightType::Bf16 => 1e-39,
        WeightType::F64 => 5e-310,
        _ => 1.0,
    }
}

#[expect(clippy::too_many_lines, reason = "a list: one arm a family of rows")]
fn pair(rng: &mut SmallRng, family: usize, weight_type: WeightType, bins: usize) -> (Vec<f64>, Vec<f64>) {
    let one = scale(weight_type);
    let times = |row: Vec<f64>, by: f64| -> Vec<f64> { row.into_iter().map(|x| x * by).collect() };
    let full = |rng: &mut SmallRng, alpha| {
        let row = dirichlet(rng, alpha, bins);
        let most = row.iter().fold(0.0, |m: f64, &x| m.max(x));
        times(row, if one > 1.0 { one / most } else { 1.0 })
    };
    let hot = |rng: &mut SmallRng| {
        let mut row = vec![0.0; bins];
        row[rng.random_range(0..bins)] = one;
        row
    };
    let near = |rng: &mut SmallRng, by: f64| {
        let step = 10f64.powi(-rng.random_range(2..8));
        let p: Vec<f64> = times(full(rng, 2.0), 0.2).iter().map(|x| x + 1e-3 * one).collect();
        let q = p
            .iter()
            .map(|&x| {
                let e: f64 = StandardNormal.sample(rng);
                x * by * (1.0 + step * e.clamp(-5.0, 5.0))
            })
            .collect();
        (p, q)
    };
    match family {
        0 => (full(rng, 0.01), full(rng, 0.01)),
        1 => (full(rng, 1.0), full(rng, 1.0)),
        2 => (full(rng, 100.0), full(rng, 100.0)),
        3 => {
            let drop = |rng: &mut SmallRng, row: Vec<f64>| -> Vec<f64> {
                row.into_iter().map(|x| if rng.random_bool(0.3) { 0.0 } else { x }).collect()
            };
            let (p, q) = (full(rng, 1.0), full(rng, 1.0));
            (drop(rng, p), drop(rng, q))
        }
        4 => {
            let (mut p, mut q) = (full(rng, 1.0), full(rng, 1.0));
            for i in 0..bins {
                if i % 2 == 0 { p[i] = 0.0 } else { q[i] = 0.0 }
            }
            (p, q)
        }
        5 => (hot(rng), hot(rng)),
        6 => (hot(rng), full(rng, 1.0)),
        7 => {
            let p = full(rng, 1.0);
            (p.clone(), p)
        }
        8 => {
            // Whole multiples keep integers exactly proportional.
            let p: Vec<f64> = full(rng, 1.0).iter().map(|x| if one > 1.0 { (x / 8.0).round() } else { *x }).collect();
            let by = [2.0, 3.0, 5.0, 7.0][rng.random_range(0..4)];
            (p.clone(), times(p, by))
        }
        9 => near(rng, 1.0),
        10 => {
            let by = [0.37, 0.83, 1.9, 3.0][rng.random_range(0..4)];
            near(rng, by)
        }
        11 => {
            let tiny = smallest(weight_type);
            let row = |rng: &mut SmallRng| (0..bins).map(|_| tiny * f64::from(rng.random_range(0..5))).collect();
            (row(rng), row(rng))
        }
        12 => {
            let most = largest(weight_type);
            let row = |rng: &mut SmallRng| (0..bins).map(|_| most * rng.random_range(0.1..1.0)).collect();
            (row(rng), row(rng))
        }
        13 => {
            let low = smallest(weight_type).max(1e-30).log10();
            let high = largest(weight_type).min(1e30).log10();
            let row = |rng: &mut SmallRng| (0..bins).map(|_| 10f64.powf(rng.random_range(low..high))).collect();
            (row(rng), row(rng))
        }
        14 => {
            let row = |rng: &mut SmallRng| {
                let rest = 10f64.powi(-rng.random_range(1..8));
                let mut row = times(dirichlet(rng, 1.0, bins), rest * one);
                row[rng.random_range(0..bins)] = one;
                row
            };
            (row(rng), row(rng))
        }
        15 => {
            let nothing = vec![0.0; bins];
            if rng.random_bool(0.5) { (nothing, full(rng, 1.0)) } else { (full(rng, 1.0), nothing) }
        }
        16 => {
            // What a float loses of the large weight counts as much as the small weights.
            let at = rng.random_range(0..bins);
            let most = (largest(weight_type) / 2.0).min(2e7);
            let row = |rng: &mut SmallRng| {
                let mut row: Vec<f64> = (0..bins).map(|_| f64::from(rng.random_range(0..20))).collect();
                row[at] = most.powf(rng.random_range(0.7..1.0)).round();
                row
            };
            (row(rng), row(rng))
        }
        17 => {
            let (low, high) = (smallest(weight_type).max(2f64.powi(-70)), largest(weight_type).min(2f64.powi(90)));
            let even = |rng: &mut SmallRng| (0..bins).map(|_| f64::from(rng.random_range(1..4))).collect::<Vec<f64>>();
            let mut q: Vec<f64> = even(rng).iter().map(|x| x * low * 2f64.powi(rng.random_range(0..20))).collect();
            q[rng.random_range(0..bins)] = high * rng.random_range(0.01..0.9);
            let p = even(rng);
            if rng.random_bool(0.5) { (p, q) } else { (q, p) }
        }
        18 => {
            let row = |rng: &mut SmallRng| {
                let (low, high) = (smallest(weight_type).max(1e-25), largest(weight_type).min(1e25));
                let by = 10f64.powf(rng.random_range(low.log10()..high.log10()));
                let drop = |rng: &mut SmallRng, x: f64| if rng.random_bool(0.4) { 0.0 } else { x * by };
                let row = dirichlet(rng, 1.0, bins);
                row.into_iter().map(|x| drop(rng, x)).collect()
            };
            (row(rng), row(rng))
        }
        19 => {
            let (low, high) = (smallest(weight_type).max(1e-39), largest(weight_type).min(1e38));
            let row = |rng: &mut SmallRng| {
                let base = [-110, -90, -80, -60, -50, -20, 0, 24, 60, 89][rng.random_range(0..10)];
                let weight = |rng: &mut SmallRng| {
                    let near = [-127, -126, -115, -114, -103, -102, -101, -97, -96, -95][rng.random_range(0..10)];
                    let exponent = match rng.random_range(0..3) {
                        0 => base,
                        1 => near,
                        _ => near.max(base + near),
                    };
                    // A bit or two among the last digits.
                    let digits = 1.0 + 2f64.powi(-rng.random_range(1..24)) + 2f64.powi(-rng.random_range(1..24));
                    (2f64.powi(exponent) * digits).clamp(low, high)
                };
                let mut row: Vec<f64> = (0..bins).map(|_| weight(rng)).collect();
                row[0] = 2f64.powi(base).clamp(low, high);
                row
            };
            (row(rng), row(rng))
        }
        20 => {
            let most = largest(weight_type).min(1.7e7);
            let row = |rng: &mut SmallRng| {
                let weight = |rng: &mut SmallRng| match rng.random_range(0..3) {
                    0 => f64::from(rng.random_range(0..9)),
                    1 => f64::from((1 << 24) + rng.random_range(-1..2)),
                    _ => f64::from((1 << rng.random_range(0..25)) + rng.random_range(-1..2)),
                };
                (0..bins).map(|_| weight(rng).clamp(0.0, most)).collect::<Vec<f64>>()
            };
            (row(rng), row(rng))
        }
        21 => {
            // The totals are equal, and the products of the differences are nearly 0.
            let scale = if one > 1.0 { 0 } else { rng.random_range(8..80) };
            let small = |rng: &mut SmallRng| f64::from(rng.random_range(1..5)) * 2f64.powi(-scale);
            let mut p: Vec<f64> = (0..bins).map(|_| small(rng)).collect();
            p[0] = one;
            let mut q = p.clone();
            q[1..].rotate_left(usize::from(bins > 2));
            (p, q)
        }
        22 => {
            // The weights are lognormal: one bin decides a power sum.
            let row = |rng: &mut SmallRng| {
                let exponents: Vec<f64> = (0..bins).map(|_| StandardNormal.sample(rng)).collect();
                let most = exponents.iter().fold(f64::MIN, |most, x| most.max(*x));
                exponents.iter().map(|x| one * (6.0 * (x - most)).exp()).collect()
            };
            (row(rng), row(rng))
        }
        _ => {
            // Bins that are alike round alike, so nothing averages out, in totals or in terms.
            let weight = |rng: &mut SmallRng| one * rng.random_range(0.1..1.0) * 2f64.powi(-rng.random_range(0..5));
            let p = [weight(rng), weight(rng)];
            let q = match rng.random_bool(0.5) {
                true => [weight(rng), weight(rng)],
                false => p.map(|x| (x * rng.random_range(0.3..3.5)).min(largest(weight_type))),
            };
            let first = rng.random_range(0..=bins);
            let row = |[x, y]: [f64; 2]| (0..bins).map(|bin| if bin < first { x } else { y }).collect();
            (row(p), row(q))
        }
    }
}

/// `rows` pairs of rows of `bins` bins. The families take turns, and the seed reproduces the rows.
#[must_use]
pub fn hard_rows(seed: u64, weight_type: WeightType, bins: usize, rows: usize) -> HardRows {
    rows_of(seed, weight_type, bins, rows, |row| row % FAMILIES.len())
}

/// `rows` pairs of one family alone, by its place in [`FAMILIES`].
#[must_use]
pub fn hard_rows_of_family(seed: u64, weight_type: WeightType, bins: usize, rows: usize, family: usize) -> HardRows {
    rows_of(seed, weight_type, bins, rows, |_| family)
}

fn rows_of(seed: u64, weight_type: WeightType, bins: usize, rows: usize, family: impl Fn(usize) -> usize) -> HardRows {
    let mut rng = SmallRng::seed_from_u64(seed ^ (bins as u64) << 20 ^ (weight_type.size() as u64) << 56);
    let (mut p, mut q) = (Vec::with_capacity(rows * bins), Vec::with_capacity(rows * bins));
    for row in 0..rows {
        let (a, b) = pair(&mut rng, family(row), weight_type, bins);
        p.extend(a);
        q.extend(b);
    }
    HardRows { p: Values::from_f64(weight_type, &p), q: Values::from_f64(weight_type, &q), bins, rows }
}
