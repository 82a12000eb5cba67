//! The instruction sets that kernels are compiled for.

use fearless_simd::Fallback;
#[cfg(target_arch = "aarch64")]
use fearless_simd::Neon;
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
use fearless_simd::{Avx2, Avx512, Sse4_2};

/// The instruction set of the CPU kernels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SimdLevel {
    /// The best level of this machine.
    #[default]
    Auto,
    /// AVX-512 as on Ice Lake and Zen 4 and later.
    Avx512,
    /// AVX2 with FMA.
    Avx2,
    /// SSE 4.2.
    Sse42,
    /// NEON.
    Neon,
    /// No vector instructions asked for.
    Scalar,
}

impl SimdLevel {
    /// The level as a proof that the machine has it, or `None`.
    pub(crate) fn resolve(self) -> Option<Level> {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64"))]
        let best = fearless_simd::Level::new();
        match self {
            SimdLevel::Auto => Self::available().first().and_then(|level| level.resolve()),
            SimdLevel::Scalar => match fearless_simd::Level::fallback() {
                fearless_simd::Level::Fallback(token) => Some(Level::Scalar(token)),
                _ => None,
            },
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            SimdLevel::Avx512 => best.as_avx512().map(Level::Avx512),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            SimdLevel::Avx2 => best.as_avx2().map(Level::Avx2),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            SimdLevel::Sse42 => best.as_sse4_2().map(Level::Sse42),
            #[cfg(target_arch = "aarch64")]
            SimdLevel::Neon => best.as_neon().map(Level::Neon),
            #[allow(unreachable_patterns, reason = "which levels are left depends on the architecture")]
            _ => None,
        }
    }

    /// The levels of this machine, best first.
    #[must_use]
    pub fn available() -> Vec<SimdLevel> {
        let all = [SimdLevel::Avx512, SimdLevel::Avx2, SimdLevel::Sse42, SimdLevel::Neon, SimdLevel::Scalar];
        all.into_iter().filter(|level| level.resolve().is_some()).collect()
    }

    /// The name used in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            SimdLevel::Auto => Self::available().first().map_or("scalar", |level| level.name()),
            SimdLevel::Avx512 => "avx512",
            SimdLevel::Avx2 => "avx2",
            SimdLevel::Sse42 => "sse4.2",
            SimdLevel::Neon => "neon",
            SimdLevel::Scalar => "scalar",
        }
    }
}

/// A level that this machine has. The token proves it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Level {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    Avx512(Avx512),
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    Avx2(Avx2),
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    Sse42(Sse4_2),
    #[cfg(target_arch = "aarch64")]
    Neon(Neon),
    Scalar(Fallback),
}

/// Evaluates an expression with the token of a level, compiled for the instructions of that level. It is compiled once per
/// level at each place that names it, so a place stands in a function of its own if two callers share it.
macro_rules! on_level {
    ($level:expr, $simd:ident => $value:expr) => {{
        // The closure is inlined into a function that has the instructions.
        macro_rules! with {
            ($token:ident) => {{
                let $simd = $token;
                fearless_simd::Simd::vectorize(
                    $simd,
                    #[inline(always)]
                    || $value,
                )
            }};
        }
        match $level {
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            $crate::levels::Level::Avx512(token) => with!(token),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            $crate::levels::Level::Avx2(token) => with!(token),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            $crate::levels::Level::Sse42(token) => with!(token),
            #[cfg(target_arch = "aarch64")]
            $crate::levels::Level::Neon(token) => with!(token),
            $crate::levels::Level::Scalar(token) => with!(token),
        }
    }};
}
pub(crate) use on_level;

/// [`on_level`] where whole kernels are compiled, which takes minutes. The tests of this crate are about the parts of kernels and run
/// none, so with them there is one level, whatever the machine has. The tests of the engine run every level.
#[cfg(not(test))]
macro_rules! on_compiled_level {
    ($level:expr, $simd:ident => $value:expr) => {
        $crate::levels::on_level!($level, $simd => $value)
    };
}
#[cfg(test)]
macro_rules! on_compiled_level {
    ($level:expr, $simd:ident => $value:expr) => {{
        let _: $crate::levels::Level = $level;
        let $simd = fearless_simd::Fallback::new();
        $value
    }};
}
pub(crate) use on_compiled_level;
