//! `Matrix`: rows of weights before they have keys and a place in a file.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, PrimitiveArray};
use arrow_buffer::NullBuffer;

use crate::types::with_weight_type;

/// Weights that will become a [`crate::Batch`].
pub(crate) struct Matrix {
    pub(crate) values: ArrayRef,
    pub(crate) bins: usize,
    pub(crate) nulls: Option<NullBuffer>,
}

/// Copies spans of `bins` weights into rows. `None` becomes a row of zeros.
pub(crate) fn gather(
    values: &ArrayRef,
    spans: impl Iterator<Item = Option<Range<usize>>>,
    rows: usize,
    bins: usize,
) -> ArrayRef {
    with_weight_type!(values.data_type(), T => {
        let source = values.as_primitive::<T>().values();
        let mut weights = vec![Default::default(); rows * bins];
        for (row, span) in weights.chunks_exact_mut(bins).zip(spans) {
            if let Some(span) = span {
                row.copy_from_slice(&source[span]);
            }
        }
        Arc::new(PrimitiveArray::<T>::new(weights.into(), None))
    }, else values.clone())
}
