//! `kullback verify` checks the accuracy contract on the user's own devices.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use kullback::contract::{NARROW_ERROR, WIDE_ERROR};
use kullback::{Device, DeviceAnswers, Divergence, Engine, OnInvalid, Options, RowStatus, WeightType, Zeros, adapters};
use kullback_conformance::{
    Case, Check, FAMILIES, GENERATOR, MEASURES, POLICIES, SMALL_POLICIES, Values, Worst, edges, golden, hard_rows,
    measures, ordered_measures,
};
use serde_json::{Map, Value, json};

use crate::args::VerifyArgs;
use crate::error::Result;
use crate::progress::ProgressDisplay;
use crate::report::table::{Style, table};
use crate::report::{number, print};
use crate::{Outcome, interrupt};

/// Row lengths on both sides of lane, subgroup and workgroup sizes.
const LENGTHS: [usize; 8] = [1, 3, 8, 17, 64, 129, 257, 1000];
/// One weight type per way of decoding.
const TYPES: [WeightType; 5] = [WeightType::F32, WeightType::U16, WeightType::F16, WeightType::U32, WeightType::F64];
/// The types that are tested with every zero policy. The other types are tested with exact zeros only.
const ALL_POLICIES: [WeightType; 2] = [WeightType::F32, WeightType::U16];
/// Row lengths that are tested with small policy numbers.
const FEW_LENGTHS: [usize; 2] = [2, 17];
/// The most failures that are listed.
const LISTED: usize = 20;

/// Runs the command.
pub(crate) fn run(args: &VerifyArgs) -> Result<Outcome> {
    let started = Instant::now();
    let seed = args.seed.unwrap_or_else(clock);
    let mut subjects = match args.device {
        Some(device) => vec![Subject::open(device)?],
        None => every_device(),
    };
    let reference = Engine::builder().device(Device::Reference).build()?;
    interrupt::work_begins()?;

    let problems = problems();
    let progress = ProgressDisplay::new(!args.json, "checks", Some(problems.len() as u64 + 1));
    for case in golden() {
        interrupt::check()?;
        let problem = golden_problem(case);
        subjects.iter_mut().for_each(|subject| subject.check(&problem));
    }
    for (done, &(weight_type, bins, zeros)) in problems.iter().enumerate() {
        progress.reached(done as u64 + 1);
        interrupt::check()?;
        let problem = random_problem(&reference, seed, weight_type, bins, args.rows.get(), zeros)?;
        subjects.iter_mut().for_each(|subject| subject.check(&problem));
    }
    drop(progress);

    let broken = subjects.iter().any(|subject| !subject.check.failures.is_empty());
    let report =
        VerifyReport { seed, rows: args.rows.get(), seconds: started.elapsed().as_secs_f64(), subjects: &subjects };
    print(&if args.json {
        format!("{}\n", report.json())
    } else {
        report.text(if args.markdown { Style::Markdown } else { Style::Lines })
    })?;
    Ok(if broken { Outcome::Exceeded } else { Outcome::Done })
}

fn clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

/// The CPU and every adapter.
fn every_device() -> Vec<Subject> {
    let gpus = adapters()
        .into_iter()
        .map(|adapter| (Device::GpuAt(adapter.index), format!("gpu:{} {}", adapter.index, adapter.name)));
    let open = |(device, name): (Device, String)| {
        // If nobody named the adapter and it is refused, the report says so: no value ever comes from it.
        Subject::open(device).unwrap_or_else(|error| Subject::refused(name, error.to_string()))
    };
    [(Device::Cpu, "cpu".to_owned())].into_iter().chain(gpus).map(open).collect()
}

/// Every combination of weight type, length and policy that gets random rows.
fn problems() -> Vec<(WeightType, usize, Zeros)> {
    let policies = |weight_type| if ALL_POLICIES.contains(&weight_type) { &POLICIES[..] } else { &POLICIES[..1] };
    let lengths = |weight_type, zeros: &Zeros| LENGTHS.map(|bins| (weight_type, bins, *zeros));
    let usual = TYPES.iter().flat_map(|t| policies(*t).iter().flat_map(|zeros| lengths(*t, zeros)));
    let small = SMALL_POLICIES.iter().flat_map(|zeros| FEW_LENGTHS.map(|bins| (WeightType::F32, bins, *zeros)));
    usual.chain(small).collect()
}

