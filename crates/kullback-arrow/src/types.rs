//! Arrow types as weights: which types are read, as which type, and their names in messages.

use arrow_array::types::{
    Float16Type, Float32Type, Float64Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{ArrayRef, ArrowPrimitiveType};
use arrow_buffer::ArrowNativeType;
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DataType, Schema};
use half::f16;
use kullback::{Weight, WeightType};

/// Runs `$body` with `$T` as the Arrow type of weights stored as `$data_type`. Any other type gives `$other`.
macro_rules! with_weight_type {
    ($data_type:expr, $T:ident => $body:expr, else $other:expr) => {
        $crate::types::with_weight_type!(@arms $data_type, $T, $body, $other,
            UInt8 UInt8Type, UInt16 UInt16Type, UInt32 UInt32Type, UInt64 UInt64Type, Int32 Int32Type,
            Int64 Int64Type, Float16 Float16Type, Float32 Float32Type, Float64 Float64Type)
    };
    (@arms $data_type:expr, $T:ident, $body:expr, $other:expr, $($variant:ident $type:ident),*) => {
        match $data_type {
            $(arrow_schema::DataType::$variant => {
                type $T = arrow_array::types::$type;
                $body
            })*
            _ => $other,
        }
    };
}
pub(crate) use with_weight_type;

/// An element type that weights can be built from. Sealed by [`Weight`].
pub trait ArrowWeight: Weight + ArrowNativeType {
    /// The Arrow type that stores it.
    type Arrow: ArrowPrimitiveType<Native = Self>;
    /// The engine's name for it.
    const WEIGHT_TYPE: WeightType;
}

macro_rules! arrow_weight {
    ($($native:ty => $arrow:ty, $weight:ident;)*) => {$(
        impl ArrowWeight for $native {
            type Arrow = $arrow;
            const WEIGHT_TYPE: WeightType = WeightType::$weight;
        }
    )*};
}

arrow_weight! {
    u8 => UInt8Type, U8;
    u16 => UInt16Type, U16;
    u32 => UInt32Type, U32;
    u64 => UInt64Type, U64;
    i32 => Int32Type, I32;
    i64 => Int64Type, I64;
    f16 => Float16Type, F16;
    f32 => Float32Type, F32;
    f64 => Float64Type, F64;
}

/// The type that weights are held in: their own type, or the next wider type that the engine takes.
pub(crate) fn stored_type(data_type: &DataType) -> Option<DataType> {
    match data_type {
        DataType::Int8 | DataType::Int16 => Some(DataType::Int32),
        other => with_weight_type!(other, _T => Some(other.clone()), else None),
    }
}

/// The one type that holds the weights of several columns. `None` if one of them holds no weights.
///
/// A column without any value (`Null`) fits every type.
pub(crate) fn common_type<'a>(types: impl IntoIterator<Item = &'a DataType>) -> Option<DataType> {
    let mut common: Option<DataType> = None;
    for data_type in types {
        if data_type == &DataType::Null {
            continue;
        }
        let stored = stored_type(data_type)?;
        common = Some(match common {
            None => stored,
            Some(same) if same == stored => stored,
            Some(other) if other.is_floating() || stored.is_floating() => DataType::Float64,
            Some(other) if other == DataType::UInt64 || stored == DataType::UInt64 => DataType::UInt64,
            Some(_) => DataType::Int64,
        });
    }
    Some(common.unwrap_or(DataType::Float64))
}

/// The type that a key or filter column is held in. Dictionaries are decoded and text is `Utf8`, so batches of one file, and the
/// columns of two files, have the same type.
pub(crate) fn key_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, values) => key_type(values),
        DataType::RunEndEncoded(_, values) => key_type(values.data_type()),
        DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => DataType::Utf8,
        other => other.clone(),
    }
}

/// The element type of a list column.
pub(crate) fn list_element(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _) => Some(field.data_type()),
        _ => None,
    }
}

/// The type that a list column is read as: its own type, except for list views, whose rows may lie anywhere.
pub(crate) fn list_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::ListView(field) | DataType::LargeListView(field) => DataType::LargeList(field.clone()),
        other => other.clone(),
    }
}

/// The bytes of one value in memory. For a type without a fixed size, this is a guess.
pub(crate) fn value_bytes(data_type: &DataType) -> usize {
    match data_type {
        DataType::FixedSizeList(field, size) => usize::try_from(*size).unwrap_or(0) * value_bytes(field.data_type()),
        DataType::Int8 | DataType::Int16 => 4,
        other => match list_element(other) {
            Some(element) => 256 * value_bytes(element),
            None => other.primitive_width().unwrap_or(16),
        },
    }
}

/// Casts an array. A value that does not fit is an error, and does not become null.
pub(crate) fn strict_cast(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == data_type {
        return Ok(array.clone());
    }
    cast_with_options(array, data_type, &CastOptions { safe: false, ..CastOptions::default() })
}

/// The name of a type in messages.
pub(crate) fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::FixedSizeList(field, size) => format!("list<{}, {size}>", type_name(field.data_type())),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Dictionary(_, values) => type_name(values),
        DataType::Struct(_) => "struct".to_owned(),
        DataType::Map(_, _) => "map".to_owned(),
        other => match list_element(other) {
            Some(element) => format!("list<{}>", type_name(element)),
            None => other.to_string().to_lowercase(),
        },
    }
}

/// The columns of a table as messages show them: `name text, births list<int32>`.
pub(crate) fn column_list(schema: &Schema) -> String {
    const SHOWN: usize = 24;
    let fields = schema.fields();
    if fields.is_empty() {
        return "no columns".to_owned();
    }
    let shown = fields.iter().take(SHOWN).map(|field| format!("`{}` {}", field.name(), type_name(field.data_type())));
    let mut list = shown.collect::<Vec<_>>().join(", ");
    if fields.len() > SHOWN {
        list.push_str(&format!(" and {} more", fields.len() - SHOWN));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_types() {
        use DataType::{Float16, Float32, Float64, Int8, Int16, Int32, Int64, Null, UInt8, UInt64, Utf8};
        for (types, expected) in [
            (vec![Int32, Int32], Some(Int32)),
            (vec![Int8, Int16], Some(Int32)),
            (vec![UInt8, Int32], Some(Int64)),
            (vec![UInt64, Int64, UInt64], Some(UInt64)),
            (vec![Float16, Float16], Some(Float16)),
            (vec![Float32, Int64], Some(Float64)),
            (vec![Null, UInt8], Some(UInt8)),
            (vec![Null], Some(Float64)),
            (vec![Int64, Utf8], None),
        ] {
            assert_eq!(common_type(&types), expected, "{types:?}");
        }
    }
}
