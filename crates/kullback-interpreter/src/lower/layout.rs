//! Types as words: how many words a value has, and where they lie in memory.
//!
//! Values, cells and workgroup memory are dense. Bindings have the layout of the host.

use naga::{ArraySize, Handle, Module, Scalar, ScalarKind, Type, TypeInner};

use crate::error::{Error, unsupported};

/// The most words of a value, or of a variable in workgroup memory.
const MOST_WORDS: u32 = 1 << 20;

/// What the words of a scalar stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Signed,
    Unsigned,
    Float,
    Truth,
}

/// The class of a scalar. Only scalars of 32 bits and truth values are supported.
pub(crate) fn class(scalar: Scalar) -> Result<Class, Error> {
    match (scalar.kind, scalar.width) {
        (ScalarKind::Sint, 4) => Ok(Class::Signed),
        (ScalarKind::Uint, 4) => Ok(Class::Unsigned),
        (ScalarKind::Float, 4) => Ok(Class::Float),
        (ScalarKind::Bool, _) => Ok(Class::Truth),
        (kind, width) => unsupported(format!("{kind:?} of {width} bytes")),
    }
}

/// The class of the components of a scalar, a vector or an atomic.
pub(crate) fn class_of(inner: &TypeInner) -> Result<Class, Error> {
    match *inner {
        TypeInner::Scalar(scalar) | TypeInner::Vector { scalar, .. } | TypeInner::Atomic(scalar) => class(scalar),
        ref other => unsupported(format!("arithmetic of {other:?}")),
    }
}

/// How memory is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    Dense,
    Host,
}

impl Layout {
    /// Words from one element of an array to the next.
    pub(crate) fn stride(self, module: &Module, base: Handle<Type>, stride: u32) -> Result<u32, Error> {
        match self {
            Layout::Dense => count(module, &module.types[base].inner),
            Layout::Host => Ok(stride / 4),
        }
    }

    /// Words from the start of a structure to a member, and the type of the member.
    pub(crate) fn member(self, module: &Module, inner: &TypeInner, index: u32) -> Result<(u32, Handle<Type>), Error> {
        let TypeInner::Struct { members, .. } = inner else { return unsupported(format!("a member of {inner:?}")) };
        let Some(member) = members.get(index as usize) else { return unsupported(format!("member {index}")) };
        let offset = match self {
            Layout::Host => member.offset / 4,
            Layout::Dense => {
                let before = &members[..index as usize];
                before.iter().map(|member| count(module, &module.types[member.ty].inner)).sum::<Result<u32, _>>()?
            }
        };
        Ok((offset, member.ty))
    }
}

/// The number of words of a value.
pub(crate) fn count(module: &Module, inner: &TypeInner) -> Result<u32, Error> {
    match *inner {
        TypeInner::Scalar(scalar) | TypeInner::Atomic(scalar) => class(scalar).map(|_| 1),
        TypeInner::Vector { size, scalar } => class(scalar).map(|_| size as u32),
        TypeInner::Array { base, size: ArraySize::Constant(size), .. } => {
            let words = count(module, &module.types[base].inner)?.checked_mul(size.get());
            let words = words.filter(|words| *words <= MOST_WORDS);
            words.map_or_else(|| unsupported(format!("an array of {size} elements")), Ok)
        }
        TypeInner::Struct { ref members, .. } => {
            members.iter().map(|member| count(module, &module.types[member.ty].inner)).sum()
        }
        ref other => unsupported(format!("a value of type {other:?}")),
    }
}

/// The positions of the words of a value, from its start.
pub(crate) fn words(module: &Module, inner: &TypeInner, layout: Layout) -> Result<Vec<u32>, Error> {
    if layout == Layout::Dense {
        return Ok((0..count(module, inner)?).collect());
    }
    // This refuses values with too many words.
    let count = count(module, inner)?;
    let mut all = Vec::new();
    match *inner {
        TypeInner::Array { base, size: ArraySize::Constant(size), stride } => {
            let element = words(module, &module.types[base].inner, layout)?;
            for i in 0..size.get() {
                all.extend(element.iter().map(|word| i * (stride / 4) + word));
            }
        }
        TypeInner::Struct { ref members, .. } => {
            for member in members {
                let of_member = words(module, &module.types[member.ty].inner, layout)?;
                all.extend(of_member.iter().map(|word| member.offset / 4 + word));
            }
        }
        _ => all.extend(0..count),
    }
    Ok(all)
}

/// The least number of words of a binding of this type. A runtime array may have none.
pub(crate) fn least(module: &Module, inner: &TypeInner) -> Result<u32, Error> {
    match *inner {
        TypeInner::Array { size: ArraySize::Dynamic, .. } => Ok(0),
        TypeInner::Struct { ref members, .. } => {
            let Some(last) = members.last() else { return Ok(0) };
            Ok(last.offset / 4 + least(module, &module.types[last.ty].inner)?)
        }
        TypeInner::Array { base, size: ArraySize::Constant(size), stride } => {
            let before = (size.get() - 1).checked_mul(stride / 4);
            let last = least(module, &module.types[base].inner)?;
            let words = before.and_then(|before| before.checked_add(last));
            words.map_or_else(|| unsupported(format!("an array of {size} elements")), Ok)
        }
        ref other => count(module, other),
    }
}
