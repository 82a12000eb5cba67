//! Lowers expressions.

use naga::{ArraySize, Expression, Handle, Literal, RelationalFunction, ScalarKind, TypeInner};

use super::layout::{self, Class};
use super::pointer::{Pointer, Target};
use super::{Frame, Lowering, Value};
use crate::error::{Error, unsupported};
use crate::program::{Kind, Register, Step};

impl<'a> Lowering<'a> {
    /// The value of an expression: the value at its evaluation, or the value of an expression that needs no evaluation.
    pub(super) fn expression(
        &mut self,
        frame: &mut Frame<'a>,
        handle: Handle<Expression>,
        out: &mut Vec<Step>,
    ) -> Result<Value, Error> {
        if let Some(Some(value)) = frame.values.get(handle.index()) {
            return Ok(value.clone());
        }
        let value = self.evaluate(frame, handle, out)?;
        frame.keep(handle, value.clone());
        Ok(value)
    }

    pub(super) fn words(
        &mut self,
        frame: &mut Frame<'a>,
        handle: Handle<Expression>,
        out: &mut Vec<Step>,
    ) -> Result<Vec<Register>, Error> {
        self.expression(frame, handle, out)?.words()
    }

    /// The only word of a scalar.
    pub(super) fn word(
        &mut self,
        frame: &mut Frame<'a>,
        handle: Handle<Expression>,
        out: &mut Vec<Step>,
    ) -> Result<Register, Error> {
        let words = self.words(frame, handle, out)?;
        let missing = || Error::Unsupported { what: "a scalar without a word".to_owned() };
        words.first().copied().ok_or_else(missing)
    }

    pub(super) fn pointer(
        &mut self,
        frame: &mut Frame<'a>,
        handle: Handle<Expression>,
        out: &mut Vec<Step>,
    ) -> Result<Pointer, Error> {
        match self.expression(frame, handle, out)? {
            Value::Pointer(pointer) => Ok(pointer),
            Value::Words(_) => unsupported("a value as a pointer"),
        }
    }

    pub(super) fn is_atomic(&self, pointer: &Pointer) -> bool {
        matches!(pointer.target, Target::Type(ty) if matches!(self.module.types[ty].inner, TypeInner::Atomic(_)))
    }

    pub(super) fn evaluate(
        &mut self,
        frame: &mut Frame<'a>,
        handle: Handle<Expression>,
        out: &mut Vec<Step>,
    ) -> Result<Value, Error> {
        let words = match frame.function.expressions[handle] {
            Expression::Literal(literal) => vec![self.literal(literal)?],
            Expression::Constant(constant) => self.global_value(self.module.constants[constant].init)?,
            Expression::ZeroValue(ty) => self.zeros(ty)?,
            Expression::Compose { ref components, .. } => {
                let mut all = Vec::new();
                for component in components {
                    all.extend(self.words(frame, *component, out)?);
                }
                all
            }
            Expression::Splat { size, value } => vec![self.word(frame, value, out)?; size as usize],
            Expression::Swizzle { size, vector, pattern } => {
                let words = self.words(frame, vector, out)?;
                let picked = pattern[..size as usize].iter().map(|component| words.get(*component as usize).copied());
                let missing = || Error::Unsupported { what: "a swizzle beyond its vector".to_owned() };
                picked.collect::<Option<Vec<_>>>().ok_or_else(missing)?
            }
            Expression::FunctionArgument(index) => return self.argument(frame, index),
            Expression::GlobalVariable(variable) => return self.global(variable).map(Value::Pointer),
            Expression::LocalVariable(variable) => {
                let missing = || Error::Unsupported { what: "a variable out of place".to_owned() };
                return frame.locals.get(variable.index()).cloned().map(Value::Pointer).ok_or_else(missing);
            }
            Expression::AccessIndex { base, index } => match self.expression(frame, base, out)? {
                Value::Pointer(pointer) => return self.part(&pointer, index).map(Value::Pointer),
                Value::Words(words) => self.part_of_value(frame, base, words, index)?,
            },
            Expression::Access { base, index } => {
                let register = self.word(frame, index, out)?;
                match self.expression(frame, base, out)? {
                    Value::Pointer(pointer) => return self.indexed(&pointer, register).map(Value::Pointer),
                    Value::Words(words) => self.pick(frame, (handle, base), words, register, out)?,
                }
            }
            Expression::Load { pointer } => {
                let pointer = self.pointer(frame, pointer, out)?;
                let site = self.site_of(frame, handle);
                self.load(&pointer, self.is_atomic(&pointer), site, out)?
            }
            Expression::ArrayLength(pointer) => {
                let pointer = self.pointer(frame, pointer, out)?;
                vec![self.length(&pointer)?]
            }
            Expression::Unary { op, expr } => self.unary(frame, handle, (op, expr), out)?,
            Expression::Binary { op, left, right } => self.binary(frame, handle, (op, left, right), out)?,
            Expression::Select { condition, accept, reject } => {
                self.select(frame, handle, [condition, accept, reject], out)?
            }
            Expression::Relational { fun, argument } => self.relational(frame, handle, (fun, argument), out)?,
            Expression::Math { fun, arg, arg1, arg2, arg3 } => {
                self.math(frame, handle, (fun, [Some(arg), arg1, arg2, arg3]), out)?
            }
            Expression::As { expr, kind, convert } => self.convert(frame, handle, (expr, kind, convert), out)?,
            ref other => return unsupported(format!("the expression {other:?}")),
        };
        Ok(Value::Words(words))
    }

