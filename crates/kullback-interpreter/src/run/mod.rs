//! Runs a program: a whole workgroup in step, with a mask of the active lanes.

mod control;
mod floats;
pub(crate) mod integers;
mod mask;
mod memory;
mod shared;
mod subgroups;

use self::floats::Floats;
use self::mask::Mask;
use self::shared::Shared;
use crate::device::{Device, SUBGROUPS};
use crate::error::{Error, Place};
use crate::program::{Given, Op, Program, Register, Site, Space, Step};

/// The most iterations of a loop, from one entry to its end.
pub(crate) const MOST_ITERATIONS: u64 = 1 << 21;
/// The most lanes of a workgroup.
const MOST_LANES: u32 = 1024;

/// A running workgroup.
struct Machine<'a> {
    program: &'a Program,
    bindings: &'a mut [Vec<u32>],
    floats: Floats,
    lanes: usize,
    /// Lanes per subgroup.
    subgroup: usize,
    /// The lanes in the order in which they access memory.
    order: Vec<usize>,
    is_in_order: bool,
    registers: Vec<Vec<u32>>,
    cells: Vec<Vec<u32>>,
    shared: Vec<Shared>,
    /// The lanes that run the present step.
    active: Mask,
    /// For each loop and switch around the present step, the lanes that have left it.
    broken: Vec<Mask>,
    /// For each loop around the present step, the lanes that wait for its continuing part.
    continued: Vec<Mask>,
    /// Masks that are not in use.
    spare: Vec<Mask>,
    /// The places of an access, one per lane.
    places: Vec<u32>,
}

/// Runs all workgroups of a program that was made for a device.
pub(crate) fn run(
    program: &Program,
    bindings: &mut [Vec<u32>],
    workgroups: [u32; 3],
    device: &Device,
) -> Result<(), Error> {
    if !SUBGROUPS.contains(&device.subgroup) {
        return Err(Error::NoSuchDevice { what: format!("subgroups of {}", device.subgroup) });
    }
    if device.division_ulp.is_nan() || device.division_ulp < 0.0 {
        return Err(Error::NoSuchDevice { what: format!("division to {} ulp", device.division_ulp) });
    }
    let Some(lanes) = product(program.size).filter(|lanes| (1..=MOST_LANES).contains(lanes)) else {
        return Err(Error::Unsupported { what: format!("a workgroup of {:?}", program.size) });
    };
    let lanes = lanes as usize;
    check_bindings(program, bindings)?;
    let mut machine = Machine {
        program,
        bindings,
        floats: Floats::new(device),
        lanes,
        subgroup: device.subgroup as usize,
        order: device.order(lanes),
        is_in_order: device.order(lanes).is_sorted(),
        registers: vec![vec![0; lanes]; program.registers as usize],
        cells: vec![Vec::new(); program.cells as usize],
        shared: program.shared.iter().map(|info| Shared::new(info.words as usize)).collect(),
        active: Mask::full(lanes),
        broken: Vec::new(),
        continued: Vec::new(),
        spare: Vec::new(),
        places: vec![0; lanes],
    };
    machine.make_cells(&program.steps);
    let [x, y, _] = workgroups;
    let Some(all) = product(workgroups) else {
        return Err(Error::Unsupported { what: format!("{workgroups:?} workgroups") });
    };
    for number in device.order(all as usize) {
        let number = number as u32;
        machine.workgroup([number % x, number / x % y, number / x / y], workgroups)?;
    }
    Ok(())
}

fn product(sizes: [u32; 3]) -> Option<u32> {
    sizes.into_iter().try_fold(1_u32, u32::checked_mul)
}

/// Checks that every variable has its words.
fn check_bindings(program: &Program, bindings: &[Vec<u32>]) -> Result<(), Error> {
    for info in &program.bindings {
        let Some(words) = bindings.get(info.binding as usize) else {
            let variable = info.name.clone();
            return Err(Error::NotBound { variable, binding: info.binding, bindings: bindings.len() });
        };
        if words.len() < info.least as usize {
            return Err(Error::OutOfBounds {
                variable: info.name.clone(),
                index: u64::from(info.least) - 1,
                length: words.len() as u64,
                lane: 0,
                place: Place { function: "all of it".to_owned(), line: 0 },
            });
        }
    }
    Ok(())
}

impl Machine<'_> {
    fn workgroup(&mut self, id: [u32; 3], workgroups: [u32; 3]) -> Result<(), Error> {
        self.active.fill();
        self.shared.iter_mut().for_each(Shared::clear);
        let program = self.program;
        let size = program.size;
        for (register, given) in &program.given {
            let mut words = std::mem::take(&mut self.registers[*register as usize]);
            for (lane, word) in (0_u32..).zip(&mut words) {
                let local = [lane % size[0], lane / size[0] % size[1], lane / size[0] / size[1]];
                let subgroup = self.subgroup as u32;
                *word = match *given {
                    Given::Constant(constant) => constant,
                    Given::Uniform { binding, word } => self.word_of(binding, word),
                    Given::Length { binding, offset, stride } => self.length_of(binding, offset, stride),
                    Given::WorkgroupId(i) => id[i],
                    Given::Workgroups(i) => workgroups[i],
                    Given::LocalId(i) => local[i],
                    Given::GlobalId(i) => id[i].wrapping_mul(size[i]).wrapping_add(local[i]),
                    Given::LocalIndex => lane,
                    Given::SubgroupSize => subgroup,
                    Given::SubgroupLane => lane % subgroup,
                    Given::Subgroup => lane / subgroup,
                    Given::Subgroups => (self.lanes as u32).div_ceil(subgroup),
                };
            }
            self.registers[*register as usize] = words;
        }
        self.block(&program.steps)
    }

    /// Makes the cells that the steps use.
    fn make_cells(&mut self, steps: &[Step]) {
        for step in steps {
            let cells = match step {
                Step::Get { cell, .. } | Step::Set { cell, .. } => *cell..*cell + 1,
                Step::Load { address, .. } | Step::Store { address, .. } => match address.space {
                    Space::Cells(first, count) => first..first + count,
                    _ => 0..0,
                },
                _ => 0..0,
            };
            for cell in cells {
                self.cells[cell as usize].resize(self.lanes, 0);
            }
            match step {
                Step::If { accept, reject, .. } => {
                    self.make_cells(accept);
                    self.make_cells(reject);
                }
                Step::Loop { body, continuing, .. } => {
                    self.make_cells(body);
                    self.make_cells(continuing);
                }
                Step::Switch { cases, .. } => cases.iter().for_each(|case| self.make_cells(&case.body)),
                Step::Scope(steps) => self.make_cells(steps),
                _ => {}
            }
        }
    }

    fn words(&self, register: Register) -> &[u32] {
        &self.registers[register as usize]
    }

    fn place(&self, site: Site) -> Place {
        let info = self.program.sites.get(site as usize);
        let function = info.and_then(|info| self.program.functions.get(info.function as usize));
        Place { function: function.cloned().unwrap_or_default(), line: info.map_or(0, |info| info.line) }
    }

    /// Computes on all lanes. Inactive lanes may compute too, because nothing reads their results.
    fn compute(&mut self, op: &Op) {
        let mut to = std::mem::take(&mut self.registers[op.to as usize]);
        let of = op.of.map(|register| self.words(register));
        if !integers::compute(op.kind, &mut to, of) {
            self.floats.compute(op, &mut to, of);
        }
        self.registers[op.to as usize] = to;
    }
}
