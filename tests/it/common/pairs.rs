//! Test bodies about all pairs of two sides.

use kullback::{Divergence, Engine, Error, Rows, Tile, WeightType, Zeros};
use kullback_conformance::{FAMILIES, Tolerance, Values, hard_rows, measures};

use super::compare::{wanted, with};
use super::engines::MakeEngine;
use super::matrix::matrix;

/// All measures: first those that all pairs have a shorter way for. In one call, the others would take all to the row kernels.
pub fn sets() -> [Vec<Divergence>; 2] {
    let by_rows =
        |measure: &Divergence| matches!(measure, Divergence::LinK | Divergence::SkewJs(_) | Divergence::PooledJs);
    let (others, first) = measures().into_iter().partition(by_rows);
    [first, others]
}

/// Compares every entry with the oracle. Returns how many values were compared, and the largest error.
fn against_oracle(
    engine: &Engine,
    measures: &[Divergence],
    (p, q): (Rows<'_>, Rows<'_>),
    zeros: Zeros,
    what: &str,
) -> (usize, f64) {
    let got = matrix(engine, measures, p, Some(q), &with(zeros));
    let (mut compared, mut largest) = (0, 0.0_f64);
    let mut failures = Vec::new();
    for row in 0..p.len() {
        let want = wanted(measures, p.slice(row, 1), q, zeros);
        for (values, (measure, want)) in got.values.iter().zip(want.iter()) {
            for (column, want) in want.iter().enumerate() {
                let tolerance = Tolerance::of(measure, &p, row, &q, column);
                compared += 1;
                match tolerance.check(values[row * q.len() + column], *want) {
                    Ok(error) if tolerance.relative > 1e-9 => largest = largest.max(error.unwrap_or(0.0)),
                    Ok(_) => {}
                    Err(error) => failures.push(format!(
                        "{measure} of {row} ({}), {column} ({}): {error}",
                        FAMILIES[row % FAMILIES.len()],
                        FAMILIES[column % FAMILIES.len()]
                    )),
                }
            }
        }
        let status = &got.status[row * q.len()..(row + 1) * q.len()];
        if status != want.status() {
            failures.push(format!("statuses of row {row}: {status:?} for {:?}", want.status()));
        }
    }
    let shown: Vec<&str> = failures.iter().take(12).map(String::as_str).collect();
    assert!(failures.is_empty(), "{what}, {zeros}: {} of {compared} values\n{}", failures.len(), shown.join("\n"));
    (compared, largest)
}

/// Hard rows of every family against hard rows of every family, all measures at once.
pub fn all_pairs_are_within_the_contract(
    make: MakeEngine,
    weight_type: WeightType,
    policies: &[Zeros],
    lengths: &[usize],
    rows: usize,
) {
    let Some(engine) = make() else { return };
    for (&bins, &zeros) in lengths.iter().flat_map(|bins| policies.iter().map(move |zeros| (bins, zeros))) {
        let hard = hard_rows(21, weight_type, bins, rows);
        let sides = (hard.p.rows(bins), hard.q.rows(bins));
        let what = format!("{} × {bins} bins", weight_type.name());
        for set in sets() {
            let (compared, largest) = against_oracle(&engine, &set, sides, zeros, &what);
            assert_eq!(compared, rows * rows * set.len());
            eprintln!("{what}, {zeros}: {compared} values, largest error {largest:.1e}");
        }
    }
}

/// Tests each measure alone, and sets that mix measures that are products with measures that are not.
pub fn each_measure_of_all_pairs_alone_is_within_the_contract(
    make: MakeEngine,
    weight_type: WeightType,
    lengths: &[usize],
    rows: usize,
) {
    use Divergence::{Hellinger, Js, Kl, Tv};
    let Some(engine) = make() else { return };
    let mut sets: Vec<Vec<Divergence>> = measures().into_iter().map(|measure| vec![measure]).collect();
    sets.push(vec![Kl, Js, Hellinger, Tv]);
    for &bins in lengths {
        let hard = hard_rows(22, weight_type, bins, rows);
        for set in &sets {
            let sides = (hard.p.rows(bins), hard.q.rows(bins));
            against_oracle(&engine, set, sides, Zeros::Exact, &format!("{} × {bins} bins", weight_type.name()));
        }
    }
}

/// Rows in clusters. They are nearly equal within a cluster, and far from equal between clusters.
pub fn clusters_are_within_the_contract(make: MakeEngine) {
    let Some(engine) = make() else { return };
    let bins = 70;
    let hard = hard_rows(23, WeightType::F64, bins, 3);
    let centres = hard.p.rows(bins);
    let off = [0.0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1];
    let mut weights = Vec::new();
    for i in 0..3 * off.len() * 4 {
        let size = off[i % off.len()];
        let push = |bin: usize| 1.0 + size * ((bin * (i + 3)) as f64).sin();
        let total = [1.0, 1000.0, 3.7][i / 7 % 3];
        weights.extend((0..bins).map(|bin| (centres.get(i % 3, bin).unwrap_or(1.0) * push(bin) * total) as f32));
    }
    let rows = Rows::new(&weights, bins).expect("rows");
    use Divergence::{Hellinger, Js, Kl, Tv};
    for measures in sets().into_iter().chain([Kl, Js, Hellinger, Tv].map(|measure| vec![measure])) {
        against_oracle(&engine, &measures, (rows, rows), Zeros::Exact, "clusters");
    }
}

