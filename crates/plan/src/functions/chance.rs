//! Numbers by chance that a seed and the number of a row say again.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::{Expr, lit};

use super::native::{Args, Table, native};

pub(super) const TABLE: Table = &[(CHANCE, "", ' ', chances), (SAMPLED, "", ' ', sampled), (COPIES, "", ' ', copies)];

const CHANCE: &str = "spark.chance";
/// Sources that take samples themselves know it by this name.
const SAMPLED: &str = "spark.sampled";
const COPIES: &str = "spark.copies";

/// The greatest mean for which all is computed of one number: `exp` of it is far from zero.
const STEP: f64 = 16.0;

/// A number from 0 to 1, without 1, of a seed and the number of a row.
pub(crate) fn chance(seed: Expr, row: Expr) -> Expr {
    native(CHANCE, DataType::Float64, "", vec![seed, row])
}

/// Whether the number of [`chance`] is at least `lower` and less than `upper`.
pub(crate) fn is_sampled(seed: Expr, row: Expr, lower: f64, upper: f64) -> Expr {
    native(SAMPLED, DataType::Boolean, "", vec![seed, row, lit(lower), lit(upper)])
}

/// How often a row is taken, where it is `mean` times in the mean: a number with the distribution of Poisson.
pub(crate) fn times_taken(seed: Expr, row: Expr, mean: Expr) -> Expr {
    native(COPIES, DataType::Int64, "", vec![seed, row, mean])
}

fn chances(args: &Args<'_>) -> EngineResult<ArrayRef> {
    args.numbers::<Float64Type>(|row| Ok(args.long(0, row).zip(args.long(1, row)).map(|(seed, row)| number(seed, row))))
}

fn sampled(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let is_taken = |row| {
        let luck = args.long(0, row).zip(args.long(1, row)).map(|(seed, row)| number(seed, row))?;
        let (lower, upper) = args.double(2, row).zip(args.double(3, row))?;
        Some((lower..upper).contains(&luck))
    };
    Ok(Arc::new((0..args.rows).map(is_taken).collect::<BooleanArray>()))
}

fn copies(args: &Args<'_>) -> EngineResult<ArrayRef> {
    args.numbers::<Int64Type>(|row| {
        let (Some((seed, row)), Some(mean)) = (args.long(0, row).zip(args.long(1, row)), args.double(2, row)) else {
            return Ok(None);
        };
        // The sum of such numbers is one of the sum of their means.
        let (mut rest, mut seed, mut count) = (mean, seed, 0);
        while rest > 0.0 {
            count += poisson(rest.min(STEP), number(seed, row));
            rest -= STEP;
            seed = seed.wrapping_add(1);
        }
        Ok(Some(count))
    })
}

/// The count whose share of the distribution a number from 0 to 1 falls into.
fn poisson(mean: f64, number: f64) -> i64 {
    let mut share = (-mean).exp();
    let (mut count, mut below) = (0, share);
    while number >= below && share > 0.0 {
        count += 1;
        share *= mean / count as f64;
        below += share;
    }
    count
}

/// The 53 highest bits of SplitMix64, which knows its n-th number without those before.
fn number(seed: i64, row: i64) -> f64 {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |state: u64| {
        let state = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let state = (state ^ state >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^ state >> 31
    };
    let state = mix(seed as u64).wrapping_add((row as u64).wrapping_mul(GOLDEN));
    (mix(state) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::{number, poisson};

    #[test]
    fn numbers_are_spread_evenly() {
        let mean = (0..10_000).map(|row| number(7, row)).sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
        assert_ne!(number(7, 1), number(8, 1));
    }

    #[test]
    fn counts_have_their_mean() {
        let mean = (0..10_000).map(|row| poisson(3.0, number(1, row))).sum::<i64>() as f64 / 10_000.0;
        assert!((mean - 3.0).abs() < 0.1, "{mean}");
        assert_eq!(poisson(0.0, 0.999), 0);
    }
}
