//! The command `kullback`: divergences between the rows of files.
#![deny(unsafe_code)]

mod args;
mod bench;
mod devices;
mod drawing;
mod error;
mod inputs;
mod interrupt;
mod invalid;
mod label_notes;
mod mesa;
mod output;
mod pairs;
mod progress;
mod report;
mod rowwise;
mod verify;

use std::io::Write;
use std::process::ExitCode;

use args::{Cli, Command};
use clap::Parser;
use clap::error::ErrorKind;
use error::Result;

/// How a command ended that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Everything is as it should be.
    Done,
    /// A threshold was exceeded, or the contract is broken.
    Exceeded,
}

const EXCEEDED: u8 = 1;
const FAILED: u8 = 2;
/// 128 + SIGINT, as shells report it.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    mesa::leave_out_the_search_for_a_desktop();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    interrupt::install();
    match run(cli) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Exceeded) => ExitCode::from(EXCEEDED),
        // The reader has all that it wanted.
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::from(if error.is_interrupt() { INTERRUPTED } else { FAILED })
        }
    }
}

fn run(cli: Cli) -> Result<Outcome> {
    match cli.command {
        Command::Rowwise(args) => rowwise::run(&args),
        Command::Pairwise(args) => pairs::matrix::run(&args),
        Command::Nearest(args) => pairs::nearest::run(&args),
        Command::Devices(args) => devices::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Bench(args) => bench::run(&args),
    }
}

/// Prints help on stdout. An error of the parser becomes one line, like every other error.
fn usage(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return match error.print() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => ExitCode::from(if error.kind() == std::io::ErrorKind::BrokenPipe { 0 } else { FAILED }),
        };
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = write!(std::io::stderr(), "{error}");
        return ExitCode::from(FAILED);
    }
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    // The first paragraph says what is wrong; usage and advice follow after an empty line.
    let words: Vec<&str> = text.split("\n\n").next().unwrap_or_default().split_whitespace().collect();
    complain(&format!("{} (see --help)", words.join(" ")));
    ExitCode::from(FAILED)
}

/// Prints one line on stderr. A closed stderr is no reason to panic.
pub(crate) fn complain(message: &str) {
    let _ = writeln!(std::io::stderr(), "kullback: {message}");
}
