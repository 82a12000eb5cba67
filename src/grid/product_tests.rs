//! Products on a device, on rows that a product finds hard, whether or not they would stay in use there.

use crate::engine::Engine;
use crate::exec::tracker::Tracker;
use crate::grid::Grid;
use crate::options::{Device, OnInvalid, Options};
use crate::output::Stats;
use crate::tile::{Purpose, Tile};
use crate::{Error, Zeros, calibrate, test_devices};
use kullback_kernels::measures::Divergence::{self, *};
use kullback_kernels::weights::Rows;

const ROWS: [usize; 2] = [70, 90];

fn engines() -> Vec<Engine> {
    let engine = |device| Engine::builder().device(device).build().expect("a device");
    test_devices::vulkan_and_gl().into_iter().map(engine).collect()
}

/// Uniform rows, and among them: next to equal ones in clusters, at ten distances; sparse ones, of one bin and of none; weights
/// over 30 decades, subnormal ones, huge totals; the largest share next to one that vanishes beside it.
fn hard(seed: u64, rows: usize, bins: usize) -> Vec<f32> {
    let mut weights = calibrate::weights(seed, rows * bins);
    let centre = calibrate::weights(77, bins);
    for (row, weights) in weights.chunks_mut(bins).enumerate() {
        let size = 10.0_f32.powi(-(row as i32 / 10 % 10));
        match row % 10 {
            0 | 1 => weights.iter_mut().zip(&centre).for_each(|(x, centre)| *x = centre * (1.0 + size * (*x - 0.5))),
            2 => weights.iter_mut().for_each(|x| *x = if *x < 0.7 { 0.0 } else { *x }),
            3 => weights.iter_mut().for_each(|x| *x = (*x * 69.0 - 34.5).exp()),
            4 => weights.iter_mut().for_each(|x| *x *= 1e-40),
            5 => weights.iter_mut().for_each(|x| *x *= 3.7e33),
            6 => weights.iter_mut().enumerate().for_each(|(bin, x)| *x = if bin == row % bins { *x } else { 0.0 }),
            7 if row > 60 => weights.fill(0.0),
            7 => weights.iter_mut().enumerate().for_each(|(bin, x)| *x = if bin == 0 { 1e9 } else { *x * 1e-12 }),
            8 if row > 40 => weights.fill(0.25),
            8 => weights.iter_mut().for_each(|x| *x = (*x * 5.0).floor()),
            _ => {}
        }
    }
    weights
}

/// Every entry of a product against the oracle; what the call took, and how many have a value.
fn check(
    engine: &Engine,
    measures: &[Divergence],
    p: Rows<'_>,
    q: Option<Rows<'_>>,
    options: &Options,
) -> (Stats, usize) {
    let what = format!("{measures:?} × {} bins, {}, {}", p.bins(), options.zeros, engine.device_name());
    let mut grid =
        Grid::new(engine, measures, p, q.map(Into::into), options, Purpose::Pairwise).expect(&what).expect("some rows");
    grid.keep_product();
    assert!(grid.has_product(), "{what}: no product");
    let oracle = Engine::builder().device(Device::Reference).build().expect("the oracle");
    let columns = q.unwrap_or(p);
    let (mut finite, mut seen) = (0, 0);
    let take = |tile: &Tile| {
        for (i, row) in tile.rows().enumerate() {
            let want = oracle.rowwise(measures, p.slice(row, 1), columns, options)?;
            for (measure, want) in want.iter() {
                let got = &tile.values(measure)?[i * tile.columns().len()..][..tile.columns().len()];
                for (j, got) in tile.columns().zip(got) {
                    let want = want[j];
                    let floor = if measure.is_first_order() { 1e-12 } else { 1e-24 };
                    let near = (got - want).abs() <= 1e-6 * want + floor;
                    assert!(
                        near || *got == want || (got.is_nan() && want.is_nan()),
                        "{measure} of {row}, {j}: {got:e} for {want:e} ({what})"
                    );
                    assert!(got.is_nan() || got.is_sign_positive(), "{measure} of {row}, {j}: {got:e} ({what})");
                    finite += usize::from(want.is_finite());
                    seen += 1;
                }
            }
            let status = &tile.status()[i * tile.columns().len()..][..tile.columns().len()];
            assert_eq!(status, &want.status()[tile.columns()], "row {row} ({what})");
        }
        Ok::<(), Error>(())
    };
    let stats = grid.tiles(&Tracker::new(options, grid.entries()), take).expect(&what);
    assert_eq!(seen, p.len() * columns.len() * measures.len());
    (stats, finite)
}

