//! Lowers operators.

use naga::{BinaryOperator, Expression, Handle, TypeInner, UnaryOperator};

use super::layout::Class;
use super::{Frame, Lowering};
use crate::error::{Error, unsupported};
use crate::program::{Kind, Register, Step};

impl<'a> Lowering<'a> {
    pub(super) fn unary(
        &mut self,
        frame: &mut Frame<'a>,
        handle: Handle<Expression>,
        (op, expr): (UnaryOperator, Handle<Expression>),
        out: &mut Vec<Step>,
    ) -> Result<Vec<Register>, Error> {
        let class = frame.class(self.module, expr)?;
        let kind = match (op, class) {
            (UnaryOperator::Negate, Class::Float) => Kind::NegateF,
            (UnaryOperator::Negate, _) => Kind::Negate,
            (UnaryOperator::LogicalNot | UnaryOperator::BitwiseNot, _) => Kind::Not,
        };
        let words = self.words(frame, expr, out)?;
        let site = self.site_of(frame, handle);
        Ok(self.each(out, kind, &[&words], site))
    }

    pub(super) fn binary(
        &mut self,
        frame: &mut Frame<'a>,
        handle: Handle<Expression>,
        (op, left, right): (BinaryOperator, Handle<Expression>, Handle<Expression>),
        out: &mut Vec<Step>,
    ) -> Result<Vec<Register>, Error> {
        let types = &self.module.types;
        for side in [left, right] {
            if let other @ TypeInner::Matrix { .. } = frame.info[side].ty.inner_with(types) {
                return unsupported(format!("arithmetic of {other:?}"));
            }
        }
        let class = frame.class(self.module, left)?;
        let mut a = self.words(frame, left, out)?;
        let mut b = self.words(frame, right, out)?;
        let site = self.site_of(frame, handle);
        if (op, class) == (BinaryOperator::Modulo, Class::Float) {
            // WGSL defines it this way.
            let quotient = self.each(out, Kind::DivideF, &[&a, &b], site);
            let whole = self.each(out, Kind::TruncateF, &[&quotient], site);
            let product = self.each(out, Kind::MultiplyF, &[&b, &whole], site);
            return Ok(self.each(out, Kind::SubtractF, &[&a, &product], site));
        }
        if matches!(op, BinaryOperator::Greater | BinaryOperator::GreaterEqual) {
            std::mem::swap(&mut a, &mut b);
        }
        Ok(self.each(out, kind(op, class), &[&a, &b], site))
    }
}

/// The computation of an operator. A "greater" operator has that of the "less" operator, with the sides exchanged.
fn kind(op: BinaryOperator, class: Class) -> Kind {
    use BinaryOperator as Op;
    use Class::{Float, Signed};
    match (op, class) {
        (Op::Add, Float) => Kind::AddF,
        (Op::Add, _) => Kind::Add,
        (Op::Subtract, Float) => Kind::SubtractF,
        (Op::Subtract, _) => Kind::Subtract,
        (Op::Multiply, Float) => Kind::MultiplyF,
        (Op::Multiply, _) => Kind::Multiply,
        (Op::Divide, Float) => Kind::DivideF,
        (Op::Divide, Signed) => Kind::DivideI,
        (Op::Divide, _) => Kind::DivideU,
        (Op::Modulo, Signed) => Kind::RemainderI,
        (Op::Modulo, _) => Kind::RemainderU,
        (Op::Equal, Float) => Kind::EqualF,
        (Op::Equal, _) => Kind::Equal,
        (Op::NotEqual, Float) => Kind::NotEqualF,
        (Op::NotEqual, _) => Kind::NotEqual,
        (Op::Less | Op::Greater, Float) => Kind::LessF,
        (Op::Less | Op::Greater, Signed) => Kind::LessI,
        (Op::Less | Op::Greater, _) => Kind::LessU,
        (Op::LessEqual | Op::GreaterEqual, Float) => Kind::LessEqualF,
        (Op::LessEqual | Op::GreaterEqual, Signed) => Kind::LessEqualI,
        (Op::LessEqual | Op::GreaterEqual, _) => Kind::LessEqualU,
        (Op::And | Op::LogicalAnd, _) => Kind::And,
        (Op::InclusiveOr | Op::LogicalOr, _) => Kind::Or,
        (Op::ExclusiveOr, _) => Kind::Xor,
        (Op::ShiftLeft, _) => Kind::ShiftLeft,
        (Op::ShiftRight, Signed) => Kind::ShiftRightI,
        (Op::ShiftRight, _) => Kind::ShiftRightU,
    }
}
