//! A variable in workgroup memory, and which lanes accessed which word since the last barrier.

/// Lanes that accessed a word in an epoch: the first, and one other.
#[derive(Clone, Copy, Debug, Default)]
struct Reached {
    epoch: u32,
    lane: u32,
    other: Option<u32>,
}

impl Reached {
    /// A lane other than `lane` that accessed the word in this epoch.
    fn by_another(self, epoch: u32, lane: usize) -> Option<usize> {
        let another = if self.lane as usize == lane { self.other } else { Some(self.lane) };
        another.filter(|_| self.epoch == epoch).map(|lane| lane as usize)
    }

    fn note(&mut self, epoch: u32, lane: usize) {
        let lane = lane as u32;
        if self.epoch != epoch {
            *self = Self { epoch, lane, other: None };
        } else if self.lane != lane {
            self.other = Some(lane);
        }
    }
}

/// What is wrong with an access.
pub(super) enum Fault {
    Uninitialised,
    /// A race with this lane.
    Race(usize),
}

#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) words: Vec<u32>,
    is_written: Vec<bool>,
    readers: Vec<Reached>,
    writers: Vec<Reached>,
    /// Kept apart because atomic operations do not race with each other.
    atomics: Vec<Reached>,
    epoch: u32,
}

impl Shared {
    pub(super) fn new(words: usize) -> Self {
        let none = vec![Reached::default(); words];
        Self {
            words: vec![0; words],
            is_written: vec![false; words],
            readers: none.clone(),
            writers: none.clone(),
            atomics: none,
            epoch: 1,
        }
    }

    /// Clears the variable: the next workgroup finds it as if no lane had written it.
    pub(super) fn clear(&mut self) {
        self.is_written.fill(false);
        self.epoch += 1;
    }

    pub(super) fn pass_barrier(&mut self) {
        self.epoch += 1;
    }

    pub(super) fn read(&mut self, word: usize, lane: usize, is_atomic: bool) -> Result<u32, Fault> {
        if !self.is_written[word] {
            return Err(Fault::Uninitialised);
        }
        let others = [Some(self.writers[word]), (!is_atomic).then_some(self.atomics[word])];
        self.check(others, lane)?;
        if is_atomic {
            self.atomics[word].note(self.epoch, lane);
        } else {
            self.readers[word].note(self.epoch, lane);
        }
        Ok(self.words[word])
    }

    pub(super) fn write(&mut self, word: usize, lane: usize, is_atomic: bool, value: u32) -> Result<(), Fault> {
        let plain = [Some(self.writers[word]), Some(self.readers[word])];
        self.check(plain, lane)?;
        if is_atomic {
            self.atomics[word].note(self.epoch, lane);
        } else {
            self.check([Some(self.atomics[word]), None], lane)?;
            self.writers[word].note(self.epoch, lane);
        }
        self.words[word] = value;
        self.is_written[word] = true;
        Ok(())
    }

    fn check(&self, others: [Option<Reached>; 2], lane: usize) -> Result<(), Fault> {
        let mut all = others.into_iter().flatten();
        match all.find_map(|reached| reached.by_another(self.epoch, lane)) {
            Some(other) => Err(Fault::Race(other)),
            None => Ok(()),
        }
    }
}