#[test]
fn every_entry_of_a_product_is_what_the_oracle_says_of_the_two_rows() {
    let of_several = [Kl, Hellinger, Bhattacharyya, Jeffreys];
    let alone = [
        Kl,
        ReverseKl,
        Jeffreys,
        CrossEntropy,
        Hellinger,
        Bhattacharyya,
        Chi2,
        NeymanChi2,
        Renyi(0.5),
        Alpha(2.0),
        Alpha(-1.0),
    ];
    let sets = alone.iter().map(std::slice::from_ref).chain([&of_several[..]]);
    for engine in engines() {
        for (measures, bins) in sets.clone().flat_map(|set| [5, 33, 100].map(|bins| (set, bins))) {
            let [p, q] = [(1, ROWS[0]), (2, ROWS[1])].map(|(seed, rows)| hard(seed, rows, bins));
            let (p, q) = (Rows::new(&p, bins).expect("p"), Rows::new(&q, bins).expect("q"));
            let options = Options::default();
            let (stats, finite) = check(&engine, measures, p, Some(q), &options);
            assert!(bins < 16 || stats.rescued > 0, "{stats:?}");
            // Rows without weight, of too small a weight or of a bin that vanishes are not for a product: four in ten.
            assert!(stats.rescued < (ROWS[0] * ROWS[1]) as u64 * 9 / 10, "{stats:?}");
            assert!(finite > 100);
            // With itself, and where it is symmetric half of it; the policies.
            if bins == 33 && matches!(measures, [Kl] | [Jeffreys]) {
                check(&engine, measures, q, None, &options);
                for zeros in [Zeros::Additive(0.5), Zeros::Floor(1e-6), Zeros::Mix(0.01)] {
                    let options = Options { zeros, on_invalid: OnInvalid::Null, ..Options::default() };
                    check(&engine, measures, p, Some(q), &options);
                }
            }
        }
    }
}

#[test]
fn integers_and_the_longest_rows_have_products_too() {
    for engine in engines() {
        for bins in [1008, 1024] {
            let [p, q] = [5, 6].map(|seed| hard(seed, 20, bins));
            let (p, q) = (Rows::new(&p, bins).expect("p"), Rows::new(&q, bins).expect("q"));
            check(&engine, &[Kl], p, Some(q), &Options::default());
        }
        let counts = |seed| -> Vec<u32> {
            // Every tenth above 24 bits.
            let scale = |row: usize| if row.is_multiple_of(10) { 1e8 } else { 1e4 };
            calibrate::weights(seed, 40 * 30).iter().enumerate().map(|(i, x)| (x * scale(i / 30)) as u32).collect()
        };
        let (p, q) = (counts(7), counts(8));
        let (p, q) = (Rows::new(&p, 30).expect("p"), Rows::new(&q, 30).expect("q"));
        let (stats, _) = check(&engine, &[Jeffreys], p, Some(q), &Options::default());
        assert!(stats.rescued > 0 && stats.rescued < 40 * 40 / 2, "{stats:?}");
    }
}

#[test]
fn usual_rows_leave_nothing_to_the_host_and_hard_ones_end_the_product() {
    let bins = 48;
    for engine in engines() {
        let [p, q] = [11, 12].map(|seed| calibrate::weights(seed, 90 * bins));
        let (p, q) = (Rows::new(&p, bins).expect("p"), Rows::new(&q, bins).expect("q"));
        let options = Options::default();
        fn new<'a>(engine: &'a Engine, measures: &[Divergence], p: Rows<'a>, q: Rows<'a>) -> Grid<'a> {
            let grid = Grid::new(engine, measures, p, Some(q.into()), &Options::default(), Purpose::Pairwise);
            grid.expect("a grid").expect("some rows")
        }
        for measure in [Kl, ReverseKl, Jeffreys, CrossEntropy, Hellinger] {
            assert!(new(&engine, &[measure], p, q).has_product(), "{measure}");
            assert_eq!(check(&engine, &[measure], p, Some(q), &options).0.rescued, 0, "{measure}");
        }
        // No product, or not of all of them.
        assert!(!new(&engine, &[Js], p, q).has_product() && !new(&engine, &[Kl, Tv], p, q).has_product());
        assert!(!new(&engine, &[Kl], p.slice(0, 15), q).has_product());
        let near: Vec<f32> = (0..90 * bins).map(|i| 1.0 + 1e-5 * (i as f32).sin()).collect();
        let near = Rows::new(&near, bins).expect("rows");
        assert!(!new(&engine, &[Kl], near, near).has_product());
    }
}

