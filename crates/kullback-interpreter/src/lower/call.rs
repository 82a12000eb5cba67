//! Expands each call where it stands. A function that returns only at its end becomes part of its caller, so the choices of a
//! device reach across the call. A function that returns from several places becomes a scope of its own.

use naga::{Block, Expression, Function, Handle, Literal, Module, Span, Statement};

use super::control::Flow;
use super::layout::{self, Layout};
use super::pointer::{Pointer, Target};
use super::{Frame, Lowering, MOST_REGISTERS, Returns, Value};
use crate::error::{Error, unsupported};
use crate::hash::mix;
use crate::program::{Address, Register, Space, Step};

/// How control leaves a block, as far as this is known without running it.
#[derive(PartialEq)]
enum Leaves {
    /// At its end.
    Falls,
    /// By a return at the end of the function.
    Returns,
    /// By a return elsewhere too.
    Early,
}

/// The value of a condition that is known without running anything.
fn known(module: &Module, function: &Function, condition: Handle<Expression>) -> Option<bool> {
    let mut expression = &function.expressions[condition];
    if let Expression::Constant(constant) = expression {
        expression = &module.global_expressions[module.constants[*constant].init];
    }
    match expression {
        Expression::Literal(Literal::Bool(is)) => Some(*is),
        _ => None,
    }
}

fn leaves(module: &Module, function: &Function, block: &Block, is_tail: bool) -> Leaves {
    let inside = |block: &Block| leaves(module, function, block, false) == Leaves::Early;
    for statement in block.iter() {
        let early = match statement {
            Statement::Return { .. } if is_tail => return Leaves::Returns,
            Statement::Return { .. } => true,
            Statement::If { condition, accept, reject } => match known(module, function, *condition) {
                Some(is) => match leaves(module, function, if is { accept } else { reject }, is_tail) {
                    Leaves::Falls => false,
                    ends => return ends,
                },
                None => inside(accept) || inside(reject),
            },
            Statement::Block(block) => match leaves(module, function, block, is_tail) {
                Leaves::Falls => false,
                ends => return ends,
            },
            Statement::Switch { cases, .. } => cases.iter().any(|case| inside(&case.body)),
            Statement::Loop { body, continuing, .. } => inside(body) || inside(continuing),
            _ => false,
        };
        if early {
            return Leaves::Early;
        }
    }
    Leaves::Falls
}

impl<'a> Lowering<'a> {
    /// Makes the variables of a frame, and sets them to their initial values.
    pub(super) fn begin(&mut self, frame: &mut Frame<'a>, out: &mut Vec<Step>) -> Result<(), Error> {
        for (_, variable) in frame.function.local_variables.iter() {
            let count = layout::count(self.module, &self.module.types[variable.ty].inner)?;
            let first = self.cells(count);
            let words = match variable.init {
                Some(init) => self.expression(frame, init, out)?.words()?,
                None => vec![self.constant(0); count as usize],
            };
            for (cell, word) in (first..).zip(words) {
                self.set(cell, word, out);
            }
            let address = Address { space: Space::Cells(first, count), offset: 0, indices: Vec::new() };
            let target = Target::Type(variable.ty);
            frame.locals.push(Pointer { address, layout: Layout::Dense, target, is_uniform: false });
        }
        Ok(())
    }

    /// The words that a call returns.
    pub(super) fn call(
        &mut self,
        caller: &mut Frame<'a>,
        (handle, number, span): (Handle<Function>, usize, Span),
        arguments: &[Handle<Expression>],
        out: &mut Vec<Step>,
    ) -> Result<Vec<Register>, Error> {
        if self.program.registers > MOST_REGISTERS || self.program.cells > MOST_REGISTERS {
            return unsupported("a kernel that large");
        }
        let function = &self.module.functions[handle];
        let name = function.name.clone().unwrap_or_default();
        let line = span.to_range().map_or(0, |range| range.start);
        let path = mix(mix(caller.path, number as u64), line as u64);
        let mut frame = self.frame(function, &self.info[handle], &name, path);
        frame.path = mix(path, frame.own);
        for argument in arguments {
            let value = self.expression(caller, *argument, out)?;
            frame.arguments.push(value);
        }
        if leaves(self.module, function, &function.body, true) != Leaves::Early {
            self.begin(&mut frame, out)?;
            let flow = self.block(&mut frame, &function.body, out)?;
            return Ok(if let Flow::Returned(words) = flow { words } else { Vec::new() });
        }
        let count = match &function.result {
            Some(result) => layout::count(self.module, &self.module.types[result.ty].inner)?,
            None => 0,
        };
        let first = self.cells(count);
        frame.returns = Returns::Through((first..first + count).collect());
        let mut steps = Vec::new();
        let before = self.written.len();
        self.begin(&mut frame, &mut steps)?;
        self.block(&mut frame, &function.body, &mut steps)?;
        out.push(Step::Scope(steps));
        self.forget_since(before);
        Ok((first..first + count).map(|cell| self.get(cell, out)).collect())
    }

    /// Forgets what some lanes wrote: lanes that took different ways meet here, so the value is not known.
    pub(super) fn forget_since(&mut self, before: usize) {
        for cell in &self.written[before.min(self.written.len())..] {
            self.known.remove(cell);
        }
    }

    /// The value of an argument of the function that is being expanded.
    pub(super) fn argument(&self, frame: &Frame<'_>, index: u32) -> Result<Value, Error> {
        let missing = || Error::Unsupported { what: format!("argument {index}") };
        frame.arguments.get(index as usize).cloned().ok_or_else(missing)
    }
}
