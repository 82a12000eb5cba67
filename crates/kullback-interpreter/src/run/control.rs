//! Runs control flow by masks.

use super::mask::Mask;
use super::{MOST_ITERATIONS, Machine};
use crate::error::Error;
use crate::program::{Case, Register, Site, Step};

impl Machine<'_> {
    /// Runs steps until no lane is active.
    pub(super) fn block(&mut self, steps: &[Step]) -> Result<(), Error> {
        for step in steps {
            self.step(step)?;
            let changes_mask = matches!(
                step,
                Step::If { .. } | Step::Switch { .. } | Step::Loop { .. } | Step::Break | Step::Continue | Step::Return
            );
            if changes_mask && self.active.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// Runs a step, with the steps inside it.
    fn step(&mut self, step: &Step) -> Result<(), Error> {
        match step {
            Step::Op(op) => self.compute(op),
            Step::Get { to, cell } => {
                self.registers[*to as usize].copy_from_slice(&self.cells[*cell as usize]);
            }
            Step::Set { cell, from } => {
                let from = &self.registers[*from as usize];
                let lanes = self.cells[*cell as usize].iter_mut().zip(from).zip(self.active.words());
                lanes.for_each(|((to, from), mask)| *to = (from & mask) | (*to & !mask));
            }
            Step::Load { to, words, address, is_atomic, site } => {
                self.load(to, words, address, *is_atomic, *site)?;
            }
            Step::Store { from, words, address, is_atomic, site } => {
                self.store(from, words, address, *is_atomic, *site)?;
            }
            Step::Atomic { kind, to, address, value, site } => self.atomic(*kind, to, address, *value, *site)?,
            Step::Pick { to, of, index, site } => self.pick(*to, of, *index, *site)?,
            Step::Barrier { is_shared, site } => {
                self.all_are_there("barrier", *site)?;
                if *is_shared {
                    self.shared.iter_mut().for_each(super::Shared::pass_barrier);
                }
            }
            Step::Gather { to, from, source, site } => self.gather(*to, *from, *source, *site)?,
            Step::Collect { to, from, kind, neutral, over, site, key } => {
                self.collect((*to, *from), (*kind, *neutral), *over, *site, *key)?;
            }
            Step::Ballot { to, predicate, site } => self.ballot(to, *predicate, *site)?,
            Step::If { condition, accept, reject } => self.branch(*condition, accept, reject)?,
            Step::Switch { selector, cases } => self.switch(*selector, cases)?,
            Step::Loop { body, continuing, break_if, site } => self.repeat(body, continuing, *break_if, *site)?,
            Step::Scope(steps) => {
                let entered = self.save();
                self.block(steps)?;
                self.restore(entered);
            }
            Step::Break => {
                if let Some(broken) = self.broken.last_mut() {
                    broken.join(&self.active);
                }
                self.active.clear();
            }
            Step::Continue => {
                if let Some(continued) = self.continued.last_mut() {
                    continued.join(&self.active);
                }
                self.active.clear();
            }
            Step::Return => self.active.clear(),
        }
        Ok(())
    }

    /// Checks that every lane of the workgroup reaches this operation together.
    pub(super) fn all_are_there(&self, what: &'static str, site: Site) -> Result<(), Error> {
        if self.active.is_full() {
            return Ok(());
        }
        Err(Error::Divergent { what, active: self.active.count(), lanes: self.lanes, place: self.place(site) })
    }

    /// A mask to overwrite.
    fn mask(&mut self) -> Mask {
        self.spare.pop().unwrap_or_else(|| Mask::full(self.lanes))
    }

    fn empty(&mut self) -> Mask {
        let mut mask = self.mask();
        mask.clear();
        mask
    }

    /// A copy of the mask of active lanes.
    fn save(&mut self) -> Mask {
        let mut mask = self.mask();
        mask.copy(&self.active);
        mask
    }

    fn restore(&mut self, mask: Mask) {
        let old = std::mem::replace(&mut self.active, mask);
        self.spare.push(old);
    }

    fn branch(&mut self, condition: Register, accept: &[Step], reject: &[Step]) -> Result<(), Error> {
        let mut others = self.save();
        let condition = &self.registers[condition as usize];
        self.active.keep(condition);
        others.drop(condition);
        if !self.active.is_empty() {
            self.block(accept)?;
        }
        if !others.is_empty() {
            std::mem::swap(&mut self.active, &mut others);
            self.block(reject)?;
            self.active.join(&others);
        }
        self.spare.push(others);
        Ok(())
    }

    fn switch(&mut self, selector: Register, cases: &[Case]) -> Result<(), Error> {
        let entered = self.save();
        let values: Vec<u32> = cases.iter().filter_map(|case| case.value).collect();
        // The selector may share its place with a register that a case writes, so all masks are made first.
        let mut masks = Vec::new();
        for case in cases {
            let mut mask = self.mask();
            mask.select(&entered, self.words(selector), |word| match case.value {
                Some(value) => word == value,
                None => !values.contains(&word),
            });
            masks.push(mask);
        }
        let broken = self.empty();
        self.broken.push(broken);
        self.active.clear();
        for (case, mask) in cases.iter().zip(masks) {
            self.active.join(&mask);
            self.spare.push(mask);
            if !self.active.is_empty() {
                self.block(&case.body)?;
            }
            if !case.falls_through {
                // Lanes that reach the end of a case leave the switch.
                if let Some(broken) = self.broken.last_mut() {
                    broken.join(&self.active);
                }
                self.active.clear();
            }
        }
        self.spare.push(entered);
        if let Some(broken) = self.broken.pop() {
            self.active.join(&broken);
            self.spare.push(broken);
        }
        Ok(())
    }

    fn repeat(
        &mut self,
        body: &[Step],
        continuing: &[Step],
        break_if: Option<Register>,
        site: Site,
    ) -> Result<(), Error> {
        let (broken, continued) = (self.empty(), self.empty());
        self.broken.push(broken);
        self.continued.push(continued);
        let mut iterations = 0;
        while !self.active.is_empty() {
            if iterations == MOST_ITERATIONS {
                return Err(Error::Endless { iterations, place: self.place(site) });
            }
            iterations += 1;
            self.block(body)?;
            if let Some(continued) = self.continued.last_mut() {
                self.active.join(continued);
                continued.clear();
            }
            if self.active.is_empty() {
                break;
            }
            self.block(continuing)?;
            if let Some(condition) = break_if {
                let mut leaving = self.save();
                let condition = &self.registers[condition as usize];
                leaving.keep(condition);
                self.active.drop(condition);
                if let Some(broken) = self.broken.last_mut() {
                    broken.join(&leaving);
                }
                self.spare.push(leaving);
            }
        }
        if let Some(broken) = self.broken.pop() {
            self.restore(broken);
        }
        self.spare.extend(self.continued.pop());
        Ok(())
    }
}
