//! Lowers statements.

use std::collections::HashMap;

use naga::{
    AtomicFunction, Barrier, Block, CollectiveOperation, Direction, Expression, GatherMode, Handle, Span, Statement,
    SubgroupOperation, SwitchCase, SwitchValue,
};

use super::layout::Class;
use super::pointer::Pointer;
use super::{Frame, Lowering, Returns, Value};
use crate::error::{Error, unsupported};
use crate::program::{AtomicKind, Case, Collective, Kind, Register, Site, Source, Step};

/// How control leaves a block.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Flow {
    /// At its end.
    Next,
    /// Every lane has left elsewhere.
    Ended,
    /// At the end of a function that becomes part of its caller. It holds the value of the function.
    Returned(Vec<Register>),
}

impl<'a> Lowering<'a> {
    pub(super) fn block(
        &mut self,
        frame: &mut Frame<'a>,
        block: &'a Block,
        out: &mut Vec<Step>,
    ) -> Result<Flow, Error> {
        for (statement, span) in block.span_iter() {
            let flow = self.statement(frame, statement, *span, out)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn statement(
        &mut self,
        frame: &mut Frame<'a>,
        statement: &'a Statement,
        span: Span,
        out: &mut Vec<Step>,
    ) -> Result<Flow, Error> {
        match statement {
            Statement::Emit(range) => {
                for handle in range.clone() {
                    let value = self.evaluate(frame, handle, out)?;
                    frame.keep(handle, value);
                }
            }
            Statement::Block(block) => return self.block(frame, block, out),
            Statement::If { condition, accept, reject } => {
                return self.branch(frame, *condition, [accept, reject], out);
            }
            Statement::Switch { selector, cases } => self.switch(frame, *selector, cases, out)?,
            Statement::Loop { body, continuing, break_if } => {
                self.repeat(frame, [body, continuing], *break_if, span, out)?;
            }
            Statement::Break => {
                out.push(Step::Break);
                return Ok(Flow::Ended);
            }
            Statement::Continue => {
                out.push(Step::Continue);
                return Ok(Flow::Ended);
            }
            Statement::Return { value } => {
                return self.leave(frame, *value, out);
            }
            Statement::ControlBarrier(barrier) => {
                let site = self.site_at(frame, 0, span);
                out.push(Step::Barrier { is_shared: barrier.contains(Barrier::WORK_GROUP), site });
            }
            Statement::Store { pointer, value } => {
                let pointer = self.pointer(frame, *pointer, out)?;
                let words = self.expression(frame, *value, out)?.words()?;
                let site = self.site_at(frame, 0, span);
                let is_atomic = self.is_atomic(&pointer);
                self.store(&pointer, words, is_atomic, site, out)?;
            }
            Statement::WorkGroupUniformLoad { pointer, result } => {
                let site = self.site_at(frame, 0, span);
                let pointer = self.pointer(frame, *pointer, out)?;
                out.push(Step::Barrier { is_shared: true, site });
                let words = self.load(&pointer, false, site, out)?;
                out.push(Step::Barrier { is_shared: true, site });
                frame.keep(*result, Value::Words(words));
            }
            Statement::Call { function, arguments, result } => {
                let number = result.map_or(usize::MAX, Handle::index);
                let words = self.call(frame, (*function, number, span), arguments, out)?;
                if let Some(result) = result {
                    frame.keep(*result, Value::Words(words));
                }
            }
            Statement::Atomic { pointer, fun, value, result } => {
                self.atomic(frame, (*pointer, fun, *value, *result), span, out)?;
            }
            // Memory accesses have no order except that of the steps.
            Statement::MemoryBarrier(_) => {}
            other => self.subgroup(frame, other, span, out)?,
        }
        Ok(Flow::Next)
    }

    /// Lowers a statement in which the lanes of a subgroup meet.
    fn subgroup(
        &mut self,
        frame: &mut Frame<'a>,
        statement: &'a Statement,
        span: Span,
        out: &mut Vec<Step>,
    ) -> Result<(), Error> {
        match statement {
            Statement::SubgroupGather { mode, argument, result } => {
                let site = self.site_at(frame, 0, span);
                let source = self.source(frame, *mode, out)?;
                let words = self.expression(frame, *argument, out)?.words()?;
                let gather = |from, to| Step::Gather { to, from, source, site };
                self.word_by_word(frame, words, *result, gather, out);
            }
            Statement::SubgroupCollectiveOperation { op, collective_op, argument, result } => {
                let site = self.site_at(frame, result.index(), span);
                let (kind, neutral) = collective(*op, frame.class(self.module, *argument)?)?;
                let over = match collective_op {
                    CollectiveOperation::Reduce => Collective::All,
                    CollectiveOperation::InclusiveScan => Collective::UpToThis,
                    CollectiveOperation::ExclusiveScan => Collective::BeforeThis,
                };
                let words = self.expression(frame, *argument, out)?.words()?;
                let collect = |from, to| Step::Collect { to, from, kind, neutral, over, site, key: 0 };
                self.word_by_word(frame, words, *result, collect, out);
            }
            Statement::SubgroupBallot { result, predicate } => {
                let site = self.site_at(frame, 0, span);
                let predicate = match predicate {
                    Some(predicate) => self.word(frame, *predicate, out)?,
                    None => self.constant(u32::MAX),
                };
                let to: Vec<Register> = (0..4).map(|_| self.register()).collect();
                out.push(Step::Ballot { to: to.clone(), predicate, site });
                frame.keep(*result, Value::Words(to));
            }
            other => return unsupported(format!("the statement {other:?}")),
        }
        Ok(())
    }

    /// Lowers a loop.
    fn repeat(
        &mut self,
        frame: &mut Frame<'a>,
        [body, continuing]: [&'a Block; 2],
        break_if: Option<Handle<Expression>>,
        span: Span,
        out: &mut Vec<Step>,
    ) -> Result<(), Error> {
        // A value known before the loop need not hold in a later iteration, or after the last one.
        self.known.clear();
        let site = self.site_at(frame, 0, span);
        let (mut steps, mut last) = (Vec::new(), Vec::new());
        self.block(frame, body, &mut steps)?;
        self.known.clear();
        self.block(frame, continuing, &mut last)?;
        let break_if = match break_if {
            Some(condition) => Some(self.word(frame, condition, &mut last)?),
            None => None,
        };
        self.known.clear();
        out.push(Step::Loop { body: steps, continuing: last, break_if, site });
        Ok(())
    }

    /// Lowers the end of a function, with its value.
    fn leave(
        &mut self,
        frame: &mut Frame<'a>,
        value: Option<Handle<Expression>>,
        out: &mut Vec<Step>,
    ) -> Result<Flow, Error> {
        let words = match value {
            Some(value) => self.expression(frame, value, out)?.words()?,
            None => Vec::new(),
        };
        let Returns::Through(cells) = frame.returns.clone() else { return Ok(Flow::Returned(words)) };
        for (cell, word) in cells.into_iter().zip(words) {
            self.set(cell, word, out);
        }
        out.push(Step::Return);
        Ok(Flow::Ended)
    }

    fn branch(
        &mut self,
        frame: &mut Frame<'a>,
        condition: Handle<Expression>,
        [accept, reject]: [&'a Block; 2],
        out: &mut Vec<Step>,
    ) -> Result<Flow, Error> {
        let condition = self.word(frame, condition, out)?;
        if let Some(word) = self.constant_of(condition) {
            return self.block(frame, if word == 0 { reject } else { accept }, out);
        }
        let before = self.known.clone();
        let mut sides = [Vec::new(), Vec::new()];
        let accepted = self.block(frame, accept, &mut sides[0])?;
        let known = std::mem::replace(&mut self.known, before);
        let rejected = self.block(frame, reject, &mut sides[1])?;
        match (accepted == Flow::Next, rejected == Flow::Next) {
            (true, true) => self.known.retain(|cell, register| known.get(cell) == Some(register)),
            (true, false) => self.known = known,
            (false, _) => {}
        }
        let [accept, reject] = sides;
        out.push(Step::If { condition, accept, reject });
        Ok(if accepted != Flow::Next && rejected != Flow::Next { Flow::Ended } else { Flow::Next })
    }

    fn switch(
        &mut self,
        frame: &mut Frame<'a>,
        selector: Handle<Expression>,
        cases: &'a [SwitchCase],
        out: &mut Vec<Step>,
    ) -> Result<(), Error> {
        let selector = self.word(frame, selector, out)?;
        let written = self.written.len();
        let before: HashMap<_, _> = self.known.clone();
        let mut all = Vec::new();
        for case in cases {
            self.known.clone_from(&before);
            // The case before may fall through, and may have written something.
            self.forget_since(written);
            let mut body = Vec::new();
            self.block(frame, &case.body, &mut body)?;
            let value = match case.value {
                SwitchValue::I32(value) => Some(value.cast_unsigned()),
                SwitchValue::U32(value) => Some(value),
                SwitchValue::Default => None,
            };
            all.push(Case { value, body, falls_through: case.fall_through });
        }
        self.known = before;
        self.forget_since(written);
        out.push(Step::Switch { selector, cases: all });
        Ok(())
    }

    /// Makes one step per word. The registers of the steps are the result.
    fn word_by_word(
        &mut self,
        frame: &mut Frame<'a>,
        words: Vec<Register>,
        result: Handle<Expression>,
        step: impl Fn(Register, Register) -> Step,
        out: &mut Vec<Step>,
    ) {
        let mut results = Vec::new();
        for from in words {
            let to = self.register();
            out.push(step(from, to));
            results.push(to);
        }
        frame.keep(result, Value::Words(results));
    }

    fn source(&mut self, frame: &mut Frame<'a>, mode: GatherMode, out: &mut Vec<Step>) -> Result<Source, Error> {
        let mut lane = |handle| self.word(frame, handle, out);
        Ok(match mode {
            GatherMode::BroadcastFirst => Source::First,
            GatherMode::Broadcast(handle) | GatherMode::Shuffle(handle) => Source::Lane(lane(handle)?),
            GatherMode::ShuffleDown(handle) => Source::Down(lane(handle)?),
            GatherMode::ShuffleUp(handle) => Source::Up(lane(handle)?),
            GatherMode::ShuffleXor(handle) => Source::Xor(lane(handle)?),
            GatherMode::QuadBroadcast(handle) => Source::InQuad(lane(handle)?),
            GatherMode::QuadSwap(Direction::X) => Source::QuadSwap(1),
            GatherMode::QuadSwap(Direction::Y) => Source::QuadSwap(2),
            GatherMode::QuadSwap(Direction::Diagonal) => Source::QuadSwap(3),
        })
    }

    fn atomic(
        &mut self,
        frame: &mut Frame<'a>,
        (pointer, fun, value, result): (
            Handle<Expression>,
            &AtomicFunction,
            Handle<Expression>,
            Option<Handle<Expression>>,
        ),
        span: Span,
        out: &mut Vec<Step>,
    ) -> Result<(), Error> {
        let site: Site = self.site_at(frame, 0, span);
        let class = frame.class(self.module, value)?;
        let pointer: Pointer = self.pointer(frame, pointer, out)?;
        let value = self.word(frame, value, out)?;
        let is_signed = class == Class::Signed;
        if class == Class::Float {
            return unsupported("an atomic float");
        }
        let mut words = usize::from(result.is_some());
        let kind = match fun {
            AtomicFunction::Add => AtomicKind::Compute(Kind::Add),
            AtomicFunction::Subtract => AtomicKind::Compute(Kind::Subtract),
            AtomicFunction::And => AtomicKind::Compute(Kind::And),
            AtomicFunction::ExclusiveOr => AtomicKind::Compute(Kind::Xor),
            AtomicFunction::InclusiveOr => AtomicKind::Compute(Kind::Or),
            AtomicFunction::Min => AtomicKind::Compute(if is_signed { Kind::MinI } else { Kind::MinU }),
            AtomicFunction::Max => AtomicKind::Compute(if is_signed { Kind::MaxI } else { Kind::MaxU }),
            AtomicFunction::Exchange { compare: None } => AtomicKind::Exchange,
            AtomicFunction::Exchange { compare: Some(compare) } => {
                words = 2;
                AtomicKind::CompareExchange(self.word(frame, *compare, out)?)
            }
        };
        let to: Vec<Register> = (0..words).map(|_| self.register()).collect();
        if let Some(result) = result {
            frame.keep(result, Value::Words(to.clone()));
        }
        out.push(Step::Atomic { kind, to, address: pointer.address, value, site });
        Ok(())
    }
}

/// The computation of a subgroup operation, and its neutral element.
fn collective(op: SubgroupOperation, class: Class) -> Result<(Kind, u32), Error> {
    use SubgroupOperation as Op;
    let one = |float: f32| if class == Class::Float { float.to_bits() } else { float as u32 };
    Ok(match (op, class) {
        (Op::All, Class::Truth) => (Kind::And, u32::MAX),
        (Op::Any, Class::Truth) => (Kind::Or, 0),
        (Op::Add, Class::Float) => (Kind::AddF, one(0.0)),
        (Op::Add, _) => (Kind::Add, 0),
        (Op::Mul, Class::Float) => (Kind::MultiplyF, one(1.0)),
        (Op::Mul, _) => (Kind::Multiply, 1),
        (Op::Min, Class::Float) => (Kind::MinF, one(f32::INFINITY)),
        (Op::Min, Class::Signed) => (Kind::MinI, i32::MAX.cast_unsigned()),
        (Op::Min, _) => (Kind::MinU, u32::MAX),
        (Op::Max, Class::Float) => (Kind::MaxF, one(f32::NEG_INFINITY)),
        (Op::Max, Class::Signed) => (Kind::MaxI, i32::MIN.cast_unsigned()),
        (Op::Max, _) => (Kind::MaxU, 0),
        (Op::And, _) => (Kind::And, u32::MAX),
        (Op::Or, _) => (Kind::Or, 0),
        (Op::Xor, _) => (Kind::Xor, 0),
        (op, class) => return unsupported(format!("the subgroup operation {op:?} of {class:?}")),
    })
}