#[test]
fn neither_chunks_nor_faults_nor_neighbours_change_a_bit() {
    use crate::backend::gpu::faults::{Fault, Faults, Point};
    let bins = 20;
    let [p, mut q] = [21, 22].map(|seed| calibrate::weights(seed, 150 * bins));
    // Some for the host, but not so many that the product ends.
    q[60 * bins..70 * bins].copy_from_slice(&p[50 * bins..60 * bins]);
    let (p, q) = (Rows::new(&p, bins).expect("p"), Rows::new(&q, bins).expect("q"));
    let options = Options::default();
    // The values, and in how many chunks they came, and whether products were in use to the end.
    let matrix = |engine: &Engine, p: Rows<'_>, q: Rows<'_>, arm: &dyn Fn(&Grid<'_>, &Faults)| {
        let grid = Grid::new(engine, &[Kl], p, Some(q.into()), &options, Purpose::Pairwise)
            .expect("a grid")
            .expect("some rows");
        assert!(grid.has_product());
        arm(&grid, &engine.gpu().expect("an engine on a device").faults());
        let mut values = vec![f64::NAN; p.len() * q.len()];
        let take = |tile: &Tile| {
            for (i, value) in tile.values(Kl)?.iter().enumerate() {
                let (row, column) = (i / tile.columns().len(), i % tile.columns().len());
                values[(tile.rows().start + row) * q.len() + tile.columns().start + column] = *value;
            }
            Ok::<(), Error>(())
        };
        let stats = grid.tiles(&Tracker::new(&options, grid.entries()), take).expect("the matrix");
        (values, stats.chunks, grid.has_product())
    };
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    for engine in engines() {
        let (want, chunks, _) = matrix(&engine, p, q, &|_, _| {});
        for fault in [Fault::Lost, Fault::Refused, Fault::Panic, Fault::NoMemory] {
            for (point, after) in [Point::Allocate, Point::Upload, Point::Submit, Point::Poll, Point::Map]
                .iter()
                .flat_map(|point| [(*point, 0), (*point, 3)])
            {
                let (got, _, is_in_use) = matrix(&engine, p, q, &|_, faults| faults.arm(fault, point, after, 1));
                let came = !engine.gpu().expect("a device").faults().disarm();
                // Buffers are made anew only on a device that was opened anew.
                assert!(came || point == Point::Allocate, "{fault:?} at {point:?} after {after} never came");
                assert!(is_in_use, "{fault:?} at {point:?} after {after}");
                assert!(bits(&got) == bits(&want), "{fault:?} at {point:?} after {after}");
            }
        }
        // Where there is no memory for the rows any more the row kernels do it.
        let (got, _, is_in_use) = matrix(&engine, p, q, &|grid, faults| {
            grid.forget_sides();
            faults.arm(Fault::NoMemory, Point::Allocate, 0, 1);
        });
        assert!(!engine.gpu().expect("a device").faults().disarm());
        assert!(!is_in_use);
        for (got, want) in got.iter().zip(&want) {
            assert!(got == want || (got - want).abs() <= 1e-6 * want || (got.is_nan() && want.is_nan()));
        }
        let (first, columns) = (37, 71);
        let (part, ..) = matrix(&engine, p.slice(first, 60), q.slice(columns, 50), &|_, _| {});
        for (i, part) in part.chunks(50).enumerate() {
            assert!(bits(part) == bits(&want[(first + i) * 150 + columns..][..50]), "row {i}");
        }
        let is_gl = engine.device_name().starts_with("gl ");
        let device = test_devices::vulkan().filter(|_| !is_gl).map_or(Device::Gl, Device::GpuAt);
        let builder = Engine::builder().device(device).memory(1 << 19);
        let (got, more, _) = matrix(&builder.build().expect("listed"), p, q, &|_, _| {});
        assert!(more > chunks, "{more} chunks for {chunks}");
        assert!(bits(&got) == bits(&want), "{more} chunks");
    }
}
