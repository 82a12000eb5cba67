//! Reorders sums, and leaves products unrounded before they are added.

use super::{Emit, Rewriting};
use crate::hash::Draws;
use crate::program::{Kind, Op, Register};

/// The most terms of one sum.
const MOST: usize = 24;

/// One term of a sum.
#[derive(Clone, Copy, Debug)]
struct Term {
    is_minus: bool,
    register: Register,
}

impl Rewriting<'_> {
    pub(super) fn sum(&mut self, op: &Op, draws: &mut Draws, emit: &mut Emit<'_>) {
        let right = Term { is_minus: op.kind == Kind::SubtractF, register: op.of[1] };
        let mut terms = vec![Term { is_minus: false, register: op.of[0] }, right];
        for term in &mut terms {
            self.take_sign(term);
        }
        if self.device.reassociate && !draws.one_in(4) {
            self.open(&mut terms, draws);
            if !draws.one_in(4) {
                self.cancel(&mut terms);
            }
            draws.shuffle(&mut terms);
        }
        let is_chain = draws.one_in(2);
        while terms.len() > 1 {
            let (i, j) = if is_chain { (0, 1) } else { (draws.below(terms.len() - 1), terms.len() - 1) };
            let second = terms.remove(j);
            terms[i] = self.add(terms[i], second, draws, emit);
        }
        match terms.first() {
            None => {
                let zero = self.zero();
                self.emit(emit, Kind::Copy, [zero; 3]);
            }
            Some(term) if term.is_minus => {
                self.emit(emit, Kind::NegateF, [term.register; 3]);
            }
            Some(term) if emit.count == 0 => {
                self.emit(emit, Kind::Copy, [term.register; 3]);
            }
            Some(_) => {}
        }
        emit.finish(op.to);
    }

    /// Moves signs from a register to its term.
    fn take_sign(&self, term: &mut Term) {
        while let Some(Op { kind: Kind::NegateF, of, .. }) = self.definition(term.register) {
            *term = Term { is_minus: !term.is_minus, register: of[0] };
        }
    }

    /// Replaces terms that are sums by their own terms, again and again. Some stay, as the draws decide.
    fn open(&self, terms: &mut Vec<Term>, draws: &mut Draws) {
        let mut at = 0;
        while at < terms.len() {
            let term = terms[at];
            match self.definition(term.register) {
                Some(inner)
                    if matches!(inner.kind, Kind::AddF | Kind::SubtractF) && terms.len() < MOST && !draws.one_in(4) =>
                {
                    let second = term.is_minus != (inner.kind == Kind::SubtractF);
                    let parts = [(term.is_minus, inner.of[0]), (second, inner.of[1])];
                    let parts = parts.map(|(is_minus, register)| {
                        let mut part = Term { is_minus, register };
                        self.take_sign(&mut part);
                        part
                    });
                    terms.splice(at..=at, parts);
                }
                _ => at += 1,
            }
        }
    }

    /// Removes pairs of terms that differ only in sign.
    fn cancel(&self, terms: &mut Vec<Term>) {
        let is_opposite = |a: Term, b: Term| {
            a.is_minus != b.is_minus && self.same[a.register as usize] == self.same[b.register as usize]
        };
        let mut at = 0;
        while at < terms.len() {
            let other = (at + 1..terms.len()).find(|other| is_opposite(terms[at], terms[*other]));
            if let Some(other) = other {
                terms.remove(other);
                terms.remove(at);
            } else {
                at += 1;
            }
        }
    }

    fn add(&mut self, a: Term, b: Term, draws: &mut Draws, emit: &mut Emit<'_>) -> Term {
        let product = |term: Term| match self.definition(term.register) {
            Some(Op { kind: Kind::MultiplyF, of, .. }) => Some([of[0], of[1]]),
            _ => None,
        };
        if self.device.contract && !draws.one_in(3) {
            let mut sides = [(a, b), (b, a)];
            if draws.one_in(2) {
                sides.reverse();
            }
            let fused = sides.into_iter().find_map(|(term, other)| Some((product(term)?, term, other)));
            if let Some(([x, y], term, other)) = fused {
                let kind = Kind::Fused { minus_product: term.is_minus, minus_addend: other.is_minus };
                return Term { is_minus: false, register: self.emit(emit, kind, [x, y, other.register]) };
            }
        }
        let (kind, first, second) = match (a.is_minus, b.is_minus) {
            (true, false) => (Kind::SubtractF, b, a),
            (false, true) => (Kind::SubtractF, a, b),
            _ => (Kind::AddF, a, b),
        };
        let of = [first.register, second.register, first.register];
        Term { is_minus: a.is_minus && b.is_minus, register: self.emit(emit, kind, of) }
    }
}
