//! Checks the accuracy contract on the user's own devices.

use kullback::{Device, Divergence, Engine, OnInvalid, Options, RowStatus, Rows, WeightType, Zeros};
use kullback_conformance::{Check, golden, hard_rows, measures};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::call;
use crate::error::exception;

/// Row lengths on both sides of lane, subgroup and workgroup sizes.
const LENGTHS: [usize; 6] = [1, 8, 17, 64, 257, 1000];
/// One weight type per way of decoding.
const TYPES: [WeightType; 4] = [WeightType::F32, WeightType::U16, WeightType::F16, WeightType::F64];

fn options(zeros: Zeros) -> Options {
    Options { zeros, on_invalid: OnInvalid::Null, ..Options::default() }
}

/// A device, and what was found on it.
struct Subject {
    name: String,
    engine: Engine,
    check: Check,
}

impl Subject {
    fn open(device: Device) -> kullback::Result<Self> {
        let engine = Engine::builder().device(device).build()?;
        Ok(Self { name: engine.device_name().to_string(), engine, check: Check::default() })
    }

    /// Compares the device with the wanted values of some rows.
    fn hold(
        &mut self,
        (p, q): (Rows<'_>, Rows<'_>),
        zeros: Zeros,
        want: &[(Divergence, &[f64])],
        status: &[RowStatus],
        name: &dyn Fn(usize) -> String,
    ) {
        match self.engine.rowwise(&measures(), p, q, &options(zeros)) {
            Ok(got) => self.check.columns(&got, want, status, &p, &q, name),
            Err(error) => self.check.failures.push(format!("{}: {error}", name(0))),
        }
    }
}

/// What the report says about one device.
fn found(py: Python<'_>, check: Check) -> PyResult<Bound<'_, PyDict>> {
    let found = PyDict::new(py);
    found.set_item("passed", check.failures.is_empty())?;
    found.set_item("values", check.compared)?;
    for (key, worst) in [("largest_error_1e-6", &check.narrow), ("largest_error_1e-12", &check.wide)] {
        let errors = PyDict::new(py);
        worst.iter().try_for_each(|(measure, worst)| errors.set_item(measure, worst.relative))?;
        found.set_item(key, errors)?;
    }
    found.set_item("failures", check.failures)?;
    Ok(found)
}

#[doc = include_str!("docs/verify.txt")]
#[pyfunction]
#[pyo3(signature = (device=None, *, rows=32, seed=1))]
pub(crate) fn verify<'py>(
    py: Python<'py>,
    device: Option<&str>,
    rows: usize,
    seed: u64,
) -> PyResult<Bound<'py, PyDict>> {
    let devices = match device {
        Some(name) => vec![call::device(py, name)?],
        None => {
            let adapters = py.detach(kullback::adapters);
            let gpus = adapters.into_iter().map(|adapter| Device::GpuAt(adapter.index));
            [Device::Cpu].into_iter().chain(gpus).collect()
        }
    };
    let error = |error: kullback::Error| exception(py, &error);
    let report = PyDict::new(py);
    let mut subjects = Vec::new();
    for one in devices {
        match py.detach(|| Subject::open(one)) {
            Ok(subject) => subjects.push(subject),
            // If nobody named the device, the report only mentions it.
            Err(kullback::Error::DeviceFailed { device: name, reason }) if device.is_none() => {
                let refused = PyDict::new(py);
                refused.set_item("passed", py.None())?;
                refused.set_item("refused", reason)?;
                report.set_item(name, refused)?;
            }
            Err(other) => return Err(error(other)),
        }
    }
    let reference = Engine::builder().device(Device::Reference).build().map_err(error)?;
    for case in golden() {
        let infinite = case.status == RowStatus::Ok && case.values.iter().any(|value| value.is_infinite());
        let status = [if infinite { RowStatus::Infinite } else { case.status }];
        let values: Vec<[f64; 1]> = case.values.iter().map(|value| [*value]).collect();
        let want: Vec<(Divergence, &[f64])> =
            measures().into_iter().zip(values.iter().map(<[f64; 1]>::as_slice)).collect();
        let sides = (case.p.rows(case.bins), case.q.rows(case.bins));
        let name = |_: usize| format!("golden case {} ({})", case.name, case.zeros);
        py.detach(|| subjects.iter_mut().for_each(|subject| subject.hold(sides, case.zeros, &want, &status, &name)));
        py.check_signals()?;
    }
    for (weight_type, bins) in TYPES.iter().flat_map(|weight_type| LENGTHS.map(|bins| (*weight_type, bins))) {
        let hard = hard_rows(seed, weight_type, bins, rows);
        let sides = (hard.p.rows(bins), hard.q.rows(bins));
        let name = |row: usize| format!("row {row} of {} × {bins} bins", weight_type.name());
        let held = py.detach(|| {
            let truth = reference.rowwise(&measures(), sides.0, sides.1, &options(Zeros::Exact))?;
            let want: Vec<(Divergence, &[f64])> = truth.iter().collect();
            subjects.iter_mut().for_each(|subject| subject.hold(sides, Zeros::Exact, &want, truth.status(), &name));
            Ok(())
        });
        held.map_err(error)?;
        py.check_signals()?;
    }
    for Subject { name, check, .. } in subjects {
        report.set_item(name, found(py, check)?)?;
    }
    Ok(report)
}
