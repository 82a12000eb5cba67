//! Removes steps whose results nothing reads.

use super::walk::{self, Use};
use crate::program::{Program, Step};

struct Counts {
    registers: Vec<u32>,
    cells: Vec<u32>,
    has_changed: bool,
}

impl Counts {
    /// Counts what a step reads, or takes it off the counts.
    fn count(&mut self, step: &mut Step, is_there: bool) {
        let change = |count: &mut u32| *count = if is_there { *count + 1 } else { count.saturating_sub(1) };
        walk::registers(step, &mut |register, access| {
            if access == Use::Read {
                change(&mut self.registers[*register as usize]);
            }
        });
        if let Some((first, count)) = walk::cells_read(step) {
            self.cells[first as usize..(first + count) as usize].iter_mut().for_each(change);
        }
    }

    fn count_all(&mut self, steps: &mut [Step]) {
        for step in steps {
            self.count(step, true);
            walk::blocks_mut(step, &mut |block| self.count_all(block));
        }
    }

    /// Whether a step has no effect.
    fn is_idle(&self, step: &Step) -> bool {
        let is_read = |register: &u32| self.registers[*register as usize] > 0;
        match step {
            Step::Op(op) => !is_read(&op.to),
            Step::Get { to, .. } => !is_read(to),
            Step::If { accept, reject, .. } => accept.is_empty() && reject.is_empty(),
            Step::Scope(steps) => steps.is_empty(),
            other => walk::cells_written(other).is_some_and(|(cell, _)| self.cells[cell as usize] == 0),
        }
    }

    fn trim(&mut self, steps: &mut Vec<Step>) {
        let mut kept = Vec::with_capacity(steps.len());
        for mut step in steps.drain(..).rev() {
            walk::blocks_mut(&mut step, &mut |block| self.trim(block));
            if self.is_idle(&step) {
                self.count(&mut step, false);
                self.has_changed = true;
            } else {
                kept.push(step);
            }
        }
        kept.reverse();
        *steps = kept;
    }
}

/// Removes idle steps until none is left.
pub(super) fn trim(program: &mut Program) {
    let mut counts = Counts {
        registers: vec![0; program.registers as usize],
        cells: vec![0; program.cells as usize],
        has_changed: true,
    };
    counts.count_all(&mut program.steps);
    while counts.has_changed {
        counts.has_changed = false;
        counts.trim(&mut program.steps);
    }
}
