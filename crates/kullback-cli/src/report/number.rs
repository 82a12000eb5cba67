//! Numbers in JSON, which has no infinite ones.

use serde_json::{Value, json};

/// A number in JSON: an infinite value is the string "Infinity", and NaN is null.
pub(crate) fn number(value: f64) -> Value {
    match value {
        f64::INFINITY => json!("Infinity"),
        f64::NEG_INFINITY => json!("-Infinity"),
        value => json!(value),
    }
}
