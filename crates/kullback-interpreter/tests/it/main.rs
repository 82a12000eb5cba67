//! The tests of the interpreter from outside, in one program, which links once.

mod common;

mod choices;
mod exact;
mod faults;
mod language;
mod subgroups;
