//! `sum` of whole numbers and decimals, which fails where the result does not fit instead of wrapping around.

use std::mem::size_of_val;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Int64Array};
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Decimal128Type, Field, FieldRef, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature};
use multiversion::multiversion;
use serde::{Deserialize, Serialize};

use crate::error::{ErrorClass, SparkError};
use crate::wire;

/// The sum of values of 64 bits or decimals; one that `tries` is NULL where the result does not fit.
pub(super) fn function(tries: bool) -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::from(Sum { tries, signature: wire::immutable(1) }))
}

#[derive(Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Sum {
    tries: bool,
    #[serde(with = "wire::arity")]
    signature: Signature,
}

impl AggregateUDFImpl for Sum {
    fn name(&self) -> &str {
        "sum"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> EngineResult<DataType> {
        Ok(match args {
            [DataType::Decimal128(precision, scale)] => {
                DataType::Decimal128(precision.saturating_add(10).min(DECIMAL128_MAX_PRECISION), *scale)
            }
            _ => DataType::Int64,
        })
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> EngineResult<Vec<FieldRef>> {
        let state = Totals::new(args.return_type().clone(), self.tries).state_type();
        Ok(vec![Arc::new(Field::new(format!("{}[sum]", args.name), state, true))])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> EngineResult<Box<dyn Accumulator>> {
        Ok(Box::new(One { totals: Totals::new(args.return_type().clone(), self.tries), values: 0 }))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> EngineResult<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Totals::new(args.return_type().clone(), self.tries)))
    }
}

/// The sum of each group in 128 bits; none where there was no value.
#[derive(Debug)]
struct Totals {
    result: DataType,
    tries: bool,
    sums: Vec<Option<i128>>,
}

impl Totals {
    fn new(result: DataType, tries: bool) -> Self {
        Self { result, tries, sums: vec![] }
    }

    fn scale(&self) -> i8 {
        if let DataType::Decimal128(_, scale) = self.result { scale } else { 0 }
    }

    fn state_type(&self) -> DataType {
        DataType::Decimal128(DECIMAL128_MAX_PRECISION, self.scale())
    }

    fn add(&mut self, group: usize, value: i128) -> EngineResult<()> {
        let sum = self.sums[group].unwrap_or(0).checked_add(value).ok_or_else(|| self.overflow())?;
        self.sums[group] = Some(sum);
        Ok(())
    }

    /// Adds values to the only group. One check for all of them: 128 bits hold more of them than there can be.
    fn add_slice(&mut self, values: &[i64]) -> EngineResult<()> {
        if values.is_empty() { Ok(()) } else { self.add(0, values.chunks(EXACT_VALUES).map(exact_sum).sum()) }
    }

    /// Adds a value to each group that is named; one check for all of them.
    fn add_each<T: Copy + Into<i128>>(&mut self, values: &[T], groups: &[usize]) -> EngineResult<()> {
        let mut overflowed = false;
        for (value, group) in values.iter().zip(groups) {
            let sum = &mut self.sums[*group];
            let (added, over) = sum.unwrap_or(0).overflowing_add((*value).into());
            *sum = Some(added);
            overflowed |= over;
        }
        if overflowed { Err(self.overflow().into()) } else { Ok(()) }
    }

    fn add_all(
        &mut self,
        values: &ArrayRef,
        groups: Option<&[usize]>,
        filter: Option<&BooleanArray>,
    ) -> EngineResult<()> {
        if let (Some(groups), None, 0) = (groups, filter, values.null_count()) {
            return match values.data_type() {
                DataType::Decimal128(..) => self.add_each(values.as_primitive::<Decimal128Type>().values(), groups),
                DataType::Int64 => self.add_each(values.as_primitive::<Int64Type>().values(), groups),
                other => Err(SparkError::internal(format_args!("a sum of {other}")).into()),
            };
        }
        let group = |row: usize| groups.map_or(0, |groups| groups[row]);
        let counts = |row: usize| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        match values.data_type() {
            DataType::Decimal128(..) => {
                for (row, value) in values.as_primitive::<Decimal128Type>().iter().enumerate() {
                    if let Some(value) = value.filter(|_| counts(row)) {
                        self.add(group(row), value)?;
                    }
                }
            }
            DataType::Int64 if groups.is_none() && filter.is_none() => {
                let values = values.as_primitive::<Int64Type>();
                let Some(nulls) = values.nulls() else { return self.add_slice(values.values()) };
                for (start, end) in nulls.valid_slices() {
                    self.add_slice(&values.values()[start..end])?;
                }
            }
            DataType::Int64 => {
                for (row, value) in values.as_primitive::<Int64Type>().iter().enumerate() {
                    if let Some(value) = value.filter(|_| counts(row)) {
                        self.add(group(row), value.into())?;
                    }
                }
            }
            other => return Err(SparkError::internal(format_args!("a sum of {other}")).into()),
        }
        Ok(())
    }

