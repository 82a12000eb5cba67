//! Loads, stores and atomic operations, lane by lane in the order of the device.

use super::shared::Fault;
use super::{Machine, integers};
use crate::error::Error;
use crate::program::{Address, AtomicKind, Limit, Register, Site, Space};

impl Machine<'_> {
    /// A word of a binding. It is 0 if there is none, but `check_bindings` excludes that.
    pub(super) fn word_of(&self, binding: usize, word: u32) -> u32 {
        self.binding(binding).get(word as usize).copied().unwrap_or(0)
    }

    /// The number of elements of a runtime array.
    pub(super) fn length_of(&self, binding: usize, offset: u32, stride: u32) -> u32 {
        let words = self.binding(binding).len().saturating_sub(offset as usize);
        u32::try_from(words / stride.max(1) as usize).unwrap_or(u32::MAX)
    }

    fn number(&self, binding: usize) -> usize {
        self.program.bindings.get(binding).map_or(usize::MAX, |info| info.binding as usize)
    }

    fn binding(&self, binding: usize) -> &[u32] {
        self.bindings.get(self.number(binding)).map_or(&[], Vec::as_slice)
    }

    fn name(&self, space: Space) -> String {
        match space {
            Space::Cells(..) => "a variable of a function".to_owned(),
            Space::Binding(at) => self.program.bindings.get(at).map(|info| info.name.clone()).unwrap_or_default(),
            Space::Shared(at) => self.program.shared.get(at).map(|info| info.name.clone()).unwrap_or_default(),
        }
    }

    fn beyond(&self, space: Space, index: usize, length: usize, lane: usize, site: Site) -> Error {
        let (variable, place) = (self.name(space), self.place(site));
        Error::OutOfBounds { variable, index: index as u64, length: length as u64, lane, place }
    }

    fn fault(&self, fault: &Fault, space: Space, word: usize, lane: usize, site: Site) -> Error {
        let (variable, place) = (self.name(space), self.place(site));
        match *fault {
            Fault::Uninitialised => Error::Uninitialised { variable, word, lane, place },
            Fault::Race(first) => Error::Race { variable, word, first, second: lane, place },
        }
    }

    /// Finds the place that each lane accesses.
    fn locate(&mut self, address: &Address, site: Site) -> Result<(), Error> {
        let mut places = std::mem::take(&mut self.places);
        places.fill(address.offset);
        for index in &address.indices {
            let limit = match (index.limit, address.space) {
                (Limit::Fixed(limit), _) => limit,
                (Limit::Runtime(offset), Space::Binding(binding)) => self.length_of(binding, offset, index.stride),
                (Limit::Runtime(_), _) => 0,
            };
            let words = self.words(index.register);
            let mut is_beyond = false;
            for ((place, word), mask) in places.iter_mut().zip(words).zip(self.active.words()) {
                is_beyond |= (word & mask) >= limit && *mask != 0;
                *place = place.wrapping_add(word.wrapping_mul(index.stride));
            }
            if is_beyond {
                let lane = (0..self.lanes).find(|lane| self.active.has(*lane) && words[*lane] >= limit).unwrap_or(0);
                return Err(self.beyond(address.space, words[lane] as usize, limit as usize, lane, site));
            }
        }
        self.places = places;
        Ok(())
    }

    pub(super) fn load(
        &mut self,
        to: &[Register],
        words: &[u32],
        address: &Address,
        is_atomic: bool,
        site: Site,
    ) -> Result<(), Error> {
        self.locate(address, site)?;
        for (to, offset) in to.iter().zip(words) {
            let mut values = std::mem::take(&mut self.registers[*to as usize]);
            match address.space {
                Space::Binding(binding) => {
                    let memory = self.binding(binding);
                    for (lane, value) in values.iter_mut().enumerate().filter(|(lane, _)| self.active.has(*lane)) {
                        let place = self.places[lane] as usize + *offset as usize;
                        let Some(word) = memory.get(place) else {
                            return Err(self.beyond(address.space, place, memory.len(), lane, site));
                        };
                        *value = *word;
                    }
                }
                Space::Shared(at) => {
                    let mut fault = None;
                    for lane in self.order.iter().copied().filter(|lane| self.active.has(*lane)) {
                        let place = self.places[lane] as usize + *offset as usize;
                        match self.shared[at].read(place, lane, is_atomic) {
                            Ok(word) => values[lane] = word,
                            Err(found) => {
                                fault = Some((found, place, lane));
                                break;
                            }
                        }
                    }
                    if let Some((found, place, lane)) = fault {
                        return Err(self.fault(&found, address.space, place, lane, site));
                    }
                }
                Space::Cells(first, _) => {
                    for (lane, value) in values.iter_mut().enumerate().filter(|(lane, _)| self.active.has(*lane)) {
                        *value = self.cells[(first + self.places[lane] + *offset) as usize][lane];
                    }
                }
            }
            self.registers[*to as usize] = values;
        }
        Ok(())
    }

    pub(super) fn store(
        &mut self,
        from: &[Register],
        words: &[u32],
        address: &Address,
        is_atomic: bool,
        site: Site,
    ) -> Result<(), Error> {
        self.locate(address, site)?;
        for at in 0..self.lanes {
            let lane = if self.is_in_order { at } else { self.order[at] };
            if !self.active.has(lane) {
                continue;
            }
            for (from, offset) in from.iter().zip(words) {
                let value = self.words(*from)[lane];
                let place = self.places[lane] as usize + *offset as usize;
                self.write(address.space, place, lane, is_atomic, value, site)?;
            }
        }
        Ok(())
    }

    fn write(
        &mut self,
        space: Space,
        place: usize,
        lane: usize,
        is_atomic: bool,
        value: u32,
        site: Site,
    ) -> Result<(), Error> {
        match space {
            Space::Binding(binding) => {
                let (number, length) = (self.number(binding), self.binding(binding).len());
                match self.bindings.get_mut(number).and_then(|words| words.get_mut(place)) {
                    Some(word) => *word = value,
                    None => return Err(self.beyond(space, place, length, lane, site)),
                }
            }
            Space::Shared(at) => {
                if let Err(fault) = self.shared[at].write(place, lane, is_atomic, value) {
                    return Err(self.fault(&fault, space, place, lane, site));
                }
            }
            Space::Cells(first, _) => self.cells[first as usize + place][lane] = value,
        }
        Ok(())
    }

    fn read_atomic(&mut self, space: Space, place: usize, lane: usize, site: Site) -> Result<u32, Error> {
        match space {
            Space::Binding(binding) => {
                let memory = self.binding(binding);
                memory.get(place).copied().ok_or_else(|| self.beyond(space, place, memory.len(), lane, site))
            }
            Space::Shared(at) => {
                let read = self.shared[at].read(place, lane, true);
                read.map_err(|fault| self.fault(&fault, space, place, lane, site))
            }
            Space::Cells(..) => Err(Error::Unsupported { what: "an atomic variable of a function".to_owned() }),
        }
    }

    pub(super) fn atomic(
        &mut self,
        kind: AtomicKind,
        to: &[Register],
        address: &Address,
        value: Register,
        site: Site,
    ) -> Result<(), Error> {
        self.locate(address, site)?;
        for at in 0..self.lanes {
            let lane = self.order[at];
            if !self.active.has(lane) {
                continue;
            }
            let place = self.places[lane] as usize;
            let old = self.read_atomic(address.space, place, lane, site)?;
            let given = self.words(value)[lane];
            let mut new = Some(given);
            let mut is_exchanged = true;
            match kind {
                AtomicKind::Compute(kind) => {
                    let mut result = [0];
                    integers::compute(kind, &mut result, [&[old], &[given], &[0]]);
                    new = Some(result[0]);
                }
                AtomicKind::Exchange => {}
                AtomicKind::CompareExchange(compare) => {
                    is_exchanged = self.words(compare)[lane] == old;
                    new = new.filter(|_| is_exchanged);
                }
            }
            if let Some(new) = new {
                self.write(address.space, place, lane, true, new, site)?;
            }
            for (register, word) in to.iter().zip([old, u32::from(is_exchanged).wrapping_neg()]) {
                self.registers[*register as usize][lane] = word;
            }
        }
        Ok(())
    }

    /// Picks one of several words by an index.
    pub(super) fn pick(&mut self, to: Register, of: &[Register], index: Register, site: Site) -> Result<(), Error> {
        for lane in 0..self.lanes {
            if !self.active.has(lane) {
                continue;
            }
            let at = self.words(index)[lane] as usize;
            let Some(from) = of.get(at) else {
                return Err(self.beyond(Space::Cells(0, 0), at, of.len(), lane, site));
            };
            self.registers[to as usize][lane] = self.words(*from)[lane];
        }
        Ok(())
    }
}
