//! A mask of active lanes: for each lane a word of ones, or 0.

#[derive(Clone, Debug)]
pub(super) struct Mask(Vec<u32>);

impl Mask {
    pub(super) fn full(lanes: usize) -> Self {
        Self(vec![u32::MAX; lanes])
    }

    pub(super) fn words(&self) -> &[u32] {
        &self.0
    }

    pub(super) fn has(&self, lane: usize) -> bool {
        self.0[lane] != 0
    }

    pub(super) fn fill(&mut self) {
        self.0.fill(u32::MAX);
    }

    pub(super) fn clear(&mut self) {
        self.0.fill(0);
    }

    pub(super) fn copy(&mut self, other: &Mask) {
        self.0.copy_from_slice(&other.0);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().fold(0, |all, word| all | word) == 0
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.iter().fold(u32::MAX, |all, word| all & word) == u32::MAX
    }

    pub(super) fn count(&self) -> usize {
        self.0.iter().filter(|word| **word != 0).count()
    }

    /// Adds the lanes of another mask.
    pub(super) fn join(&mut self, other: &Mask) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }

    /// Keeps the lanes whose words are ones.
    pub(super) fn keep(&mut self, words: &[u32]) {
        self.0.iter_mut().zip(words).for_each(|(word, other)| *word &= other);
    }

    /// Keeps the lanes whose words are 0.
    pub(super) fn drop(&mut self, words: &[u32]) {
        self.0.iter_mut().zip(words).for_each(|(word, other)| *word &= !other);
    }

    /// Becomes the lanes of another mask whose words meet a condition.
    pub(super) fn select(&mut self, other: &Mask, words: &[u32], holds: impl Fn(u32) -> bool) {
        for ((word, other), value) in self.0.iter_mut().zip(&other.0).zip(words) {
            *word = if holds(*value) { *other } else { 0 };
        }
    }
}
