//! Arithmetic of decimals in 128 bits, for rows that fit there on the way to their results, as nearly all do.

use arrow::array::AsArray;
use arrow::array::{Array, Datum, Decimal128Array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, Decimal128Type};

use super::arithmetic::Operator;

/// `left operator right` as decimals of `precision` and `scale`; none where a row may need more than 128 bits, a result does
/// not fit, or digits would have to be rounded off.
pub(super) fn decimals(
    operator: Operator,
    left: &dyn Datum,
    right: &dyn Datum,
    (precision, scale): (u8, i8),
) -> Option<Decimal128Array> {
    let ((left, left_is_scalar), (right, right_is_scalar)) = (left.get(), right.get());
    let (left, right) = (left.as_primitive::<Decimal128Type>(), right.as_primitive::<Decimal128Type>());
    let (s1, s2) = (left.scale(), right.scale());
    let is_exact = match operator {
        Operator::Add | Operator::Subtract => scale == s1.max(s2),
        Operator::Multiply => scale == s1.checked_add(s2)?,
        Operator::Divide | Operator::Remainder => false,
    };
    if !is_exact || (left_is_scalar && left.is_null(0)) || (right_is_scalar && right.is_null(0)) {
        return None;
    }
    let up = |from: i8| 10_i128.checked_pow(u32::try_from(scale - from).ok()?);
    let limit = 10_u128.checked_pow(precision.min(DECIMAL128_MAX_PRECISION).into())?;
    let fits = |value: Option<i128>| value.filter(|value| value.unsigned_abs() < limit);
    let rows = Rows { left: left.values(), left_is_scalar, right: right.values(), right_is_scalar };
    let values = match operator {
        Operator::Multiply => rows.map(|l, r| fits(product(l, r)))?,
        _ => {
            let (left_up, right_up) = (up(s1)?, up(s2)?);
            let is_sum = operator == Operator::Add;
            rows.map(|l, r| {
                let (l, r) = (product(l, left_up)?, product(r, right_up)?);
                fits(if is_sum { l.checked_add(r) } else { l.checked_sub(r) })
            })?
        }
    };
    let nulls = NullBuffer::union(left.nulls().filter(|_| !left_is_scalar), right.nulls().filter(|_| !right_is_scalar));
    Decimal128Array::try_new(values.into(), nulls).ok()?.with_precision_and_scale(precision, scale).ok()
}

/// The product, which most values do not need 128 bits for.
fn product(left: i128, right: i128) -> Option<i128> {
    match (i64::try_from(left), i64::try_from(right)) {
        (Ok(left), Ok(right)) => Some(i128::from(left) * i128::from(right)),
        _ => left.checked_mul(right),
    }
}

struct Rows<'a> {
    left: &'a [i128],
    left_is_scalar: bool,
    right: &'a [i128],
    right_is_scalar: bool,
}

impl Rows<'_> {
    /// What `of` makes of each row; none where it makes none of one.
    fn map(&self, of: impl Fn(i128, i128) -> Option<i128>) -> Option<Vec<i128>> {
        let mut all = true;
        // No way out in the loop, which would look at the length of the result for each row.
        let mut row = |l: i128, r: i128| {
            of(l, r).unwrap_or_else(|| {
                all = false;
                0
            })
        };
        let values = match (self.left_is_scalar, self.right_is_scalar) {
            (false, false) => self.left.iter().zip(self.right).map(|(l, r)| row(*l, *r)).collect(),
            (true, _) => {
                let left = *self.left.first()?;
                self.right.iter().map(|r| row(left, *r)).collect()
            }
            (false, true) => {
                let right = *self.right.first()?;
                self.left.iter().map(|l| row(*l, right)).collect()
            }
        };
        all.then_some(values)
    }
}
