//! The keys of rows: which columns they are, and which rows of two sides have the same.

use arrow_array::ArrayRef;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::DataType;
use kullback_arrow::{Batch, LabelBytes};

use crate::error::{Error, PairingError, Result};
use crate::inputs::InputFile;

/// Columns by which rows are compared.
pub(crate) struct Keys {
    bytes: LabelBytes,
    columns: Vec<String>,
}

impl Keys {
    /// Columns that both files have.
    pub(crate) fn new(p: &InputFile, q: &InputFile, columns: &[String]) -> Result<Self> {
        let types = |file: &InputFile| -> Result<Vec<DataType>> {
            let schema = file.source.key_schema();
            columns.iter().map(|column| Ok(schema.field_with_name(column)?.data_type().clone())).collect()
        };
        let (p_types, q_types) = (types(p)?, types(q)?);
        let apart = |position: usize| PairingError::JoinTypes {
            column: columns[position].clone(),
            p: p.source.name(),
            p_type: p_types[position].to_string(),
            q: q.source.name(),
            q_type: q_types[position].to_string(),
        };
        let bytes = LabelBytes::new(&p_types, &q_types).map_err(apart)?;
        Ok(Self { bytes, columns: columns.to_vec() })
    }

    /// The key columns of a batch.
    pub(crate) fn arrays(&self, batch: &Batch) -> Result<Vec<ArrayRef>> {
        let column = |name: &String| Ok(batch.keys.column(batch.keys.schema_ref().index_of(name)?).clone());
        self.columns.iter().map(column).collect()
    }

    /// Calls back with every row and its key. A row with a null has no key, because a null equals nothing.
    pub(crate) fn each(&self, batch: &Batch, take: impl FnMut(usize, Option<&[u8]>)) -> Result<()> {
        Ok(self.bytes.each(&self.arrays(batch)?, take)?)
    }

    /// The key of every row.
    pub(crate) fn of(&self, batch: &Batch) -> Result<Vec<Option<Box<[u8]>>>> {
        let mut keys = Vec::with_capacity(batch.len());
        self.each(batch, |_, key| keys.push(key.map(Box::from)))?;
        Ok(keys)
    }

    /// Whether there are no columns.
    pub(crate) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The columns, for messages.
    pub(crate) fn names(&self) -> String {
        self.columns.join(", ")
    }

    /// The key of a row, for messages.
    pub(crate) fn name_of(&self, batch: &Batch, row: usize) -> String {
        let shown = |name: &String| {
            let array = batch.keys.column_by_name(name);
            let text = array.and_then(|array| {
                let formatter = ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default()).ok()?;
                Some(formatter.value(row).to_string())
            });
            format!("{name}={}", text.unwrap_or_default())
        };
        format!("`{}`", self.columns.iter().map(shown).collect::<Vec<_>>().join(", "))
    }

    /// The error for the second row with a key.
    pub(crate) fn twice(&self, file: &str, batch: &Batch, row: usize) -> Error {
        let key = self.name_of(batch, row);
        PairingError::DuplicateKey { file: file.to_owned(), row: batch.file_row(row), key }.into()
    }
}
