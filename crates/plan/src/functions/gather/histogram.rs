//! `histogram_numeric`: at the most so many bars, each at the mean of what it stands for.

use std::mem::size_of_val;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StructArray};
use arrow::datatypes::{DataType, Field, Fields, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::Accumulator;
use serde::{Deserialize, Serialize};

use super::percentile::of_type;
use super::{Gather, list, list_of, lists, numbers};

/// How many bars, of which type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(in crate::functions) struct Histogram {
    pub(in crate::functions) bars: usize,
    #[serde(with = "crate::wire::types")]
    pub(in crate::functions) of: DataType,
}

impl Histogram {
    fn fields(&self) -> Fields {
        [Field::new("x", self.of.clone(), true), Field::new("y", DataType::Float64, true)].into_iter().collect()
    }
}

impl Gather for Histogram {
    fn name(&self) -> &'static str {
        "histogram_numeric"
    }

    fn result(&self, _: &[DataType]) -> DataType {
        DataType::new_list(DataType::Struct(self.fields()), true)
    }

    fn state(&self, _: &[DataType]) -> Vec<DataType> {
        vec![DataType::new_list(DataType::Float64, true); 2]
    }

    fn start(&self, _: &[DataType]) -> Box<dyn Accumulator> {
        Box::new(Bars { histogram: self.clone(), bars: vec![] })
    }
}

/// Places and heights, in the order of the places.
#[derive(Debug)]
struct Bars {
    histogram: Histogram,
    bars: Vec<(f64, f64)>,
}

impl Bars {
    fn add(&mut self, place: f64, height: f64) {
        match self.bars.binary_search_by(|(known, _)| known.total_cmp(&place)) {
            Ok(at) => self.bars[at].1 += height,
            Err(at) => {
                self.bars.insert(at, (place, height));
                self.trim();
            }
        }
    }

    /// Makes one of the two bars that are nearest to each other.
    fn trim(&mut self) {
        if self.bars.len() <= self.histogram.bars {
            return;
        }
        let gap = |at: usize| self.bars[at + 1].0 - self.bars[at].0;
        let nearest = (0..self.bars.len() - 1).min_by(|left, right| gap(*left).total_cmp(&gap(*right)));
        if let Some(at) = nearest {
            let (place, height) = self.bars.remove(at + 1);
            let (left, other) = self.bars[at];
            let sum = other + height;
            self.bars[at] = ((left * other + place * height) / sum, sum);
        }
    }
}

impl Accumulator for Bars {
    fn update_batch(&mut self, values: &[ArrayRef]) -> EngineResult<()> {
        values[0].as_primitive::<Float64Type>().iter().flatten().for_each(|value| self.add(value, 1.0));
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> EngineResult<()> {
        for (places, heights) in lists(&states[0]).zip(lists(&states[1])) {
            let heights = numbers::<Float64Type>(&heights);
            numbers::<Float64Type>(&places)
                .into_iter()
                .zip(heights)
                .for_each(|(place, height)| self.add(place, height));
        }
        Ok(())
    }

    fn state(&mut self) -> EngineResult<Vec<ScalarValue>> {
        let places = list_of::<Float64Type>(self.bars.iter().map(|bar| bar.0))?;
        Ok(vec![places, list_of::<Float64Type>(self.bars.iter().map(|bar| bar.1))?])
    }

    fn evaluate(&mut self) -> EngineResult<ScalarValue> {
        let fields = self.histogram.fields();
        if self.bars.is_empty() {
            return ScalarValue::try_from(&self.histogram.result(&[]));
        }
        let bars = self.bars.iter().map(|(place, height)| {
            let place = of_type(*place, &self.histogram.of)?.to_array()?;
            let height = ScalarValue::Float64(Some(*height)).to_array()?;
            Ok(ScalarValue::Struct(Arc::new(StructArray::try_new(fields.clone(), vec![place, height], None)?)))
        });
        Ok(list(&bars.collect::<EngineResult<Vec<_>>>()?, &DataType::Struct(fields.clone())))
    }

    fn size(&self) -> usize {
        size_of_val(self) + size_of_val(self.bars.as_slice())
    }
}
