//! `vector_sum` and `vector_avg`: arrays of floats, added element by element.

use std::mem::size_of_val;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::Accumulator;
use serde::{Deserialize, Serialize};

use super::{Gather, list_of, lists, numbers};
use crate::functions::vector::different_lengths;

/// The sum, or the mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(in crate::functions) enum Vectors {
    Sum,
    Mean,
}

impl Vectors {
    const fn function(self) -> &'static str {
        match self {
            Self::Sum => "vector_sum",
            Self::Mean => "vector_avg",
        }
    }
}

impl Gather for Vectors {
    fn name(&self) -> &'static str {
        self.function()
    }

    fn result(&self, _: &[DataType]) -> DataType {
        DataType::new_list(DataType::Float32, true)
    }

    fn state(&self, _: &[DataType]) -> Vec<DataType> {
        vec![DataType::new_list(DataType::Float64, true), DataType::Int64]
    }

    fn start(&self, _: &[DataType]) -> Box<dyn Accumulator> {
        Box::new(Sums { vectors: *self, sums: None, count: 0 })
    }
}

#[derive(Debug)]
struct Sums {
    vectors: Vectors,
    sums: Option<Vec<f64>>,
    count: i64,
}

impl Sums {
    fn add(&mut self, values: Vec<f64>, count: i64) -> EngineResult<()> {
        self.count += count;
        match &mut self.sums {
            None => self.sums = Some(values),
            Some(sums) if sums.len() == values.len() => sums.iter_mut().zip(values).for_each(|(sum, v)| *sum += v),
            Some(sums) => {
                return Err(different_lengths(self.vectors.function(), sums.len(), values.len()).into());
            }
        }
        Ok(())
    }
}

impl Accumulator for Sums {
    fn update_batch(&mut self, values: &[ArrayRef]) -> EngineResult<()> {
        for vector in lists(&values[0]).filter(|vector| vector.null_count() == 0) {
            let vector = vector.as_primitive::<Float32Type>().values().iter().map(|v| f64::from(*v)).collect();
            self.add(vector, 1)?;
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> EngineResult<()> {
        let (sums, counts) = (states[0].as_list::<i32>(), states[1].as_primitive::<Int64Type>());
        for (sums, count) in sums.iter().zip(counts.values()) {
            if let Some(sums) = sums {
                self.add(numbers::<Float64Type>(&sums), *count)?;
            }
        }
        Ok(())
    }

    fn state(&mut self) -> EngineResult<Vec<ScalarValue>> {
        let sums = match &self.sums {
            Some(sums) => list_of::<Float64Type>(sums.iter().copied())?,
            None => ScalarValue::try_from(DataType::new_list(DataType::Float64, true))?,
        };
        Ok(vec![sums, ScalarValue::Int64(Some(self.count))])
    }

    fn evaluate(&mut self) -> EngineResult<ScalarValue> {
        let divisor = if self.vectors == Vectors::Mean { self.count as f64 } else { 1.0 };
        match &self.sums {
            Some(sums) => list_of::<Float32Type>(sums.iter().map(|sum| (sum / divisor) as f32)),
            None => ScalarValue::try_from(self.vectors.result(&[])),
        }
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.sums.as_deref().map_or(0, size_of_val)
    }
}
