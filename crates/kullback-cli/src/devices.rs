//! `kullback devices`: the devices of this machine.

use kullback::{AdapterInfo, Device, DeviceAnswers, Engine, Rates, SimdLevel, adapters};
use serde_json::{Value, json};

use crate::Outcome;
use crate::args::DevicesArgs;
use crate::error::Result;
use crate::report::print;
use crate::report::table::{Style, table};

const NO_ADAPTER: &str = "\
No GPU adapter was found: everything runs on the CPU, and --device gpu is an error.
A GPU needs its driver with Vulkan (Linux, Windows), Direct3D 12 (Windows) or Metal (macOS).
Software adapter, to try the GPU path without one: apt install mesa-vulkan-drivers (Debian, Ubuntu),
dnf install mesa-vulkan-drivers (Fedora).";

const NO_HARDWARE: &str = "\
There is no hardware GPU: everything runs on the CPU, unless a software adapter is named (--device gpu:0).";

/// The lengths of rows in the report.
const BINS: [usize; 3] = [16, 64, 1024];
/// The ways in which rows reach a device, and the bytes sent per bin, for both sides together.
const WAYS: [(&str, usize); 3] = [("f32, sent", 8), ("u16, sent", 4), ("kept there", 0)];

/// Runs the command.
pub(crate) fn run(args: &DevicesArgs) -> Result<Outcome> {
    let adapters = adapters();
    let levels: Vec<&str> = SimdLevel::available().into_iter().map(SimdLevel::name).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let cpu = rates(Device::Cpu)?;
    let mut measured = vec![("cpu".to_owned(), cpu)];
    let answers: Vec<Answers> = adapters.iter().map(|adapter| ask(adapter.index)).collect();
    for adapter in adapters.iter().filter(|adapter| args.software || !adapter.is_software) {
        let device = format!("gpu:{}", adapter.index);
        match rates(Device::GpuAt(adapter.index)) {
            Ok(rates) => measured.push((device, rates)),
            Err(error) => eprintln!("kullback: {device} could not be measured: {error}"),
        }
    }
    if args.json {
        let object = json!({
            "command": "devices",
            "version": env!("CARGO_PKG_VERSION"),
            "cpu": { "simd_levels": levels, "threads": threads },
            "adapters": adapters.iter().zip(&answers).map(adapter_json).collect::<Vec<_>>(),
            "rates": measured.iter().map(|(device, rates)| rates_json(device, rates, &cpu)).collect::<Vec<_>>(),
        });
        print(&format!("{object}\n"))?;
        return Ok(Outcome::Done);
    }
    let line = format!("CPU (--device cpu): {threads} threads, SIMD {}\n", levels.join(", "));
    let no_hardware = if adapters.iter().all(|adapter| adapter.is_software) { NO_HARDWARE } else { "" };
    let adapters = if adapters.is_empty() {
        NO_ADAPTER.to_owned()
    } else {
        format!("{}\n{no_hardware}", adapter_table(&adapters, &answers))
    };
    print(&format!("{line}{}\n\n{}\n", adapters.trim_end(), rates_table(&measured, &cpu)))?;
    Ok(Outcome::Done)
}

/// What an adapter answers when it is opened, or why it is refused.
type Answers = std::result::Result<DeviceAnswers, String>;

fn ask(index: usize) -> Answers {
    let engine = Engine::builder().device(Device::GpuAt(index)).build().map_err(|error| error.to_string())?;
    let answers = engine.device_answers().into_iter().next();
    answers.map(|(_, answers)| answers).ok_or_else(|| "it was not asked".to_owned())
}

fn rates(device: Device) -> Result<Rates> {
    Ok(Engine::builder().device(device).build()?.calibrate()?)
}

fn rates_json(device: &str, rates: &Rates, cpu: &Rates) -> Value {
    let sent = rates.sent_bytes_per_second;
    let wins =
        WAYS.map(|(way, sent)| json!({ "rows": way, "from": BINS.map(|bins| rates.wins_from(cpu, bins, sent)) }));
    json!({
        "device": device,
        "call_seconds": rates.call_seconds,
        "sent_bytes_per_second": sent.is_finite().then_some(sent),
        "bins": BINS,
        "bins_per_second": rates.bins_per_second,
        "faster_than_the_cpu": if device == "cpu" { Value::Null } else { json!(wins) },
    })
}

