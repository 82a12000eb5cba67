//! What can go wrong. Each error has the place in the source.

use std::fmt;

/// A place in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The name of the function in the source.
    pub function: String,
    /// The line, counted from 1; 0 if it is not known.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, in `{}`", self.line, self.function)
    }
}

/// Why a kernel was not made, or did not run to its end.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// The source is not WGSL.
    #[error("the source does not parse: {message}")]
    Parse {
        /// The message of the parser, with the line.
        message: String,
    },
    /// The source breaks a rule of WGSL.
    #[error("the module is not valid: {message}")]
    Invalid {
        /// The message of the validator.
        message: String,
    },
    /// The override constants do not fit the module.
    #[error("the override constants do not fit: {message}")]
    Constants {
        /// Which constants, and why.
        message: String,
    },
    /// The module has no such compute entry point.
    #[error("there is no compute entry point `{entry}`")]
    NoEntry {
        /// The name asked for.
        entry: String,
    },
    /// The module uses a feature that this interpreter does not support.
    #[error("not supported: {what}")]
    Unsupported {
        /// The feature.
        what: String,
    },
    /// The device cannot exist.
    #[error("no such device: {what}")]
    NoSuchDevice {
        /// The field and its value.
        what: String,
    },
    /// A variable has no words bound to it.
    #[error("`{variable}` is at binding {binding}, of which there are {bindings}")]
    NotBound {
        /// The variable.
        variable: String,
        /// Its binding.
        binding: u32,
        /// How many bindings were given.
        bindings: usize,
    },
    /// An access beyond the end of a variable or of an array in it.
    #[error("lane {lane} reaches element {index} of `{variable}`, of which there are {length}: {place}")]
    OutOfBounds {
        /// The variable.
        variable: String,
        /// The element of an array, or the word of the binding.
        index: u64,
        /// How many elements or words there are.
        length: u64,
        /// The local invocation index.
        lane: usize,
        /// The access.
        place: Place,
    },
    /// A read of a word of workgroup memory that no lane has written in this workgroup.
    #[error("lane {lane} reads word {word} of `{variable}`, which nobody has written: {place}")]
    Uninitialised {
        /// The variable.
        variable: String,
        /// The word in it.
        word: usize,
        /// The local invocation index.
        lane: usize,
        /// The read.
        place: Place,
    },
    /// Two lanes access a word of workgroup memory with no barrier in between, and at least one writes it.
    #[error("lanes {first} and {second} race for word {word} of `{variable}`: {place}")]
    Race {
        /// The variable.
        variable: String,
        /// The word in it.
        word: usize,
        /// The lane that came first.
        first: usize,
        /// The lane that came second.
        second: usize,
        /// The second access.
        place: Place,
    },
    /// A barrier or a subgroup operation that not every lane of the workgroup reaches.
    #[error("{active} of {lanes} lanes reach a {what}: {place}")]
    Divergent {
        /// The kind of operation.
        what: &'static str,
        /// The lanes that reach it.
        active: usize,
        /// All lanes of the workgroup.
        lanes: usize,
        /// The operation.
        place: Place,
    },
    /// A subgroup operation that asks a lane outside the subgroup.
    #[error("lane {lane} asks lane {asked} of a subgroup of {size}: {place}")]
    OutOfSubgroup {
        /// The local invocation index of the lane that asks.
        lane: usize,
        /// The index in the subgroup of the lane that is asked.
        asked: u32,
        /// Lanes of the subgroup.
        size: usize,
        /// The operation.
        place: Place,
    },
    /// A loop that does not seem to end.
    #[error("a loop has not ended after {iterations} iterations: {place}")]
    Endless {
        /// The limit.
        iterations: u64,
        /// The loop.
        place: Place,
    },
}

/// Returns the error for something that is not supported.
pub(crate) fn unsupported<T>(what: impl Into<String>) -> Result<T, Error> {
    Err(Error::Unsupported { what: what.into() })
}
