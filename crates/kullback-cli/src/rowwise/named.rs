//! Rows paired by the keys that both files have. Files whose keys agree row by row stream, and nothing is held. Where they first
//! disagree, the rest is joined: Q is read again and held.

use std::sync::Arc;

use super::join::Join;
use super::keys::Keys;
use super::pair::BatchPair;
use super::pairing::{BatchStream, Counts, PairStream, SideStream};
use crate::error::Result;
use crate::inputs::InputFile;

/// Pairs the rows of P with those of Q that have the same keys.
pub(crate) fn by_name<'a>(
    (p, p_rows): (&'a InputFile, BatchStream<'a>),
    (q, q_rows): (&'a InputFile, BatchStream<'a>),
    columns: &[String],
    counts: &Arc<Counts>,
) -> Result<PairStream<'a>> {
    Ok(Box::new(Named {
        keys: Arc::new(Keys::new(p, q, columns)?),
        p_side: SideStream::new((p_rows, p.source.name())),
        q_side: SideStream::new((q_rows, q.source.name())),
        files: (p, q),
        counts: counts.clone(),
        rows: 0,
        join: None,
        ended: false,
    }))
}

struct Named<'a> {
    keys: Arc<Keys>,
    p_side: SideStream<'a>,
    q_side: SideStream<'a>,
    files: (&'a InputFile, &'a InputFile),
    counts: Arc<Counts>,
    /// Rows of either side that agreed.
    rows: usize,
    /// Set where the keys first disagreed.
    join: Option<Join>,
    ended: bool,
}

impl Named<'_> {
    fn pair(&mut self) -> Result<Option<BatchPair>> {
        if self.join.is_none() {
            let (p_rows, q_rows) = (self.p_side.available()?, self.q_side.available()?);
            let agreeing = self.agreeing(p_rows.min(q_rows))?;
            if agreeing > 0 {
                self.rows += agreeing;
                let pair = self.p_side.cut(agreeing).zip(self.q_side.cut(agreeing));
                return Ok(pair.map(|(p, q)| BatchPair { p, q, alone: Vec::new() }));
            }
            if p_rows == 0 && q_rows == 0 {
                return Ok(None);
            }
            let (p, q) = self.files;
            let mut join = Join::new(self.keys.clone(), p, q, false, &self.counts)?;
            join.begin_after(self.rows);
            self.counts.join_from(self.rows as u64, self.keys.names());
            self.join = Some(join);
        }
        let Some(join) = &mut self.join else { return Ok(None) };
        loop {
            let rows = self.p_side.available()?;
            let Some(batch) = self.p_side.cut(rows).filter(|_| rows > 0) else {
                join.end();
                return Ok(None);
            };
            if let Some(pair) = join.pair(&batch)? {
                return Ok(Some(pair));
            }
        }
    }

    /// How many of the next rows have the same keys on both sides.
    fn agreeing(&self, rows: usize) -> Result<usize> {
        let (Some(p), Some(q)) = (self.p_side.next_rows(rows), self.q_side.next_rows(rows)) else { return Ok(0) };
        let (p, q) = (self.keys.of(&p)?, self.keys.of(&q)?);
        Ok(p.iter().zip(&q).take_while(|(p, q)| p.is_some() && p == q).count())
    }
}

impl Iterator for Named<'_> {
    type Item = Result<BatchPair>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let pair = self.pair().transpose();
        self.ended = !matches!(pair, Some(Ok(_)));
        pair
    }
}
