//! The questions of the probe, and what the host concludes from the answers.

use super::answers::DeviceAnswers;
use crate::backend::gpu::constants::{ANSWER_WORDS, LANE_ANSWER_WORDS, QUESTION_WORDS};
use crate::plan::kernel_key::WORKGROUP;

/// Threads that answer.
pub(super) const THREADS: usize = WORKGROUP as usize;

const QUESTIONS: usize = 256;
/// Weights that a thread adds up.
const WEIGHTS: usize = 64;

/// The allowed error of sums, products and quotients in two parts, as a part of themselves.
const PARTS_ERROR: f64 = 1.0 / (1u64 << 42) as f64;
/// The allowed error of p·r − q, as a part of p·r.
const U_ERROR: f64 = crate::backend::gpu::collect::U_ERROR;
/// The allowed error of a compensated total, as a part of itself.
const TOTAL_ERROR: f64 = 1.0 / (1u64 << 23) as f64;
/// The allowed error of a quotient and of a square root, in units of the last place. WGSL promises 2.5 for a quotient. For a
/// root it promises what an inverse square root and a quotient leave.
const DIVISION_ERROR: f64 = 3.0;
const ROOT_ERROR: f64 = 5.0;

/// What one question contains.
#[derive(Clone, Copy, Debug)]
struct Question {
    /// For a sum of two numbers.
    a: f32,
    b: f32,
    /// For sums, products and quotients of numbers in two parts; both are positive.
    c: [f32; 2],
    d: [f32; 2],
    /// For p·r − q.
    p: f32,
    ratio: [f32; 2],
    q: f32,
    /// Bits that must arrive unchanged.
    word: u32,
    /// Whole numbers of ten bits are cut out of this.
    numbers: u32,
}

/// All questions.
pub(super) struct Questions {
    questions: Vec<Question>,
    weights: Vec<f32>,
}

/// A linear congruential generator, whose upper bits are enough here. Source of the constants: D. E. Knuth, MMIX.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }

    /// A positive float whose exponent is within a bound, either way.
    fn float(&mut self, bound: i32) -> f32 {
        let exponent = (self.bits() % (2 * bound as u32 + 1)) as i32 - bound;
        f32::from_bits((((exponent + 127) as u32) << 23) | (self.bits() >> 9))
    }

    /// A number in two parts. The second part is below half a unit of the first.
    fn parts(&mut self, bound: i32) -> [f32; 2] {
        let high = self.float(bound);
        let share = (f64::from(self.bits()) / f64::from(u32::MAX) - 0.5) * f64::from(f32::EPSILON) * 0.9;
        [high, (f64::from(high) * share) as f32]
    }
}

impl Questions {
    /// The same questions every time.
    pub(super) fn new() -> Self {
        let mut random = Random(1);
        let words = [0x7fc0_0001, 0x8000_0000, 1, 0xff80_0001];
        let question = |i: usize| {
            let (a, b) = (random.float(90), random.float(90));
            // Half of the differences cancel.
            let b = if i.is_multiple_of(4) { a * (1.0 + random.float(20) * 2f32.powi(-40)) } else { b };
            let (c, d) = (random.parts(30), random.parts(30));
            let (p, ratio) = (random.float(40), random.parts(40));
            let off = 1.0 + (f64::from(random.bits()) / f64::from(u32::MAX) - 0.5) * 10f64.powi(-(i as i32 % 8));
            let q = (f64::from(p) * f64::from(ratio[0]) * off) as f32;
            let word = if i % 8 < words.len() { words[i % 8] } else { random.bits() };
            Question { a, b: if i.is_multiple_of(2) { -b } else { b }, c, d, p, ratio, q, word, numbers: random.bits() }
        };
        let questions = (0..QUESTIONS).map(question).collect();
        let mut random = Random(2);
        // The last digits of each weight are below those of the sum, and all on one side.
        let small = |random: &mut Random| 2f32.powi(-25) * (1.0 + random.bits() as f32 / u32::MAX as f32);
        let weight = |i: usize| if i.is_multiple_of(WEIGHTS) { 1.0 } else { small(&mut random) };
        Self { questions, weights: (0..THREADS * WEIGHTS).map(weight).collect() }
    }

    pub(super) fn count(&self) -> usize {
        self.questions.len()
    }

    pub(super) fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// The questions and then the weights, as the device reads them.
    pub(super) fn words(&self) -> Vec<u32> {
        let mut words = vec![0; self.count() * QUESTION_WORDS];
        for (question, to) in self.questions.iter().zip(words.chunks_exact_mut(QUESTION_WORDS)) {
            let Question { a, b, c, d, p, ratio, q, word, numbers } = *question;
            let floats = [a, b, c[0], c[1], d[0], d[1], p, ratio[0], ratio[1], q].map(f32::to_bits);
            to[..floats.len()].copy_from_slice(&floats);
            to[10..14].copy_from_slice(&[word, numbers, 2f32.powi(-100).to_bits(), 2f32.powi(-30).to_bits()]);
        }
        words.extend(self.weights.iter().map(|weight| weight.to_bits()));
        words
    }
}

/// Words that the threads of subgroups exchange.
pub(super) fn lane_words() -> Vec<u32> {
    let mut random = Random(3);
    (0..THREADS).map(|_| random.bits()).collect()
}

fn parts(words: &[u32]) -> f64 {
    words[..2].iter().map(|word| f64::from(f32::from_bits(*word))).sum()
}

fn float(word: u32) -> f64 {
    f64::from(f32::from_bits(word))
}

