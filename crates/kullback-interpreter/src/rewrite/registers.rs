//! Gives the same place to registers that are never needed at the same time, so the places are few and stay in the cache.

use super::walk::{self, Use};
use crate::program::{Program, Register, Step};

/// The span of the program text in which each register is needed.
struct Spans {
    first: Vec<u32>,
    last: Vec<u32>,
    /// The loops around the present place. Each entry says where the loop begins, and which registers from before it are read in
    /// it.
    loops: Vec<(u32, Vec<Register>)>,
    place: u32,
}

impl Spans {
    fn steps(&mut self, steps: &mut [Step]) {
        for step in steps {
            let is_loop = matches!(step, Step::Loop { .. });
            let comes_last = is_loop || matches!(step, Step::Switch { .. });
            if is_loop {
                self.loops.push((self.place, Vec::new()));
            }
            if !comes_last {
                self.uses(step);
            }
            walk::blocks_mut(step, &mut |block| self.steps(block));
            if comes_last {
                self.uses(step);
            }
            if is_loop && let Some((_, registers)) = self.loops.pop() {
                // A later iteration needs these registers too.
                for register in registers {
                    self.last[register as usize] = self.last[register as usize].max(self.place - 1);
                }
            }
        }
    }

    fn uses(&mut self, step: &mut Step) {
        let Self { first, last, loops, place } = self;
        walk::registers(step, &mut |register, access| {
            let at = *register as usize;
            if access == Use::Write {
                first[at] = first[at].min(*place);
            } else if let Some((_, registers)) = loops.iter_mut().find(|(begin, _)| first[at] < *begin) {
                registers.push(*register);
            }
            last[at] = last[at].max(*place);
        });
        *place += 1;
    }
}

/// The places that registers get.
struct Places {
    place: Vec<Register>,
    /// Registers by the place where they are needed for the last time.
    ends: Vec<Vec<Register>>,
    free: Vec<Register>,
    count: u32,
    at: usize,
}

impl Places {
    fn steps(&mut self, steps: &mut [Step]) {
        for step in steps {
            let comes_last = matches!(step, Step::Loop { .. } | Step::Switch { .. });
            if !comes_last {
                self.assign(step);
            }
            walk::blocks_mut(step, &mut |block| self.steps(block));
            if comes_last {
                self.assign(step);
            }
        }
    }

    fn assign(&mut self, step: &mut Step) {
        let Self { place, free, count, .. } = self;
        walk::registers(step, &mut |register, access| {
            let at = *register as usize;
            if access == Use::Write {
                place[at] = free.pop().unwrap_or_else(|| {
                    *count += 1;
                    *count - 1
                });
            }
            *register = place[at];
        });
        if let Some(registers) = self.ends.get_mut(self.at) {
            for register in std::mem::take(registers) {
                self.free.push(self.place[register as usize]);
            }
        }
        self.at += 1;
    }
}

/// Gives the registers new numbers. The given registers come first and keep their places to the end.
pub(super) fn assign(program: &mut Program) {
    let count = program.registers as usize;
    let mut spans = Spans { first: vec![u32::MAX; count], last: vec![0; count], loops: Vec::new(), place: 0 };
    spans.steps(&mut program.steps);
    let mut places = Places {
        place: vec![0; count],
        ends: vec![Vec::new(); spans.place as usize],
        free: Vec::new(),
        count: program.given.len() as u32,
        at: 0,
    };
    for (place, (register, _)) in (0..).zip(&mut program.given) {
        places.place[*register as usize] = place;
        *register = place;
    }
    for (register, (first, last)) in (0..).zip(spans.first.iter().zip(&spans.last)) {
        if *first != u32::MAX {
            places.ends[*last as usize].push(register);
        }
    }
    places.steps(&mut program.steps);
    program.registers = places.count;
}