    fn select(
        &mut self,
        frame: &mut Frame<'a>,
        handle: Handle<Expression>,
        [condition, accept, reject]: [Handle<Expression>; 3],
        out: &mut Vec<Step>,
    ) -> Result<Vec<Register>, Error> {
        let site = self.site_of(frame, handle);
        let condition = self.words(frame, condition, out)?;
        let accept = self.words(frame, accept, out)?;
        let reject = self.words(frame, reject, out)?;
        Ok(self.each(out, Kind::Select, &[&condition, &accept, &reject], site))
    }

    /// Whether all, or any, of the components of a vector hold.
    fn relational(
        &mut self,
        frame: &mut Frame<'a>,
        handle: Handle<Expression>,
        (fun, argument): (RelationalFunction, Handle<Expression>),
        out: &mut Vec<Step>,
    ) -> Result<Vec<Register>, Error> {
        let site = self.site_of(frame, handle);
        let kind = match fun {
            RelationalFunction::All => Kind::And,
            RelationalFunction::Any => Kind::Or,
            other => return unsupported(format!("the function {other:?}")),
        };
        let words = self.words(frame, argument, out)?;
        let all = words.into_iter().reduce(|a, b| self.compute(out, kind, &[a, b], site));
        Ok(all.into_iter().collect())
    }

    fn literal(&mut self, literal: Literal) -> Result<Register, Error> {
        let word = match literal {
            Literal::F32(value) => value.to_bits(),
            Literal::U32(value) => value,
            Literal::I32(value) => value.cast_unsigned(),
            Literal::Bool(value) => truth(value),
            other => return unsupported(format!("the literal {other:?}")),
        };
        Ok(self.constant(word))
    }

    fn zeros(&mut self, ty: Handle<naga::Type>) -> Result<Vec<Register>, Error> {
        let count = layout::count(self.module, &self.module.types[ty].inner)?;
        Ok(vec![self.constant(0); count as usize])
    }

    /// The value of a constant of the module.
    fn global_value(&mut self, handle: Handle<Expression>) -> Result<Vec<Register>, Error> {
        match self.module.global_expressions[handle] {
            Expression::Literal(literal) => Ok(vec![self.literal(literal)?]),
            Expression::Constant(constant) => self.global_value(self.module.constants[constant].init),
            Expression::ZeroValue(ty) => self.zeros(ty),
            Expression::Splat { size, value } => {
                let words = self.global_value(value)?;
                Ok(words.iter().copied().cycle().take(size as usize).collect())
            }
            Expression::Compose { ref components, .. } => {
                let mut all = Vec::new();
                for component in components {
                    all.extend(self.global_value(*component)?);
                }
                Ok(all)
            }
            ref other => unsupported(format!("the constant expression {other:?}")),
        }
    }

