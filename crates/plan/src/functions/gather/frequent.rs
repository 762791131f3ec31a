//! `freqItems`: values that are frequent, in bounded memory (Karp, Shenker and Papadimitriou).

use std::collections::HashMap;
use std::mem::size_of_val;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::Accumulator;
use serde::{Deserialize, Serialize};

use super::{Gather, list, list_of, lists, numbers};

/// How many values are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(in crate::functions) struct Frequent(pub(in crate::functions) usize);

impl Gather for Frequent {
    fn name(&self) -> &'static str {
        "collect_frequent_items"
    }

    fn result(&self, args: &[DataType]) -> DataType {
        DataType::new_list(args.first().cloned().unwrap_or(DataType::Null), true)
    }

    fn state(&self, args: &[DataType]) -> Vec<DataType> {
        vec![self.result(args), DataType::new_list(DataType::Int64, true)]
    }

    fn start(&self, args: &[DataType]) -> Box<dyn Accumulator> {
        let item = args.first().cloned().unwrap_or(DataType::Null);
        Box::new(Counts { size: self.0, item, counts: HashMap::new(), seen: 0 })
    }
}

#[derive(Debug)]
struct Counts {
    size: usize,
    item: DataType,
    /// How often a value came, and its place among those that came. NULL is a value as any other.
    counts: HashMap<ScalarValue, Kept>,
    seen: usize,
}

#[derive(Debug)]
struct Kept {
    count: i64,
    place: usize,
}

impl Counts {
    fn add(&mut self, mut value: ScalarValue, count: i64) {
        if let Some(known) = self.counts.get_mut(&value) {
            known.count += count;
            return;
        }
        value.compact();
        self.seen += 1;
        let new = Kept { count, place: self.seen };
        if self.counts.len() < self.size {
            self.counts.insert(value, new);
            return;
        }
        // The new value and as many of each kept one go.
        let least = self.counts.values().map(|known| known.count).min().unwrap_or(0);
        let gone = least.min(count);
        if count >= least {
            self.counts.insert(value, new);
        }
        self.counts.retain(|_, known| {
            known.count -= gone;
            known.count > 0
        });
    }

    /// The values in the order in which they came.
    fn in_order(&self) -> Vec<(&ScalarValue, &Kept)> {
        let mut kept: Vec<_> = self.counts.iter().collect();
        kept.sort_by_key(|(_, kept)| kept.place);
        kept
    }
}

impl Accumulator for Counts {
    fn update_batch(&mut self, values: &[ArrayRef]) -> EngineResult<()> {
        for row in 0..values[0].len() {
            self.add(ScalarValue::try_from_array(&values[0], row)?, 1);
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> EngineResult<()> {
        for (values, counts) in lists(&states[0]).zip(states[1].as_list::<i32>().iter().flatten()) {
            for (row, count) in numbers::<Int64Type>(&counts).into_iter().enumerate() {
                self.add(ScalarValue::try_from_array(&values, row)?, count);
            }
        }
        Ok(())
    }

    fn state(&mut self) -> EngineResult<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?, list_of::<Int64Type>(self.in_order().into_iter().map(|(_, kept)| kept.count))?])
    }

    fn evaluate(&mut self) -> EngineResult<ScalarValue> {
        let values: Vec<_> = self.in_order().into_iter().map(|(value, _)| value.clone()).collect();
        Ok(list(&values, &self.item))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.counts.keys().map(|value| value.size() + size_of::<Kept>()).sum::<usize>()
    }
}
