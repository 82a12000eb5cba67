//! Arrow IPC: the file format and the stream format. The first bytes tell which one a file has.
//!
//! A record batch is read whole, so the largest batch of the file bounds the memory.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader, read_footer_length};
use arrow_ipc::{root_as_footer, root_as_message};
use arrow_schema::{ArrowError, SchemaRef};

use super::origin::Origin;
use super::reader::{Column, Reader, Scan};
use crate::error::Result;

const FILE_MARK: &[u8] = b"ARROW1";
/// The bytes before the length of a message.
const CONTINUATION: [u8; 4] = [0xff; 4];

pub(crate) struct Ipc {
    origin: Arc<Origin>,
    schema: SchemaRef,
    is_file: bool,
    rows: u64,
}

type BatchIterator = Box<dyn Iterator<Item = std::result::Result<RecordBatch, ArrowError>> + Send>;

impl Ipc {
    pub(crate) fn open(origin: Arc<Origin>) -> Result<Self> {
        let mut file = origin.open()?;
        let mut head = [0; FILE_MARK.len()];
        let is_file = file.read_exact(&mut head).is_ok() && head == FILE_MARK;
        if is_file {
            origin.check_tail(FILE_MARK)?;
        }
        let rows = if is_file { survey_file(&mut file, origin.bytes) } else { survey_stream(&mut file, origin.bytes) };
        let rows = rows.map_err(|error| origin.malformed(error))?;
        let (schema, _) = decoder(origin.open()?, is_file, None).map_err(|error| origin.malformed(error))?;
        Ok(Self { origin, schema, is_file, rows })
    }
}

fn decoder(
    file: File,
    is_file: bool,
    projection: Option<Vec<usize>>,
) -> std::result::Result<(SchemaRef, BatchIterator), ArrowError> {
    let file = BufReader::new(file);
    if is_file {
        let reader = FileReader::try_new(file, projection)?;
        Ok((reader.schema(), Box::new(reader)))
    } else {
        let reader = StreamReader::try_new(file, projection)?;
        Ok((reader.schema(), Box::new(reader)))
    }
}

impl Reader for Ipc {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn row_count(&self) -> Option<u64> {
        Some(self.rows)
    }

    fn scan(&self, columns: &[Column], _rows: usize) -> Result<Scan> {
        let projection = columns.iter().map(|column| column.index).collect();
        let batches = decoder(self.origin.open()?, self.is_file, Some(projection));
        let (_, batches) = batches.map_err(|error| self.origin.malformed(error))?;
        let origin = self.origin.clone();
        Ok(Box::new(batches.map(move |batch| batch.map_err(|error| origin.malformed(error)))))
    }
}

/// Counts the rows of a file from the heads of its messages.
///
/// The decoder allocates what a message claims to hold, and a claim that exceeds memory ends the process. So no message may claim
/// more than the file has.
fn survey_file(file: &mut File, bytes: u64) -> io::Result<u64> {
    let mut tail = [0; 10];
    file.seek(SeekFrom::End(-10))?;
    file.read_exact(&mut tail)?;
    let length = read_footer_length(tail).map_err(io::Error::other)? as u64;
    let start = (bytes - 10).checked_sub(length).ok_or_else(|| overlong("its footer", length))?;
    let footer = bytes_at(file, start, length)?;
    let footer = root_as_footer(&footer).map_err(|error| io::Error::other(error.to_string()))?;
    let mut rows = 0;
    for block in footer.dictionaries().iter().flatten().chain(footer.recordBatches().iter().flatten()) {
        let claim = |value: i64| u64::try_from(value).map_err(|_| overlong("a message", bytes));
        let (offset, head) = (claim(block.offset())?, claim(block.metaDataLength().into())?);
        let body = claim(block.bodyLength())?;
        let end = offset.checked_add(head).and_then(|end| end.checked_add(body));
        end.filter(|end| *end <= bytes).ok_or_else(|| overlong("a message", body))?;
        rows += head_of(&bytes_at(file, offset, head)?)?.rows;
    }
    Ok(rows)
}

/// Counts the rows of a stream in the same way. A stream is a chain of messages, each with its length.
fn survey_stream(file: &mut File, bytes: u64) -> io::Result<u64> {
    let (mut at, mut rows) = (0, 0);
    while at + 8 <= bytes {
        let prefix = bytes_at(file, at, 8)?;
        let &[0xff, 0xff, 0xff, 0xff, a, b, c, d] = &prefix[..] else {
            return Err(io::Error::other(format!("no message begins at byte {at}")));
        };
        let length = u32::from_le_bytes([a, b, c, d]);
        if length == 0 {
            break;
        }
        let left = bytes - at - 8;
        let length = u64::from(length);
        if length > left {
            return Err(overlong("a message", length));
        }
        let head = head_of(&bytes_at(file, at, 8 + length)?)?;
        if head.body > left - length {
            return Err(overlong("a message", head.body));
        }
        rows += head.rows;
        at += 8 + length + head.body;
    }
    Ok(rows)
}

struct Head {
    rows: u64,
    body: u64,
}

/// Reads the head of a message. `bytes` include its prefix.
fn head_of(bytes: &[u8]) -> io::Result<Head> {
    let start = if bytes.starts_with(&CONTINUATION) { 8 } else { 4 };
    let head = bytes.get(start..).unwrap_or_default();
    let message = root_as_message(head).map_err(|error| io::Error::other(error.to_string()))?;
    let rows = message.header_as_record_batch().map_or(0, |batch| batch.length());
    let claim = |value: i64| u64::try_from(value).map_err(|_| io::Error::other("a message of negative length"));
    Ok(Head { rows: claim(rows)?, body: claim(message.bodyLength())? })
}

fn bytes_at(file: &mut File, offset: u64, length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    let read = file.take(length).read_to_end(&mut bytes)? as u64;
    if read < length { Err(overlong("a message", length)) } else { Ok(bytes) }
}

fn overlong(what: &str, length: u64) -> io::Error {
    io::Error::other(format!("{what} of {length} bytes does not fit the file; it is cut off or damaged"))
}
