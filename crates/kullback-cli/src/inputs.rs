//! The files P and Q, opened as the options ask.

use kullback_arrow::{Filter, Format, Layout, Location, ReadOptions, Source};

use crate::args::{Against, InputArgs, PairingArgs};
use crate::complain;
use crate::error::{Error, PairingError, Result};

/// Bytes of weights per batch, unless --memory asks for less.
const BATCH_BYTES: usize = 16 << 20;
/// Batches of both sides that exist at one time: read ahead, being cut, being computed.
const BATCHES_ALIVE: u64 = 16;

/// One input file, and how it is read.
pub(crate) struct InputFile {
    pub(crate) source: Source,
    /// The text that the user wrote.
    pub(crate) location: Location,
    options: ReadOptions,
    /// The memory that the user allows for rows that are held.
    pub(crate) memory: Option<u64>,
}

/// Both files.
pub(crate) struct Inputs {
    pub(crate) p: InputFile,
    pub(crate) q: Option<InputFile>,
    /// Positions of the output's key columns among the keys of P.
    pub(crate) keys: Vec<usize>,
    carried: Vec<String>,
    /// The columns by which the rows of both files are paired; none where they are paired by their places.
    pub(crate) names: Vec<String>,
    /// The columns that say which rows belong together.
    pub(crate) by: Vec<String>,
    /// Whether rows and bins pair by their places because the user says so.
    by_position: bool,
    /// Whether both sides have labels and no label is on both.
    pub(crate) no_bin_is_shared: bool,
}

impl Inputs {
    /// Opens the files. It checks every column name.
    ///
    /// `pairing` is set where row meets row; `labels` are columns that both files need. `united` gives every group the bins of all.
    pub(crate) fn open(
        args: &InputArgs,
        pairing: Option<&PairingArgs>,
        labels: &[String],
        (memory, united): (Option<u64>, bool),
    ) -> Result<Self> {
        if args.p == Location::Stdin && args.q == Some(Location::Stdin) {
            return Err(Error::BothStdin);
        }
        let mut carried: Vec<String> = Vec::new();
        let by = pairing.map_or(&[][..], |pairing| &pairing.by);
        // Without keys of its own, the output of a table with groups has all keys.
        let by_keys = if args.key.is_empty() { &[][..] } else { by };
        for column in labels.iter().chain(by_keys).chain(&args.key) {
            if !carried.contains(column) {
                carried.push(column.clone());
            }
        }
        let reading = Reading { args, by, united, memory };
        let p_options = reading.options(args.format, &carried, &keys_of(&args.layout_q()), &args.where_p);
        let mut p = InputFile::open(&args.p, ReadOptions { layout: reading.layout_p(), ..p_options }, memory)?;
        let mut q = reading.q(pairing, labels)?;
        p.check_keys(&carried)?;
        let mut shared = None;
        if let Some(q) = &mut q {
            q.check_keys(labels)?;
            shared = Source::align_bins(&mut p.source, &mut q.source, args.bin_pairing())?;
        }
        // The rows of the long layout are told apart by all of its keys.
        let shown = if args.key.is_empty() && args.long.is_some() { &[][..] } else { &carried };
        let keys = p.key_positions(shown);
        let names = q.as_ref().zip(pairing).filter(|_| !args.by_position);
        let names = names.map_or_else(Vec::new, |(q, pairing)| p.names(q, &pairing.join));
        Ok(Self {
            p,
            q,
            keys,
            carried,
            names,
            by: reading.by.to_vec(),
            by_position: args.by_position,
            no_bin_is_shared: shared == Some(0),
        })
    }

    /// The columns to carry into the output, as the user asked.
    pub(crate) fn carried(&self) -> &[String] {
        &self.carried
    }

    /// The names of the bins of a row of P, by its place in the file, if they are known.
    pub(crate) fn bin_labels(&self, file_row: u64, bins: usize) -> Option<Vec<String>> {
        self.p.source.bin_labels_of(file_row).filter(|labels| labels.len() == bins)
    }

    /// Says that rows pair by their places although P has keys, or refuses it where Q has keys of other names.
    ///
    /// # Errors
    /// [`PairingError::OtherKeys`].
    pub(crate) fn tell_unnamed(&self, quiet: bool) -> Result<()> {
        let Some(q) = self.q.as_ref().filter(|_| !self.by_position) else { return Ok(()) };
        let names = |file: &InputFile| {
            let schema = file.source.key_schema();
            schema.fields().iter().map(|field| format!("`{}`", field.name())).collect::<Vec<_>>().join(", ")
        };
        let (p_keys, q_keys) = (names(&self.p), names(q));
        if !p_keys.is_empty() && !q_keys.is_empty() {
            let (p, q) = (self.p.source.name(), q.source.name());
            return Err(PairingError::OtherKeys { p, p_keys, q, q_keys }.into());
        }
        if !p_keys.is_empty() && !quiet {
            complain(&format!("{} has no column {p_keys}: the rows were paired by their places", q.source.name()));
        }
        Ok(())
    }

    /// The name of Q in messages. It is the file, or P if P is compared with itself.
    pub(crate) fn q_name(&self) -> String {
        self.q.as_ref().unwrap_or(&self.p).source.name()
    }
}

/// How the options ask for files to be read.
struct Reading<'a> {
    args: &'a InputArgs,
    by: &'a [String],
    /// Whether the groups of `by` have the bins of all.
    united: bool,
    memory: Option<u64>,
}

