//! Turns the validated module into a [`Program`]. Every call is expanded in place, every value becomes scalars, and a read of a
//! variable becomes the value last written if that is known.

mod access;
mod call;
mod control;
mod expression;
mod given;
pub(crate) mod layout;
mod math;
mod operator;
mod pointer;

use std::collections::HashMap;

use naga::valid::{FunctionInfo, ModuleInfo};
use naga::{EntryPoint, Expression, Function, GlobalVariable, Handle, Module, Span};

use self::layout::Class;
use self::pointer::Pointer;
use crate::error::{Error, unsupported};
use crate::hash::{mix, of_text};
use crate::program::{Cell, Given, Kind, Op, Program, Register, Site, SiteInfo, Space, Step};
use crate::run::integers;

/// The most registers of a kernel. Calls that make several further calls could otherwise need any number.
const MOST_REGISTERS: u32 = 1 << 22;

/// What an expression is.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Words(Vec<Register>),
    Pointer(Pointer),
}

impl Value {
    fn words(self) -> Result<Vec<Register>, Error> {
        match self {
            Value::Words(words) => Ok(words),
            Value::Pointer(_) => unsupported("a pointer as a value"),
        }
    }
}

/// How a function under expansion returns.
#[derive(Clone, Debug)]
enum Returns {
    /// Only at its end. Its value is that of an expression.
    AtTheEnd,
    /// From several places, through cells.
    Through(Vec<Cell>),
}

/// One expansion of a function.
struct Frame<'a> {
    function: &'a Function,
    info: &'a FunctionInfo,
    /// Three numbers: `own` is made from the name, `path` from the name and the calls that led here; then the index of the name.
    own: u64,
    path: u64,
    name: u32,
    values: Vec<Option<Value>>,
    arguments: Vec<Value>,
    locals: Vec<Pointer>,
    returns: Returns,
}

impl Frame<'_> {
    fn class(&self, module: &Module, handle: Handle<Expression>) -> Result<Class, Error> {
        layout::class_of(self.info[handle].ty.inner_with(&module.types))
    }

    fn keep(&mut self, handle: Handle<Expression>, value: Value) {
        if let Some(slot) = self.values.get_mut(handle.index()) {
            *slot = Some(value);
        }
    }
}

/// The program so far.
pub(crate) struct Lowering<'a> {
    module: &'a Module,
    info: &'a ModuleInfo,
    /// Where the lines of the source begin.
    lines: Vec<usize>,
    program: Program,
    constants: HashMap<u32, Register>,
    /// The reverse of `constants`: the constant that a register holds.
    constant: HashMap<Register, u32>,
    given: HashMap<(u8, usize, u32), Register>,
    globals: HashMap<Handle<GlobalVariable>, Space>,
    /// The register whose value a cell holds, where that is known.
    known: HashMap<Cell, Register>,
    /// Cells in the order in which they were written.
    written: Vec<Cell>,
}

/// Lowers an entry point to a program.
pub(crate) fn lower(source: &str, module: &Module, info: &ModuleInfo, entry: usize) -> Result<Program, Error> {
    let Some(point) = module.entry_points.get(entry) else { return unsupported("no entry point") };
    let lines = std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let mut lowering = Lowering {
        module,
        info,
        lines,
        program: Program { size: point.workgroup_size, ..Program::default() },
        constants: HashMap::new(),
        constant: HashMap::new(),
        given: HashMap::new(),
        globals: HashMap::new(),
        known: HashMap::new(),
        written: Vec::new(),
    };
    lowering.entry(point, info.get_entry_point(entry))?;
    Ok(lowering.program)
}

impl<'a> Lowering<'a> {
    fn entry(&mut self, point: &'a EntryPoint, info: &'a FunctionInfo) -> Result<(), Error> {
        let name = &point.name;
        let mut frame = self.frame(&point.function, info, name, of_text(name));
        frame.arguments = self.entry_arguments(&point.function)?;
        frame.returns = Returns::Through(Vec::new());
        let mut steps = Vec::new();
        self.begin(&mut frame, &mut steps)?;
        self.block(&mut frame, &point.function.body, &mut steps)?;
        self.program.steps = steps;
        Ok(())
    }

