//! NumPy arrays. A matrix is read in blocks of rows, as a table with one column of fixed-size lists.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use arrow_array::{FixedSizeListArray, RecordBatch, make_array};
use arrow_buffer::{Buffer, MutableBuffer};
use arrow_data::ArrayData;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema, SchemaRef};

use super::options::ReadOptions;
use super::origin::Origin;
use super::reader::{Column, Reader, Scan};
use crate::error::{Error, Result};
use crate::layout::Layout;
use crate::types::value_bytes;

/// How the elements lie in the file.
#[derive(Clone, Debug)]
struct Array {
    /// The position of the first element, in bytes.
    start: u64,
    rows: u64,
    bins: usize,
    element: DataType,
    /// Bytes per element.
    size: usize,
    /// Whether the byte order of the elements is not that of this machine.
    swapped: bool,
    /// Whether columns, instead of rows, lie next to each other.
    fortran: bool,
}

pub(crate) struct Npy {
    origin: Arc<Origin>,
    schema: SchemaRef,
    array: Array,
}

/// Refuses options that name columns: an array has none.
pub(crate) fn check_options(file: &str, options: &ReadOptions) -> Result<()> {
    let fail = |asked: String| Err(Error::NpyColumns { file: file.to_owned(), asked });
    if !options.keys.is_empty() {
        return fail(format!("the key {}", options.keys.join(", ")));
    }
    if let Some(filter) = options.filters.first() {
        return fail(format!("the filter {filter}"));
    }
    match &options.layout {
        Layout::List(None) => Ok(()),
        Layout::List(Some(name)) => fail(format!("the list column {name}")),
        Layout::Wide(patterns) => fail(format!("the columns {}", patterns.join(", "))),
        Layout::Long { .. } => fail("a long layout".to_owned()),
    }
}

/// The part of the file before the elements.
struct Header {
    dtype: String,
    fortran: bool,
    shape: Vec<u64>,
}

impl Header {
    /// Reads versions 1 to 3: magic, version, length, and a Python dictionary as text.
    fn read(file: &mut File, origin: &Origin) -> Result<Self> {
        let incomplete = |source: io::Error| match source.kind() {
            io::ErrorKind::UnexpectedEof => {
                Error::Truncated { file: origin.name.clone(), detail: "its header is incomplete".to_owned() }
            }
            _ => origin.read_error(source),
        };
        let mut start = [0; 8];
        file.read_exact(&mut start).map_err(incomplete)?;
        let mut length = [0; 4];
        let length_bytes = if start[6] == 1 { 2 } else { 4 };
        file.read_exact(&mut length[..length_bytes]).map_err(incomplete)?;
        let length = u64::from(u32::from_le_bytes(length));
        let mut text = Vec::new();
        let read = file.take(length).read_to_end(&mut text).map_err(incomplete)?;
        if (read as u64) < length {
            return Err(incomplete(io::ErrorKind::UnexpectedEof.into()));
        }
        let text = String::from_utf8_lossy(&text);
        Self::parse(&text).ok_or_else(|| origin.malformed(format!("its header is `{}`", text.trim_end())))
    }

    fn parse(text: &str) -> Option<Self> {
        let shape = entry(text, "shape")?.strip_prefix('(')?.strip_suffix(')')?;
        let sizes = shape.split(',').map(str::trim).filter(|size| !size.is_empty());
        Some(Self {
            dtype: entry(text, "descr")?.trim_matches('\'').to_owned(),
            fortran: match entry(text, "fortran_order")? {
                "True" => true,
                "False" => false,
                _ => return None,
            },
            shape: sizes.map(size).collect::<Option<_>>()?,
        })
    }

    /// The element type, and whether its byte order is not that of this machine. `None` if the type is no weight type.
    fn element(&self) -> Option<(DataType, bool)> {
        let element = match self.dtype.get(1..)? {
            // A boolean is a byte, 0 or 1.
            "u1" | "b1" => DataType::UInt8,
            "u2" => DataType::UInt16,
            "u4" => DataType::UInt32,
            "u8" => DataType::UInt64,
            "i1" => DataType::Int8,
            "i2" => DataType::Int16,
            "i4" => DataType::Int32,
            "i8" => DataType::Int64,
            "f2" => DataType::Float16,
            "f4" => DataType::Float32,
            "f8" => DataType::Float64,
            _ => return None,
        };
        let swapped = match self.dtype.as_bytes()[0] {
            b'|' | b'=' => false,
            b'<' => cfg!(target_endian = "big"),
            b'>' => cfg!(target_endian = "little"),
            _ => return None,
        };
        Some((element, swapped))
    }
}

/// A size of a shape. `3L` is how Python 2 wrote 3. A size never begins with 0: in `(1,024,)`, the comma is one of a number.
fn size(text: &str) -> Option<u64> {
    let digits = text.strip_suffix('L').unwrap_or(text);
    if digits.len() > 1 && digits.starts_with('0') { None } else { digits.parse().ok() }
}

/// The value of a key in the text of a Python dictionary.
fn entry<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let key = format!("'{key}'");
    let value = text[text.find(&key)? + key.len()..].trim_start().strip_prefix(':')?.trim_start();
    let mut depth = 0;
    let end = value.find(|character| {
        match character {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' | '}' => return depth == 0,
            _ => {}
        }
        false
    })?;
    Some(value[..end].trim_end())
}

