//! The engines of the tests: the CPU, the oracle, and every kind of adapter.

use std::sync::{Arc, OnceLock};

use kullback::{Device, Engine, EngineBuilder, SimdLevel};

/// Makes the engine of a test. If there is no such device and none is required, it prints a line that says so and returns `None`.
pub type MakeEngine = fn() -> Option<Arc<Engine>>;

pub fn cpu() -> Option<Arc<Engine>> {
    Some(Arc::new(Engine::builder().device(Device::Cpu).build().expect("the CPU is always there")))
}

pub fn level(level: SimdLevel) -> Option<Arc<Engine>> {
    if !SimdLevel::available().contains(&level) {
        eprintln!("skipped: this machine has no {}", level.name());
        return None;
    }
    Some(Arc::new(Engine::builder().device(Device::Cpu).simd_level(level).build().expect("the level is available")))
}

/// A builder for the first adapter of `backend`, except SwiftShader, which has tests of its own. Through Vulkan the shaders are
/// checked; through other backends they are those that users run.
#[cfg(feature = "gpu")]
pub fn adapter(backend: &str) -> Option<EngineBuilder> {
    if backend != "gl" {
        let found = builder(backend, |info| info.backend == backend && !is_swiftshader(info));
        return found.map(|builder| builder.gpu(|gpu| gpu.checked_shaders = true));
    }
    let gl = Engine::builder().device(Device::Gl);
    match gl.build() {
        Ok(_) => Some(gl),
        Err(error) => {
            assert!(!is_required(), "KULLBACK_REQUIRE_GPU is set: {error}");
            eprintln!("skipped: {error}");
            None
        }
    }
}

/// Whether GPUs run every combination of measures, types, lengths and policies, as `scripts/test full` asks. Each combination is a
/// kernel, and a software driver compiles for half a second. Else the first Vulkan adapter runs nearly all of them, and the others a
/// part that covers each measure, type, length and policy.
pub fn is_thorough() -> bool {
    std::env::var("KULLBACK_THOROUGH").is_ok_and(|value| value == "1")
}

/// Whether a missing device is a failure.
#[cfg(feature = "gpu")]
fn is_required() -> bool {
    std::env::var("KULLBACK_REQUIRE_GPU").is_ok_and(|value| value == "1")
}

/// A builder for SwiftShader, which turns subnormal numbers into 0, as many GPUs do.
#[cfg(feature = "gpu")]
pub fn swiftshader() -> Option<EngineBuilder> {
    builder("SwiftShader", is_swiftshader)
}

#[cfg(feature = "gpu")]
fn is_swiftshader(info: &kullback::AdapterInfo) -> bool {
    info.driver.contains("SwiftShader")
}

/// A builder for a wanted adapter. `KULLBACK_REQUIRE_GPU=1` makes its absence a failure.
#[cfg(feature = "gpu")]
fn builder(name: &str, is_wanted: impl Fn(&kullback::AdapterInfo) -> bool) -> Option<EngineBuilder> {
    let adapters = kullback::adapters();
    match adapters.iter().find(|info| is_wanted(info)) {
        Some(info) => Some(Engine::builder().device(Device::GpuAt(info.index))),
        None if is_required() => {
            panic!("KULLBACK_REQUIRE_GPU is set and there is no {name} adapter; found {adapters:?}")
        }
        None => {
            eprintln!("skipped: no {name} adapter");
            None
        }
    }
}

/// The CPU, the oracle, and every kind of adapter there is. They are opened once.
pub fn every_engine() -> Vec<Arc<Engine>> {
    static ENGINES: OnceLock<Vec<Arc<Engine>>> = OnceLock::new();
    let open = || {
        #[cfg_attr(not(feature = "gpu"), expect(unused_mut, reason = "there are more with a GPU"))]
        let mut builders = vec![Engine::builder().device(Device::Cpu), Engine::builder().device(Device::Reference)];
        #[cfg(feature = "gpu")]
        builders.extend([adapter("vulkan"), adapter("gl"), swiftshader()].into_iter().flatten());
        builders.into_iter().map(|builder| Arc::new(builder.build().expect("an engine"))).collect()
    };
    ENGINES.get_or_init(open).clone()
}

pub fn oracle() -> Engine {
    Engine::builder().device(Device::Reference).build().expect("the reference is always there")
}