/// Rows, and the value of every measure for them.
struct VerifyCase {
    p: Values,
    q: Values,
    bins: usize,
    zeros: Zeros,
    want: Vec<(Divergence, Vec<f64>)>,
    status: Vec<RowStatus>,
    name: Box<dyn Fn(usize) -> String>,
}

fn options(zeros: Zeros) -> Options {
    Options { zeros, on_invalid: OnInvalid::Null, ..Options::default() }
}

/// A case whose values come from 60-digit arithmetic.
fn golden_problem(case: Case) -> VerifyCase {
    let infinite = case.status == RowStatus::Ok && case.values.iter().any(|value| value.is_infinite());
    let name = format!("golden case {} ({})", case.name, case.zeros);
    VerifyCase {
        want: measures().into_iter().zip(case.values.iter().map(|value| vec![*value])).collect(),
        status: vec![if infinite { RowStatus::Infinite } else { case.status }],
        p: case.p,
        q: case.q,
        bins: case.bins,
        zeros: case.zeros,
        name: Box::new(move |_| name.clone()),
    }
}

/// Random rows whose values come from the reference.
fn random_problem(
    reference: &Engine,
    seed: u64,
    weight_type: WeightType,
    bins: usize,
    rows: usize,
    zeros: Zeros,
) -> Result<VerifyCase> {
    let hard = hard_rows(seed, weight_type, bins, rows);
    // Where zeros stay as they are, the orders at the edges of each family are asked for too.
    let edges = if zeros == Zeros::Exact { edges().concat() } else { Vec::new() };
    let measures = [measures(), ordered_measures(), edges].concat();
    let out = reference.rowwise(&measures, hard.p.rows(bins), hard.q.rows(bins), &options(zeros))?;
    Ok(VerifyCase {
        want: out.iter().map(|(measure, values)| (measure, values.to_vec())).collect(),
        status: out.status().to_vec(),
        p: hard.p,
        q: hard.q,
        bins,
        zeros,
        name: Box::new(move |row| {
            format!("row {row} ({}) of {} × {bins} bins ({zeros})", FAMILIES[row % FAMILIES.len()], weight_type.name())
        }),
    })
}

/// A device under test, and what was found on it.
struct Subject {
    name: String,
    engine: Option<Engine>,
    /// Why there is no engine.
    refused: Option<String>,
    /// Whether 64-bit types are computed here. A GPU leaves them to the CPU.
    takes_wide: bool,
    check: Check,
    rescued: u64,
    rows: u64,
}

impl Subject {
    fn open(device: Device) -> Result<Self> {
        let engine = Engine::builder().device(device).build()?;
        let takes_wide = !device.is_gpu();
        Ok(Self {
            name: engine.device_name().to_string(),
            engine: Some(engine),
            refused: None,
            takes_wide,
            check: Check::default(),
            rescued: 0,
            rows: 0,
        })
    }

    fn refused(name: String, reason: String) -> Self {
        let (check, refused) = (Check::default(), Some(reason));
        Self { name, engine: None, refused, takes_wide: false, check, rescued: 0, rows: 0 }
    }

