//! What each bin adds to a value.

use rayon::prelude::*;

use crate::backend::reference::parts::parts;
use crate::engine::Engine;
use crate::input::Input;
use crate::options::Options;
use kullback_kernels::error::{Error, Result};
use kullback_kernels::measures::Divergence;

impl Engine {
    /// What each bin adds to the value of a measure: one number per bin, row after row of the result. Rows without a value are NaN.
    ///
    /// These are the terms of the textbook definition, good to two units in the last place and 1e-30 of the shares of the bin. They add up to the value. Three kinds of
    /// measures are not the sum itself: `hellinger` and `js_distance` are its root; `bhattacharyya` and `renyi` of orders other than
    /// 1 are made of the logarithm of Σ √(p̂q̂) or Σ p̂ᴬq̂¹⁻ᴬ, whose terms these are. Terms of `kl` can be negative.
    ///
    /// It is for the few rows that one wants to look into: a bin takes some hundred nanoseconds, in arithmetic of 31 digits on all
    /// threads of the CPU.
    ///
    /// ```
    /// use kullback::{Divergence, Engine, Options, Rows};
    ///
    /// let engine = Engine::builder().build()?;
    /// let (today, usual) = ([30_u32, 70], [50_u32, 50]);
    /// let (p, q) = (Rows::new(&today, 2)?, Rows::new(&usual, 2)?);
    /// let parts = engine.contributions(Divergence::Jeffreys, p, q, &Options::default())?;
    /// assert!((parts[0] - 0.102165).abs() < 1e-6 && (parts[1] - 0.067294).abs() < 1e-6);
    /// # Ok::<(), kullback::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Engine::rowwise`], and [`Error::NoParts`] for `ks` and `renyi:inf`, which are the largest of their terms.
    pub fn contributions<'a>(
        &self,
        measure: Divergence,
        p: impl Into<Input<'a>>,
        q: impl Into<Input<'a>>,
        options: &Options,
    ) -> Result<Vec<f64>> {
        let (p, q) = (p.into(), q.into());
        let problem = self.host.problem(&[measure], &p, &q, options)?;
        // It finds the rows that are errors.
        self.rowwise(&[measure], p, q, options)?;
        let of_row = |row: usize| {
            let [p_row, q_row] = problem.pairing.ranges(&(row..row + 1));
            let sides = ((&p.rows, p_row.start), (&q.rows, q_row.start));
            parts(measure, sides.0, sides.1, options.zeros, options.unit, &problem.positions)
        };
        let rows: Option<Vec<Vec<f64>>> =
            self.host.cpu.install(|| (0..problem.rows).into_par_iter().map(of_row).collect());
        rows.map(|rows| rows.concat()).ok_or_else(|| Error::NoParts { measure: measure.to_string() })
    }
}
