//! Relations that choose rows by chance, or say something of all rows.

use datafusion::common::ScalarValue;

use super::{Expr, Relation};

/// `df.sample`, `df.randomSplit`, `TABLESAMPLE`: rows by chance.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The rows.
    pub input: Box<Relation>,
    /// A row is taken where its number by chance, from 0 to 1, is this at least,
    pub lower: f64,
    /// and below this one. With replacement, `upper - lower` is how often a row is taken in the mean.
    pub upper: f64,
    /// A row may be taken more than once.
    pub with_replacement: bool,
    /// Rows that come in the same order get the same numbers for the same seed; any without one.
    pub seed: Option<i64>,
    /// The numbers go by the values of the rows: the order in which they come does not count.
    pub ordered: bool,
}

/// `df.sampleBy`: rows by a chance that depends on a value.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleBy {
    /// The rows.
    pub input: Box<Relation>,
    /// The value.
    pub column: Expr,
    /// Values, and the chance of their rows from 0 to 1; that of others is 0.
    pub fractions: Vec<(ScalarValue, f64)>,
    /// As in [`Sample`].
    pub seed: Option<i64>,
}

/// One row that says something of all rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistic {
    /// The rows.
    pub input: Box<Relation>,
    /// What is computed.
    pub kind: StatisticKind,
}

/// What is computed of columns, which go by their names as `df[...]` takes them.
#[derive(Debug, Clone, PartialEq)]
pub enum StatisticKind {
    /// `df.cov`: one column `cov`. NULL counts as zero.
    Covariance([String; 2]),
    /// `df.corr`: one column `corr`. NULL counts as zero.
    Correlation([String; 2]),
    /// `df.approxQuantile`: one column `approx_quantile`, an array of the quantiles of each column.
    Quantiles {
        /// The columns.
        columns: Vec<String>,
        /// Which quantiles, from 0 to 1.
        fractions: Vec<f64>,
        /// How wrong a rank may be, as a share of all rows.
        error: f64,
    },
    /// `df.freqItems`: a column `..._freqItems` for each, an array of values that are frequent.
    FrequentItems {
        /// The columns.
        columns: Vec<String>,
        /// A value in more than this share of the rows is among them for sure.
        support: f64,
    },
}

/// `df.transpose`: rows become columns, and columns rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Transpose {
    /// The rows, as many as the session allows to become columns.
    pub input: Box<Relation>,
    /// The column whose values become names; the first where it is not said.
    pub index: Option<Expr>,
}
