//! `max` and `min` of structs and arrays: compared element by element, NULL before all else.

use std::cmp::Ordering;
use std::mem::size_of_val;

use arrow::array::{Array, ArrayRef, make_comparator};
use arrow::compute::SortOptions;
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::Accumulator;
use serde::{Deserialize, Serialize};

use super::Gather;

/// The greatest value, or the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(in crate::functions) enum Extreme {
    Greatest,
    Least,
}

impl Gather for Extreme {
    fn name(&self) -> &'static str {
        match self {
            Self::Greatest => "max",
            Self::Least => "min",
        }
    }

    fn result(&self, args: &[DataType]) -> DataType {
        args.first().cloned().unwrap_or(DataType::Null)
    }

    fn state(&self, args: &[DataType]) -> Vec<DataType> {
        vec![self.result(args)]
    }

    fn start(&self, args: &[DataType]) -> Box<dyn Accumulator> {
        Box::new(Best { extreme: *self, of: self.result(args), best: None })
    }
}

#[derive(Debug)]
struct Best {
    extreme: Extreme,
    of: DataType,
    /// An array of one value.
    best: Option<ArrayRef>,
}

impl Best {
    fn is_better(&self, ordering: Ordering) -> bool {
        match self.extreme {
            Extreme::Greatest => ordering.is_gt(),
            Extreme::Least => ordering.is_lt(),
        }
    }
}

impl Accumulator for Best {
    fn update_batch(&mut self, values: &[ArrayRef]) -> EngineResult<()> {
        let values = &values[0];
        let order = SortOptions { descending: false, nulls_first: true };
        let compare = make_comparator(values, values, order)?;
        let present = (0..values.len()).filter(|row| values.is_valid(*row));
        let better = |best: usize, row: usize| if self.is_better(compare(row, best)) { row } else { best };
        let Some(row) = present.reduce(better) else { return Ok(()) };
        let found = values.slice(row, 1);
        let wins = match &self.best {
            Some(best) => self.is_better(make_comparator(&found, best, order)?(0, 0)),
            None => true,
        };
        if wins {
            self.best = Some(found);
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> EngineResult<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> EngineResult<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> EngineResult<ScalarValue> {
        match &self.best {
            Some(best) => ScalarValue::try_from_array(best, 0),
            None => ScalarValue::try_from(&self.of),
        }
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.best.as_ref().map_or(0, |best| best.get_array_memory_size())
    }
}
