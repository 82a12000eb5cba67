//! The command line.

mod against;
mod asked;
mod pairs;
mod parse;
mod shared;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use kullback::Device;

pub(crate) use self::asked::{AskedMeasure, FailAbove};
pub(crate) use self::pairs::{NearestArgs, PairwiseArgs};
pub(crate) use self::parse::BinPositions;
use self::parse::{bins, size, svg};
pub(crate) use self::shared::{FileArgs, HowArgs, InputArgs, OnBad, RunArgs};
pub(crate) use against::Against;

/// Divergences between the rows of files, on a GPU or a CPU, within 1e-6 of the exact value.
#[derive(Debug, Parser)]
#[command(name = "kullback", version, max_term_width = 110, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// One value per row and measure: row i of P against row i of Q.
    Rowwise(Box<RowwiseArgs>),
    /// One value per pair: every row of P against every row of Q, or of P.
    Pairwise(Box<PairwiseArgs>),
    /// The nearest rows of Q, or of P, for every row of P.
    Nearest(Box<NearestArgs>),
    /// The devices of this machine, their limits and how fast they are.
    Devices(DevicesArgs),
    /// Holds the devices of this machine to the accuracy contract; exit code 1 if one breaks it.
    Verify(VerifyArgs),
    /// Times the devices of this machine beside a plain read of memory; verifies before it times.
    Bench(BenchArgs),
}

const ROWWISE_EXAMPLES: &str = "\
Examples:
  kullback rowwise days.parquet --against total --key store,day --top 20
  kullback rowwise today.npy yesterday.npy --measure kl,js -o drift.parquet --summary
  kullback rowwise names.parquet names.parquet --where sex=F --where-q sex=M --join name
  kullback rowwise log.csv --long feature,day:bin:n --by feature --against first --contributions 3 --plot drift.svg

Exit codes: 0 done; 1 a --fail-above was exceeded; 2 usage or data error (nothing is written); 130 interrupted.";

#[derive(Clone, Debug, Args)]
#[command(after_help = ROWWISE_EXAMPLES, arg_required_else_help = true)]
#[command(mut_arg("q", |q| q.help("What they are compared with: as many rows, or one row for all of P")))]
pub(crate) struct RowwiseArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    #[command(flatten)]
    pub(crate) pairing: PairingArgs,
    #[command(flatten)]
    pub(crate) measure: MeasureArgs,
    #[command(flatten)]
    pub(crate) how: HowArgs,
    #[command(flatten)]
    pub(crate) file: FileArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// Which row of P meets which row of Q.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct PairingArgs {
    /// Instead of Q: total (the bin-wise sum of all rows of P), uniform (equal weights), previous (the row
    /// before), first, rest (the sum of all other rows), or one row of P such as day=2024-01-01.
    #[arg(long, value_name = "WHAT", conflicts_with = "q")]
    pub(crate) against: Option<Against>,
    /// The rows that belong together: what --against makes, and the bins of --long, are taken in each group by
    /// itself.
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    pub(crate) by: Vec<String>,
    /// Pair the rows of P and Q by these columns, many rows of P with one of Q; Q is held in memory. Without it,
    /// rows pair by the keys that both sides have.
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', conflicts_with = "by_position")]
    pub(crate) join: Vec<String>,
}

/// What is computed.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Measure")]
pub(crate) struct MeasureArgs {
    /// kl, reverse_kl, jeffreys, js, js_distance, lin_k, skew_js:A, pooled_js, hellinger, bhattacharyya, tv,
    /// chi2, neyman_chi2, triangular, renyi:A, tsallis:A, alpha:A, cross_entropy, entropy, w1, ks.
    #[arg(short, long = "measure", value_name = "NAME,…", value_delimiter = ',', default_value = "kl")]
    pub(crate) measures: Vec<AskedMeasure>,
}

/// What is done with the rows.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Add the column `status`: ok, infinite, empty, invalid, null.
    #[arg(long)]
    pub(crate) status: bool,
    /// Show only the N largest rows by the first measure, largest first; infinite ones by the next measure. With -o
    /// the file still has all rows.
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<NonZeroUsize>,
    /// The N bins that add most to the first measure that has parts, for each row of --top, or else for the 6 largest:
    /// label, share of P, share of Q, part, share of the value (on stderr where stdout carries rows as data).
    #[arg(long, value_name = "N")]
    pub(crate) contributions: Option<NonZeroUsize>,
    /// A picture of the rows of --top N, or else of the 6 largest: both histograms, and what each bin adds to the first
    /// measure. With groups (--by) and another key, above them a strip per group: the values over that key.
    #[arg(long, value_name = "FILE.svg", value_parser = svg)]
    pub(crate) plot: Option<PathBuf>,
    /// Count, mean and quantiles of every measure (on stderr where stdout carries rows as data).
    #[arg(long)]
    pub(crate) summary: bool,
    /// One JSON object on stdout instead: how it was done, summary, top rows. Rows only with -o FILE.
    #[arg(long)]
    pub(crate) json: bool,
    /// Exit code 1 when a value is above X, after everything is written. X is a number for every measure, or
    /// limits by measure such as psi=0.2,js=0.1.
    #[arg(long, value_name = "X")]
    pub(crate) fail_above: Option<FailAbove>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct DevicesArgs {
    /// Measures software adapters too.
    #[arg(long)]
    pub(crate) software: bool,
    /// One JSON object on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A row of each family.
const ROWS: NonZeroUsize = match NonZeroUsize::new(kullback_conformance::FAMILIES.len()) {
    Some(rows) => rows,
    None => NonZeroUsize::MIN,
};

#[derive(Clone, Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Seed of the random rows (default: from the clock; it is printed).
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Random rows per length, weight type and zero policy; as many as there are kinds of rows meet each kind.
    #[arg(long, value_name = "N", default_value_t = ROWS)]
    pub(crate) rows: NonZeroUsize,
    /// Check one device: auto, cpu, gpu, gpu:N, gl or reference (default: the CPU and every adapter).
    #[arg(long)]
    pub(crate) device: Option<Device>,
    /// One JSON object on stdout.
    #[arg(long, conflicts_with = "markdown")]
    pub(crate) json: bool,
    /// The tables as Markdown.
    #[arg(long)]
    pub(crate) markdown: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct BenchArgs {
    /// Devices to time: cpu, gpu, gpu:N (default: the CPU and every GPU that is hardware).
    #[arg(long, value_name = "DEVICE", value_delimiter = ',')]
    pub(crate) device: Vec<Device>,
    /// Lengths of a row.
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "16,64,1024", value_parser = bins)]
    pub(crate) bins: Vec<usize>,
    /// Bytes of 32-bit weights a side.
    #[arg(long, value_name = "BYTES", value_parser = size, default_value = "128MiB")]
    pub(crate) size: u64,
    /// Timings that the median is of.
    #[arg(long, value_name = "N", default_value = "5")]
    pub(crate) rounds: NonZeroUsize,
    /// CPU threads (default: all).
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// One JSON object on stdout.
    #[arg(long, conflicts_with = "markdown")]
    pub(crate) json: bool,
    /// The table as Markdown.
    #[arg(long)]
    pub(crate) markdown: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
