//! The command lines of all pairs.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use super::parse::svg;
use super::shared::{FileArgs, HowArgs, InputArgs, OneMeasureArgs, RunArgs};

/// The rows of two files, or of one with itself.
#[derive(Clone, Debug, Args)]
#[command(mut_arg("q", |q| q.help("The rows they are compared with (default: those of P)")))]
#[command(mut_arg("key", |key| key.help("Columns of both files that name their rows in the output")))]
#[command(mut_arg("min_total", |total| total.help("Keep the rows of both files whose weights add up to at least N")))]
pub(crate) struct SidesArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
}

const PAIRWISE_EXAMPLES: &str = "\
Examples:
  kullback pairwise topics.npy --measure js -o distances.npy
  kullback pairwise days.parquet --key day --measure js_distance --heatmap days.svg --order -o days.csv
  kullback pairwise today.parquet last_year.parquet --key day -o matrix.parquet

Exit codes: 0 done; 2 usage or data error (nothing is written); 130 interrupted.";

#[derive(Clone, Debug, Args)]
#[command(after_help = PAIRWISE_EXAMPLES, arg_required_else_help = true)]
pub(crate) struct PairwiseArgs {
    #[command(flatten)]
    pub(crate) sides: SidesArgs,
    #[command(flatten)]
    pub(crate) measure: OneMeasureArgs,
    #[command(flatten)]
    pub(crate) how: HowArgs,
    #[command(flatten)]
    pub(crate) file: FileArgs,
    #[command(flatten)]
    pub(crate) matrix: MatrixArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// What is done with a matrix.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct MatrixArgs {
    /// A picture of the matrix. Of more than 2000 rows or columns, neighbours are averaged.
    #[arg(long, value_name = "FILE.svg", value_parser = svg)]
    pub(crate) heatmap: Option<PathBuf>,
    /// Order the rows and columns of the picture so that near ones stand side by side (P alone, at most 2000 rows).
    #[arg(long, requires = "heatmap", conflicts_with = "q")]
    pub(crate) order: bool,
    /// More than 10000000000 entries are meant.
    #[arg(long)]
    pub(crate) yes: bool,
}

const NEAREST_EXAMPLES: &str = "\
Examples:
  kullback nearest topics.npy -k 5 --measure hellinger
  kullback nearest names.parquet --key sex,name --min-total 5000 -k 10 -o nearest.parquet
  kullback nearest today.parquet past.parquet --key day -k 1

Exit codes: 0 done; 2 usage or data error (nothing is written); 130 interrupted.";

#[derive(Clone, Debug, Args)]
#[command(after_help = NEAREST_EXAMPLES, arg_required_else_help = true)]
#[command(mut_arg("measure", |measure| measure.default_value("js")))]
pub(crate) struct NearestArgs {
    #[command(flatten)]
    pub(crate) sides: SidesArgs,
    /// Neighbours of each row.
    #[arg(short, value_name = "N", default_value = "10")]
    pub(crate) k: NonZeroUsize,
    #[command(flatten)]
    pub(crate) measure: OneMeasureArgs,
    #[command(flatten)]
    pub(crate) how: HowArgs,
    #[command(flatten)]
    pub(crate) file: FileArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}
