//! Operations of subgroups. A subgroup is lanes that are consecutive by their index in the workgroup.

use super::{Machine, integers};
use crate::error::Error;
use crate::hash::{Draws, mix};
use crate::program::{Collective, Kind, Op, Register, Site, Source};

impl Machine<'_> {
    /// The lanes in the subgroup of a lane.
    fn around(&self, lane: usize) -> std::ops::Range<usize> {
        let first = lane - lane % self.subgroup;
        first..(first + self.subgroup).min(self.lanes)
    }

    pub(super) fn gather(&mut self, to: Register, from: Register, source: Source, site: Site) -> Result<(), Error> {
        self.all_are_there("subgroup operation", site)?;
        let mut values = std::mem::take(&mut self.registers[to as usize]);
        for (lane, value) in values.iter_mut().enumerate() {
            let around = self.around(lane);
            let own = (lane - around.start) as u32;
            let word = |register: Register| self.words(register)[lane];
            let asked = match source {
                Source::First => 0,
                Source::Lane(register) => word(register),
                Source::Down(register) => own.wrapping_add(word(register)),
                Source::Up(register) => own.wrapping_sub(word(register)),
                Source::Xor(register) => own ^ word(register),
                Source::InQuad(register) => (own & !3) | (word(register) & 3),
                Source::QuadSwap(bits) => own ^ bits,
            };
            if asked as usize >= around.len() {
                return Err(Error::OutOfSubgroup { lane, asked, size: around.len(), place: self.place(site) });
            }
            *value = self.words(from)[around.start + asked as usize];
        }
        self.registers[to as usize] = values;
        Ok(())
    }

    pub(super) fn collect(
        &mut self,
        (to, from): (Register, Register),
        (kind, neutral): (Kind, u32),
        over: Collective,
        site: Site,
        key: u64,
    ) -> Result<(), Error> {
        self.all_are_there("subgroup operation", site)?;
        let mut values = std::mem::take(&mut self.registers[to as usize]);
        let is_float = matches!(kind, Kind::AddF | Kind::MultiplyF);
        for (lane, value) in values.iter_mut().enumerate() {
            let around = self.around(lane);
            let range = match over {
                Collective::All => around.clone(),
                Collective::UpToThis => around.start..lane + 1,
                Collective::BeforeThis => around.start..lane,
            };
            let mut words: Vec<u32> = range.map(|lane| self.words(from)[lane]).collect();
            if is_float && key != 0 && self.reorders_collectives() {
                Draws::new(mix(key, 4)).shuffle(&mut words);
            }
            let all = words.into_iter().reduce(|a, b| self.combine(kind, a, b, site, key));
            *value = all.unwrap_or(neutral);
        }
        self.registers[to as usize] = values;
        Ok(())
    }

    /// Whether the device adds the lanes of a subgroup in an order of its own. It does so when its lanes have an order of their
    /// own.
    fn reorders_collectives(&self) -> bool {
        !self.is_in_order
    }

    fn combine(&self, kind: Kind, a: u32, b: u32, site: Site, key: u64) -> u32 {
        let mut result = [0];
        let of: [&[u32]; 3] = [&[a], &[b], &[a]];
        if !integers::compute(kind, &mut result, of) {
            self.floats.compute(&Op { kind, to: 0, of: [0; 3], site, key }, &mut result, of);
        }
        result[0]
    }

    /// Sets one bit per lane, which says whether the predicate of the lane holds.
    pub(super) fn ballot(&mut self, to: &[Register], predicate: Register, site: Site) -> Result<(), Error> {
        self.all_are_there("subgroup operation", site)?;
        let mut bits = vec![[0_u32; 4]; self.lanes];
        for (lane, bits) in bits.iter_mut().enumerate() {
            let around = self.around(lane);
            for (i, other) in around.enumerate() {
                if self.words(predicate)[other] != 0 {
                    bits[i / 32] |= 1 << (i % 32);
                }
            }
        }
        for (word, register) in to.iter().enumerate().take(4) {
            for (lane, bits) in bits.iter().enumerate() {
                self.registers[*register as usize][lane] = bits[word];
            }
        }
        Ok(())
    }
}
