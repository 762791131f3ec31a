//! `mode`: the value that there is most of; where several are, the smallest one or the largest.

use std::collections::HashMap;
use std::mem::size_of_val;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature};
use serde::{Deserialize, Serialize};

use crate::wire;

/// The aggregate of values of any type.
pub(super) fn function(greatest: bool) -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::from(Mode { greatest, signature: wire::immutable(1) }))
}

#[derive(Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Mode {
    greatest: bool,
    #[serde(with = "wire::arity")]
    signature: Signature,
}

impl AggregateUDFImpl for Mode {
    fn name(&self) -> &str {
        "mode"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> EngineResult<DataType> {
        Ok(args.first().cloned().unwrap_or(DataType::Null))
    }

    fn return_field(&self, args: &[FieldRef]) -> EngineResult<FieldRef> {
        let of = args.first().map_or(&DataType::Null, |field| field.data_type());
        let metadata = args.first().map(|field| field.metadata().clone()).unwrap_or_default();
        Ok(Arc::new(Field::new(self.name(), of.clone(), true).with_metadata(metadata)))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> EngineResult<Vec<FieldRef>> {
        let list = |name: &str, item: DataType| {
            Arc::new(Field::new(format!("{}[{name}]", args.name), DataType::new_list(item, true), true))
        };
        Ok(vec![list("values", args.return_type().clone()), list("counts", DataType::Int64)])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> EngineResult<Box<dyn Accumulator>> {
        Ok(Box::new(Counts { greatest: self.greatest, data_type: args.return_type().clone(), counts: HashMap::new() }))
    }
}

#[derive(Debug)]
struct Counts {
    greatest: bool,
    data_type: DataType,
    counts: HashMap<ScalarValue, i64>,
}

impl Counts {
    fn add(&mut self, values: &ArrayRef, count: impl Fn(usize) -> i64) -> EngineResult<()> {
        for row in 0..values.len() {
            let value = ScalarValue::try_from_array(values, row)?;
            if !value.is_null() {
                *self.counts.entry(value).or_default() += count(row);
            }
        }
        Ok(())
    }
}

impl Accumulator for Counts {
    fn update_batch(&mut self, values: &[ArrayRef]) -> EngineResult<()> {
        self.add(&values[0], |_| 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> EngineResult<()> {
        let (values, counts) = (states[0].as_list::<i32>(), states[1].as_list::<i32>());
        for (values, counts) in values.iter().zip(counts.iter()) {
            if let Some((values, counts)) = values.zip(counts) {
                let counts = counts.as_primitive::<Int64Type>();
                self.add(&values, |row| counts.value(row))?;
            }
        }
        Ok(())
    }

    fn state(&mut self) -> EngineResult<Vec<ScalarValue>> {
        let (values, counts): (Vec<_>, Vec<_>) =
            self.counts.iter().map(|(value, count)| (value.clone(), ScalarValue::Int64(Some(*count)))).unzip();
        let list =
            |items: &[ScalarValue], item: &DataType| ScalarValue::List(ScalarValue::new_list_nullable(items, item));
        Ok(vec![list(&values, &self.data_type), list(&counts, &DataType::Int64)])
    }

    fn evaluate(&mut self) -> EngineResult<ScalarValue> {
        let best = self.counts.iter().max_by(|(left, left_count), (right, right_count)| {
            let smaller = right.partial_cmp(left).unwrap_or(std::cmp::Ordering::Equal);
            let first = if self.greatest { smaller.reverse() } else { smaller };
            left_count.cmp(right_count).then(first)
        });
        match best {
            Some((value, _)) => Ok(value.clone()),
            None => ScalarValue::try_from(&self.data_type),
        }
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.counts.keys().map(|value| value.size() + size_of::<i64>()).sum::<usize>()
    }
}
