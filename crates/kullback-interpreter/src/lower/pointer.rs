//! A pointer: which memory it points to, and where in it.

use naga::{Handle, Scalar, Type};

use super::layout::Layout;
use crate::program::{Address, Cell, Space};

/// What a pointer points to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    Type(Handle<Type>),
    /// A component of a vector.
    Component(Scalar),
}

#[derive(Clone, Debug)]
pub(crate) struct Pointer {
    pub(crate) address: Address,
    pub(crate) layout: Layout,
    pub(crate) target: Target,
    pub(crate) is_uniform: bool,
}

impl Pointer {
    /// The cell that the pointer points to, if that is known.
    pub(super) fn cell(&self) -> Option<Cell> {
        match self.address.space {
            Space::Cells(first, _) if self.address.indices.is_empty() => Some(first + self.address.offset),
            _ => None,
        }
    }
}
