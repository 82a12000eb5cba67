//! A kernel in the form that runs: one tree of steps over scalars, with every call expanded in place.
//!
//! A register holds one word per lane, and one step writes it. A cell holds one word per lane too, but any number of steps may
//! write it. Words of variables are cells, and so are results of functions that return from several places.

/// Index of a register.
pub(crate) type Register = u32;
/// Index of a cell.
pub(crate) type Cell = u32;
/// Index into [`Program::sites`].
pub(crate) type Site = u32;

/// What a step without side effects computes. `I` stands for signed integers, `U` for unsigned integers, `F` for floats. The other
/// kinds serve several types. A truth value is a word of ones, or 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Copy,
    Add,
    Subtract,
    Multiply,
    DivideI,
    DivideU,
    RemainderI,
    RemainderU,
    Negate,
    And,
    Or,
    Xor,
    Not,
    ShiftLeft,
    ShiftRightI,
    ShiftRightU,
    MinI,
    MinU,
    MaxI,
    MaxU,
    AbsI,
    SignI,
    CountOnes,
    LeadingZeros,
    TrailingZeros,
    ReverseBits,
    FirstTrailingBit,
    FirstLeadingBitI,
    FirstLeadingBitU,
    ExtractI,
    ExtractU,
    Equal,
    NotEqual,
    LessI,
    LessU,
    LessEqualI,
    LessEqualU,
    /// The condition, the value if it holds, and the value if it does not.
    Select,
    AddF,
    SubtractF,
    MultiplyF,
    DivideF,
    NegateF,
    AbsF,
    MinF,
    MaxF,
    FloorF,
    CeilF,
    RoundF,
    TruncateF,
    SignF,
    SqrtF,
    InverseSqrtF,
    /// `±(a·b) ± c` with one rounding, which is a choice of the compiler.
    Fused {
        minus_product: bool,
        minus_addend: bool,
    },
    /// The builtin `fma`.
    FmaF,
    EqualF,
    NotEqualF,
    LessF,
    LessEqualF,
    FloatOfI,
    FloatOfU,
    IOfFloat,
    UOfFloat,
}

impl Kind {
    /// The number of operands.
    pub(crate) fn operands(self) -> usize {
        use Kind::*;
        match self {
            Copy | Negate | Not | AbsI | SignI | CountOnes | LeadingZeros | TrailingZeros | ReverseBits
            | FirstTrailingBit | FirstLeadingBitI | FirstLeadingBitU | NegateF | AbsF | FloorF | CeilF | RoundF
            | TruncateF | SignF | SqrtF | InverseSqrtF | FloatOfI | FloatOfU | IOfFloat | UOfFloat => 1,
            Select | ExtractI | ExtractU | Fused { .. } | FmaF => 3,
            _ => 2,
        }
    }
}

/// A computation of one word per lane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Op {
    pub(crate) kind: Kind,
    pub(crate) to: Register,
    /// Entries beyond the operands of the kind repeat the first operand.
    pub(crate) of: [Register; 3],
    pub(crate) site: Site,
    /// A number made from the device and this instruction. Its choices come from it.
    pub(crate) key: u64,
}

impl Op {
    pub(crate) fn operands(&self) -> &[Register] {
        &self.of[..self.kind.operands()]
    }
}

/// Which memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    /// Cells of a variable: the first cell, and how many there are.
    Cells(Cell, u32),
    /// A binding, by its place in [`Program::bindings`].
    Binding(usize),
    /// A variable in workgroup memory, by its place in [`Program::shared`].
    Shared(usize),
}

/// The number of elements of an array.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    Fixed(u32),
    /// As many elements as the binding holds from this word on.
    Runtime(u32),
}

/// An index that is known only at run time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Index {
    pub(crate) register: Register,
    /// Words from one element to the next.
    pub(crate) stride: u32,
    pub(crate) limit: Limit,
}

/// A place in memory, one per lane.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) space: Space,
    pub(crate) offset: u32,
    pub(crate) indices: Vec<Index>,
}

/// What an atomic operation does with the word in memory and its operand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AtomicKind {
    /// Computes a new word from the two.
    Compute(Kind),
    Exchange,
    /// Exchanges if the word in memory equals the one in this register. The results are the old word and whether it was equal.
    CompareExchange(Register),
}