    /// A part of a value, by an index that is known now.
    fn part_of_value(
        &self,
        frame: &Frame<'_>,
        base: Handle<Expression>,
        words: Vec<Register>,
        index: u32,
    ) -> Result<Vec<Register>, Error> {
        let types = &self.module.types;
        let (offset, count) = match frame.info[base].ty.inner_with(types) {
            TypeInner::Vector { .. } => (index, 1),
            TypeInner::Array { base, .. } => {
                let count = layout::count(self.module, &types[*base].inner)?;
                (index * count, count)
            }
            inner => {
                let (offset, ty) = layout::Layout::Dense.member(self.module, inner, index)?;
                (offset, layout::count(self.module, &types[ty].inner)?)
            }
        };
        let part = words.get(offset as usize..(offset + count) as usize).map(<[Register]>::to_vec);
        part.ok_or_else(|| Error::Unsupported { what: format!("part {index} of a value") })
    }

    /// A part of a value, by an index that is known only at run time.
    fn pick(
        &mut self,
        frame: &Frame<'_>,
        (handle, base): (Handle<Expression>, Handle<Expression>),
        words: Vec<Register>,
        index: Register,
        out: &mut Vec<Step>,
    ) -> Result<Vec<Register>, Error> {
        let types = &self.module.types;
        let count = match frame.info[base].ty.inner_with(types) {
            TypeInner::Vector { .. } => 1,
            TypeInner::Array { base, size: ArraySize::Constant(_), .. } => {
                layout::count(self.module, &types[*base].inner)? as usize
            }
            other => return unsupported(format!("an index into a value of type {other:?}")),
        };
        let site = self.site_of(frame, handle);
        let mut picked = Vec::new();
        for word in 0..count {
            let of: Vec<Register> = words.iter().copied().skip(word).step_by(count.max(1)).collect();
            let to = self.register();
            out.push(Step::Pick { to, of, index, site });
            picked.push(to);
        }
        Ok(picked)
    }

    fn convert(
        &mut self,
        frame: &mut Frame<'a>,
        handle: Handle<Expression>,
        (expr, kind, convert): (Handle<Expression>, ScalarKind, Option<u8>),
        out: &mut Vec<Step>,
    ) -> Result<Vec<Register>, Error> {
        let words = self.words(frame, expr, out)?;
        let from = frame.class(self.module, expr)?;
        let Some(width) = convert else { return Ok(words) };
        let to = layout::class(naga::Scalar { kind, width })?;
        let site = self.site_of(frame, handle);
        let [zero, one, one_float] = [0, 1, 1.0_f32.to_bits()].map(|word| self.constant(word));
        use Class::{Float, Signed, Truth, Unsigned};
        let each = |this: &mut Self, out: &mut Vec<Step>, kind, others: &[&[Register]]| {
            let of: Vec<&[Register]> = std::iter::once(&words[..]).chain(others.iter().copied()).collect();
            this.each(out, kind, &of, site)
        };
        Ok(match (from, to) {
            (Signed | Unsigned, Signed | Unsigned) | (Float, Float) | (Truth, Truth) => words,
            (Signed, Float) => each(self, out, Kind::FloatOfI, &[]),
            (Unsigned, Float) => each(self, out, Kind::FloatOfU, &[]),
            (Float, Signed) => each(self, out, Kind::IOfFloat, &[]),
            (Float, Unsigned) => each(self, out, Kind::UOfFloat, &[]),
            (Truth, Signed | Unsigned) => each(self, out, Kind::Select, &[&[one], &[zero]]),
            (Truth, Float) => each(self, out, Kind::Select, &[&[one_float], &[zero]]),
            (Signed | Unsigned, Truth) => each(self, out, Kind::NotEqual, &[&[zero]]),
            (Float, Truth) => each(self, out, Kind::NotEqualF, &[&[zero]]),
        })
    }
}

/// A truth value as a word.
pub(super) fn truth(is: bool) -> u32 {
    if is { u32::MAX } else { 0 }
}
