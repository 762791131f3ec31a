//! `collect_set`: each value once, in the order in which they come.

use std::collections::HashSet;
use std::mem::size_of_val;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::Accumulator;
use serde::{Deserialize, Serialize};

use super::{Gather, list, lists};

/// The values of one column without NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(in crate::functions) struct Distinct;

impl Gather for Distinct {
    fn name(&self) -> &'static str {
        "collect_set"
    }

    fn result(&self, args: &[DataType]) -> DataType {
        DataType::new_list(args.first().cloned().unwrap_or(DataType::Null), true)
    }

    fn state(&self, args: &[DataType]) -> Vec<DataType> {
        vec![self.result(args)]
    }

    fn start(&self, args: &[DataType]) -> Box<dyn Accumulator> {
        let item = args.first().cloned().unwrap_or(DataType::Null);
        Box::new(Values { item, known: HashSet::new(), values: vec![] })
    }
}

#[derive(Debug)]
struct Values {
    item: DataType,
    known: HashSet<ScalarValue>,
    values: Vec<ScalarValue>,
}

impl Accumulator for Values {
    fn update_batch(&mut self, values: &[ArrayRef]) -> EngineResult<()> {
        for row in (0..values[0].len()).filter(|row| values[0].is_valid(*row)) {
            let mut value = ScalarValue::try_from_array(&values[0], row)?;
            if !self.known.contains(&value) {
                value.compact();
                self.known.insert(value.clone());
                self.values.push(value);
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> EngineResult<()> {
        lists(&states[0]).try_for_each(|list| self.update_batch(&[list]))
    }

    fn state(&mut self) -> EngineResult<Vec<ScalarValue>> {
        Ok(vec![list(&self.values, &self.item)])
    }

    fn evaluate(&mut self) -> EngineResult<ScalarValue> {
        Ok(list(&self.values, &self.item))
    }

    fn size(&self) -> usize {
        size_of_val(self) + 2 * ScalarValue::size_of_vec(&self.values)
    }
}
