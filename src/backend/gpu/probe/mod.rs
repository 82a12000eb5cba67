//! What the kernels rely on in a device, asked when it is opened: 128 threads answer questions whose results the host knows.
//!
//! A device is refused if its arithmetic is not what the kernels need. If its subgroups are not, it is opened without them. The
//! process keeps the answers under what devices that compute alike have in common, so that engines share them. It asks again
//! after a device was lost. `docs/NUMERICS.md` says in "What a device is asked" which guarantee rests on which answer.

mod answers;
mod questions;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytemuck::{Pod, Zeroable};
use wgpu::BufferUsages as Usage;

pub use self::answers::DeviceAnswers;
use self::questions::{Questions, THREADS, judge, judge_lanes};
use super::constants::{ANSWER_WORDS, LANE_ANSWER_WORDS, QUESTION_WORDS};
use super::device::{GpuDevice, OpenOptions};
use super::guarded::guarded;
use super::opened::Opened;
use super::{pipelines, shaders};
use crate::options::GpuOptions;
use kullback_kernels::error::Result;

/// The uniform of `shaders/probe/arithmetic.wgsl`, field by field.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(super) struct ProbeParameters {
    pub(super) zero: u32,
    pub(super) questions: u32,
    pub(super) weights: u32,
    pub(super) weights_of_one: u32,
}

/// How long a device may take over its answers, even if the caller is more patient.
const PATIENCE: Duration = Duration::from_secs(10);

/// The answers of one kind of device, or why it is refused. It is locked while the device is asked.
type Verdict = Arc<Mutex<Option<std::result::Result<DeviceAnswers, String>>>>;

static VERDICTS: Mutex<Option<HashMap<String, Verdict>>> = Mutex::new(None);

fn verdict(device: &GpuDevice) -> Verdict {
    let key = device.likeness();
    let mut verdicts = VERDICTS.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(verdicts.get_or_insert_default().entry(key).or_default())
}

/// Opens a device and asks it for what the kernels rely on, again if `anew`. If its subgroups do not work, it is opened
/// without them.
pub(super) fn open(options: &OpenOptions, anew: bool) -> Result<(Arc<Opened>, DeviceAnswers)> {
    let patient =
        OpenOptions { gpu: GpuOptions { patience: options.gpu.patience.max(PATIENCE), ..options.gpu }, ..*options };
    let mut opened = Opened::new(GpuDevice::open(&patient)?);
    let answers = guarded(&opened, || ask(&opened, anew))?;
    if !answers.subgroups_refused {
        // Nobody else has it yet.
        if let Some(opened) = Arc::get_mut(&mut opened) {
            opened.device.patience = options.gpu.patience;
        }
        return Ok((opened, answers));
    }
    let without = OpenOptions { gpu: GpuOptions { subgroups: Some(false), ..options.gpu }, ..*options };
    let (opened, answers) = open(&without, anew)?;
    Ok((opened, DeviceAnswers { subgroups_refused: true, ..answers }))
}

/// What this process knows of a device. The device is asked if nobody has done so, or if `anew`.
fn ask(opened: &Arc<Opened>, anew: bool) -> Result<DeviceAnswers> {
    let device = &opened.device;
    let verdict = verdict(device);
    let mut known = verdict.lock().unwrap_or_else(PoisonError::into_inner);
    // A refusal because of a kernel stays.
    if known.is_none() || (anew && matches!(*known, Some(Ok(_)))) {
        *known = Some(questioned(opened)?);
    }
    match &*known {
        Some(Ok(answers)) => Ok(*answers),
        Some(Err(reason)) => Err(device.failed(reason.clone())),
        None => Err(device.failed("it was not asked".to_owned())),
    }
}

/// Refuses a device from now on.
pub(super) fn refuse(device: &GpuDevice, reason: &str) {
    *verdict(device).lock().unwrap_or_else(PoisonError::into_inner) = Some(Err(reason.to_owned()));
}

/// Asks a device. The inner error says why it is refused.
fn questioned(opened: &Arc<Opened>) -> Result<std::result::Result<DeviceAnswers, String>> {
    let started = Instant::now();
    let questions = Questions::new();
    let params = ProbeParameters {
        zero: 0,
        questions: questions.count() as u32,
        weights: (questions.count() * QUESTION_WORDS) as u32,
        weights_of_one: (questions.weights().len() / THREADS) as u32,
    };
    let answers = run(opened, shaders::arithmetic(), "arithmetic", &questions.words(), Some(params), {
        questions.count() * ANSWER_WORDS + THREADS
    })?;
    let judged = judge(&questions, &answers);
    let mut found = match judged {
        Ok(found) => found,
        Err(reason) => return Ok(Err(reason)),
    };
    if opened.device.caps.subgroups {
        let words = questions::lane_words();
        let answers = run(opened, shaders::subgroups(), "subgroups", &words, None, THREADS * LANE_ANSWER_WORDS)?;
        match judge_lanes(&words, &answers, opened.device.subgroup) {
            Ok(size) => found.subgroup_size = Some(size),
            Err(_) => found.subgroups_refused = true,
        }
    }
    found.seconds = started.elapsed().as_secs_f64();
    Ok(Ok(found))
}

/// Runs one workgroup of a module over some words. Returns the words it leaves.
fn run(
    opened: &Arc<Opened>,
    source: String,
    entry: &str,
    asked: &[u32],
    params: Option<ProbeParameters>,
    words: usize,
) -> Result<Vec<u32>> {
    use wgpu::BufferBindingType::{Storage, Uniform};
    let device = &opened.device;
    let kinds = [Storage { read_only: true }, Storage { read_only: false }];
    let (bindings, layout) = pipelines::layout(&device.device, entry, kinds.into_iter().chain(params.map(|_| Uniform)));
    let module = pipelines::module(device, source);
    let subgroup = ("SUBGROUP", f64::from(device.subgroup));
    let constants: &[(&str, f64)] = if params.is_none() { &[subgroup] } else { &[] };
    let pipeline = pipelines::pipeline(&device.device, &layout, &module, entry, constants);
    let bytes = (words * 4) as u64;
    opened.read(bytes, |device, commands, readback| {
        let input = device.buffer((asked.len() * 4) as u64, Usage::STORAGE | Usage::COPY_DST, false)?;
        device.queue.write_buffer(&input, 0, bytemuck::cast_slice(asked));
        let output = device.buffer(bytes, Usage::STORAGE | Usage::COPY_SRC, false)?;
        let uniform = device.buffer(size_of::<ProbeParameters>() as u64, Usage::UNIFORM | Usage::COPY_DST, false)?;
        device.queue.write_buffer(&uniform, 0, bytemuck::bytes_of(&params.unwrap_or_default()));
        let buffers = [&input, &output, &uniform].map(wgpu::Buffer::as_entire_binding);
        let bound = buffers.into_iter().take(if params.is_some() { 3 } else { 2 });
        let entry = |(binding, resource)| wgpu::BindGroupEntry { binding, resource };
        let entries: Vec<_> = (0..).zip(bound).map(entry).collect();
        let descriptor = wgpu::BindGroupDescriptor { label: Some("probe"), layout: &bindings, entries: &entries };
        let group = device.device.create_bind_group(&descriptor);
        let descriptor = wgpu::ComputePassDescriptor { label: Some("probe"), timestamp_writes: None };
        let mut pass = commands.encoder.begin_compute_pass(&descriptor);
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(1, 1, 1);
        drop(pass);
        commands.encoder.copy_buffer_to_buffer(&output, 0, readback, 0, bytes);
        Ok(())
    })
}
