//! The numbers of the contract, for code that checks values against it.

/// The largest relative error if every weight has at most 24 significant bits.
pub const NARROW_ERROR: f64 = 1e-6;
/// The largest relative error in all other cases.
pub const WIDE_ERROR: f64 = 1e-12;
/// The absolute error that is always allowed.
pub const ABSOLUTE_ERROR: f64 = 1e-24;
/// The absolute error that is allowed for measures of first order: proportional rows that are not equal end there.
pub const FIRST_ORDER_ERROR: f64 = 1e-12;
/// A larger value may be reported as infinite: its sum may be beyond the largest float.
pub const LARGEST_VALUE: f64 = 1e300;
/// A weight that is a smaller share of its total (2⁻¹⁰¹⁹) makes a row invalid: no float can hold its digits.
pub const LEAST_SHARE: f64 = 8.0 * f64::MIN_POSITIVE;
