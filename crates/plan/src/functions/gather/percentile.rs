//! `percentile`, `percentile_cont`, `percentile_disc`, `median`: exact, from how often there is each value.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::mem::size_of_val;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::Accumulator;
use serde::{Deserialize, Serialize};

use super::{Gather, list, list_of, lists, numbers};
use crate::error::{ErrorClass, SparkError};

/// Which percentiles, of values in which order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(in crate::functions) struct Percentile {
    /// The fractions, as the bits of doubles.
    pub(in crate::functions) fractions: Vec<u64>,
    /// Whether an array of results comes out.
    pub(in crate::functions) several: bool,
    /// Whether a result must be one of the values; else it may lie between two.
    pub(in crate::functions) discrete: bool,
    pub(in crate::functions) descending: bool,
    /// Whether each value counts once.
    pub(in crate::functions) distinct: bool,
    /// The type of one result.
    #[serde(with = "crate::wire::types")]
    pub(in crate::functions) result: DataType,
}

impl Gather for Percentile {
    fn name(&self) -> &'static str {
        "percentile"
    }

    fn result(&self, _: &[DataType]) -> DataType {
        if self.several { DataType::new_list(self.result.clone(), true) } else { self.result.clone() }
    }

    fn state(&self, _: &[DataType]) -> Vec<DataType> {
        [DataType::Float64, DataType::Int64].map(|item| DataType::new_list(item, true)).to_vec()
    }

    fn start(&self, _: &[DataType]) -> Box<dyn Accumulator> {
        Box::new(Counts { percentile: self.clone(), counts: HashMap::new() })
    }
}

/// How often each value is there, by the bits of the value.
#[derive(Debug)]
struct Counts {
    percentile: Percentile,
    counts: HashMap<u64, i64>,
}

impl Counts {
    fn add(&mut self, value: f64, count: i64) {
        // One zero, not two.
        *self.counts.entry((value + 0.0).to_bits()).or_default() += count;
    }

    /// Values in order, each with the number of those up to it.
    fn cumulated(&self) -> Vec<(f64, i64)> {
        let known = self.counts.iter().filter(|(_, count)| **count > 0);
        let count = |count: i64| if self.percentile.distinct { 1 } else { count };
        let mut values: Vec<_> = known.map(|(bits, times)| (f64::from_bits(*bits), count(*times))).collect();
        values.sort_by(|(left, _), (right, _)| match self.percentile.descending {
            true => right.total_cmp(left),
            false => left.total_cmp(right),
        });
        let mut total = 0;
        for (_, count) in &mut values {
            total += *count;
            *count = total;
        }
        values
    }

    fn at(&self, values: &[(f64, i64)], fraction: f64) -> EngineResult<ScalarValue> {
        let Some((_, total)) = values.last() else { return ScalarValue::try_from(&self.percentile.result) };
        let value = |position: f64| {
            let found = values.partition_point(|(_, upto)| (*upto as f64) < position + 1.0);
            values[found.min(values.len() - 1)].0
        };
        if self.percentile.discrete {
            let rank = (*total as f64 * fraction).ceil() - 1.0;
            return of_type(value(rank.max(0.0)), &self.percentile.result);
        }
        let position = (*total - 1) as f64 * fraction;
        let (lower, upper) = (value(position.floor()), value(position.ceil()));
        let between = if lower.total_cmp(&upper) == Ordering::Equal {
            lower
        } else {
            (position.ceil() - position) * lower + (position - position.floor()) * upper
        };
        of_type(between, &self.percentile.result)
    }
}

/// A computed number as a value of the type of those that it is computed of.
pub(super) fn of_type(value: f64, to: &DataType) -> EngineResult<ScalarValue> {
    let number = match to {
        DataType::Float64 | DataType::Float32 | DataType::Decimal128(..) => ScalarValue::Float64(Some(value)),
        DataType::Interval(_) => return Ok(ScalarValue::IntervalYearMonth(Some(value as i32))),
        DataType::Date32 => ScalarValue::Int32(Some(value as i32)),
        _ => ScalarValue::Int64(Some(value as i64)),
    };
    number.cast_to(to)
}

impl Accumulator for Counts {
    fn update_batch(&mut self, values: &[ArrayRef]) -> EngineResult<()> {
        let (values, counts) = (values[0].as_primitive::<Float64Type>(), values[1].as_primitive::<Int64Type>());
        for (value, count) in values.iter().zip(counts) {
            match value.zip(count) {
                Some((_, count)) if count < 0 => return Err(negative(count).into()),
                Some((value, count)) if count > 0 => self.add(value, count),
                _ => {}
            }
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> EngineResult<()> {
        let (values, counts) = (values[0].as_primitive::<Float64Type>(), values[1].as_primitive::<Int64Type>());
        values.iter().zip(counts).filter_map(|(value, count)| value.zip(count)).for_each(|(value, count)| {
            self.add(value, -count);
        });
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> EngineResult<()> {
        for (values, counts) in lists(&states[0]).zip(lists(&states[1])) {
            for (value, count) in numbers::<Float64Type>(&values).into_iter().zip(numbers::<Int64Type>(&counts)) {
                self.add(value, count);
            }
        }
        Ok(())
    }

    fn state(&mut self) -> EngineResult<Vec<ScalarValue>> {
        let values = list_of::<Float64Type>(self.counts.keys().map(|bits| f64::from_bits(*bits)))?;
        Ok(vec![values, list_of::<Int64Type>(self.counts.values().copied())?])
    }

    fn evaluate(&mut self) -> EngineResult<ScalarValue> {
        let values = self.cumulated();
        let fractions = self.percentile.fractions.iter().map(|bits| f64::from_bits(*bits));
        let mut found = fractions.map(|fraction| self.at(&values, fraction)).collect::<EngineResult<Vec<_>>>()?;
        let none = || ScalarValue::try_from(&self.percentile.result(&[]));
        match self.percentile.several {
            true if values.is_empty() => none(),
            true => Ok(list(&found, &self.percentile.result)),
            false => found.pop().map_or_else(none, Ok),
        }
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.counts.capacity() * 2 * size_of::<u64>()
    }
}

fn negative(count: i64) -> SparkError {
    let message = format!("Negative values found in {count}.");
    SparkError::new(ErrorClass::IllegalArgument, "NEGATIVE_VALUES_IN_FREQUENCY_EXPRESSION", "22003", message)
}
