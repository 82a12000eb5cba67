//! What a step reads and writes.

use crate::program::{AtomicKind, Register, Source, Space, Step};

/// How a step uses a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Read,
    Write,
}

/// Calls `f` on the blocks of a step.
pub(super) fn blocks<'a>(step: &'a Step, f: &mut impl FnMut(&'a [Step])) {
    match step {
        Step::If { accept, reject, .. } => {
            f(accept);
            f(reject);
        }
        Step::Loop { body, continuing, .. } => {
            f(body);
            f(continuing);
        }
        Step::Switch { cases, .. } => cases.iter().for_each(|case| f(&case.body)),
        Step::Scope(steps) => f(steps),
        _ => {}
    }
}

/// Calls `f` on the blocks of a step, to change them.
pub(super) fn blocks_mut(step: &mut Step, f: &mut impl FnMut(&mut Vec<Step>)) {
    match step {
        Step::If { accept, reject, .. } => {
            f(accept);
            f(reject);
        }
        Step::Loop { body, continuing, .. } => {
            f(body);
            f(continuing);
        }
        Step::Switch { cases, .. } => cases.iter_mut().for_each(|case| f(&mut case.body)),
        Step::Scope(steps) => f(steps),
        _ => {}
    }
}

/// Calls `f` on every register of a step, but not on those in its blocks. Reads come before writes.
#[expect(clippy::too_many_lines, reason = "a list: one arm a step")]
pub(super) fn registers(step: &mut Step, f: &mut impl FnMut(&mut Register, Use)) {
    match step {
        Step::Op(op) => {
            let count = op.operands().len();
            op.of[..count].iter_mut().for_each(|register| f(register, Use::Read));
            let first = op.of[0];
            op.of[count..].iter_mut().for_each(|register| *register = first);
            f(&mut op.to, Use::Write);
        }
        Step::Get { to, .. } => f(to, Use::Write),
        Step::Set { from, .. } => f(from, Use::Read),
        Step::Load { to, address, .. } => {
            address.indices.iter_mut().for_each(|index| f(&mut index.register, Use::Read));
            to.iter_mut().for_each(|register| f(register, Use::Write));
        }
        Step::Store { from, address, .. } => {
            address.indices.iter_mut().for_each(|index| f(&mut index.register, Use::Read));
            from.iter_mut().for_each(|register| f(register, Use::Read));
        }
        Step::Atomic { kind, to, address, value, .. } => {
            address.indices.iter_mut().for_each(|index| f(&mut index.register, Use::Read));
            f(value, Use::Read);
            if let AtomicKind::CompareExchange(compare) = kind {
                f(compare, Use::Read);
            }
            to.iter_mut().for_each(|register| f(register, Use::Write));
        }
        Step::Pick { to, of, index, .. } => {
            of.iter_mut().for_each(|register| f(register, Use::Read));
            f(index, Use::Read);
            f(to, Use::Write);
        }
        Step::Gather { to, from, source, .. } => {
            f(from, Use::Read);
            match source {
                Source::Lane(lane)
                | Source::Down(lane)
                | Source::Up(lane)
                | Source::Xor(lane)
                | Source::InQuad(lane) => {
                    f(lane, Use::Read);
                }
                Source::First | Source::QuadSwap(_) => {}
            }
            f(to, Use::Write);
        }
        Step::Collect { to, from, .. } => {
            f(from, Use::Read);
            f(to, Use::Write);
        }
        Step::Ballot { to, predicate, .. } => {
            f(predicate, Use::Read);
            to.iter_mut().for_each(|register| f(register, Use::Write));
        }
        Step::If { condition, .. } => f(condition, Use::Read),
        Step::Switch { selector, .. } => f(selector, Use::Read),
        Step::Loop { break_if: Some(condition), .. } => f(condition, Use::Read),
        Step::Loop { break_if: None, .. }
        | Step::Barrier { .. }
        | Step::Scope(_)
        | Step::Break
        | Step::Continue
        | Step::Return => {}
    }
}

/// The cells that a step reads: the first cell, and how many.
pub(super) fn cells_read(step: &Step) -> Option<(u32, u32)> {
    match step {
        Step::Get { cell, .. } => Some((*cell, 1)),
        Step::Load { address, .. } => match address.space {
            Space::Cells(first, count) => Some((first, count)),
            _ => None,
        },
        _ => None,
    }
}

/// The cells that a step writes, if it does nothing else.
pub(super) fn cells_written(step: &Step) -> Option<(u32, u32)> {
    match step {
        Step::Set { cell, .. } => Some((*cell, 1)),
        _ => None,
    }
}
