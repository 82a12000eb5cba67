//! The options that several commands have.

use std::num::NonZeroUsize;
use std::path::Path;

use clap::{Args, ValueEnum};
use kullback::{Device, Divergence, OnInvalid, Unit, Zeros};
use kullback_arrow::{BinPairing, Filter, Format, Layout, Location, TableFormat, Target};

use super::asked::AskedMeasure;
use super::parse::{BinPositions, number, size, target};

/// The rows of two files.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct InputArgs {
    /// Rows of weights: .parquet, .csv, .tsv, .npy, .arrow, .feather or .ndjson; - with --format for stdin.
    #[arg(value_name = "P", help_heading = "Arguments")]
    pub(crate) p: Location,
    /// The rows they are compared with.
    #[arg(value_name = "Q", help_heading = "Arguments")]
    pub(crate) q: Option<Location>,
    /// The list column that holds the weights (default: the only one).
    #[arg(long, value_name = "COLUMN", conflicts_with_all = ["columns", "long"])]
    pub(crate) bins: Option<String>,
    /// One column per bin: names, or patterns such as 'bin_*'.
    #[arg(long, value_name = "PATTERN,…", value_delimiter = ',', conflicts_with = "long")]
    pub(crate) columns: Vec<String>,
    /// One line per bin: key columns, the column of bins, the column of counts (without it, each line counts 1).
    #[arg(long, value_name = "KEY,…:BIN[:COUNT]", value_parser = Layout::long)]
    pub(crate) long: Option<Layout>,
    /// The list column of Q, if Q has a layout of its own.
    #[arg(long, value_name = "COLUMN", conflicts_with_all = ["columns_q", "long_q"])]
    pub(crate) bins_q: Option<String>,
    /// The columns of Q, if Q has a layout of its own.
    #[arg(long, value_name = "PATTERN,…", value_delimiter = ',', conflicts_with = "long_q")]
    pub(crate) columns_q: Vec<String>,
    /// The keys, bins and counts of Q, if Q has a layout of its own.
    #[arg(long, value_name = "KEY,…:BIN[:COUNT]", value_parser = Layout::long)]
    pub(crate) long_q: Option<Layout>,
    /// Columns of P carried into the output. Rows pair by those that Q has too.
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    pub(crate) key: Vec<String>,
    /// Pair rows and bins by their places, whatever their names.
    #[arg(long)]
    pub(crate) by_position: bool,
    /// What happens to a column of --columns that the other side lacks: an error, or a bin of zeros.
    #[arg(long, value_enum, default_value_t = MissingBins::Error)]
    pub(crate) missing_bins: MissingBins,
    /// Keep the rows of P whose column has this value; also !=, <, <=, >, >= (repeatable).
    #[arg(long = "where", value_name = "COLUMN=VALUE")]
    pub(crate) where_p: Vec<Filter>,
    /// Keep the rows of Q whose column has this value (repeatable).
    #[arg(long, value_name = "COLUMN=VALUE")]
    pub(crate) where_q: Vec<Filter>,
    /// Keep the rows of P whose weights add up to at least N.
    #[arg(long, value_name = "N", value_parser = number)]
    pub(crate) min_total: Option<f64>,
    /// Format of P, where its name does not say.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<Format>,
    /// Format of Q, where its name does not say.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format_q: Option<Format>,
}

impl InputArgs {
    /// An option about Q that was given, if one was.
    pub(crate) fn about_q(&self) -> Option<&'static str> {
        let given = [
            ("--where-q", !self.where_q.is_empty()),
            ("--format-q", self.format_q.is_some()),
            ("--bins-q", self.bins_q.is_some()),
            ("--columns-q", !self.columns_q.is_empty()),
            ("--long-q", self.long_q.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(option, _)| option)
    }

    /// Whether a file is one of those that are read.
    pub(crate) fn reads(&self, file: &Path) -> bool {
        let Ok(file) = file.canonicalize() else { return false };
        let is_it = |input: &Location| matches!(input, Location::Path(path) if path.canonicalize().is_ok_and(|path| path == file));
        is_it(&self.p) || self.q.as_ref().is_some_and(is_it)
    }

    /// How the bins of the two sides meet.
    pub(crate) fn bin_pairing(&self) -> BinPairing {
        match (self.by_position, self.missing_bins) {
            (true, _) => BinPairing::ByPosition,
            (false, MissingBins::Error) => BinPairing::ByName,
            (false, MissingBins::Zero) => BinPairing::WithZeros,
        }
    }

