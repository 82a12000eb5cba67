//! Rewrites a program into the form that one device runs. The choices of the compiler are made here, once.

mod products;
mod registers;
mod sums;
mod trim;
mod walk;

use std::collections::HashMap;

use crate::device::Device;
use crate::hash::{Draws, mix};
use crate::program::{Given, Kind, Op, Program, Register, Site, Step};

/// Rewrites a program for a device.
pub(crate) fn for_device(program: &Program, device: &Device) -> Program {
    let mut rewriting = Rewriting::new(program, device);
    let steps = rewriting.block(&program.steps);
    let mut rewritten = Program { steps, registers: rewriting.registers, ..program.clone() };
    if let Some(zero) = rewriting.zero {
        rewritten.given.push((zero, Given::Constant(0)));
    }
    trim::trim(&mut rewritten);
    registers::assign(&mut rewritten);
    rewritten
}

struct Rewriting<'a> {
    program: &'a Program,
    device: &'a Device,
    /// The computation of each register before any rewriting.
    definitions: Vec<Option<Op>>,
    /// For each register, one register that surely holds the same value.
    same: Vec<Register>,
    registers: u32,
    /// A register that holds 0, if something needs one.
    zero: Option<Register>,
}

impl<'a> Rewriting<'a> {
    fn new(program: &'a Program, device: &'a Device) -> Self {
        let count = program.registers as usize;
        let mut rewriting = Self {
            program,
            device,
            definitions: vec![None; count],
            same: (0..program.registers).collect(),
            registers: program.registers,
            zero: None,
        };
        if device.contract || device.reassociate {
            let mut seen = HashMap::new();
            rewriting.define(&program.steps, &mut seen);
        }
        rewriting
    }

    fn define(&mut self, steps: &[Step], seen: &mut HashMap<(Kind, [Register; 3]), Register>) {
        for step in steps {
            if let Step::Op(op) = step {
                let mut of = op.of.map(|register| self.same[register as usize]);
                if matches!(op.kind, Kind::AddF | Kind::MultiplyF) {
                    of[..2].sort_unstable();
                    of[2] = of[0];
                }
                self.same[op.to as usize] = *seen.entry((op.kind, of)).or_insert(op.to);
                self.definitions[op.to as usize] = Some(*op);
            }
            walk::blocks(step, &mut |block| self.define(block, seen));
        }
    }

    fn definition(&self, register: Register) -> Option<&Op> {
        self.definitions.get(register as usize)?.as_ref()
    }

    fn key(&self, site: Site) -> u64 {
        let info = self.program.sites.get(site as usize);
        let hash = info.map_or(0, |info| if self.device.splits_copies { info.path } else { info.own });
        mix(mix(self.device.seed, 1), hash)
    }

    fn block(&mut self, steps: &[Step]) -> Vec<Step> {
        let mut out = Vec::with_capacity(steps.len());
        for step in steps {
            match step {
                Step::Op(op) => self.op(op, &mut out),
                Step::Collect { site, .. } => {
                    let mut step = step.clone();
                    if let Step::Collect { key, .. } = &mut step {
                        *key = self.key(*site);
                    }
                    out.push(step);
                }
                Step::If { condition, accept, reject } => {
                    let (accept, reject) = (self.block(accept), self.block(reject));
                    out.push(Step::If { condition: *condition, accept, reject });
                }
                Step::Loop { body, continuing, break_if, site } => {
                    let (body, continuing) = (self.block(body), self.block(continuing));
                    out.push(Step::Loop { body, continuing, break_if: *break_if, site: *site });
                }
                Step::Switch { selector, cases } => {
                    let mut cases = cases.clone();
                    for case in &mut cases {
                        case.body = self.block(&case.body);
                    }
                    out.push(Step::Switch { selector: *selector, cases });
                }
                Step::Scope(steps) => {
                    let steps = self.block(steps);
                    out.push(Step::Scope(steps));
                }
                other => out.push(other.clone()),
            }
        }
        out
    }

    fn op(&mut self, op: &Op, out: &mut Vec<Step>) {
        let key = self.key(op.site);
        let mut emit = Emit { key, site: op.site, count: 0, out };
        match op.kind {
            Kind::AddF | Kind::SubtractF if self.device.contract || self.device.reassociate => {
                self.sum(op, &mut Draws::new(mix(key, 2)), &mut emit);
            }
            Kind::MultiplyF | Kind::DivideF if self.device.reassociate => {
                self.product(op, &mut Draws::new(mix(key, 3)), &mut emit);
            }
            _ => out.push(Step::Op(Op { key, ..*op })),
        }
    }

    fn register(&mut self) -> Register {
        self.registers += 1;
        self.registers - 1
    }

    /// A register that holds 0.
    fn zero(&mut self) -> Register {
        let register = self.zero.unwrap_or(self.registers);
        if self.zero.is_none() {
            self.registers += 1;
            self.zero = Some(register);
        }
        register
    }

    /// Adds a computation and returns its register.
    fn emit(&mut self, emit: &mut Emit<'_>, kind: Kind, of: [Register; 3]) -> Register {
        let to = self.register();
        // The first computation is the instruction itself, so its errors are those of the instruction as written.
        let key = if emit.count == 0 { emit.key } else { mix(emit.key, emit.count) };
        emit.count += 1;
        emit.out.push(Step::Op(Op { kind, to, of, site: emit.site, key }));
        to
    }
}

/// The computations that replace an instruction.
struct Emit<'a> {
    key: u64,
    site: Site,
    count: u64,
    out: &'a mut Vec<Step>,
}

impl Emit<'_> {
    /// Gives the last computation the register of the instruction, which other steps read.
    fn finish(&mut self, to: Register) {
        if let Some(Step::Op(op)) = self.out.last_mut() {
            op.to = to;
        }
    }
}
