//! Relations that choose rows by chance, or say something of all rows.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use sheetbend_plan::error::Result;
use sheetbend_plan::ir::{
    CastMode, Expr, Pivot, Relation, RelationKind, Sample, SampleBy, Statistic, StatisticKind, Transpose,
};
use sheetbend_plan::sql::parse_identifier;
use spark_connect_proto as proto;

use super::{Lowering, literal};
use crate::error::{invalid_plan, missing};

/// What `describe` computes, and `summary` where nothing is said.
const DESCRIBED: [&str; 5] = ["count", "mean", "stddev", "min", "max"];
const SUMMARIZED: [&str; 8] = ["count", "mean", "stddev", "min", "25%", "50%", "75%", "max"];

/// The share of rows above which `freqItems` finds a value for sure, where none is given.
const SUPPORT: f64 = 0.01;

impl Lowering<'_> {
    pub(super) fn sample(&mut self, sample: proto::Sample) -> Result<RelationKind> {
        Ok(RelationKind::Sample(Sample {
            input: self.input(sample.input)?,
            lower: sample.lower_bound,
            upper: sample.upper_bound,
            with_replacement: sample.with_replacement.unwrap_or(false),
            seed: sample.seed,
            ordered: sample.deterministic_order,
        }))
    }

    pub(super) fn sample_by(&mut self, sample: proto::StatSampleBy) -> Result<RelationKind> {
        let fractions = sample.fractions.into_iter().map(|fraction| {
            let stratum = fraction.stratum.ok_or_else(|| missing("fraction.stratum"))?;
            Ok((literal::value(stratum)?, fraction.fraction))
        });
        Ok(RelationKind::SampleBy(SampleBy {
            fractions: fractions.collect::<Result<_>>()?,
            column: self.expression(sample.col.ok_or_else(|| missing("sample_by.col"))?)?,
            input: self.input(sample.input)?,
            seed: sample.seed,
        }))
    }

    pub(super) fn describe(&mut self, describe: proto::StatDescribe) -> Result<RelationKind> {
        let statistics = DESCRIBED.map(str::to_owned).to_vec();
        Ok(RelationKind::Summary { input: self.input(describe.input)?, columns: describe.cols, statistics })
    }

    pub(super) fn summary(&mut self, summary: proto::StatSummary) -> Result<RelationKind> {
        let statistics = match summary.statistics {
            none if none.is_empty() => SUMMARIZED.map(str::to_owned).to_vec(),
            some => some,
        };
        Ok(RelationKind::Summary { input: self.input(summary.input)?, columns: Vec::new(), statistics })
    }

    pub(super) fn covariance(&mut self, cov: proto::StatCov) -> Result<RelationKind> {
        let kind = StatisticKind::Covariance([cov.col1, cov.col2]);
        Ok(RelationKind::Statistic(Statistic { input: self.input(cov.input)?, kind }))
    }

    pub(super) fn correlation(&mut self, corr: proto::StatCorr) -> Result<RelationKind> {
        if corr.method.as_deref().is_some_and(|method| method != "pearson") {
            return Err(invalid_plan("Pearson's is the only correlation."));
        }
        let kind = StatisticKind::Correlation([corr.col1, corr.col2]);
        Ok(RelationKind::Statistic(Statistic { input: self.input(corr.input)?, kind }))
    }

    pub(super) fn quantiles(&mut self, quantile: proto::StatApproxQuantile) -> Result<RelationKind> {
        let (columns, fractions, error) = (quantile.cols, quantile.probabilities, quantile.relative_error);
        let kind = StatisticKind::Quantiles { columns, fractions, error };
        Ok(RelationKind::Statistic(Statistic { input: self.input(quantile.input)?, kind }))
    }

    pub(super) fn frequent_items(&mut self, items: proto::StatFreqItems) -> Result<RelationKind> {
        let kind = StatisticKind::FrequentItems { columns: items.cols, support: items.support.unwrap_or(SUPPORT) };
        Ok(RelationKind::Statistic(Statistic { input: self.input(items.input)?, kind }))
    }

    /// How often each two values come together: a pivot of their texts.
    pub(super) fn crosstab(&mut self, tab: proto::StatCrosstab) -> Result<RelationKind> {
        const COLUMN: &str = "#crosstab";
        let text = |name: &str| {
            let column = Box::new(Expr::column(parse_identifier(name)?));
            let text = Expr::Cast { expr: column, to: DataType::Utf8, mode: CastMode::Ansi };
            let null = Expr::literal(ScalarValue::Utf8(Some("null".to_owned())));
            Ok::<_, sheetbend_plan::error::SparkError>(Expr::call("coalesce", vec![text, null]))
        };
        let key = format!("{}_{}", tab.col1, tab.col2);
        let list = vec![text(&tab.col1)?.alias(&key), text(&tab.col2)?.alias(COLUMN)];
        let texts: Relation = RelationKind::Project { input: Some(self.input(tab.input)?), list }.into();
        let pivot = RelationKind::Pivot(Pivot {
            input: Box::new(texts),
            keys: Some(vec![Expr::column([key])]),
            column: Expr::column([COLUMN]),
            values: None,
            list: vec![Expr::call("count", vec![Expr::literal(ScalarValue::Int32(Some(1)))])],
        });
        let values = vec![ScalarValue::Int64(Some(0))];
        Ok(RelationKind::FillNa { input: Box::new(pivot.into()), columns: Vec::new(), values })
    }

    pub(super) fn transpose(&mut self, transpose: proto::Transpose) -> Result<RelationKind> {
        let input = self.input(transpose.input)?;
        let mut index = self.expressions(transpose.index_columns)?;
        if index.len() > 1 {
            return Err(invalid_plan("`df.transpose` takes one column at the most."));
        }
        Ok(RelationKind::Transpose(Transpose { input, index: index.pop() }))
    }
}
