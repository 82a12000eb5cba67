//! Options that cannot be meant as they are.

/// An option whose text says nothing that can be done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OptionError {
    /// A part of `--fail-above` that is not a limit of a measure.
    #[error(
        "`{text}` is not a limit of a measure: write limits such as psi=0.2,js=0.1, or one number for every measure"
    )]
    NoLimit {
        /// What was given.
        text: String,
    },
    /// A limit of a measure that is not computed.
    #[error("--fail-above limits `{name}`, which is not computed: limit one of {asked}, or add it to --measure")]
    LimitOfNothing {
        /// The name in `--fail-above`.
        name: String,
        /// The measures asked for.
        asked: String,
    },
    /// A picture of more rows than anyone can look at.
    #[error("a picture of {rows} rows is too long: say --top {most} or less beside --plot")]
    PlotTooLong {
        /// The rows asked for.
        rows: usize,
        /// The limit.
        most: usize,
    },
    /// Measures that are no sums over the bins, where their parts are asked for.
    #[error(
        "--contributions shows what each bin adds, and {measures} has no parts: it is not a sum over the bins; add one that is, such as kl or js, to --measure"
    )]
    NoParts {
        /// The measures asked for.
        measures: String,
    },
    /// An output that would replace an input.
    #[error("`{file}` is an input: write the result to another file")]
    OverInput {
        /// The file.
        file: String,
    },
    /// Two limits of one measure.
    #[error("--fail-above gives `{name}` two limits: keep one of them")]
    LimitTwice {
        /// The measure, by the name it was asked for.
        name: String,
    },
}