/// An error unless a value is near another, within a part `error` of `size`.
fn near(what: &str, got: f64, want: f64, error: f64, size: f64) -> Result<(), String> {
    // Written so that a NaN is far.
    if (got - want).abs() <= error * size.abs() { Ok(()) } else { Err(format!("{what}: {got:e} for {want:e}")) }
}

/// An error unless bits are those of a float. A 0 may have either sign.
fn same(what: &str, got: u32, want: f32) -> Result<(), String> {
    let is_zero = |bits: u32| bits << 1 == 0;
    let ok = got == want.to_bits() || (is_zero(got) && is_zero(want.to_bits()));
    if ok { Ok(()) } else { Err(format!("{what}: {:e} for {want:e}", f32::from_bits(got))) }
}

/// The exact sum of two floats: the rounded sum, and the rest.
fn two_sum(a: f32, b: f32) -> [f32; 2] {
    let sum = a + b;
    let back = sum - a;
    [sum, (a - (sum - back)) + (b - back)]
}

/// An error in units of the last place of a value.
fn units(got: f64, want: f64) -> f64 {
    let unit = f64::from(f32::EPSILON) * 2f64.powi(want.abs().log2().floor() as i32);
    (got - want).abs() / unit
}

/// What the answers say of the device. An error says why it is refused.
pub(super) fn judge(questions: &Questions, answers: &[u32]) -> Result<DeviceAnswers, String> {
    let mut found = DeviceAnswers {
        fused_multiply_add: true,
        flushes_subnormals: false,
        division_error: 0.0,
        root_error: 0.0,
        subgroup_size: None,
        subgroups_refused: false,
        seconds: 0.0,
    };
    for (question, answer) in questions.questions.iter().zip(answers.chunks_exact(ANSWER_WORDS)) {
        let Question { a, b, c, d, p, ratio, q, word, numbers } = *question;
        let [sum, rest] = two_sum(a, b);
        same("a sum is not rounded to the nearest", answer[0], sum)?;
        same("what rounding leaves of a sum is lost", answer[1], rest)?;
        let product = c[0] * d[0];
        let left = (f64::from(c[0]) * f64::from(d[0]) - f64::from(product)) as f32;
        same("a product is not rounded to the nearest", answer[2], product)?;
        same("what rounding leaves of a product is lost", answer[3], left)?;
        let [x, y] = [c, d].map(|parts| f64::from(parts[0]) + f64::from(parts[1]));
        for (what, at, want) in [("sum", 4, x + y), ("product", 6, x * y), ("quotient", 8, x / y)] {
            near(&format!("a {what} in two parts is off"), parts(&answer[at..]), want, PARTS_ERROR, want)?;
        }
        let (quotient, root) = (f64::from(c[0]) / f64::from(d[0]), f64::from(c[0]).sqrt());
        found.division_error = found.division_error.max(units(float(answer[10]), quotient));
        found.root_error = found.root_error.max(units(float(answer[11]), root));
        let high = f64::from(p) * f64::from(ratio[0]);
        let want = (high - f64::from(q)) + f64::from(p) * f64::from(ratio[1]);
        // The rounding of the difference itself is allowed too.
        let size = high.abs() + want.abs() / U_ERROR * f64::from(f32::EPSILON);
        near("a difference of weights on one scale is off", float(answer[12]), want, U_ERROR, size)?;
        if answer[13..17].iter().any(|got| *got != word) {
            return Err(format!("the word {word:#x} became {:#x?} on its way", &answer[13..17]));
        }
        let numbers = (0..16).map(|i| ((numbers >> (i & 7)) & 0x3ff) * ((numbers >> (21 - i)) & 0x3ff));
        same("sixteen products of whole numbers do not add up", answer[17], numbers.sum::<u32>() as f32)?;
        found.fused_multiply_add &= f32::from_bits(answer[18]) == left;
        found.flushes_subnormals |= answer[19] == 0;
    }
    // Written so that a NaN is too large.
    if !(found.division_error <= DIVISION_ERROR && found.root_error <= ROOT_ERROR) {
        let DeviceAnswers { division_error, root_error, .. } = found;
        return Err(format!(
            "quotients are off by {division_error:.1} and square roots by {root_error:.1} units in the last place; \
             {DIVISION_ERROR} and {ROOT_ERROR} are allowed"
        ));
    }
    let totals = &answers[questions.count() * ANSWER_WORDS..];
    for (weights, total) in questions.weights.chunks(WEIGHTS).zip(totals) {
        let want = weights.iter().map(|weight| f64::from(*weight)).sum();
        near("a compensated total is off", float(*total), want, TOTAL_ERROR, want)?;
    }
    Ok(found)
}

/// The size of the subgroups, or an error if they are not as the kernels expect.
pub(super) fn judge_lanes(words: &[u32], answers: &[u32], smallest: u32) -> Result<u32, String> {
    let size = answers[1];
    if size < smallest || !size.is_power_of_two() {
        return Err(format!("subgroups of {size} threads, where the smallest has {smallest}"));
    }
    for (thread, answer) in answers.chunks_exact(LANE_ANSWER_WORDS).enumerate() {
        if answer[1] != size || answer[0] != thread as u32 % size {
            return Err(format!("thread {thread} is number {} of a subgroup of {}", answer[0], answer[1]));
        }
        let distances = (0..).map(|bit| 1_usize << bit).take_while(|distance| *distance < smallest as usize);
        for (distance, got) in distances.zip(answer[2..].chunks_exact(2)) {
            let other = thread ^ distance;
            if got != [other as u32, words[other]] {
                return Err(format!("over a distance of {distance} thread {thread} got {got:?} of thread {other}"));
            }
        }
    }
    Ok(size)
}
