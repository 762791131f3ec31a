//! `regr_slope` and its kin: the line that is nearest to pairs of numbers.

use std::mem::size_of_val;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::Accumulator;
use serde::{Deserialize, Serialize};

use super::Gather;

/// Which figure of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(in crate::functions) enum Regression {
    AverageX,
    AverageY,
    Count,
    Intercept,
    R2,
    Slope,
    Sxx,
    Sxy,
    Syy,
}

impl Regression {
    /// The figure of the function of this name.
    pub(in crate::functions) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "regr_avgx" => Self::AverageX,
            "regr_avgy" => Self::AverageY,
            "regr_count" => Self::Count,
            "regr_intercept" => Self::Intercept,
            "regr_r2" => Self::R2,
            "regr_slope" => Self::Slope,
            "regr_sxx" => Self::Sxx,
            "regr_sxy" => Self::Sxy,
            "regr_syy" => Self::Syy,
            _ => return None,
        })
    }
}

impl Gather for Regression {
    fn name(&self) -> &'static str {
        "regression"
    }

    fn result(&self, _: &[DataType]) -> DataType {
        if *self == Self::Count { DataType::Int64 } else { DataType::Float64 }
    }

    fn state(&self, _: &[DataType]) -> Vec<DataType> {
        vec![DataType::Float64; 6]
    }

    fn start(&self, _: &[DataType]) -> Box<dyn Accumulator> {
        Box::new(Pairs { regression: *self, sums: Sums::default() })
    }
}

/// How many pairs there are, the means, and the sums of the products of the distances from them.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    count: f64,
    x: f64,
    y: f64,
    xy: f64,
    xx: f64,
    yy: f64,
}

impl Sums {
    fn merged(self, other: Self) -> Self {
        let count = self.count + other.count;
        if self.count == 0.0 || other.count == 0.0 {
            return if self.count == 0.0 { other } else { self };
        }
        let (dx, dy) = (other.x - self.x, other.y - self.y);
        let (dx_part, dy_part) = (dx / count, dy / count);
        Self {
            count,
            x: self.x + dx_part * other.count,
            y: self.y + dy_part * other.count,
            xy: self.xy + other.xy + dx * dy_part * self.count * other.count,
            xx: self.xx + other.xx + dx * dx_part * self.count * other.count,
            yy: self.yy + other.yy + dy * dy_part * self.count * other.count,
        }
    }

    fn with(self, x: f64, y: f64) -> Self {
        let count = self.count + 1.0;
        let (dx, dy) = (x - self.x, y - self.y);
        let (mean_x, mean_y) = (self.x + dx / count, self.y + dy / count);
        Self {
            count,
            x: mean_x,
            y: mean_y,
            xy: self.xy + dx * (y - mean_y),
            xx: self.xx + dx * (x - mean_x),
            yy: self.yy + dy * (y - mean_y),
        }
    }
}

#[derive(Debug)]
struct Pairs {
    regression: Regression,
    sums: Sums,
}

impl Accumulator for Pairs {
    fn update_batch(&mut self, values: &[ArrayRef]) -> EngineResult<()> {
        let (ys, xs) = (values[0].as_primitive::<Float64Type>(), values[1].as_primitive::<Float64Type>());
        for (y, x) in ys.iter().zip(xs).filter_map(|(y, x)| y.zip(x)) {
            self.sums = self.sums.with(x, y);
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> EngineResult<()> {
        let value = |column: usize, row: usize| states[column].as_primitive::<Float64Type>().value(row);
        for row in 0..states[0].len() {
            let [count, x, y, xy, xx, yy] = std::array::from_fn(|column| value(column, row));
            self.sums = self.sums.merged(Sums { count, x, y, xy, xx, yy });
        }
        Ok(())
    }

    fn state(&mut self) -> EngineResult<Vec<ScalarValue>> {
        let Sums { count, x, y, xy, xx, yy } = self.sums;
        Ok([count, x, y, xy, xx, yy].map(|value| ScalarValue::Float64(Some(value))).to_vec())
    }

    fn evaluate(&mut self) -> EngineResult<ScalarValue> {
        let Sums { count, x, y, xy, xx, yy } = self.sums;
        let value = match self.regression {
            Regression::Count => return Ok(ScalarValue::Int64(Some(count as i64))),
            _ if count == 0.0 => None,
            Regression::AverageX => Some(x),
            Regression::AverageY => Some(y),
            Regression::Sxx => Some(xx),
            Regression::Sxy => Some(xy),
            Regression::Syy => Some(yy),
            Regression::Intercept | Regression::R2 | Regression::Slope if xx == 0.0 => None,
            Regression::Slope => Some(xy / xx),
            Regression::Intercept => Some(y - xy / xx * x),
            Regression::R2 if yy == 0.0 => Some(1.0),
            Regression::R2 => Some((xy / (xx * yy).sqrt()).powi(2)),
        };
        Ok(ScalarValue::Float64(value))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}
