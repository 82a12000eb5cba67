//! Measures how fast a device is, by calls over made-up rows. The process keeps the results.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::plan::cost::{LENGTHS, Rates};
use kullback_kernels::error::Result;
use kullback_kernels::weights::Rows;

/// A rate comes from calls of at least this many seconds, or from the most bytes per side.
const ENOUGH_SECONDS: f64 = 0.02;
const FIRST_BYTES: usize = 1 << 20;
const MOST_BYTES: usize = 32 << 20;

/// The fastest of this many calls counts: whatever else a machine does only adds to the time.
const CALLS: usize = 3;

/// How rows come to the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// With the call.
    Sent,
    /// They are already there.
    Kept,
}

/// The rates of devices, by their names and how they are used.
static MEASURED: Mutex<Option<HashMap<String, Rates>>> = Mutex::new(None);

/// The rates of the device `name`, used in a way that the name contains. They were measured before, or come from `seconds`,
/// which gives the time of each of a number of calls over two sides. `ways` are the ways that differ on this device.
///
/// The lock is not held meanwhile: two threads that ask at once both measure.
pub(crate) fn rates(
    name: &str,
    ways: &[Way],
    seconds: impl Fn(Rows<'_>, Rows<'_>, Way, usize) -> Result<f64>,
) -> Result<Rates> {
    let known = || MEASURED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(rates) = known().as_ref().and_then(|known| known.get(name)) {
        return Ok(*rates);
    }
    let rates = measure(ways, seconds)?;
    known().get_or_insert_default().insert(name.to_owned(), rates);
    Ok(rates)
}

fn measure(ways: &[Way], seconds: impl Fn(Rows<'_>, Rows<'_>, Way, usize) -> Result<f64>) -> Result<Rates> {
    let (p, q) = (weights(1, 64), weights(2, 64));
    let call_seconds = seconds(Rows::new(&p, 64)?, Rows::new(&q, 64)?, Way::Sent, 10 * CALLS)?;
    let mut rates = Rates { call_seconds, sent_bytes_per_second: f64::INFINITY, bins_per_second: [0.0; 3] };
    for way in ways {
        for (bins, bins_per_second) in LENGTHS.into_iter().zip(&mut rates.bins_per_second) {
            let mut bytes = FIRST_BYTES;
            let (took, bytes) = loop {
                let count = bytes / size_of::<f32>();
                let (p, q) = (weights(1, count), weights(2, count));
                let took = seconds(Rows::new(&p, bins)?, Rows::new(&q, bins)?, *way, CALLS)?;
                if took >= ENOUGH_SECONDS || bytes >= MOST_BYTES {
                    break ((took - call_seconds).max(f64::EPSILON), bytes);
                }
                bytes *= 4;
            };
            match way {
                Way::Kept => *bins_per_second = (bytes / size_of::<f32>()) as f64 / took,
                // Of all lengths, the one in which arithmetic hides the way least.
                Way::Sent => {
                    let rate = 2.0 * bytes as f64 / took;
                    let slower = rates.sent_bytes_per_second;
                    rates.sent_bytes_per_second = if slower.is_finite() { slower.max(rate) } else { rate };
                }
            }
        }
    }
    Ok(rates)
}

/// Weights in (0, 1] that no branch predictor can learn: a linear congruential generator, whose upper bits are enough here.
/// Source of the constants: D. E. Knuth, MMIX.
pub(crate) fn weights(seed: u64, count: usize) -> Vec<f32> {
    let step = |state: u64| state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let states = std::iter::successors(Some(step(seed)), |&state| Some(step(state)));
    states.take(count).map(|state| ((state >> 40) + 1) as f32 / (1 << 24) as f32).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn rates_are_those_of_a_made_up_device_and_are_measured_once() {
        // 1 ms per call, 4 GB/s on the way, 1 G bins per second, more for longer rows.
        let device = |p: &Rows<'_>, way| {
            let count = p.len() * p.bins();
            let compute = count as f64 / (1e9 * (1.0 + p.bins() as f64 / 1024.0));
            1e-3 + if way == Way::Kept { compute } else { compute.max(8.0 * count as f64 / 4e9) }
        };
        let asked = RefCell::new(0);
        let name = "made up";
        let seconds = |p: Rows<'_>, _: Rows<'_>, way, _| {
            *asked.borrow_mut() += 1;
            Ok(device(&p, way))
        };
        let got = rates(name, &[Way::Kept, Way::Sent], seconds).expect("rates");
        let near = |got: f64, want: f64| assert!((got / want - 1.0).abs() < 1e-3, "{got} for {want}");
        near(got.call_seconds, 1e-3);
        near(got.sent_bytes_per_second, 4e9);
        for (bins, got) in LENGTHS.into_iter().zip(got.bins_per_second) {
            near(got, 1e9 * (1.0 + bins as f64 / 1024.0));
        }
        let before = *asked.borrow();
        assert_eq!(rates(name, &[Way::Kept, Way::Sent], seconds).expect("rates"), got);
        assert_eq!(*asked.borrow(), before, "measured again");
    }
}
