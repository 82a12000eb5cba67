//! Which columns of a file are read, as which type, and for what.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_schema::{DataType, Field, Schema, SchemaRef};

use super::options::ReadOptions;
use super::origin::Origin;
use super::reader::{Column, Reader};
use crate::error::{Error, Result};
use crate::filter::Predicate;
use crate::format::Format;
use crate::layout::{Layout, matches};
use crate::types::{column_list, common_type, key_type, list_element, list_type, stored_type, type_name};

/// The most rows per batch, however few bins they have.
pub(crate) const MOST_ROWS: usize = 1 << 20;

/// A plan for reading a file. Positions count the columns that are read, not those of the file.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) origin: Arc<Origin>,
    /// The columns that are read, in the order of the file.
    pub(crate) columns: Vec<Column>,
    /// Their names and types.
    pub(crate) schema: SchemaRef,
    pub(crate) filters: Vec<Predicate>,
    pub(crate) keys: Vec<usize>,
    /// The positions of the group columns among the keys.
    pub(crate) groups: Vec<usize>,
    pub(crate) key_schema: SchemaRef,
    pub(crate) weights: Weights,
    pub(crate) batch_bytes: usize,
    /// Rows that the reader returns at a time.
    pub(crate) rows: usize,
}

/// Where the weights are.
#[derive(Debug)]
pub(crate) enum Weights {
    List {
        position: usize,
        name: String,
    },
    /// A bin that the file lacks, and the other side has, has no position. It is 0.
    Wide {
        positions: Vec<Option<usize>>,
        data_type: DataType,
    },
    /// Without a column of counts, every line counts 1.
    Long {
        bin: usize,
        count: Option<usize>,
    },
}

/// Looks up columns. Its errors name the file.
struct Lookup<'a> {
    file: &'a str,
    schema: &'a Schema,
    /// Whether the file is delimited text, whose cells have no type of their own.
    is_delimited: bool,
}

impl Plan {
    pub(crate) fn new(origin: &Arc<Origin>, reader: &dyn Reader, options: &ReadOptions) -> Result<Self> {
        let schema = reader.schema();
        let is_delimited = matches!(origin.format, Format::Csv | Format::Tsv);
        let lookup = Lookup { file: &origin.name, schema, is_delimited };
        let keys = match &options.layout {
            Layout::Long { keys, .. } => keys,
            _ => &options.keys,
        };
        let groups = lookup.all(&options.groups, "a group")?;
        let mut keys = lookup.all(keys, "a key")?;
        if let Layout::Long { .. } = options.layout {
            keys.splice(0..0, groups.iter().copied().filter(|group| !keys.contains(group)).collect::<Vec<_>>());
        } else {
            keys.extend(&groups);
            keys.extend(options.optional_keys.iter().filter_map(|key| schema.index_of(key).ok()));
        }
        let mut seen = Vec::new();
        keys.retain(|key| {
            !seen.contains(key) && {
                seen.push(*key);
                true
            }
        });
        let filters = options.filters.iter().map(|filter| lookup.index(&filter.column, "a filter"));
        let filters = filters.collect::<Result<Vec<_>>>()?;

        // The weights come first: a column that is also a key is held in the type that the weights need.
        let mut wanted = BTreeMap::new();
        let weights = lookup.weights(&options.layout, &[keys.as_slice(), filters.as_slice()].concat(), &mut wanted);
        let weights = weights.map_err(|error| lookup.with_cell(error, reader))?;
        for index in &keys {
            wanted.entry(*index).or_insert_with(|| lookup.label_type(*index));
        }
        for index in &filters {
            wanted.entry(*index).or_insert_with(|| key_type(schema.field(*index).data_type()));
        }

        let columns: Vec<Column> = wanted.into_iter().map(|(index, data_type)| Column { index, data_type }).collect();
        let position = |index: usize| columns.partition_point(|column| column.index < index);
        let field = |column: &Column| Field::new(schema.field(column.index).name(), column.data_type.clone(), true);
        let read = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        let predicates = options.filters.iter().zip(&filters).map(|(filter, index)| {
            let position = position(*index);
            Predicate::new(filter, position, &columns[position].data_type, &origin.name)
        });
        let filters = predicates.collect::<Result<Vec<_>>>()?;
        let groups = groups.iter().filter_map(|group| keys.iter().position(|key| key == group)).collect();
        let keys: Vec<usize> = keys.into_iter().map(position).collect();
        let key_schema = Arc::new(read.project(&keys).map_err(|error| origin.malformed(error))?);
        let row_bytes: usize = columns.iter().map(|column| reader.row_bytes(column.index)).sum();
        Ok(Self {
            origin: origin.clone(),
            weights: weights.placed(position),
            rows: rows_in(options.batch_bytes, row_bytes),
            batch_bytes: options.batch_bytes,
            schema: read,
            columns,
            filters,
            keys,
            groups,
            key_schema,
        })
    }