    fn results(&self, sums: &[Option<i128>]) -> EngineResult<ArrayRef> {
        match self.result {
            DataType::Decimal128(precision, scale) => {
                let limit = 10_i128.checked_pow(precision.into()).unwrap_or(i128::MAX);
                let fits = |sum: &i128| sum.unsigned_abs() < limit.unsigned_abs();
                if !self.tries && !sums.iter().flatten().all(fits) {
                    return Err(self.overflow().into());
                }
                let array: Decimal128Array = sums.iter().map(|sum| sum.filter(fits)).collect();
                Ok(Arc::new(array.with_precision_and_scale(precision, scale)?))
            }
            _ => {
                let narrow = |sum: &Option<i128>| match sum.map(i64::try_from).transpose() {
                    Err(_) if !self.tries => Err(self.overflow()),
                    sum => Ok(sum.ok().flatten()),
                };
                let sums = sums.iter().map(narrow).collect::<Result<Int64Array, _>>()?;
                Ok(Arc::new(sums))
            }
        }
    }

    fn states(&self, sums: &[Option<i128>]) -> EngineResult<ArrayRef> {
        let array: Decimal128Array = sums.iter().copied().collect();
        Ok(Arc::new(array.with_data_type(self.state_type())))
    }

    fn overflow(&self) -> SparkError {
        if let DataType::Decimal128(precision, scale) = self.result {
            let message = format!("A sum does not fit Decimal({precision}, {scale}).");
            let condition = "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION";
            return SparkError::new(ErrorClass::Arithmetic, condition, "22003", message)
                .with("precision", precision.to_string())
                .with("scale", scale.to_string());
        }
        let message = "long overflow in `sum`. Use `try_sum` to get NULL instead.";
        SparkError::new(ErrorClass::Arithmetic, "ARITHMETIC_OVERFLOW", "22003", message)
            .with("message", "long overflow")
            .with("alternative", " Use 'try_sum' to tolerate overflow and return NULL instead.")
            .with("config", "\"spark.sql.ansi.enabled\"")
    }
}

/// Of how many values [`exact_sum`] may be asked.
const EXACT_VALUES: usize = 1 << 30;

/// The sum of values in 128 bits, as fast as one that wraps around: it needs nothing but 64 bits and no branch.
///
/// Values are moved up to be without a sign. Then the upper halves alone say the sum but for less than 2^32 a value,
/// and the sum that wrapped around says the rest.
#[multiversion(targets("x86_64+avx2"))]
fn exact_sum(values: &[i64]) -> i128 {
    const SIGN: u64 = 1 << 63;
    let (mut wrapped, mut upper) = (0_u64, 0_u64);
    for value in values {
        let moved = value.cast_unsigned() ^ SIGN;
        wrapped = wrapped.wrapping_add(moved);
        upper = upper.wrapping_add(moved >> 32);
    }
    let rest = wrapped.wrapping_sub(upper << 32);
    let moved_up = i128::from(SIGN) * values.len() as i128;
    (i128::from(upper) << 32) + i128::from(rest) - moved_up
}

impl GroupsAccumulator for Totals {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> EngineResult<()> {
        self.sums.resize(total_num_groups, None);
        self.add_all(&values[0], Some(group_indices), opt_filter)
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], groups: usize) -> EngineResult<()> {
        self.update_batch(values, group_indices, None, groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> EngineResult<ArrayRef> {
        let sums = emit_to.take_needed(&mut self.sums);
        self.results(&sums)
    }

    fn state(&mut self, emit_to: EmitTo) -> EngineResult<Vec<ArrayRef>> {
        let sums = emit_to.take_needed(&mut self.sums);
        Ok(vec![self.states(&sums)?])
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> EngineResult<Vec<ArrayRef>> {
        let mut each = Self::new(self.result.clone(), self.tries);
        let groups: Vec<_> = (0..values[0].len()).collect();
        each.update_batch(values, &groups, filter, groups.len())?;
        Ok(vec![each.states(&each.sums)?])
    }

    fn size(&self) -> usize {
        self.sums.capacity() * size_of::<Option<i128>>()
    }
}

/// The sum of one group, which values may leave again where a window moves on.
#[derive(Debug)]
struct One {
    totals: Totals,
    /// How many values are in it.
    values: usize,
}

impl One {
    fn sum(&self) -> Option<i128> {
        self.totals.sums.first().copied().flatten().filter(|_| self.values > 0)
    }
}

impl Accumulator for One {
    fn update_batch(&mut self, values: &[ArrayRef]) -> EngineResult<()> {
        self.totals.sums.resize(1, None);
        self.values += values[0].len() - values[0].null_count();
        self.totals.add_all(&values[0], None, None)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> EngineResult<()> {
        self.update_batch(states)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> EngineResult<()> {
        let mut leaving = Totals::new(self.totals.result.clone(), self.totals.tries);
        leaving.sums.push(None);
        leaving.add_all(&values[0], None, None)?;
        self.values = self.values.saturating_sub(values[0].len() - values[0].null_count());
        match leaving.sums[0] {
            Some(sum) => self.totals.add(0, -sum),
            None => Ok(()),
        }
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn state(&mut self) -> EngineResult<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::try_from_array(&self.totals.states(&[self.sum()])?, 0)?])
    }

    fn evaluate(&mut self) -> EngineResult<ScalarValue> {
        ScalarValue::try_from_array(&self.totals.results(&[self.sum()])?, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + GroupsAccumulator::size(&self.totals)
    }
}
