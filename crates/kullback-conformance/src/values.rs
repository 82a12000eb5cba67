//! Owned weights of any type.

use half::{bf16, f16};
use kullback::{Rows, WeightType};

/// The owned weights of a matrix.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "one variant a weight type, named like it")]
pub enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
    F16(Vec<f16>),
    Bf16(Vec<bf16>),
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
    U64(Vec<u64>),
    I32(Vec<i32>),
    I64(Vec<i64>),
}

impl Values {
    /// The values, rounded to the type. Integers saturate.
    #[must_use]
    pub fn from_f64(weight_type: WeightType, values: &[f64]) -> Self {
        macro_rules! each {
            ($variant:ident, $f:expr) => {
                Values::$variant(values.iter().map(|&x| $f(x)).collect())
            };
        }
        match weight_type {
            WeightType::F32 => each!(F32, |x| x as f32),
            WeightType::F64 => each!(F64, |x| x),
            WeightType::F16 => each!(F16, |x: f64| f16::from_f64(x.min(60_000.0))),
            WeightType::Bf16 => each!(Bf16, bf16::from_f64),
            WeightType::U8 => each!(U8, |x: f64| x.round() as u8),
            WeightType::U16 => each!(U16, |x: f64| x.round() as u16),
            WeightType::U32 => each!(U32, |x: f64| x.round() as u32),
            WeightType::U64 => each!(U64, |x: f64| x.round() as u64),
            WeightType::I32 => each!(I32, |x: f64| x.round() as i32),
            WeightType::I64 => each!(I64, |x: f64| x.round() as i64),
        }
    }

    /// A view as rows of `bins` bins.
    ///
    /// # Panics
    /// When the values are not a whole number of rows.
    #[must_use]
    pub fn rows(&self, bins: usize) -> Rows<'_> {
        let rows = match self {
            Values::F32(v) => Rows::new(v, bins),
            Values::F64(v) => Rows::new(v, bins),
            Values::F16(v) => Rows::new(v, bins),
            Values::Bf16(v) => Rows::new(v, bins),
            Values::U8(v) => Rows::new(v, bins),
            Values::U16(v) => Rows::new(v, bins),
            Values::U32(v) => Rows::new(v, bins),
            Values::U64(v) => Rows::new(v, bins),
            Values::I32(v) => Rows::new(v, bins),
            Values::I64(v) => Rows::new(v, bins),
        };
        match rows {
            Ok(rows) => rows,
            Err(error) => panic!("{error}"),
        }
    }
}
