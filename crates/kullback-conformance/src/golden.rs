//! Golden cases: written by `golden/make_golden.py` with 60-digit arithmetic.

use kullback::{RowStatus, WeightType, Zeros};
use serde_json::Value;

use crate::Values;

/// The measures of every golden case.
pub const MEASURES: [&str; 25] = [
    "kl",
    "reverse_kl",
    "jeffreys",
    "js",
    "js_distance",
    "hellinger",
    "bhattacharyya",
    "tv",
    "chi2",
    "neyman_chi2",
    "triangular",
    "renyi:0",
    "renyi:0.5",
    "renyi:2",
    "tsallis:0.5",
    "tsallis:2",
    "alpha:0.5",
    "alpha:2",
    "alpha:-1",
    "lin_k",
    "skew_js:0.3",
    "skew_js:0.999",
    "pooled_js",
    "cross_entropy",
    "entropy",
];

const TEXT: &str = include_str!("../golden/golden.json");

/// Further measures of every golden case. No 32-bit kernel takes them, and in one call they would take the other measures to 64
/// bits too.
pub const WIDE_MEASURES: [&str; 1] = ["renyi:5"];

/// Further measures of every golden case, which have kernels of their own.
pub const ORDERED_MEASURES: [&str; 2] = ["w1", "ks"];

/// A pair of rows with the exact value of every measure.
#[derive(Clone, Debug)]
pub struct Case {
    /// What the case is about.
    pub name: String,
    /// Side P, with one row.
    pub p: Values,
    /// Side Q, with one row.
    pub q: Values,
    /// Bins per row, on both sides.
    pub bins: usize,
    /// The zero policy.
    pub zeros: Zeros,
    /// `Ok`, where single values may be infinite, or the status that replaces the values.
    pub status: RowStatus,
    /// One value per measure of [`MEASURES`]. NaN where there is none.
    pub values: Vec<f64>,
    /// One value per measure of [`WIDE_MEASURES`], in the same way.
    pub wide_values: Vec<f64>,
    /// One value per measure of [`ORDERED_MEASURES`], in the same way.
    pub ordered_values: Vec<f64>,
}

/// All golden cases.
///
/// # Panics
/// When the embedded file is broken.
#[must_use]
pub fn golden() -> Vec<Case> {
    parse(TEXT).unwrap_or_else(|what| panic!("golden.json: {what}"))
}

fn parse(text: &str) -> Result<Vec<Case>, String> {
    let cases: Vec<Value> = serde_json::from_str(text).map_err(|e| e.to_string())?;
    cases.iter().map(case).collect()
}

fn case(case: &Value) -> Result<Case, String> {
    let text = |key: &str| case[key].as_str().ok_or_else(|| format!("no text `{key}` in {case}"));
    let weight_type = match text("dtype")? {
        "float32" => WeightType::F32,
        "float64" => WeightType::F64,
        "uint8" => WeightType::U8,
        "uint16" => WeightType::U16,
        "uint32" => WeightType::U32,
        other => return Err(format!("dtype {other}")),
    };
    let row = |key: &str| -> Result<Vec<f64>, String> {
        let items = case[key].as_array().ok_or("no row")?;
        items.iter().map(|v| v.as_f64().ok_or_else(|| format!("weight {v}"))).collect()
    };
    let value = |name: &&str| -> Result<f64, String> {
        match &case["values"][*name] {
            Value::Null => Ok(f64::NAN),
            Value::String(s) => s.parse().map_err(|_| format!("value {s}")),
            other => Err(format!("value {other} of {name}")),
        }
    };
    let (p, q) = (row("p")?, row("q")?);
    Ok(Case {
        name: text("name")?.to_owned(),
        bins: p.len(),
        p: Values::from_f64(weight_type, &p),
        q: Values::from_f64(weight_type, &q),
        zeros: text("zeros")?.parse().map_err(|e: kullback::Error| e.to_string())?,
        status: match text("status")? {
            "ok" => RowStatus::Ok,
            "empty" => RowStatus::Empty,
            "invalid" => RowStatus::Invalid,
            other => return Err(format!("status {other}")),
        },
        values: MEASURES.iter().map(value).collect::<Result<_, _>>()?,
        wide_values: WIDE_MEASURES.iter().map(value).collect::<Result<_, _>>()?,
        ordered_values: ORDERED_MEASURES.iter().map(value).collect::<Result<_, _>>()?,
    })
}
