//! The tests of the command from outside, in one program, which links once.

mod common;

mod bad_inputs;
mod behaviour;
mod contributions;
mod formats;
mod labels;
mod names;
mod pairs;
mod plot;
mod real_data;
mod strips;
mod told;
