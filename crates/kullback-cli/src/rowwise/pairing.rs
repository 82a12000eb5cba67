//! Which row of P meets which row of Q: streams of batches that line up.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use kullback_arrow::{Batch, Batches};

use super::against;
use super::pair::BatchPair;
use crate::error::{Error, Result};
use crate::inputs::InputFile;
use crate::interrupt;

/// Counts of the rows in a stream, for notes and errors.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Rows of P that passed the filters.
    read: AtomicU64,
    /// Rows of P without a partner in Q.
    left_out: AtomicU64,
    /// Rows of Q without a partner in P.
    left_out_of_q: AtomicU64,
    /// From which row on the keys of the two files disagreed, and what they are.
    joined: OnceLock<(u64, String)>,
    /// A key column whose text gives the order of the rows, and a key of it that is no number.
    text_order: OnceLock<(String, String)>,
    /// The key of the first row of P without a partner.
    first_left_out: OnceLock<String>,
}

impl Counts {
    pub(crate) fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    pub(crate) fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }

    pub(crate) fn have_read(&self, rows: u64) {
        self.read.fetch_add(rows, Ordering::Relaxed);
    }

    /// Counts rows of P that have no partner; `first` is the key of the first of them.
    pub(crate) fn leave_out(&self, rows: u64, first: impl FnOnce() -> String) {
        if rows > 0 {
            self.left_out.fetch_add(rows, Ordering::Relaxed);
            self.first_left_out.get_or_init(first);
        }
    }

    pub(crate) fn left_out_of_q(&self) -> u64 {
        self.left_out_of_q.load(Ordering::Relaxed)
    }

    pub(crate) fn leave_out_of_q(&self, rows: u64) {
        self.left_out_of_q.fetch_add(rows, Ordering::Relaxed);
    }

    /// From which row on rows were paired by key and not as they came, and by which columns.
    pub(crate) fn joined(&self) -> Option<&(u64, String)> {
        self.joined.get()
    }

    /// A key column whose text gives the order of the rows, and a key of it that is no number.
    pub(crate) fn text_order(&self) -> Option<&(String, String)> {
        self.text_order.get()
    }

    pub(crate) fn order_by_text(&self, column: String, key: String) {
        let _ = self.text_order.set((column, key));
    }

    /// The key of the first row of P without a partner.
    pub(crate) fn first_left_out(&self) -> Option<&str> {
        self.first_left_out.get().map(String::as_str)
    }

    pub(crate) fn join_from(&self, row: u64, columns: String) {
        let _ = self.joined.set((row, columns));
    }
}

/// Batches of one side.
pub(crate) type BatchStream<'a> = Box<dyn Iterator<Item = Result<Batch>> + Send + 'a>;
/// Batches of both sides.
pub(crate) type PairStream<'a> = Box<dyn Iterator<Item = Result<BatchPair>> + Send + 'a>;

/// The rows of P. They are counted, and kept if they are heavy enough.
pub(crate) fn rows(p: &InputFile, min_total: Option<f64>, counts: &Arc<Counts>) -> Result<BatchStream<'static>> {
    let counts = counts.clone();
    let batches = p.source.batches()?.map(move |batch| {
        interrupt::check()?;
        let batch = batch?;
        counts.have_read(batch.len() as u64);
        match min_total {
            None => Ok(batch),
            Some(total) => Ok(batch.take(&against::heavy_rows(&batch.rows(), total))?),
        }
    });
    Ok(Box::new(batches.filter(|batch| !batch.as_ref().is_ok_and(Batch::is_empty))))
}