/// The lane from which a subgroup operation takes a word.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    First,
    Lane(Register),
    Down(Register),
    Up(Register),
    Xor(Register),
    InQuad(Register),
    /// Within a quad, the lane whose index differs in these bits.
    QuadSwap(u32),
}

/// The lanes of a subgroup over which an operation runs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Collective {
    All,
    UpToThis,
    BeforeThis,
}

/// One step of a workgroup.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Op(Op),
    Get {
        to: Register,
        cell: Cell,
    },
    Set {
        cell: Cell,
        from: Register,
    },
    /// Loads one word per register. Each word has an offset from the address.
    Load {
        to: Vec<Register>,
        words: Vec<u32>,
        address: Address,
        is_atomic: bool,
        site: Site,
    },
    Store {
        from: Vec<Register>,
        words: Vec<u32>,
        address: Address,
        is_atomic: bool,
        site: Site,
    },
    Atomic {
        kind: AtomicKind,
        /// Empty, or the old word, or the old word and whether it was exchanged.
        to: Vec<Register>,
        address: Address,
        value: Register,
        site: Site,
    },
    /// Picks one of several words by an index.
    Pick {
        to: Register,
        of: Vec<Register>,
        index: Register,
        site: Site,
    },
    Barrier {
        /// Whether the barrier orders workgroup memory.
        is_shared: bool,
        site: Site,
    },
    Gather {
        to: Register,
        from: Register,
        source: Source,
        site: Site,
    },
    Collect {
        to: Register,
        from: Register,
        kind: Kind,
        /// The neutral element of the operation.
        neutral: u32,
        over: Collective,
        site: Site,
        key: u64,
    },
    Ballot {
        to: Vec<Register>,
        predicate: Register,
        site: Site,
    },
    If {
        condition: Register,
        accept: Vec<Step>,
        reject: Vec<Step>,
    },
    Switch {
        selector: Register,
        cases: Vec<Case>,
    },
    Loop {
        body: Vec<Step>,
        continuing: Vec<Step>,
        break_if: Option<Register>,
        site: Site,
    },
    /// A `Return` inside the scope ends it.
    Scope(Vec<Step>),
    Break,
    Continue,
    Return,
}

/// One arm of a switch; `None` is the default.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) value: Option<u32>,
    pub(crate) body: Vec<Step>,
    pub(crate) falls_through: bool,
}

/// The value of a register before the first step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Given {
    Constant(u32),
    /// A word of a uniform.
    Uniform {
        binding: usize,
        word: u32,
    },
    /// The number of elements of a runtime array that begins at this word.
    Length {
        binding: usize,
        offset: u32,
        stride: u32,
    },
    /// A component of a number that identifies the lane or the workgroup.
    WorkgroupId(usize),
    Workgroups(usize),
    LocalId(usize),
    GlobalId(usize),
    LocalIndex,
    SubgroupSize,
    SubgroupLane,
    Subgroup,
    Subgroups,
}

/// An instruction of the source, in one expansion.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SiteInfo {
    /// A number made from the function and the expression.
    pub(crate) own: u64,
    /// A number made from these and from the calls that led there.
    pub(crate) path: u64,
    pub(crate) function: u32,
    pub(crate) line: u32,
}

/// A variable that has words bound to it.
#[derive(Clone, Debug)]
pub(crate) struct BindingInfo {
    pub(crate) name: String,
    pub(crate) binding: u32,
    /// The least number of words it has.
    pub(crate) least: u32,
}

/// A variable in workgroup memory.
#[derive(Clone, Debug)]
pub(crate) struct SharedInfo {
    pub(crate) name: String,
    pub(crate) words: u32,
}

/// A kernel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    pub(crate) size: [u32; 3],
    pub(crate) steps: Vec<Step>,
    pub(crate) registers: u32,
    pub(crate) cells: u32,
    pub(crate) given: Vec<(Register, Given)>,
    pub(crate) sites: Vec<SiteInfo>,
    pub(crate) functions: Vec<String>,
    pub(crate) bindings: Vec<BindingInfo>,
    pub(crate) shared: Vec<SharedInfo>,
}