    fn frame(&mut self, function: &'a Function, info: &'a FunctionInfo, name: &str, path: u64) -> Frame<'a> {
        let functions = &mut self.program.functions;
        let at = functions.iter().position(|known| known == name).unwrap_or_else(|| {
            functions.push(name.to_owned());
            functions.len() - 1
        });
        Frame {
            function,
            info,
            own: of_text(name),
            path,
            name: at as u32,
            values: vec![None; function.expressions.len()],
            arguments: Vec::new(),
            locals: Vec::new(),
            returns: Returns::AtTheEnd,
        }
    }

    fn register(&mut self) -> Register {
        self.program.registers += 1;
        self.program.registers - 1
    }

    fn cells(&mut self, count: u32) -> Cell {
        self.program.cells += count;
        self.program.cells - count
    }

    fn constant(&mut self, word: u32) -> Register {
        if let Some(register) = self.constants.get(&word) {
            return *register;
        }
        let register = self.register();
        self.program.given.push((register, Given::Constant(word)));
        self.constants.insert(word, register);
        self.constant.insert(register, word);
        register
    }

    fn constant_of(&self, register: Register) -> Option<u32> {
        self.constant.get(&register).copied()
    }

    /// The site of an instruction, by its number in the frame.
    fn site(&mut self, frame: &Frame<'_>, number: usize, span: Span) -> Site {
        let line = span.to_range().map_or(0, |range| self.lines.partition_point(|line| *line <= range.start));
        let [own, path] = [frame.own, frame.path].map(|hash| mix(hash, number as u64));
        self.program.sites.push(SiteInfo { own, path, function: frame.name, line: line as u32 });
        (self.program.sites.len() - 1) as Site
    }

    fn site_of(&mut self, frame: &Frame<'_>, handle: Handle<Expression>) -> Site {
        self.site(frame, handle.index(), frame.function.expressions.get_span(handle))
    }

    /// The site of a statement. `number` tells it from other sites of the frame where that matters.
    fn site_at(&mut self, frame: &Frame<'_>, number: usize, span: Span) -> Site {
        self.site(frame, (1 << 40) + number, span)
    }

    /// Adds a computation. If all operands are constants and no device has a choice, the result is a constant.
    fn compute(&mut self, out: &mut Vec<Step>, kind: Kind, of: &[Register], site: Site) -> Register {
        let constants: Option<Vec<u32>> = of.iter().map(|register| self.constant_of(*register)).collect();
        if let Some(words) = constants {
            let word = |i: usize| words.get(i).copied().unwrap_or(0);
            let mut result = [0];
            if integers::compute(kind, &mut result, [&[word(0)], &[word(1)], &[word(2)]]) {
                return self.constant(result[0]);
            }
        }
        if let (Kind::Select, &[condition, accept, reject]) = (kind, of)
            && let Some(word) = self.constant_of(condition)
        {
            return if word == 0 { reject } else { accept };
        }
        let to = self.register();
        let first = of.first().copied().unwrap_or(to);
        let operand = |i: usize| of.get(i).copied().unwrap_or(first);
        out.push(Step::Op(Op { kind, to, of: [operand(0), operand(1), operand(2)], site, key: 0 }));
        to
    }

    /// Adds a computation for each component. A scalar among vectors is used for every component.
    fn each(&mut self, out: &mut Vec<Step>, kind: Kind, of: &[&[Register]], site: Site) -> Vec<Register> {
        let count = of.iter().map(|words| words.len()).max().unwrap_or(0);
        let pick = |words: &&[Register], i: usize| words.get(i).or(words.first()).copied().unwrap_or(0);
        (0..count)
            .map(|i| {
                let of: Vec<Register> = of.iter().map(|words| pick(words, i)).collect();
                self.compute(out, kind, &of, site)
            })
            .collect()
    }
}