    /// Bins per row, if the schema says so.
    pub(crate) fn bins(&self) -> Option<usize> {
        match &self.weights {
            Weights::Wide { positions, .. } => Some(positions.len()),
            Weights::List { position, .. } => match self.schema.field(*position).data_type() {
                DataType::FixedSizeList(_, size) => usize::try_from(*size).ok(),
                _ => None,
            },
            Weights::Long { .. } => None,
        }
    }

    /// The names of the bins, if each has a column of its own.
    pub(crate) fn bin_names(&self) -> Option<Vec<&str>> {
        let Weights::Wide { positions, .. } = &self.weights else { return None };
        Some(positions.iter().flatten().map(|position| self.schema.field(*position).name().as_str()).collect())
    }

    /// Gives the bins the places of `names`. A name that the file lacks is a bin of zeros.
    pub(crate) fn place_bins(&mut self, names: &[String]) {
        let place = |name: &String| self.schema.index_of(name).ok();
        let places: Vec<Option<usize>> = names.iter().map(place).collect();
        if let Weights::Wide { positions, .. } = &mut self.weights {
            let own = std::mem::replace(positions, places);
            // A key or a filter of that name is no bin.
            positions.iter_mut().for_each(|place| *place = place.filter(|place| own.contains(&Some(*place))));
        }
    }

    /// The error for a value that does not fit the type its column is read as.
    pub(crate) fn cast_error(&self, position: usize, reason: impl ToString) -> Error {
        Error::Cast {
            file: self.origin.name.clone(),
            column: self.schema.field(position).name().clone(),
            data_type: type_name(self.schema.field(position).data_type()),
            reason: reason.to_string(),
        }
    }
}

/// How many rows of `row_bytes` each fit in `batch_bytes`; at least one.
pub(crate) fn rows_in(batch_bytes: usize, row_bytes: usize) -> usize {
    (batch_bytes / row_bytes.max(1)).clamp(1, MOST_ROWS)
}

impl Weights {
    /// The same weights, with positions among the columns read instead of those in the file.
    fn placed(self, position: impl Fn(usize) -> usize) -> Self {
        match self {
            Weights::List { position: index, name } => Weights::List { position: position(index), name },
            Weights::Wide { positions, data_type } => {
                let positions = positions.into_iter().map(|index| index.map(&position)).collect();
                Weights::Wide { positions, data_type }
            }
            Weights::Long { bin, count } => Weights::Long { bin: position(bin), count: count.map(&position) },
        }
    }
}

