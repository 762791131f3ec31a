//! `product`: all values multiplied.

use std::mem::size_of_val;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::Accumulator;
use serde::{Deserialize, Serialize};

use super::Gather;

/// The product of doubles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(in crate::functions) struct Product;

impl Gather for Product {
    fn name(&self) -> &'static str {
        "product"
    }

    fn result(&self, _: &[DataType]) -> DataType {
        DataType::Float64
    }

    fn state(&self, _: &[DataType]) -> Vec<DataType> {
        vec![DataType::Float64]
    }

    fn start(&self, _: &[DataType]) -> Box<dyn Accumulator> {
        Box::new(Total(None))
    }
}

#[derive(Debug)]
struct Total(Option<f64>);

impl Accumulator for Total {
    fn update_batch(&mut self, values: &[ArrayRef]) -> EngineResult<()> {
        let product = values[0].as_primitive::<Float64Type>().iter().flatten().reduce(|product, value| product * value);
        self.0 = match (self.0, product) {
            (Some(total), Some(product)) => Some(total * product),
            (total, product) => total.or(product),
        };
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> EngineResult<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> EngineResult<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> EngineResult<ScalarValue> {
        Ok(ScalarValue::Float64(self.0))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}
