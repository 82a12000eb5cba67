//! Reorders products and quotients.

use super::{Emit, Rewriting};
use crate::hash::Draws;
use crate::program::{Kind, Op, Register, Step};

/// The most factors of one product.
const MOST: usize = 16;

/// One factor of a product.
#[derive(Clone, Copy, Debug)]
struct Factor {
    is_divisor: bool,
    register: Register,
}

impl Rewriting<'_> {
    pub(super) fn product(&mut self, op: &Op, draws: &mut Draws, emit: &mut Emit<'_>) {
        let is_quotient = op.kind == Kind::DivideF;
        let mut is_minus = false;
        let mut factors = vec![
            Factor { is_divisor: false, register: op.of[0] },
            Factor { is_divisor: is_quotient, register: op.of[1] },
        ];
        let stays = draws.one_in(4) || (is_quotient && !self.device.reorder_division);
        if !stays {
            self.open_factors(&mut factors, &mut is_minus, draws);
        }
        if factors.len() == 2 {
            emit.out.push(Step::Op(Op { key: emit.key, ..*op }));
            return;
        }
        draws.shuffle(&mut factors);
        // Divide by all divisors at once, or by one after the other.
        let register = if draws.one_in(2) {
            let (divisors, others): (Vec<_>, Vec<_>) = factors.into_iter().partition(|factor| factor.is_divisor);
            let multiply = |this: &mut Self, emit: &mut Emit<'_>, factors: &[Factor]| {
                let registers = factors.iter().map(|factor| factor.register);
                registers.reduce(|a, b| this.emit(emit, Kind::MultiplyF, [a, b, a]))
            };
            match (multiply(self, emit, &others), multiply(self, emit, &divisors)) {
                (Some(a), Some(b)) => self.emit(emit, Kind::DivideF, [a, b, a]),
                (Some(a), None) => a,
                (None, _) => op.of[0],
            }
        } else {
            // The sort is stable, so the first factor that is no divisor comes first.
            factors.sort_by_key(|factor| factor.is_divisor);
            draws.shuffle(&mut factors[1..]);
            let mut product = factors[0].register;
            for factor in &factors[1..] {
                let kind = if factor.is_divisor { Kind::DivideF } else { Kind::MultiplyF };
                product = self.emit(emit, kind, [product, factor.register, product]);
            }
            product
        };
        if is_minus {
            self.emit(emit, Kind::NegateF, [register; 3]);
        }
        emit.finish(op.to);
    }

    /// Replaces factors that are products by their own factors, again and again. Some stay, as the draws decide.
    fn open_factors(&self, factors: &mut Vec<Factor>, is_minus: &mut bool, draws: &mut Draws) {
        let mut at = 0;
        while at < factors.len() {
            let factor = factors[at];
            let Some(inner) = self.definition(factor.register) else {
                at += 1;
                continue;
            };
            match inner.kind {
                Kind::NegateF => {
                    // A sign alone is no reason to make another product of it.
                    if !self.is_product(inner.of[0]) {
                        at += 1;
                        continue;
                    }
                    *is_minus = !*is_minus;
                    factors[at].register = inner.of[0];
                }
                Kind::MultiplyF | Kind::DivideF
                    if self.is_product(factor.register) && factors.len() < MOST && !draws.one_in(4) =>
                {
                    let second = factor.is_divisor != (inner.kind == Kind::DivideF);
                    let parts = [
                        Factor { is_divisor: factor.is_divisor, register: inner.of[0] },
                        Factor { is_divisor: second, register: inner.of[1] },
                    ];
                    factors.splice(at..=at, parts);
                }
                _ => at += 1,
            }
        }
    }

    /// Whether the register is a product whose factors may move elsewhere.
    fn is_product(&self, register: Register) -> bool {
        match self.definition(register) {
            Some(op) => op.kind == Kind::MultiplyF || (op.kind == Kind::DivideF && self.device.reorder_division),
            None => false,
        }
    }
}