/// The nearest rows are those of the matrix, whatever the search left out on the way.
pub fn nearest_rows_are_those_of_the_matrix(make: MakeEngine, weight_type: WeightType, rows: usize) {
    let Some(engine) = make() else { return };
    for bins in [5, 64] {
        let hard = hard_rows(25, weight_type, bins, rows);
        for (measure, itself) in measures().into_iter().flat_map(|measure| [(measure, false), (measure, true)]) {
            let (p, q) = (hard.p.rows(bins), Some(hard.q.rows(bins)).filter(|_| !itself));
            let matrix = matrix(&engine, &[measure], p, q, &with(Zeros::Exact));
            let columns = q.map_or(rows, |q| q.len());
            for k in [1, 7] {
                let got = engine.nearest(measure, p, q.map(Into::into), k, &with(Zeros::Exact)).expect("the nearest");
                for (row, values) in matrix.values[0].chunks(columns).enumerate() {
                    let is_other = |column: usize| !itself || column != row;
                    let has_value = |column: &usize| !values[*column].is_nan() && is_other(*column);
                    let mut want: Vec<usize> = (0..columns).filter(has_value).collect();
                    want.sort_by(|a, b| values[*a].total_cmp(&values[*b]).then(a.cmp(b)));
                    want.truncate(k);
                    let got = got.of(row).expect("a row of P");
                    let rows: Vec<usize> = got.iter().map(|near| near.row as usize).collect();
                    assert_eq!(rows, want, "{measure} of row {row}, {} × {bins} bins", weight_type.name());
                    assert!(got.iter().all(|near| near.value.to_bits() == values[near.row as usize].to_bits()));
                }
            }
        }
    }
}

/// Usual rows, some with empty bins. For most measures, a device computes them as a product of matrices. The nearest rows are those
/// of the matrix.
pub fn products_are_within_the_contract(make: MakeEngine, weight_type: WeightType) {
    use Divergence::{Bhattacharyya, CrossEntropy, Hellinger, Jeffreys, Js, Kl, ReverseKl};
    let Some(engine) = make() else { return };
    let bins = 50;
    let (p, q) = (usual_rows(1, 140, bins, weight_type), usual_rows(2, 90, bins, weight_type));
    let (p, q) = (p.rows(bins), q.rows(bins));
    let sets =
        [&[Kl, Hellinger, Jeffreys][..], &[Js], &[Kl], &[ReverseKl], &[CrossEntropy], &[Hellinger], &[Bhattacharyya]];
    let (sets, policies) = match weight_type {
        WeightType::F32 => (&sets[..], &[Zeros::Exact, Zeros::Additive(0.5)][..]),
        _ => (&sets[..1], &[Zeros::Exact][..]),
    };
    for (&set, &zeros) in sets.iter().flat_map(|set| policies.iter().map(move |zeros| (set, zeros))) {
        let (compared, largest) = against_oracle(&engine, set, (p, q), zeros, weight_type.name());
        eprintln!("{set:?} of {}, {zeros}: {compared} values, largest error {largest:.1e}", weight_type.name());
        let take = |_: &Tile| Ok::<(), Error>(());
        let stats = engine.pairwise(set, p, Some(q.into()), &with(zeros), take).expect("the matrix");
        let wanted = if set != [Js] { (p.len() * q.len()) as u64 } else { 0 };
        assert_eq!(stats.products, wanted, "{set:?}, {zeros}: {stats:?}");
        // Rows that have the same weight in every bin are equal.
        assert!(stats.rescued < 200, "{set:?}, {zeros}: {stats:?}");
    }
    for measure in [Kl, Jeffreys, Hellinger, Js] {
        let matrix = matrix(&engine, &[measure], p, Some(q), &with(Zeros::Exact));
        let found = engine.nearest(measure, p, Some(q.into()), 5, &with(Zeros::Exact)).expect("the nearest");
        for (row, values) in matrix.values[0].chunks(q.len()).enumerate() {
            let mut sorted = values.to_vec();
            sorted.sort_by(f64::total_cmp);
            let of_row = found.of(row).expect("a row of P");
            assert_eq!(of_row.len(), 5);
            for (near, want) in of_row.iter().zip(&sorted) {
                assert_eq!(near.value.to_bits(), values[near.row as usize].to_bits(), "{measure} of {row}");
                assert_eq!(near.value.to_bits(), want.to_bits(), "{measure} of {row}");
            }
        }
    }
}

/// Counts up to 40. Every ninth row has empty bins, and every eleventh has the same count in every bin.
fn usual_rows(seed: u64, rows: usize, bins: usize, weight_type: WeightType) -> Values {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % 40
    };
    let weight = |row: usize, number: u64| match row {
        _ if row % 9 == 8 => number.saturating_sub(15),
        _ if row % 11 == 10 => 7,
        _ => number + 1,
    };
    let weights: Vec<f64> = (0..rows * bins).map(|i| weight(i / bins, next()) as f64).collect();
    Values::from_f64(weight_type, &weights)
}
