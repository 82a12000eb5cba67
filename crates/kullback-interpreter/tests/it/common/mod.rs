//! Shorthand for kernels of a few lines.
#![allow(dead_code, reason = "not every test file needs all of it")]
#![allow(clippy::unwrap_used, reason = "tests")]

use kullback_interpreter::{Device, Error, Kernel};

/// A kernel of one workgroup of 128 lanes, `thread`, that reads the floats `x` and writes the words `out`.
pub(crate) fn source(declarations: &str, body: &str) -> String {
    format!(
        "struct Params {{ zero: u32, count: u32 }}
        @group(0) @binding(0) var<storage, read> x: array<f32>;
        @group(0) @binding(1) var<storage, read_write> out: array<u32>;
        @group(0) @binding(2) var<uniform> params: Params;
        fn opaque(x: f32) -> f32 {{ return bitcast<f32>(bitcast<u32>(x) ^ params.zero); }}
        fn put(at: u32, value: f32) {{ out[at] = bitcast<u32>(value); }}
        {declarations}
        @compute @workgroup_size(128)
        fn main(@builtin(local_invocation_index) thread: u32) {{ {body} }}"
    )
}

/// Runs such a kernel; what it writes.
pub(crate) fn run(source: &str, x: &[f32], count: usize, device: &Device) -> Result<Vec<u32>, Error> {
    let kernel = Kernel::new(source, "main", &[])?;
    let x = x.iter().map(|x| x.to_bits()).collect();
    let mut bindings = [x, vec![0; count], vec![0, count as u32]];
    kernel.run(&mut bindings, [1, 1, 1], device)?;
    let [_, out, _] = bindings;
    Ok(out)
}

/// The same of floats.
pub(crate) fn floats(source: &str, x: &[f32], count: usize, device: &Device) -> Vec<f32> {
    run(source, x, count, device).unwrap().into_iter().map(f32::from_bits).collect()
}

/// Devices with the seeds below a number that differ from the exact one as `change` says.
pub(crate) fn devices(count: u64, change: impl Fn(&mut Device)) -> impl Iterator<Item = Device> {
    (0..count).map(move |seed| {
        let mut device = Device { seed, ..Device::exact() };
        change(&mut device);
        device
    })
}

/// Numbers between 1 and 2 that use all their bits.
pub(crate) fn numbers(count: usize) -> Vec<f32> {
    (0..count as u32).map(|i| f32::from_bits(0x3f80_0000 | i.wrapping_mul(0x9e37_79b1) >> 9)).collect()
}