    /// Where the histograms of P are.
    pub(crate) fn layout(&self) -> Layout {
        layout(self.long.as_ref(), &self.columns, self.bins.as_ref())
    }

    /// Where the histograms of Q are.
    pub(crate) fn layout_q(&self) -> Layout {
        if self.long_q.is_none() && self.columns_q.is_empty() && self.bins_q.is_none() {
            return self.layout();
        }
        layout(self.long_q.as_ref(), &self.columns_q, self.bins_q.as_ref())
    }
}

fn layout(long: Option<&Layout>, columns: &[String], bins: Option<&String>) -> Layout {
    match long {
        Some(long) => long.clone(),
        None if !columns.is_empty() => Layout::Wide(columns.to_vec()),
        None => Layout::List(bins.cloned()),
    }
}

/// What happens to a column that one side lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MissingBins {
    /// The run is an error.
    Error,
    /// The side has 0 there.
    Zero,
}

/// What is computed of every pair.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Measure")]
pub(crate) struct OneMeasureArgs {
    /// kl, reverse_kl, jeffreys, js, js_distance, lin_k, skew_js:A, pooled_js, hellinger, bhattacharyya, tv,
    /// chi2, neyman_chi2, triangular, renyi:A, tsallis:A, alpha:A, cross_entropy, entropy, w1, ks.
    #[arg(short, long, value_name = "NAME", default_value = "kl")]
    pub(crate) measure: AskedMeasure,
}

/// How it is computed.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Measure")]
pub(crate) struct HowArgs {
    /// Unit of the logarithms: nats, bits, bans, or a base.
    #[arg(long, default_value_t = Unit::Nats)]
    pub(crate) unit: Unit,
    /// What happens to zeros: exact, epsilon:E, additive:A, floor:E, mix:L, skip.
    #[arg(long, value_name = "POLICY", default_value_t = Zeros::Exact)]
    pub(crate) zeros: Zeros,
    /// Where the bins lie, for w1: numbers such as 0,1,2.5, a text file of numbers, or `labels` for the labels of
    /// the bins. One per bin are centres, one more are edges. Default: steps of 1.
    #[arg(long, value_name = "NUMBERS|FILE|labels", allow_hyphen_values = true)]
    pub(crate) positions: Option<BinPositions>,
    /// Rows with an invalid weight: an error, or rows without a value.
    #[arg(long, value_enum, default_value_t = OnBad::Error)]
    pub(crate) on_invalid: OnBad,
}

impl HowArgs {
    /// Where the bins lie, in words, if a measure asks.
    pub(crate) fn positions_for(&self, measures: &[Divergence]) -> Option<String> {
        let default = || "steps of 1".to_owned();
        let given = self.positions.as_ref().map(ToString::to_string);
        measures.contains(&Divergence::W1).then(|| given.unwrap_or_else(default))
    }
}

/// [`OnInvalid`] by the names of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnBad {
    /// The run is an error.
    Error,
    /// The row has no value.
    Null,
}

impl From<OnBad> for OnInvalid {
    fn from(choice: OnBad) -> Self {
        match choice {
            OnBad::Error => OnInvalid::Error,
            OnBad::Null => OnInvalid::Null,
        }
    }
}

/// Where the result goes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct FileArgs {
    /// Where the rows go: a file, or - for stdout. Without: a table on a terminal, CSV on a pipe.
    #[arg(short, long, value_name = "FILE", value_parser = target)]
    pub(crate) output: Option<Target>,
    /// Format of the rows: parquet, csv, tsv, npy, arrow, ndjson, json, markdown (default: by the file name; csv on
    /// stdout).
    #[arg(long, value_name = "FORMAT")]
    pub(crate) output_format: Option<TableFormat>,
}

/// How it is run.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Run")]
pub(crate) struct RunArgs {
    /// auto, cpu, gpu, gpu:N, several that share the rows as gpu:0+1 or gpus (all that are hardware), gl, reference.
    #[arg(long, default_value_t = Device::Auto)]
    pub(crate) device: Device,
    /// CPU threads (default: all).
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Memory for buffers, such as 512MiB.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) memory: Option<u64>,
    /// No notes and no progress on stderr.
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// No progress bar.
    #[arg(long)]
    pub(crate) no_progress: bool,
}

impl RunArgs {
    /// Whether progress is wanted, where there is somebody to see it.
    pub(crate) fn progress(&self) -> bool {
        !self.quiet && !self.no_progress
    }
}
