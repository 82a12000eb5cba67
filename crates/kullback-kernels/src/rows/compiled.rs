//! Where the kernels of matched rows are compiled: one copy per type of float and level, which all callers share.
//!
//! Each copy has a module of its own. A compiler works on modules side by side.

use super::batch::Usual;
use super::decode::Decode;
use super::segment::{Look, SegmentSums};
use super::span::Span;
use crate::levels::{Level, on_compiled_level};
use crate::measures::Term;
use crate::row_sums::RowFlags;
use crate::weights::Rows;

/// A type of float that kernels are compiled for.
pub(crate) trait Compiled: Decode + Usual {
    /// [`Span::usual`] on a level.
    fn usual(level: Level, span: &Span<'_>, flags: &mut [RowFlags], sums: &mut [f64]);
    /// [`Span::any`] on a level.
    fn any(level: Level, span: &Span<'_>, flags: &mut [RowFlags], sums: &mut [f64]);
    /// [`look_at`](super::segment::look_at) on a level.
    fn look(level: Level, p: &Rows<'_>, q: &Rows<'_>, terms: &[Term], look: Look) -> SegmentSums;
}

macro_rules! compiled {
    ($float:ty, $usual:ident, $any:ident, $look:ident) => {
        impl Compiled for $float {
            fn usual(level: Level, span: &Span<'_>, flags: &mut [RowFlags], sums: &mut [f64]) {
                $usual::on(level, span, flags, sums);
            }

            fn any(level: Level, span: &Span<'_>, flags: &mut [RowFlags], sums: &mut [f64]) {
                $any::on(level, span, flags, sums);
            }

            fn look(level: Level, p: &Rows<'_>, q: &Rows<'_>, terms: &[Term], look: Look) -> SegmentSums {
                $look::on(level, p, q, terms, look)
            }
        }

        mod $usual {
            use crate::levels::{Level, on_compiled_level};
            use crate::row_sums::RowFlags;
            use crate::rows::span::Span;

            pub(super) fn on(level: Level, span: &Span<'_>, flags: &mut [RowFlags], sums: &mut [f64]) {
                on_compiled_level!(level, simd => span.usual::<_, $float>(simd, flags, sums));
            }
        }

        mod $any {
            use crate::levels::{Level, on_compiled_level};
            use crate::row_sums::RowFlags;
            use crate::rows::span::Span;

            pub(super) fn on(level: Level, span: &Span<'_>, flags: &mut [RowFlags], sums: &mut [f64]) {
                on_compiled_level!(level, simd => span.any::<_, $float>(simd, flags, sums));
            }
        }

        mod $look {
            use crate::levels::{Level, on_compiled_level};
            use crate::measures::Term;
            use crate::rows::segment::{SegmentSums, Look, look_at};
            use crate::weights::Rows;

            pub(super) fn on(level: Level, p: &Rows<'_>, q: &Rows<'_>, terms: &[Term], look: Look) -> SegmentSums {
                on_compiled_level!(level, simd => look_at::<_, $float>(simd, p, q, terms, look))
            }
        }
    };
}

/// [`Span::ordered`] on a level.
pub(crate) fn ordered(level: Level, span: &Span<'_>, flags: &mut [RowFlags], sums: &mut [f64]) {
    on_compiled_level!(level, simd => span.ordered(simd, flags, sums));
}

compiled!(f32, usual_32, any_32, look_32);
compiled!(f64, usual_64, any_64, look_64);