    /// Compares the device with the values of a problem.
    fn check(&mut self, problem: &VerifyCase) {
        let Some(engine) = &self.engine else { return };
        let (p, q) = (problem.p.rows(problem.bins), problem.q.rows(problem.bins));
        if !self.takes_wide && (p.weight_type().is_wide() || q.weight_type().is_wide()) {
            return;
        }
        let want: Vec<(Divergence, &[f64])> = problem.want.iter().map(|(m, values)| (*m, values.as_slice())).collect();
        let mut hold = |measures: &[Divergence], want: &[(Divergence, &[f64])], status: &[RowStatus]| match engine
            .rowwise(measures, p, q, &options(problem.zeros))
        {
            Err(error) => self.check.failures.push(format!("{}: {error}", (problem.name)(0))),
            Ok(got) => {
                self.rescued += got.stats().rescued;
                self.rows += got.len() as u64;
                self.check.columns(&got, want, status, &p, &q, &problem.name);
            }
        };
        // A device takes a shorter way if the measures asked for allow it, so those measures are also asked for apart. On the CPU
        // each one is asked for alone. A GPU compiles a kernel for each set, so there the sets are those of second order and the
        // orders at the edges of what it takes.
        let (all, [narrow_edges, _]) = (measures(), edges());
        let only = |measures: &[Divergence]| -> Vec<(Divergence, &[f64])> {
            want.iter().filter(|(measure, _)| measures.contains(measure)).copied().collect()
        };
        let second_order: Vec<Divergence> =
            all.iter().copied().filter(|measure| measure.is_of_second_order()).collect();
        let mut sets = vec![only(&all)];
        // A GPU compiles a kernel for each type, policy and number of threads, so it is asked for some of them.
        let short = problem.bins == FEW_LENGTHS[1];
        let is_asked = match (p.weight_type(), problem.zeros) {
            (WeightType::F32, _) if short => true,
            (WeightType::F32 | WeightType::U16, Zeros::Exact) => short || problem.bins == LENGTHS[LENGTHS.len() - 1],
            _ => false,
        };
        if self.takes_wide || is_asked {
            sets.push(only(&ordered_measures()));
        }
        if self.takes_wide {
            sets.extend(want.iter().map(|one| vec![*one]));
        } else if problem.zeros == Zeros::Exact {
            sets.extend([only(&second_order), only(&narrow_edges)]);
        }
        for want in sets.into_iter().filter(|set| !set.is_empty()) {
            let is_infinite = |row: usize| want.iter().any(|(_, values)| values[row].is_infinite());
            let status = |(row, status): (usize, &RowStatus)| match status {
                RowStatus::Ok | RowStatus::Infinite if is_infinite(row) => RowStatus::Infinite,
                RowStatus::Infinite => RowStatus::Ok,
                other => *other,
            };
            let status: Vec<RowStatus> = problem.status.iter().enumerate().map(status).collect();
            let measures: Vec<Divergence> = want.iter().map(|(measure, _)| *measure).collect();
            hold(&measures, &want, &status);
        }
    }

    /// The answers of the device when it was opened, if it is a GPU.
    fn answers(&self) -> Option<DeviceAnswers> {
        self.engine.as_ref()?.device_answers().into_iter().next().map(|(_, answers)| answers)
    }

    /// The largest error of any measure, in units of the allowed error.
    fn worst(&self) -> Option<(&str, &Worst)> {
        let narrow = self.check.narrow.iter().map(|entry| (entry.1.relative / NARROW_ERROR, entry));
        let wide = self.check.wide.iter().map(|entry| (entry.1.relative / WIDE_ERROR, entry));
        let worst = narrow.chain(wide).max_by(|(a, _), (b, _)| a.total_cmp(b));
        worst.map(|(_, (name, worst))| (name.as_str(), worst))
    }
}

/// The report at the end.
struct VerifyReport<'a> {
    seed: u64,
    rows: usize,
    seconds: f64,
    subjects: &'a [Subject],
}

