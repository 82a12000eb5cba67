//! Takes a kernel from its source to its run.

use naga::ShaderStage;
use naga::back::PipelineConstants;
use naga::back::pipeline_constants::process_overrides;
use naga::valid::{Capabilities, ValidationFlags, Validator};

use crate::device::Device;
use crate::error::Error;
use crate::program::Program;
use crate::{lower, rewrite, run};

/// A compute entry point, ready to run.
#[derive(Clone, Debug)]
pub struct Kernel {
    program: Program,
}

impl Kernel {
    /// Parses and validates WGSL, applies the override constants, and picks the entry point.
    pub fn new(source: &str, entry: &str, constants: &[(&str, f64)]) -> Result<Self, Error> {
        let module = naga::front::wgsl::parse_str(source)
            .map_err(|error| Error::Parse { message: error.emit_to_string(source) })?;
        let is_entry = |stage: ShaderStage, name: &str| stage == ShaderStage::Compute && name == entry;
        if !module.entry_points.iter().any(|point| is_entry(point.stage, &point.name)) {
            return Err(Error::NoEntry { entry: entry.to_owned() });
        }
        let info = Validator::new(ValidationFlags::all(), Capabilities::all())
            .validate(&module)
            .map_err(|error| Error::Invalid { message: error.emit_to_string(source) })?;
        let mut values = PipelineConstants::default();
        for (name, value) in constants {
            values.insert((*name).to_owned(), *value);
        }
        let (module, info) = process_overrides(&module, &info, Some((ShaderStage::Compute, entry)), &values)
            .map_err(|error| Error::Constants { message: error.to_string() })?;
        let found = module.entry_points.iter().position(|point| is_entry(point.stage, &point.name));
        let Some(at) = found else { return Err(Error::NoEntry { entry: entry.to_owned() }) };
        Ok(Self { program: lower::lower(source, &module, &info, at)? })
    }

    /// Lanes per workgroup, by dimension.
    pub fn workgroup_size(&self) -> [u32; 3] {
        self.program.size
    }

    /// Runs all workgroups, one after the other. `bindings[i]` holds the words of `@group(0) @binding(i)`. The words of variables
    /// that the kernel writes are changed in place, even if it ends in an error.
    pub fn run(&self, bindings: &mut [Vec<u32>], workgroups: [u32; 3], device: &Device) -> Result<(), Error> {
        let program = rewrite::for_device(&self.program, device);
        run::run(&program, bindings, workgroups, device)
    }
}
