//! Rows paired by key. Q is held in memory, and P is streamed.

use std::collections::HashMap;
use std::sync::Arc;

use kullback_arrow::Batch;

use super::keys::Keys;
use super::pair::BatchPair;
use super::pairing::{BatchStream, Counts, PairStream, plain};
use crate::error::{PairingError, Result};
use crate::inputs::InputFile;

/// Streams the rows of P that have a partner in Q, with their partners. Many rows of P may have the same partner.
pub(crate) fn joined<'a>(
    p: &InputFile,
    stream: BatchStream<'a>,
    q: &InputFile,
    columns: &[String],
    counts: &Arc<Counts>,
) -> Result<PairStream<'a>> {
    let join = Join::new(Arc::new(Keys::new(p, q, columns)?), p, q, true, counts)?;
    Ok(Box::new(JoinStream { p: stream, join, ended: false }))
}

/// A join in progress.
pub(crate) struct Join {
    keys: Arc<Keys>,
    held: Held,
    /// The row of Q that has a key.
    index: HashMap<Box<[u8]>, usize>,
    /// Marks the rows of Q that have a partner.
    used: Vec<bool>,
    /// Whether many rows of P may meet one row of Q. Else a key that P has twice and Q has is an error.
    takes_many: bool,
    p: String,
    counts: Arc<Counts>,
}

impl Join {
    /// Reads all of Q.
    pub(crate) fn new(
        keys: Arc<Keys>,
        p: &InputFile,
        q: &InputFile,
        takes_many: bool,
        counts: &Arc<Counts>,
    ) -> Result<Self> {
        let held = Held::read(q)?;
        let (mut index, mut next) = (HashMap::with_capacity(held.len()), 0);
        for part in &held.parts {
            let mut first_twice = None;
            keys.each(part, |row, key| {
                let Some(key) = key else { return };
                if first_twice.is_none() && index.insert(Box::from(key), next + row).is_some() {
                    first_twice = Some(row);
                }
            })?;
            if let Some(row) = first_twice {
                return Err(keys.twice(&q.source.name(), part, row));
            }
            next += part.len();
        }
        let used = vec![false; held.len()];
        Ok(Self { keys, used, held, index, takes_many, p: p.source.name(), counts: counts.clone() })
    }

    /// Notes that the first rows of Q have partners already.
    pub(crate) fn begin_after(&mut self, rows: usize) {
        self.used.iter_mut().take(rows).for_each(|used| *used = true);
    }

    /// The rows of a batch of P that have partners, and these.
    pub(crate) fn pair(&mut self, batch: &Batch) -> Result<Option<BatchPair>> {
        let (mut p_rows, mut q_rows, mut twice, mut alone) = (Vec::new(), Vec::new(), None, None);
        let Join { keys, index, used, .. } = self;
        keys.each(batch, |row, key| {
            let Some(partner) = key.and_then(|key| index.get(key)) else {
                alone.get_or_insert(row);
                return;
            };
            if std::mem::replace(&mut used[*partner], true) {
                twice.get_or_insert(row);
            }
            p_rows.push(row);
            q_rows.push(*partner);
        })?;
        if let Some(row) = twice.filter(|_| !self.takes_many) {
            return Err(self.keys.twice(&self.p, batch, row));
        }
        let name = || alone.map_or_else(String::new, |row| self.keys.name_of(batch, row));
        self.counts.leave_out((batch.len() - p_rows.len()) as u64, name);
        if p_rows.is_empty() {
            return Ok(None);
        }
        let p = if p_rows.len() == batch.len() { batch.clone() } else { batch.take(&p_rows)? };
        Ok(Some(BatchPair { p, q: self.held.take(&q_rows)?, alone: Vec::new() }))
    }

    /// Counts the rows of Q that met nothing, once P has ended.
    pub(crate) fn end(&self) {
        self.counts.leave_out_of_q(self.used.iter().filter(|used| !**used).count() as u64);
    }
}

/// All rows of a file: one batch, or one per group where groups have other bins.
pub(crate) struct Held {
    pub(crate) parts: Vec<Batch>,
}

impl Held {
    /// Reads the rows, if they fit.
    pub(crate) fn read(file: &InputFile) -> Result<Self> {
        let (mut batches, mut bytes) = (Vec::<Batch>::new(), 0);
        for batch in plain(file.source.batches()?) {
            let batch = batch?;
            bytes += (batch.len() * batch.bins() * batch.weight_type().size()) as u64;
            if let Some(memory) = file.memory.filter(|memory| bytes > *memory) {
                return Err(PairingError::HeldTooLarge { file: file.source.name(), memory }.into());
            }
            batches.push(batch);
        }
        if batches.is_empty() {
            return Err(file.nothing_read());
        }
        let alike = batches.chunk_by(|a, b| a.bins() == b.bins());
        Ok(Self { parts: alike.map(Batch::concat).collect::<kullback_arrow::Result<_>>()? })
    }

    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(Batch::len).sum()
    }

    /// Rows by their numbers over all parts.
    fn take(&self, rows: &[usize]) -> Result<Batch> {
        if let [part] = &self.parts[..] {
            return Ok(part.take(rows)?);
        }
        let mut ends = Vec::with_capacity(self.parts.len());
        self.parts.iter().fold(0, |end, part| {
            ends.push(end + part.len());
            end + part.len()
        });
        let part_of = |row: &usize| ends.partition_point(|end| end <= row);
        let mut taken = Vec::new();
        for of_part in rows.chunk_by(|a, b| part_of(a) == part_of(b)) {
            let part = of_part.first().map_or(0, part_of);
            let first = ends[part] - self.parts[part].len();
            let rows: Vec<usize> = of_part.iter().map(|row| row - first).collect();
            taken.push(self.parts[part].take(&rows)?);
        }
        Ok(Batch::concat(&taken)?)
    }
}

struct JoinStream<'a> {
    p: BatchStream<'a>,
    join: Join,
    ended: bool,
}

impl Iterator for JoinStream<'_> {
    type Item = Result<BatchPair>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            match self.p.next() {
                None => {
                    self.ended = true;
                    self.join.end();
                }
                Some(batch) => match batch.and_then(|batch| self.join.pair(&batch)) {
                    Ok(None) => {}
                    pair => {
                        self.ended = pair.is_err();
                        return pair.transpose();
                    }
                },
            }
        }
        None
    }
}