/// Every row against itself, for measures that need no Q.
pub(crate) fn itself(p: BatchStream<'_>) -> PairStream<'_> {
    Box::new(p.map(|p| p.map(|p| BatchPair { q: p.clone(), p, alone: Vec::new() })))
}

/// Every row against one row.
pub(crate) fn one(p: BatchStream<'_>, q: Batch) -> PairStream<'_> {
    Box::new(p.map(move |p| p.map(|p| BatchPair { p, q: q.clone(), alone: Vec::new() })))
}

/// Every row against equal weights, in as many bins as the row has.
pub(crate) fn uniform(p: BatchStream<'_>) -> PairStream<'_> {
    Box::new(p.map(|p| {
        let p = p?;
        let q = Batch::from_weights(vec![1_u8; p.bins()], p.bins())?;
        Ok(BatchPair { p, q, alone: Vec::new() })
    }))
}

/// Row i against row i. The rows of P that are too light are dropped after pairing, with their partners. If they were dropped
/// before, the other rows would shift.
pub(crate) fn by_position<'a>(
    p: (BatchStream<'a>, String),
    q: (BatchStream<'a>, String),
    min_total: Option<f64>,
) -> PairStream<'a> {
    heavy_pairs(Box::new(Positions { p: SideStream::new(p), q: SideStream::new(q), failed: false }), min_total)
}

/// The pairs whose row of P is heavy enough.
pub(crate) fn heavy_pairs(pairs: PairStream<'_>, min_total: Option<f64>) -> PairStream<'_> {
    Box::new(pairs.filter_map(move |pair| match (pair, min_total) {
        (Ok(pair), Some(total)) => heavy(pair, total).transpose(),
        (pair, _) => Some(pair),
    }))
}

fn heavy(pair: BatchPair, total: f64) -> Result<Option<BatchPair>> {
    let rows = against::heavy_rows(&pair.p.rows(), total);
    if rows.is_empty() {
        return Ok(None);
    }
    Ok(Some(BatchPair { p: pair.p.take(&rows)?, q: pair.q.take(&rows)?, alone: Vec::new() }))
}

/// The rows of Q as they come, with errors in the type of the command.
pub(crate) fn plain(batches: Batches) -> BatchStream<'static> {
    Box::new(batches.map(|batch| {
        interrupt::check()?;
        Ok(batch?)
    }))
}

/// One side of a pairing of rows as they come.
pub(crate) struct SideStream<'a> {
    stream: BatchStream<'a>,
    name: String,
    /// The rest of the last batch.
    rest: Option<Batch>,
    /// Rows that have come so far.
    rows: u64,
}

impl<'a> SideStream<'a> {
    pub(crate) fn new((stream, name): (BatchStream<'a>, String)) -> Self {
        Self { stream, name, rest: None, rows: 0 }
    }

    /// Rows that are available; 0 at the end.
    pub(crate) fn available(&mut self) -> Result<usize> {
        if self.rest.is_none() {
            self.rest = self.stream.next().transpose()?;
            self.rows += self.rest.as_ref().map_or(0, |batch| batch.len() as u64);
        }
        Ok(self.rest.as_ref().map_or(0, Batch::len))
    }

    /// The next `count` rows, which stay.
    pub(crate) fn next_rows(&self, count: usize) -> Option<Batch> {
        self.rest.as_ref().map(|batch| batch.slice(0, count))
    }

    /// The next `count` rows, which must be available.
    pub(crate) fn cut(&mut self, count: usize) -> Option<Batch> {
        let batch = self.rest.take()?;
        if batch.len() > count {
            self.rest = Some(batch.slice(count, batch.len() - count));
        }
        Some(batch.slice(0, count))
    }

    /// Counts the rows that are left.
    fn drain(&mut self) -> Result<()> {
        for batch in &mut self.stream {
            self.rows += batch?.len() as u64;
        }
        Ok(())
    }
}

/// Cuts both sides to the same rows.
struct Positions<'a> {
    p: SideStream<'a>,
    q: SideStream<'a>,
    failed: bool,
}

impl Positions<'_> {
    fn pair(&mut self) -> Result<Option<BatchPair>> {
        let (p_rows, q_rows) = (self.p.available()?, self.q.available()?);
        let rows = p_rows.min(q_rows);
        if p_rows == 0 && q_rows == 0 {
            return Ok(None);
        }
        if rows == 0 {
            self.p.drain()?;
            self.q.drain()?;
            return Err(Error::RowsDiffer {
                p: self.p.name.clone(),
                p_rows: self.p.rows,
                q: self.q.name.clone(),
                q_rows: self.q.rows,
            });
        }
        Ok(self.p.cut(rows).zip(self.q.cut(rows)).map(|(p, q)| BatchPair { p, q, alone: Vec::new() }))
    }
}

impl Iterator for Positions<'_> {
    type Item = Result<BatchPair>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let pair = self.pair().transpose();
        self.failed = !matches!(pair, Some(Ok(_)));
        pair
    }
}
