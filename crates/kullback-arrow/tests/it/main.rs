//! The tests of reading and writing from outside, in one program, which links once.

mod common;

mod errors;
mod formats;
mod layouts;
mod writer;