impl VerifyReport<'_> {
    fn text(&self, style: Style) -> String {
        let mut text = String::new();
        let all: Vec<&Subject> = self.subjects.iter().collect();
        let wide: Vec<&Subject> = self.subjects.iter().filter(|subject| subject.takes_wide).collect();
        text +=
            &errors("24-bit types (allowed 1e-6)", style, &all, |subject, measure| subject.check.narrow.get(measure));
        if !wide.is_empty() {
            let note = if wide.len() < all.len() { "; a GPU leaves them to the CPU" } else { "" };
            let title = format!("64-bit types (allowed 1e-12){note}");
            text += &errors(&title, style, &wide, |subject, measure| subject.check.wide.get(measure));
        }
        if !all.iter().any(|subject| !subject.takes_wide) {
            text += "no GPU among the devices checked (`kullback devices` lists them)\n";
        }
        let mut failures = 0;
        for subject in self.subjects {
            let check = &subject.check;
            failures += check.failures.len();
            if let Some(reason) = &subject.refused {
                text += &format!("{}: refused, and not checked: {reason}\n", subject.name);
                continue;
            }
            let verdict = if check.failures.is_empty() { "within the contract" } else { "BROKEN" };
            text += &format!(
                "{}: {verdict}; {} values compared, {} of {} rows rescued, {} failures\n",
                subject.name,
                check.compared,
                subject.rescued,
                subject.rows,
                check.failures.len()
            );
            if let Some(answers) = subject.answers() {
                let fma = if answers.fused_multiply_add { "fused" } else { "two roundings" };
                let subnormals = if answers.flushes_subnormals { "become 0" } else { "kept" };
                let subgroups = answers.subgroup_size.map_or("none".to_owned(), |size| format!("of {size}"));
                let milliseconds = answers.seconds * 1e3;
                text += &format!(
                    "  fma {fma}, subnormal numbers {subnormals}, subgroups {subgroups}; asked in {milliseconds:.0} ms\n"
                );
            }
            if let Some((measure, worst)) = subject.worst() {
                text += &format!("  worst: {:.1e}, {measure} of {}\n", worst.relative, worst.case);
            }
        }
        let listed = self.subjects.iter().flat_map(|s| s.check.failures.iter().map(move |failure| (&s.name, failure)));
        for (name, failure) in listed.take(LISTED) {
            text += &format!("  {name}: {failure}\n");
        }
        if failures > LISTED {
            text += &format!("  … and {} more failures\n", failures - LISTED);
        }
        text + &format!("seed {} ({} rows each), {:.1} s\n", self.seed, self.rows, self.seconds)
    }

    fn json(&self) -> Value {
        let worst = |table: &std::collections::BTreeMap<String, Worst>| -> Map<String, Value> {
            let entry = |(measure, worst): (&String, &Worst)| {
                (measure.clone(), json!({ "relative": number(worst.relative), "case": worst.case }))
            };
            table.iter().map(entry).collect()
        };
        let device = |subject: &Subject| {
            json!({
                "device": subject.name,
                "passed": subject.check.failures.is_empty(),
                "refused": subject.refused,
                "answers": subject.answers().map(|answers| json!({
                    "fused_multiply_add": answers.fused_multiply_add,
                    "flushes_subnormals": answers.flushes_subnormals,
                    "subgroup_size": answers.subgroup_size,
                    "seconds": answers.seconds,
                })),
                "values": subject.check.compared,
                "rows": subject.rows,
                "rescued": subject.rescued,
                "largest_error_1e-6": worst(&subject.check.narrow),
                "largest_error_1e-12": if subject.takes_wide { worst(&subject.check.wide) } else { Map::new() },
                "failure_count": subject.check.failures.len(),
                "failures": subject.check.failures.iter().take(LISTED).collect::<Vec<_>>(),
            })
        };
        json!({
            "command": "verify",
            "version": env!("CARGO_PKG_VERSION"),
            "seed": self.seed,
            "generator": GENERATOR,
            "rows": self.rows,
            "seconds": self.seconds,
            "passed": self.subjects.iter().all(|subject| subject.check.failures.is_empty()),
            "devices": self.subjects.iter().map(device).collect::<Vec<_>>(),
        })
    }
}

/// One line per measure and one column per device: the largest relative error. "Exact" means that all values were equal or within
/// the absolute allowance.
fn errors<'a>(
    title: &str,
    style: Style,
    subjects: &[&'a Subject],
    worst: impl Fn(&'a Subject, &str) -> Option<&'a Worst>,
) -> String {
    let header = [title.to_owned()].into_iter().chain(subjects.iter().map(|subject| subject.name.clone()));
    let error = |worst: Option<&Worst>| worst.map_or("exact".to_owned(), |worst| format!("{:.1e}", worst.relative));
    let row = |measure: String| {
        let errors = subjects.iter().map(|subject| error(worst(subject, &measure)));
        [measure.clone()].into_iter().chain(errors).collect()
    };
    let edges = [ordered_measures(), edges().concat()].concat().into_iter().map(|measure| measure.to_string());
    let names = MEASURES.iter().map(|name| (*name).to_owned()).chain(edges);
    format!("{}\n\n", table(style, header.collect(), names.map(row).collect(), 1))
}