impl Npy {
    pub(crate) fn open(origin: Arc<Origin>) -> Result<Self> {
        let mut file = origin.open()?;
        let header = Header::read(&mut file, &origin)?;
        let start = file.stream_position().map_err(|source| origin.read_error(source))?;
        let array = Array::new(&header, start, &origin)?;
        let list_size =
            i32::try_from(array.bins).map_err(|_| origin.malformed(format!("{} bins per row", array.bins)))?;
        let list = DataType::FixedSizeList(Arc::new(Field::new_list_field(array.element.clone(), true)), list_size);
        let schema = Arc::new(Schema::new(vec![Field::new("array", list, true)]));
        Ok(Self { origin, schema, array })
    }
}

impl Array {
    fn new(header: &Header, start: u64, origin: &Origin) -> Result<Self> {
        let (rows, bins) = match header.shape[..] {
            [bins] => (1, bins),
            [rows, bins] => (rows, bins),
            _ => {
                let sizes: Vec<String> = header.shape.iter().map(u64::to_string).collect();
                let shape = format!("({})", sizes.join(", "));
                return Err(Error::NpyRank { file: origin.name.clone(), rank: sizes.len(), shape });
            }
        };
        if bins == 0 {
            return Err(Error::ZeroBins { file: origin.name.clone(), column: "array".to_owned() });
        }
        let (element, swapped) = header
            .element()
            .ok_or_else(|| Error::NpyType { file: origin.name.clone(), dtype: header.dtype.clone() })?;
        let size = element.primitive_width().unwrap_or(1);
        let promised = rows.checked_mul(bins).and_then(|elements| elements.checked_mul(size as u64));
        let present = origin.bytes.saturating_sub(start);
        if promised.is_none_or(|promised| promised > present) {
            let promised = promised.map_or("more".to_owned(), |bytes| bytes.to_string());
            let detail = format!("its header promises {promised} bytes of elements, it holds {present}");
            return Err(Error::Truncated { file: origin.name.clone(), detail });
        }
        if let Some(promised) = promised.filter(|promised| *promised < present) {
            let detail = format!(
                "its header promises {promised} bytes of elements, and it holds {present}: a file holds one array, so save \
                 each array to a file of its own"
            );
            return Err(origin.malformed(detail));
        }
        let fortran = header.fortran && header.shape.len() == 2;
        let bins = usize::try_from(bins).map_err(|_| origin.malformed(format!("{bins} bins per row")))?;
        Ok(Self { start, rows, bins, element, size, swapped, fortran })
    }

    /// The bytes of `count` rows from `first`, row-major and in this machine's byte order.
    fn read(&self, file: &mut File, first: u64, count: usize) -> io::Result<Buffer> {
        let size = self.size as u64;
        let mut block = MutableBuffer::from_len_zeroed(count * self.bins * self.size);
        if self.fortran {
            let mut column = vec![0; count * self.size];
            for bin in 0..self.bins {
                file.seek(SeekFrom::Start(self.start + (bin as u64 * self.rows + first) * size))?;
                file.read_exact(&mut column)?;
                let targets = block.as_slice_mut().chunks_exact_mut(self.size).skip(bin).step_by(self.bins);
                for (target, source) in targets.zip(column.chunks_exact(self.size)) {
                    target.copy_from_slice(source);
                }
            }
        } else {
            file.seek(SeekFrom::Start(self.start + first * self.bins as u64 * size))?;
            file.read_exact(block.as_slice_mut())?;
        }
        if self.swapped {
            for element in block.as_slice_mut().chunks_exact_mut(self.size) {
                element.reverse();
            }
        }
        Ok(block.into())
    }
}

impl Reader for Npy {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn row_count(&self) -> Option<u64> {
        Some(self.array.rows)
    }

    fn row_bytes(&self, _index: usize) -> usize {
        self.array.bins * value_bytes(&self.array.element)
    }

    fn scan(&self, _columns: &[Column], rows: usize) -> Result<Scan> {
        let mut file = self.origin.open()?;
        let (origin, schema, array) = (self.origin.clone(), self.schema.clone(), self.array.clone());
        let list_field = match schema.field(0).data_type() {
            DataType::FixedSizeList(field, _) => field.clone(),
            other => return Err(origin.malformed(other)),
        };
        let mut next = 0;
        Ok(Box::new(std::iter::from_fn(move || {
            let count = (array.rows - next).min(rows as u64) as usize;
            if count == 0 {
                return None;
            }
            let block = array.read(&mut file, next, count).map_err(|source| origin.read_error(source));
            next += count as u64;
            Some(
                block.and_then(|block| {
                    table(&schema, &list_field, &array, block).map_err(|error| origin.malformed(error))
                }),
            )
        })))
    }
}

fn table(
    schema: &SchemaRef,
    list_field: &FieldRef,
    array: &Array,
    block: Buffer,
) -> std::result::Result<RecordBatch, ArrowError> {
    let elements = block.len() / array.size;
    let values = ArrayData::builder(array.element.clone()).len(elements).add_buffer(block).build()?;
    let bins = i32::try_from(array.bins).map_err(|error| ArrowError::InvalidArgumentError(error.to_string()))?;
    let lists = FixedSizeListArray::try_new(list_field.clone(), bins, make_array(values), None)?;
    RecordBatch::try_new(schema.clone(), vec![Arc::new(lists)])
}
