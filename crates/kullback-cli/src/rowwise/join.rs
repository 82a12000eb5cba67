//! Rows paired by key. Q is held in memory, and P is streamed.

use std::collections::HashMap;
use std::sync::Arc;

use kullback_arrow::Batch;

use super::keys::Keys;
use super::pair::BatchPair;
use super::pairing::{BatchStream, Counts, PairStream, plain};
use crate::error::{Error, Result};
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
    held: Batch,
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
        let held = hold(q)?;
        let mut index = HashMap::with_capacity(held.len());
        let mut first_twice = None;
        keys.each(&held, |row, key| {
            let Some(key) = key else { return };
            if first_twice.is_none() && index.insert(Box::from(key), row).is_some() {
                first_twice = Some(row);
            }
        })?;
        if let Some(row) = first_twice {
            return Err(keys.twice(&q.source.name(), &held, row));
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
        let (mut p_rows, mut q_rows, mut twice) = (Vec::new(), Vec::new(), None);
        let Join { keys, index, used, .. } = self;
        keys.each(batch, |row, key| {
            let Some(partner) = key.and_then(|key| index.get(key)) else { return };
            if std::mem::replace(&mut used[*partner], true) {
                twice.get_or_insert(row);
            }
            p_rows.push(row);
            q_rows.push(*partner);
        })?;
        if let Some(row) = twice.filter(|_| !self.takes_many) {
            return Err(self.keys.twice(&self.p, batch, row));
        }
        self.counts.leave_out((batch.len() - p_rows.len()) as u64);
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

/// All rows of a file, if they fit.
pub(crate) fn hold(file: &InputFile) -> Result<Batch> {
    let (mut batches, mut bytes) = (Vec::new(), 0);
    for batch in plain(file.source.batches()?) {
        let batch = batch?;
        bytes += (batch.len() * batch.bins() * batch.weight_type().size()) as u64;
        if let Some(memory) = file.memory.filter(|memory| bytes > *memory) {
            return Err(Error::HeldTooLarge { file: file.source.name(), memory });
        }
        batches.push(batch);
    }
    if batches.is_empty() {
        return Err(file.nothing_read());
    }
    Ok(Batch::concat(&batches)?)
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
