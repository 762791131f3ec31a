//! `percentile_approx`: a summary of all values from which those near a rank are found, as Spark keeps it.

use std::mem::{size_of_val, take};

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::Accumulator;
use serde::{Deserialize, Serialize};

use super::percentile::of_type;
use super::{Gather, list, list_of, lists, numbers};

/// How many values wait to be put in their places.
const HEAD: usize = 50_000;
/// How many samples there may be before they are merged.
const MOST: usize = 10_000;

/// Which values, and how near to them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(in crate::functions) struct Quantile {
    /// The fractions, as the bits of doubles.
    pub(in crate::functions) fractions: Vec<u64>,
    /// Whether an array of results comes out.
    pub(in crate::functions) several: bool,
    /// A rank may be wrong by one in so many values.
    pub(in crate::functions) accuracy: i64,
    /// The type of one result.
    #[serde(with = "crate::wire::types")]
    pub(in crate::functions) result: DataType,
}

impl Gather for Quantile {
    fn name(&self) -> &'static str {
        "percentile_approx"
    }

    fn result(&self, _: &[DataType]) -> DataType {
        if self.several { DataType::new_list(self.result.clone(), true) } else { self.result.clone() }
    }

    fn state(&self, _: &[DataType]) -> Vec<DataType> {
        let list = |item| DataType::new_list(item, true);
        vec![list(DataType::Float64), list(DataType::Int64), list(DataType::Int64), DataType::Int64]
    }

    fn start(&self, _: &[DataType]) -> Box<dyn Accumulator> {
        Box::new(Summary { quantile: self.clone(), head: vec![], samples: vec![], count: 0 })
    }
}

/// A value, how many ranks lie between it and the one before, and how uncertain its rank is.
#[derive(Debug, Clone, Copy)]
struct Sample {
    value: f64,
    gap: i64,
    slack: i64,
}

#[derive(Debug)]
struct Summary {
    quantile: Quantile,
    head: Vec<f64>,
    samples: Vec<Sample>,
    count: i64,
}

impl Summary {
    fn error(&self) -> f64 {
        1.0 / self.quantile.accuracy as f64
    }

    /// Twice the error of a rank among so many values.
    fn tolerance(&self, count: i64) -> f64 {
        2.0 * self.error() * count as f64
    }

    fn insert_head(&mut self) {
        let mut head = take(&mut self.head);
        head.sort_by(f64::total_cmp);
        let mut old = take(&mut self.samples).into_iter().peekable();
        let last = head.len().saturating_sub(1);
        for (at, value) in head.into_iter().enumerate() {
            while let Some(sample) = old.next_if(|sample| sample.value.total_cmp(&value).is_le()) {
                self.samples.push(sample);
            }
            self.count += 1;
            let at_the_end = self.samples.is_empty() || (old.peek().is_none() && at == last);
            let slack = if at_the_end { 0 } else { self.tolerance(self.count).floor() as i64 };
            self.samples.push(Sample { value, gap: 1, slack });
        }
        self.samples.extend(old);
    }

    /// Merges neighbours as far as the error allows it.
    fn compress(&mut self) {
        let tolerance = self.tolerance(self.count);
        let samples = take(&mut self.samples);
        let (Some(first), Some(mut head)) = (samples.first().copied(), samples.last().copied()) else { return };
        let mut kept = vec![];
        for sample in samples.iter().skip(1).rev().skip(1) {
            if ((sample.gap + head.gap + head.slack) as f64) < tolerance {
                head.gap += sample.gap;
            } else {
                kept.push(head);
                head = *sample;
            }
        }
        kept.push(head);
        if first.value <= head.value && samples.len() > 1 {
            kept.push(first);
        }
        kept.reverse();
        self.samples = kept;
    }

    fn flush(&mut self) {
        if !self.head.is_empty() {
            self.insert_head();
            self.compress();
        }
    }

