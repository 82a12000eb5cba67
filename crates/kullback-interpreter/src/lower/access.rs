//! Lowers what is done with a pointer: loads, stores, and the pointers to its parts.

use naga::{ArraySize, TypeInner};

use super::Lowering;
use super::layout;
use super::pointer::{Pointer, Target};
use crate::error::{Error, unsupported};
use crate::program::{Cell, Index, Limit, Register, Site, Space, Step};

impl Lowering<'_> {
    fn target(&self, pointer: &Pointer) -> TypeInner {
        match pointer.target {
            Target::Type(ty) => self.module.types[ty].inner.clone(),
            Target::Component(scalar) => TypeInner::Scalar(scalar),
        }
    }

    fn words_of(&self, pointer: &Pointer) -> Result<Vec<u32>, Error> {
        layout::words(self.module, &self.target(pointer), pointer.layout)
    }

    /// A part of what a pointer points to, by an index that is known now.
    pub(super) fn part(&self, pointer: &Pointer, index: u32) -> Result<Pointer, Error> {
        let mut part = pointer.clone();
        let inner = self.target(pointer);
        let (offset, target) = match inner {
            TypeInner::Vector { scalar, .. } => (index, Target::Component(scalar)),
            TypeInner::Array { base, stride, .. } => {
                (index.wrapping_mul(pointer.layout.stride(self.module, base, stride)?), Target::Type(base))
            }
            ref other => {
                let (offset, ty) = pointer.layout.member(self.module, other, index)?;
                (offset, Target::Type(ty))
            }
        };
        part.address.offset = part.address.offset.wrapping_add(offset);
        part.target = target;
        Ok(part)
    }

    /// A part of what a pointer points to, by an index that is known only at run time.
    pub(super) fn indexed(&self, pointer: &Pointer, register: Register) -> Result<Pointer, Error> {
        let mut part = pointer.clone();
        let (stride, limit, target) = match self.target(pointer) {
            TypeInner::Vector { size, scalar } => (1, Limit::Fixed(size as u32), Target::Component(scalar)),
            TypeInner::Array { base, size, stride } => {
                let limit = match size {
                    ArraySize::Constant(size) => Limit::Fixed(size.get()),
                    ArraySize::Dynamic => Limit::Runtime(pointer.address.offset),
                    ArraySize::Pending(_) => return unsupported("an array of a size that is not known"),
                };
                (pointer.layout.stride(self.module, base, stride)?, limit, Target::Type(base))
            }
            ref other => return unsupported(format!("an index into {other:?}")),
        };
        if let (Some(index), Limit::Fixed(limit)) = (self.constant_of(register), limit)
            && index < limit
        {
            return self.part(pointer, index);
        }
        part.address.indices.push(Index { register, stride, limit });
        part.target = target;
        Ok(part)
    }

    /// Loads the words that a pointer points to.
    pub(super) fn load(
        &mut self,
        pointer: &Pointer,
        is_atomic: bool,
        site: Site,
        out: &mut Vec<Step>,
    ) -> Result<Vec<Register>, Error> {
        let words = self.words_of(pointer)?;
        if let Some(first) = pointer.cell() {
            return Ok(words.iter().map(|word| self.get(first + word, out)).collect());
        }
        if let (Space::Binding(binding), true, true) =
            (pointer.address.space, pointer.is_uniform, pointer.address.indices.is_empty())
        {
            return Ok(words.iter().map(|word| self.uniform(binding, pointer.address.offset + word)).collect());
        }
        let to: Vec<Register> = words.iter().map(|_| self.register()).collect();
        out.push(Step::Load { to: to.clone(), words, address: pointer.address.clone(), is_atomic, site });
        Ok(to)
    }

    /// Writes words to where a pointer points.
    pub(super) fn store(
        &mut self,
        pointer: &Pointer,
        from: Vec<Register>,
        is_atomic: bool,
        site: Site,
        out: &mut Vec<Step>,
    ) -> Result<(), Error> {
        let words = self.words_of(pointer)?;
        if let Some(first) = pointer.cell() {
            for (word, from) in words.into_iter().zip(from) {
                self.set(first + word, from, out);
            }
            return Ok(());
        }
        if let Space::Cells(first, count) = pointer.address.space {
            for cell in first..first + count {
                self.forget(cell);
            }
        }
        out.push(Step::Store { from, words, address: pointer.address.clone(), is_atomic, site });
        Ok(())
    }

    /// The present value of a cell.
    pub(super) fn get(&mut self, cell: Cell, out: &mut Vec<Step>) -> Register {
        if let Some(register) = self.known.get(&cell) {
            return *register;
        }
        let to = self.register();
        out.push(Step::Get { to, cell });
        self.known.insert(cell, to);
        to
    }

    pub(super) fn set(&mut self, cell: Cell, from: Register, out: &mut Vec<Step>) {
        out.push(Step::Set { cell, from });
        self.forget(cell);
        self.known.insert(cell, from);
    }

    /// Forgets what is known about a cell.
    fn forget(&mut self, cell: Cell) {
        self.known.remove(&cell);
        self.written.push(cell);
    }
}