impl Lookup<'_> {
    fn index(&self, column: &str, purpose: &'static str) -> Result<usize> {
        let (file, column) = (self.file.to_owned(), column.to_owned());
        let fields = self.schema.fields().iter().enumerate();
        let mut found = fields.filter(|(_, field)| *field.name() == column).map(|(index, _)| index);
        match (found.next(), found.next()) {
            (Some(index), None) => Ok(index),
            (Some(_), Some(_)) => Err(Error::ColumnTwice { file, column }),
            (None, _) => Err(Error::NoColumn { file, column, purpose, columns: column_list(self.schema) }),
        }
    }

    /// The type that labels are held in. Those of delimited text stay as they are written, whatever other cells look like.
    fn label_type(&self, index: usize) -> DataType {
        if self.is_delimited { DataType::Utf8 } else { key_type(self.schema.field(index).data_type()) }
    }

    fn all(&self, columns: &[String], purpose: &'static str) -> Result<Vec<usize>> {
        columns.iter().map(|column| self.index(column, purpose)).collect()
    }

    /// Finds the weights, with positions in the file. Adds to `wanted` the types that their columns are read as.
    fn weights(&self, layout: &Layout, labels: &[usize], wanted: &mut BTreeMap<usize, DataType>) -> Result<Weights> {
        match layout {
            Layout::List(name) => {
                let index = self.list(name.as_deref())?;
                let field = self.schema.field(index);
                let stored = list_element(field.data_type()).and_then(stored_type);
                stored.ok_or_else(|| self.weight_type(index))?;
                if matches!(field.data_type(), DataType::FixedSizeList(_, 0)) {
                    return Err(Error::ZeroBins { file: self.file.to_owned(), column: field.name().clone() });
                }
                wanted.insert(index, list_type(field.data_type()));
                Ok(Weights::List { position: index, name: field.name().clone() })
            }
            Layout::Wide(patterns) => {
                let positions = self.wide(patterns, labels)?;
                let data_type = self.number(&positions)?;
                wanted.extend(positions.iter().map(|index| (*index, data_type.clone())));
                Ok(Weights::Wide { positions: positions.into_iter().map(Some).collect(), data_type })
            }
            Layout::Long { bin, count, .. } => {
                let bin = self.index(bin, "the bins")?;
                let count = count.as_ref().map(|count| self.index(count, "the counts")).transpose()?;
                if let Some(count) = count {
                    let data_type = match self.number(&[count])? {
                        float if float.is_floating() => DataType::Float64,
                        DataType::UInt64 => DataType::UInt64,
                        _ => DataType::Int64,
                    };
                    wanted.insert(count, data_type);
                }
                wanted.entry(bin).or_insert_with(|| self.label_type(bin));
                Ok(Weights::Long { bin, count })
            }
        }
    }

    fn list(&self, name: Option<&str>) -> Result<usize> {
        if let Some(name) = name {
            let index = self.index(name, "the bins")?;
            let field = self.schema.field(index);
            return match list_element(field.data_type()) {
                Some(_) => Ok(index),
                None => Err(Error::NotAList {
                    file: self.file.to_owned(),
                    column: name.to_owned(),
                    data_type: type_name(field.data_type()),
                }),
            };
        }
        let fields = self.schema.fields().iter().enumerate();
        let lists: Vec<_> = fields.filter(|(_, field)| list_element(field.data_type()).is_some()).collect();
        match lists[..] {
            [(index, _)] => Ok(index),
            [] => Err(Error::NoListColumn { file: self.file.to_owned(), columns: column_list(self.schema) }),
            _ => Err(Error::SeveralListColumns {
                file: self.file.to_owned(),
                count: lists.len(),
                names: lists.iter().map(|(_, field)| format!("`{}`", field.name())).collect::<Vec<_>>().join(", "),
            }),
        }
    }

    /// The columns that the patterns name, each once.
    fn wide(&self, patterns: &[String], labels: &[usize]) -> Result<Vec<usize>> {
        let mut positions = Vec::new();
        for pattern in patterns {
            let found: Vec<usize> = if pattern.contains('*') {
                let fields = self.schema.fields().iter().enumerate();
                let fitting = fields.filter(|(index, field)| matches(pattern, field.name()) && !labels.contains(index));
                fitting.map(|(index, _)| index).collect()
            } else {
                vec![self.index(pattern, "a bin")?]
            };
            if found.is_empty() {
                let (file, columns) = (self.file.to_owned(), column_list(self.schema));
                return Err(Error::NoMatch { file, pattern: pattern.clone(), columns });
            }
            positions.extend(found);
        }
        let mut seen = std::collections::HashSet::new();
        positions.retain(|index| seen.insert(*index));
        let mut names = std::collections::HashSet::new();
        if let Some(twice) =
            positions.iter().map(|index| self.schema.field(*index).name()).find(|name| !names.insert(*name))
        {
            let (file, column) = (self.file.to_owned(), twice.clone());
            return Err(Error::ColumnTwice { file, column });
        }
        if positions.is_empty() {
            let (file, columns) = (self.file.to_owned(), column_list(self.schema));
            return Err(Error::NoMatch { file, pattern: String::new(), columns });
        }
        Ok(positions)
    }

    /// The one stored type of these number columns.
    fn number(&self, indices: &[usize]) -> Result<DataType> {
        let types = indices.iter().map(|index| self.schema.field(*index).data_type());
        common_type(types).ok_or_else(|| {
            let odd = indices.iter().find(|index| common_type([self.schema.field(**index).data_type()]).is_none());
            self.weight_type(odd.copied().unwrap_or(0))
        })
    }

    /// The error about a column of text with the first cell that is no number, if the file is delimited text.
    fn with_cell(&self, error: Error, reader: &dyn Reader) -> Error {
        let Error::WeightType { column, .. } = &error else { return error };
        let index = self
            .schema
            .index_of(column)
            .ok()
            .filter(|index| self.is_delimited && self.schema.field(*index).data_type() == &DataType::Utf8);
        let Some(index) = index else { return error };
        let Ok(scan) = reader.scan(&[Column { index, data_type: DataType::Utf8 }], MOST_ROWS / 16) else {
            return error;
        };
        let mut row = 0;
        for batch in scan.map_while(Result::ok) {
            let cells = batch.column(0).as_string::<i32>();
            let is_odd = |cell: Option<&str>| cell.is_some_and(|cell| !cell.is_empty() && cell.parse::<f64>().is_err());
            if let Some(odd) = cells.iter().position(is_odd) {
                let cell: String = cells.value(odd).chars().take(40).collect();
                let reason = format!("row {} holds `{cell}`; an empty cell is a missing value", row + odd);
                let (file, column) = (self.file.to_owned(), column.clone());
                return Error::Cast { file, column, data_type: "numbers".to_owned(), reason };
            }
            row += cells.len();
        }
        error
    }

    fn weight_type(&self, index: usize) -> Error {
        let field = self.schema.field(index);
        Error::WeightType {
            file: self.file.to_owned(),
            column: field.name().clone(),
            data_type: type_name(field.data_type()),
        }
    }
}
