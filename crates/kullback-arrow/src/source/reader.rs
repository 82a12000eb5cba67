//! `Reader`: what the reader of every file format offers.

use arrow_array::RecordBatch;
use arrow_schema::{DataType, SchemaRef};

use crate::error::Result;
use crate::types::value_bytes;

/// A column to read, and the type to read it as.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    /// Its position in the file.
    pub(crate) index: usize,
    /// The type it is held in.
    pub(crate) data_type: DataType,
}

/// Record batches of the columns asked for, in the order of the file.
pub(crate) type Scan = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// A reader of one file format.
pub(crate) trait Reader: Send + Sync {
    /// Every column of the file.
    fn schema(&self) -> &SchemaRef;

    /// The number of rows in the file, if known.
    fn row_count(&self) -> Option<u64> {
        None
    }

    /// About how many bytes a row of this column takes in memory.
    fn row_bytes(&self, index: usize) -> usize {
        self.schema().fields().get(index).map_or(0, |field| value_bytes(field.data_type()))
    }

    /// Reads `columns` (ascending positions) in batches of about `rows` rows. A reader that parses text parses it as the type asked
    /// for. Any other reader may return the type of the file.
    fn scan(&self, columns: &[Column], rows: usize) -> Result<Scan>;
}
