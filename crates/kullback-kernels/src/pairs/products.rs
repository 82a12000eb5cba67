//! Forms that consist of products only, as a device computes them.

use smallvec::SmallVec;

use super::forms::Forms;
use crate::measures::form::{Form, Inner, Operand};

/// The most products of a term.
pub const MOST_PRODUCTS: usize = 2;

/// The terms of a call, each of which is numbers of each row alone plus products.
#[derive(Clone, Debug)]
pub struct Products {
    forms: Forms,
    terms: SmallVec<[ProductTerm; 4]>,
}

/// One term.
#[derive(Clone, Debug)]
pub struct ProductTerm {
    form: Form,
    /// For each product, the places of the operands of P and of Q, and the factor.
    pub products: SmallVec<[([usize; 2], f64); MOST_PRODUCTS]>,
    /// For each product of a logarithm and shares, the side of the logarithm.
    logarithms: SmallVec<[Option<usize>; MOST_PRODUCTS]>,
}

impl Products {
    /// Takes forms. `None` if one of them has another sum or no sum, or if the contract asks for more than 1e-6.
    pub fn new(forms: Forms) -> Option<Self> {
        let of_form = |form: &Form| {
            let mut term = ProductTerm { form: form.clone(), products: SmallVec::new(), logarithms: SmallVec::new() };
            for &(inner, factor) in &form.sums {
                let side = match inner {
                    Inner::Product(Operand::Share, Operand::Log) => Some(1),
                    Inner::Product(Operand::Log, Operand::Share) => Some(0),
                    // A logarithm is centred, which works only if it meets shares: these add up to 1.
                    Inner::Product(p, q) if p != Operand::Log && q != Operand::Log => None,
                    _ => return None,
                };
                term.products.push((forms.places(inner), factor));
                term.logarithms.push(side);
            }
            (1..=MOST_PRODUCTS).contains(&term.products.len()).then_some(term)
        };
        let terms = forms.forms.iter().map(of_form).collect::<Option<_>>()?;
        forms.narrow.then_some(Self { forms, terms })
    }

    pub fn forms(&self) -> &Forms {
        &self.forms
    }

    /// The terms of the call, in their order.
    pub fn terms(&self) -> &[ProductTerm] {
        &self.terms
    }

    pub fn operands(&self, side: usize) -> &[Operand] {
        &self.forms.operands[side]
    }
}

impl ProductTerm {
    /// What a row of side `side` with this entropy adds to a sum. The constant of the form counts for P.
    pub fn constant(&self, side: usize, entropy: f64) -> f64 {
        match side {
            0 => self.form.constant + self.form.p_entropy * entropy,
            _ => self.form.q_entropy * entropy,
        }
    }

    /// What a sum gains if 1 is added to each logarithm of a row of side `side`, in the bins with weight.
    pub fn factor_of(&self, side: usize, operand: usize) -> f64 {
        let of_logarithm = |((places, factor), logarithm): (&([usize; 2], f64), &Option<usize>)| {
            if *logarithm == Some(side) && places[side] == operand { *factor } else { 0.0 }
        };
        self.products.iter().zip(&self.logarithms).map(of_logarithm).sum()
    }
}