impl Reading<'_> {
    fn options(
        &self,
        format: Option<Format>,
        keys: &[String],
        optional_keys: &[String],
        filters: &[Filter],
    ) -> ReadOptions {
        let own_keys = keys_of(&self.args.layout());
        let united = self.united && self.by.iter().all(|column| own_keys.contains(column));
        let part = |bytes: u64| (bytes / BATCHES_ALIVE).clamp(1 << 16, BATCH_BYTES as u64) as usize;
        ReadOptions {
            format,
            layout: Layout::default(),
            keys: keys.to_vec(),
            optional_keys: optional_keys.to_vec(),
            groups: if united { Vec::new() } else { self.by.to_vec() },
            filters: filters.to_vec(),
            batch_bytes: self.memory.map_or(BATCH_BYTES, part),
        }
    }

    /// Which of the sides are arrays. An array has no columns, so options about columns are for the other file.
    fn arrays(&self) -> [bool; 2] {
        let args = self.args;
        [is_array(&args.p, args.format), args.q.as_ref().is_some_and(|q| is_array(q, args.format_q))]
    }

    fn layout_p(&self) -> Layout {
        match self.arrays() {
            [true, false] if self.args.q.is_some() => Layout::default(),
            _ => self.args.layout(),
        }
    }

    /// The file Q, or the rows of P that stand in for it.
    fn q(&self, pairing: Option<&PairingArgs>, labels: &[String]) -> Result<Option<InputFile>> {
        let args = self.args;
        if let Some(q) = &args.q {
            let layout = if self.arrays() == [false, true] { Layout::default() } else { args.layout_q() };
            // The keys that P has by its layout are keys of Q too, if Q has them.
            let keys = [args.key.clone(), keys_of(&args.layout())].concat();
            let options = self.options(args.format_q, labels, &keys, &args.where_q);
            return InputFile::open(q, ReadOptions { layout, ..options }, self.memory).map(Some);
        }
        let Some(Against::Row(filter)) = pairing.and_then(|pairing| pairing.against.as_ref()) else { return Ok(None) };
        if args.p == Location::Stdin {
            return Err(PairingError::BaselineOfStdin.into());
        }
        let filters = [&args.where_p[..], std::slice::from_ref(filter)].concat();
        let options = self.options(args.format, labels, &args.key, &filters);
        InputFile::open(&args.p, ReadOptions { layout: args.layout(), ..options }, self.memory).map(Some)
    }
}

impl InputFile {
    fn open(location: &Location, options: ReadOptions, memory: Option<u64>) -> Result<Self> {
        Ok(Self { source: Source::open(location, &options)?, location: location.clone(), options, memory })
    }

    /// The columns by which rows meet those of another file: the ones asked for, or the keys that both have.
    fn names(&self, other: &InputFile, join: &[String]) -> Vec<String> {
        if !join.is_empty() {
            return join.to_vec();
        }
        let (schema, others) = (self.source.key_schema(), other.source.key_schema());
        let fields = schema.fields().iter().map(|field| field.name());
        fields.filter(|name| others.index_of(name).is_ok()).cloned().collect()
    }

    /// Whether every row of the file is read. Its row count is then the number of rows that come.
    pub(crate) fn is_unfiltered(&self) -> bool {
        self.options.filters.is_empty()
    }

    /// The error for a file from which no row was read.
    pub(crate) fn nothing_read(&self) -> Error {
        let file = self.source.name();
        if self.is_unfiltered() {
            return Error::NoRows { file };
        }
        let rows = self.rows_without_filters();
        if rows == Some(0) {
            return Error::NoRows { file };
        }
        let filters = self.options.filters.iter().map(|filter| format!("`{filter}`"));
        Error::NothingPasses { file, filters: filters.collect::<Vec<_>>().join(" and "), rows }
    }

    fn rows_without_filters(&self) -> Option<u64> {
        if self.location == Location::Stdin {
            return None;
        }
        let options = ReadOptions { filters: Vec::new(), ..self.options.clone() };
        let source = Source::open(&self.location, &options).ok()?;
        let count = || source.batches().ok()?.map(|batch| batch.ok().map(|batch| batch.len() as u64)).sum();
        source.row_count().or_else(count)
    }

    /// Refuses columns that are not keys of the long layout, because that layout has only its own keys.
    fn check_keys(&self, wanted: &[String]) -> Result<()> {
        let Layout::Long { keys, .. } = &self.options.layout else { return Ok(()) };
        match wanted.iter().find(|column| !keys.contains(column)) {
            None => Ok(()),
            Some(column) => Err(Error::NotALongKey {
                file: self.source.name(),
                column: column.clone(),
                keys: keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", "),
            }),
        }
    }

    /// The positions of the carried columns. If none was asked for, all keys (only the long layout then has keys).
    pub(crate) fn key_positions(&self, carried: &[String]) -> Vec<usize> {
        let schema = self.source.key_schema();
        if carried.is_empty() {
            return (0..schema.fields().len()).collect();
        }
        let mut positions: Vec<usize> = Vec::new();
        for position in carried.iter().filter_map(|column| schema.index_of(column).ok()) {
            if !positions.contains(&position) {
                positions.push(position);
            }
        }
        positions
    }
}

/// The keys that a layout has by itself.
fn keys_of(layout: &Layout) -> Vec<String> {
    if let Layout::Long { keys, .. } = layout { keys.clone() } else { Vec::new() }
}

fn is_array(location: &Location, format: Option<Format>) -> bool {
    let named = match location {
        Location::Path(path) => Format::from_path(path).ok(),
        Location::Stdin => None,
    };
    format.or(named) == Some(Format::Npy)
}