    fn merge(&mut self, other: Vec<Sample>, count: i64) {
        self.flush();
        if count == 0 {
            return;
        }
        if self.count == 0 {
            (self.samples, self.count) = (other, count);
            return;
        }
        let spread = |count: i64| self.tolerance(count).floor() as i64;
        let (own_more, other_more) = (spread(count), spread(self.count));
        let mut own = take(&mut self.samples).into_iter().peekable();
        let mut other = other.into_iter().peekable();
        let (mut own_seen, mut other_seen) = (false, false);
        let mut merged = vec![];
        while let (Some(left), Some(right)) = (own.peek().copied(), other.peek().copied()) {
            let (mut next, more) = if left.value < right.value {
                own.next();
                own_seen = true;
                (left, if other_seen { own_more } else { 0 })
            } else {
                other.next();
                other_seen = true;
                (right, if own_seen { other_more } else { 0 })
            };
            next.slack += more;
            merged.push(next);
        }
        merged.extend(own.chain(other));
        self.samples = merged;
        self.count += count;
        self.compress();
    }

    fn find(&self, fraction: f64) -> Option<f64> {
        let (first, last) = (self.samples.first()?, self.samples.last()?);
        if fraction <= self.error() || self.samples.len() == 1 {
            return Some(first.value);
        }
        if fraction >= 1.0 - self.error() {
            return Some(last.value);
        }
        let target = self.samples.iter().map(|sample| sample.slack + sample.gap).max()? / 2;
        let rank = (fraction * self.count as f64).ceil() as i64;
        let mut least = 0;
        for sample in &self.samples[..self.samples.len() - 1] {
            least += sample.gap;
            if least + sample.slack - target <= rank && rank <= least + target {
                return Some(sample.value);
            }
        }
        Some(last.value)
    }
}

impl Accumulator for Summary {
    fn update_batch(&mut self, values: &[ArrayRef]) -> EngineResult<()> {
        for value in values[0].as_primitive::<Float64Type>().iter().flatten() {
            self.head.push(value);
            if self.head.len() >= HEAD {
                self.insert_head();
                if self.samples.len() >= MOST {
                    self.compress();
                }
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> EngineResult<()> {
        let counts = states[3].as_primitive::<Int64Type>();
        let columns = lists(&states[0]).zip(lists(&states[1])).zip(lists(&states[2]));
        for (((values, gaps), slacks), count) in columns.zip(counts.values()) {
            let values = numbers::<Float64Type>(&values).into_iter();
            let ranks = numbers::<Int64Type>(&gaps).into_iter().zip(numbers::<Int64Type>(&slacks));
            let samples = values.zip(ranks).map(|(value, (gap, slack))| Sample { value, gap, slack });
            self.merge(samples.collect(), *count);
        }
        Ok(())
    }

    fn state(&mut self) -> EngineResult<Vec<ScalarValue>> {
        self.flush();
        Ok(vec![
            list_of::<Float64Type>(self.samples.iter().map(|sample| sample.value))?,
            list_of::<Int64Type>(self.samples.iter().map(|sample| sample.gap))?,
            list_of::<Int64Type>(self.samples.iter().map(|sample| sample.slack))?,
            ScalarValue::Int64(Some(self.count)),
        ])
    }

    fn evaluate(&mut self) -> EngineResult<ScalarValue> {
        self.flush();
        let none = || ScalarValue::try_from(&self.quantile.result(&[]));
        if self.count == 0 {
            return none();
        }
        let fractions = self.quantile.fractions.iter().filter_map(|bits| self.find(f64::from_bits(*bits)));
        let found = fractions.map(|value| of_type(value, &self.quantile.result)).collect::<EngineResult<Vec<_>>>()?;
        match self.quantile.several {
            true => Ok(list(&found, &self.quantile.result)),
            false => found.into_iter().next().map_or_else(none, Ok),
        }
    }

    fn size(&self) -> usize {
        size_of_val(self) + size_of_val(self.head.as_slice()) + size_of_val(self.samples.as_slice())
    }
}
