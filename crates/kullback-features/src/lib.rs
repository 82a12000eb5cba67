//! Nothing but a list of dependencies.
//!
//! Cargo compiles a dependency anew for each set of features that is asked of it, and which one that is depends on the
//! packages of a build. The command and the Python package depend on this crate, which asks for all features that any
//! build of the workspace asks for: so the tests, the command and the wheel share what is compiled. The library does not
//! depend on it. `scripts/features` fails where the builds differ.
