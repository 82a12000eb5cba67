//! `kullback devices`: what this machine computes with.

use kullback::{AdapterInfo, SimdLevel, adapters};
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

/// Runs the command.
pub(crate) fn run(args: &DevicesArgs) -> Result<Outcome> {
    let adapters = adapters();
    let levels: Vec<&str> = SimdLevel::available().into_iter().map(SimdLevel::name).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    if args.json {
        let object = json!({
            "command": "devices",
            "version": env!("CARGO_PKG_VERSION"),
            "cpu": { "simd_levels": levels, "threads": threads },
            "adapters": adapters.iter().map(adapter_json).collect::<Vec<_>>(),
        });
        print(&format!("{object}\n"))?;
        return Ok(Outcome::Done);
    }
    let cpu = format!("CPU (--device cpu): {threads} threads, SIMD {}\n", levels.join(", "));
    let adapters = if adapters.is_empty() { NO_ADAPTER.to_owned() } else { adapter_table(&adapters) };
    print(&format!("{cpu}{adapters}\n"))?;
    Ok(Outcome::Done)
}

fn adapter_json(adapter: &AdapterInfo) -> Value {
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
    })
}

/// One column an adapter: there are few of them, and much to say of each.
fn adapter_table(adapters: &[AdapterInfo]) -> String {
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
    table(Style::Lines, header.collect(), rows.collect(), 1 + adapters.len()).to_string()
}

/// A size in the unit that keeps it short.
fn bytes(bytes: u64) -> String {
    let units = [(1_u64 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) => format!("{:.1} {unit}", bytes as f64 / *size as f64),
        None => format!("{bytes} bytes"),
    }
}
