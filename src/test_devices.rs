//! The devices that tests run on: software adapters, found by their drivers, never by their place in a list.

use crate::backend::gpu::AdapterChoice;
use crate::{AdapterInfo, Device, adapters};

/// Whether a missing device is a failure.
fn is_required() -> bool {
    std::env::var("KULLBACK_REQUIRE_GPU").is_ok_and(|value| value == "1")
}

fn index(what: &str, is_wanted: impl Fn(&AdapterInfo) -> bool) -> Option<usize> {
    let adapters = adapters();
    let found = adapters.iter().find(|info| is_wanted(info)).map(|info| info.index);
    assert!(
        found.is_some() || !is_required(),
        "KULLBACK_REQUIRE_GPU is set and there is no {what}; found {adapters:?}"
    );
    found
}

fn is_swiftshader(info: &AdapterInfo) -> bool {
    info.driver.contains("SwiftShader")
}

/// The first adapter of Vulkan other than SwiftShader: Mesa's, if there is no card.
pub(crate) fn vulkan() -> Option<usize> {
    index("adapter of Vulkan", |info| info.backend == "vulkan" && !is_swiftshader(info))
}

/// SwiftShader, which flushes subnormal numbers to 0.
pub(crate) fn swiftshader() -> Option<usize> {
    index("SwiftShader", is_swiftshader)
}

/// Vulkan, and GL, which has no subgroups.
pub(crate) fn vulkan_and_gl() -> Vec<Device> {
    let gl = AdapterChoice::Gl.exists();
    assert!(gl || !is_required(), "KULLBACK_REQUIRE_GPU is set and there is no adapter of GL");
    vulkan().map(Device::GpuAt).into_iter().chain(gl.then_some(Device::Gl)).collect()
}

/// Two adapters that stand for two cards, in the order in which a set holds them.
pub(crate) fn two() -> Option<[usize; 2]> {
    let (a, b) = vulkan().zip(swiftshader())?;
    Some([a.min(b), a.max(b)])
}
