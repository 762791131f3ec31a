//! `skewness` and `kurtosis`: the third and the fourth central moment.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};
use serde::{Deserialize, Serialize};

/// Which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Moment {
    /// `skewness`.
    Third,
    /// `kurtosis`.
    Fourth,
}

/// The aggregate of doubles.
pub(super) fn function(moment: Moment) -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::from(CentralMoment { moment, signature: signature() }))
}

fn signature() -> Signature {
    Signature::exact(vec![DataType::Float64], Volatility::Immutable)
}

#[derive(Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct CentralMoment {
    moment: Moment,
    #[serde(skip, default = "signature")]
    signature: Signature,
}

impl AggregateUDFImpl for CentralMoment {
    fn name(&self) -> &str {
        match self.moment {
            Moment::Third => "skewness",
            Moment::Fourth => "kurtosis",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> EngineResult<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> EngineResult<Box<dyn Accumulator>> {
        Ok(Box::new(Moments { moment: self.moment, sums: Sums::default() }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> EngineResult<Vec<FieldRef>> {
        let field = |name| Arc::new(Field::new(format!("{}[{name}]", args.name), DataType::Float64, false));
        Ok(["count", "mean", "m2", "m3", "m4"].map(field).to_vec())
    }
}

/// How many values there are, their mean, and the sums of the powers of their distances from it.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    count: f64,
    mean: f64,
    m2: f64,
    m3: f64,
    m4: f64,
}

impl Sums {
    /// The sums of both together.
    fn merged(self, other: Self) -> Self {
        if other.count == 0.0 || self.count == 0.0 {
            return if self.count == 0.0 { other } else { self };
        }
        let (n1, n2) = (self.count, other.count);
        let count = n1 + n2;
        let gap = other.mean - self.mean;
        let part = gap / count;
        let cross = n1 * n2;
        Self {
            count,
            mean: self.mean + part * n2,
            m2: self.m2 + other.m2 + gap * part * cross,
            m3: self.m3
                + other.m3
                + part * part * gap * cross * (n1 - n2)
                + 3.0 * part * (n1 * other.m2 - n2 * self.m2),
            m4: self.m4
                + other.m4
                + part * part * part * gap * cross * (n1 * n1 - cross + n2 * n2)
                + 6.0 * part * part * (n1 * n1 * other.m2 + n2 * n2 * self.m2)
                + 4.0 * part * (n1 * other.m3 - n2 * self.m3),
        }
    }
}

#[derive(Debug)]
struct Moments {
    moment: Moment,
    sums: Sums,
}

impl Accumulator for Moments {
    fn update_batch(&mut self, values: &[ArrayRef]) -> EngineResult<()> {
        for value in values[0].as_primitive::<Float64Type>().iter().flatten() {
            self.sums = self.sums.merged(Sums { count: 1.0, mean: value, ..Sums::default() });
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> EngineResult<()> {
        let value = |column: usize, row: usize| states[column].as_primitive::<Float64Type>().value(row);
        for row in 0..states[0].len() {
            let [count, mean, m2, m3, m4] = std::array::from_fn(|column| value(column, row));
            self.sums = self.sums.merged(Sums { count, mean, m2, m3, m4 });
        }
        Ok(())
    }

    fn state(&mut self) -> EngineResult<Vec<ScalarValue>> {
        let Sums { count, mean, m2, m3, m4 } = self.sums;
        Ok([count, mean, m2, m3, m4].map(|value| ScalarValue::Float64(Some(value))).to_vec())
    }

    fn evaluate(&mut self) -> EngineResult<ScalarValue> {
        let Sums { count, m2, m3, m4, .. } = self.sums;
        let value = match self.moment {
            _ if count == 0.0 || m2 == 0.0 => None,
            Moment::Third => Some(count.sqrt() * m3 / (m2 * m2 * m2).sqrt()),
            Moment::Fourth => Some(count * m4 / (m2 * m2) - 3.0),
        };
        Ok(ScalarValue::Float64(value))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}
