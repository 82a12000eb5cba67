//! A call over one pair of short rows costs little besides its output.

use kullback::{Device, Divergence, Engine, Options, Rows};

#[test]
fn one_pair_allocates_nothing_but_its_output() {
    let engine = Engine::builder().device(Device::Cpu).build().expect("the CPU is always there");
    let p: Vec<f32> = (0..64).map(|i| 1.0 + (i % 7) as f32).collect();
    let q: Vec<f32> = (0..64).map(|i| 1.0 + (i % 5) as f32).collect();
    let options = Options::default();
    let call = || {
        let rows = |values| Rows::new(values, 64).expect("one row");
        engine.rowwise(&[Divergence::Kl], rows(&p), rows(&q), &options).expect("rowwise")
    };
    // What the process makes only once is made before the count.
    drop(call());
    let mut out = None;
    let counted = allocation_counter::measure(|| out = Some(call()));
    // The four: the names of the columns, the list of columns, one column, and the statuses.
    assert_eq!(counted.count_total, 4, "{counted:?}");
    assert_eq!(counted.count_current, 4, "{counted:?}: all of it is in the output");
    assert!(out.is_some_and(|out| out[Divergence::Kl][0] > 0.0));
}
