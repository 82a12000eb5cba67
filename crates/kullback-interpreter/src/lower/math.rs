//! Lowers builtin functions.

use naga::{Expression, Handle, MathFunction};

use super::layout::Class;
use super::{Frame, Lowering};
use crate::error::{Error, unsupported};
use crate::program::{Kind, Register, Step};

impl<'a> Lowering<'a> {
    pub(super) fn math(
        &mut self,
        frame: &mut Frame<'a>,
        handle: Handle<Expression>,
        (fun, arguments): (MathFunction, [Option<Handle<Expression>>; 4]),
        out: &mut Vec<Step>,
    ) -> Result<Vec<Register>, Error> {
        let Some(first) = arguments[0] else { return unsupported("a function without an argument") };
        let class = frame.class(self.module, first)?;
        let site = self.site_of(frame, handle);
        let mut all = Vec::new();
        for argument in arguments.into_iter().flatten() {
            all.push(self.words(frame, argument, out)?);
        }
        let of: Vec<&[Register]> = all.iter().map(Vec::as_slice).collect();
        if let Some(kind) = single(fun, class) {
            return Ok(self.each(out, kind, &of, site));
        }
        let [zero, one] = [0.0_f32, 1.0].map(|float| self.constant(float.to_bits()));
        let is_float = class == Class::Float;
        Ok(match (fun, &of[..]) {
            (MathFunction::Abs, [x]) => x.to_vec(),
            (MathFunction::Clamp, [x, low, high]) => {
                let (max, min) = match class {
                    Class::Float => (Kind::MaxF, Kind::MinF),
                    Class::Signed => (Kind::MaxI, Kind::MinI),
                    _ => (Kind::MaxU, Kind::MinU),
                };
                let raised = self.each(out, max, &[x, low], site);
                self.each(out, min, &[&raised, high], site)
            }
            (MathFunction::Saturate, [x]) => {
                let raised = self.each(out, Kind::MaxF, &[x, &[zero]], site);
                self.each(out, Kind::MinF, &[&raised, &[one]], site)
            }
            (MathFunction::Fract, [x]) => {
                let floor = self.each(out, Kind::FloorF, &[x], site);
                self.each(out, Kind::SubtractF, &[x, &floor], site)
            }
            (MathFunction::Mix, [a, b, share]) => {
                let rest = self.each(out, Kind::SubtractF, &[&[one], share], site);
                let left = self.each(out, Kind::MultiplyF, &[a, &rest], site);
                let right = self.each(out, Kind::MultiplyF, &[b, share], site);
                self.each(out, Kind::AddF, &[&left, &right], site)
            }
            (MathFunction::Step, [edge, x]) => {
                let reached = self.each(out, Kind::LessEqualF, &[edge, x], site);
                self.each(out, Kind::Select, &[&reached, &[one], &[zero]], site)
            }
            (MathFunction::Dot, [a, b]) => {
                let (multiply, add) =
                    if is_float { (Kind::MultiplyF, Kind::AddF) } else { (Kind::Multiply, Kind::Add) };
                let products = self.each(out, multiply, &[a, b], site);
                products.into_iter().reduce(|a, b| self.compute(out, add, &[a, b], site)).into_iter().collect()
            }
            _ => return unsupported(format!("the function {fun:?} of {class:?}")),
        })
    }
}

/// The computation of a builtin function that is a single one.
fn single(fun: MathFunction, class: Class) -> Option<Kind> {
    use Class::{Float, Signed, Unsigned};
    use MathFunction as Fun;
    Some(match (fun, class) {
        (Fun::Abs, Float) => Kind::AbsF,
        (Fun::Abs, Signed) => Kind::AbsI,
        (Fun::Min, Float) => Kind::MinF,
        (Fun::Min, Signed) => Kind::MinI,
        (Fun::Min, Unsigned) => Kind::MinU,
        (Fun::Max, Float) => Kind::MaxF,
        (Fun::Max, Signed) => Kind::MaxI,
        (Fun::Max, Unsigned) => Kind::MaxU,
        (Fun::Sign, Float) => Kind::SignF,
        (Fun::Sign, Signed) => Kind::SignI,
        (Fun::Floor, Float) => Kind::FloorF,
        (Fun::Ceil, Float) => Kind::CeilF,
        (Fun::Round, Float) => Kind::RoundF,
        (Fun::Trunc, Float) => Kind::TruncateF,
        (Fun::Sqrt, Float) => Kind::SqrtF,
        (Fun::InverseSqrt, Float) => Kind::InverseSqrtF,
        (Fun::Fma, Float) => Kind::FmaF,
        (Fun::CountOneBits, _) => Kind::CountOnes,
        (Fun::CountLeadingZeros, _) => Kind::LeadingZeros,
        (Fun::CountTrailingZeros, _) => Kind::TrailingZeros,
        (Fun::ReverseBits, _) => Kind::ReverseBits,
        (Fun::FirstTrailingBit, _) => Kind::FirstTrailingBit,
        (Fun::FirstLeadingBit, Signed) => Kind::FirstLeadingBitI,
        (Fun::FirstLeadingBit, Unsigned) => Kind::FirstLeadingBitU,
        (Fun::ExtractBits, Signed) => Kind::ExtractI,
        (Fun::ExtractBits, Unsigned) => Kind::ExtractU,
        _ => return None,
    })
}