/// The measured rates and what follows from them, with one column per device.
fn rates_table(measured: &[(String, Rates)], cpu: &Rates) -> String {
    let line = |name: String, value: &dyn Fn(&str, &Rates) -> String| -> Vec<String> {
        [name].into_iter().chain(measured.iter().map(|(device, rates)| value(device, rates))).collect()
    };
    let mut rows =
        vec![line("a call of one row, µs".to_owned(), &|_, rates| format!("{:.1}", rates.call_seconds * 1e6))];
    let has_gpu = measured.len() > 1;
    if has_gpu {
        rows.push(line("rows on their way, GB/s".to_owned(), &|_, rates| match rates.sent_bytes_per_second {
            sent if sent.is_finite() => format!("{:.1}", sent * 1e-9),
            _ => "-".to_owned(),
        }));
    }
    for (i, bins) in BINS.into_iter().enumerate() {
        rows.push(line(format!("kl of rows of {bins} bins there, million per second"), &|_, rates| {
            format!("{:.2}", rates.bins_per_second[i] / bins as f64 * 1e-6)
        }));
    }
    for (way, sent) in WAYS.into_iter().filter(|_| has_gpu) {
        for bins in BINS {
            rows.push(line(format!("faster than the CPU, {way}, {bins} bins"), &|device, rates| match rates
                .wins_from(cpu, bins, sent)
            {
                _ if device == "cpu" => "-".to_owned(),
                Some(rows) => format!("from {rows} rows"),
                None => "never".to_owned(),
            }));
        }
    }
    let header = ["measured with kl of f32".to_owned()].into_iter().chain(measured.iter().map(|(d, _)| d.clone()));
    table(Style::Lines, header.collect(), rows, 1).to_string()
}

fn adapter_json((adapter, answers): (&AdapterInfo, &Answers)) -> Value {
    json!({
        "index": adapter.index,
        "device": format!("gpu:{}", adapter.index),
        "name": adapter.name,
        "backend": adapter.backend,
        "device_type": adapter.device_type,
        "is_software": adapter.is_software,
        "driver": adapter.driver,
        "max_binding_bytes": adapter.max_binding_bytes,
        "max_buffer_bytes": adapter.max_buffer_bytes,
        "max_workgroups": adapter.max_workgroups,
        "subgroups": adapter.subgroups,
        "subgroup_size": [adapter.subgroup_size.0, adapter.subgroup_size.1],
        "features": adapter.features,
        "refused": answers.as_ref().err(),
        "answers": answers.as_ref().ok().map(|answers| json!({
            "fused_multiply_add": answers.fused_multiply_add,
            "flushes_subnormals": answers.flushes_subnormals,
            "division_error_ulp": answers.division_error,
            "root_error_ulp": answers.root_error,
            "subgroup_size": answers.subgroup_size,
            "subgroups_refused": answers.subgroups_refused,
            "seconds": answers.seconds,
        })),
    })
}

/// One column per adapter: adapters are few, and there is much to say about each.
fn adapter_table(adapters: &[AdapterInfo], answers: &[Answers]) -> String {
    type Line = (&'static str, fn(&AdapterInfo) -> String);
    let lines: [Line; 9] = [
        ("name", |adapter| adapter.name.clone()),
        ("interface", |adapter| adapter.backend.clone()),
        ("kind", |adapter| {
            let software = if adapter.is_software { " (software: only used when named)" } else { "" };
            format!("{}{software}", adapter.device_type)
        }),
        ("driver", |adapter| adapter.driver.clone()),
        ("largest binding", |adapter| bytes(adapter.max_binding_bytes)),
        ("largest buffer", |adapter| bytes(adapter.max_buffer_bytes)),
        ("workgroups a dispatch", |adapter| adapter.max_workgroups.to_string()),
        ("subgroups", |adapter| match adapter.subgroup_size {
            _ if !adapter.subgroups => "no".to_owned(),
            (low, high) if low == high => format!("of {low}"),
            (low, high) => format!("of {low} to {high}"),
        }),
        ("features", |adapter| adapter.features.clone()),
    ];
    let header =
        ["--device".to_owned()].into_iter().chain(adapters.iter().map(|adapter| format!("gpu:{}", adapter.index)));
    let rows =
        lines.iter().map(|(name, value)| [(*name).to_owned()].into_iter().chain(adapters.iter().map(value)).collect());
    type Answer = (&'static str, fn(&DeviceAnswers) -> String);
    let asked: [Answer; 4] = [
        ("checked in", |answers| format!("{:.0} ms", answers.seconds * 1e3)),
        ("fma", |answers| if answers.fused_multiply_add { "one rounding" } else { "two roundings" }.to_owned()),
        ("subnormal numbers", |answers| if answers.flushes_subnormals { "become 0" } else { "are kept" }.to_owned()),
        ("quotients, roots off by", |answers| format!("{:.1}, {:.1} ulp", answers.division_error, answers.root_error)),
    ];
    let answer = |(name, value): &Answer| {
        let refused =
            |reason: &String| if *name == "checked in" { format!("refused: {reason}") } else { String::new() };
        let answers = answers.iter().map(|answers| answers.as_ref().map_or_else(refused, value));
        [(*name).to_owned()].into_iter().chain(answers).collect()
    };
    let rows = rows.chain(asked.iter().map(answer));
    table(Style::Lines, header.collect(), rows.collect(), 1 + adapters.len()).to_string()
}

/// A size in the unit that keeps the text short.
fn bytes(bytes: u64) -> String {
    let units = [(1_u64 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) => format!("{:.1} {unit}", bytes as f64 / *size as f64),
        None => format!("{bytes} bytes"),
    }
}
