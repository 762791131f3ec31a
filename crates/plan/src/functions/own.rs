//! The kinds of functions that are our own, by the tags that they have as bytes.

use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF};

use super::arithmetic::Checked;
use super::assign::Check;
use super::cast::SparkCast;
use super::gather::Own;
use super::gather::bitmap::Bitmap;
use super::gather::distinct::Distinct;
use super::gather::extreme::Extreme;
use super::gather::frequent::Frequent;
use super::gather::histogram::Histogram;
use super::gather::percentile::Percentile;
use super::gather::product::Product;
use super::gather::quantile::Quantile;
use super::gather::regression::Regression;
use super::gather::vector::Vectors;
use super::higher_order;
use super::interval::WithFields;
use super::mode::Mode;
use super::moments::CentralMoment;
use super::native::Native;
use super::sum::Sum;
use crate::wire::Kind;

pub(crate) const SCALAR: &[Kind<ScalarUDF>] = &[
    Kind::scalar::<Native>("native"),
    Kind::scalar::<SparkCast>("cast"),
    Kind::scalar::<Checked>("arithmetic"),
    Kind::scalar::<WithFields>("interval"),
    Kind::scalar::<Check>("assign"),
];

pub(crate) const AGGREGATE: &[Kind<AggregateUDF>] = &[
    Kind::aggregate::<CentralMoment>("moment"),
    Kind::aggregate::<Mode>("mode"),
    Kind::aggregate::<Sum>("sum"),
    Kind::aggregate::<Own<Bitmap>>("bitmap"),
    Kind::aggregate::<Own<Distinct>>("distinct"),
    Kind::aggregate::<Own<Extreme>>("extreme"),
    Kind::aggregate::<Own<Frequent>>("frequent"),
    Kind::aggregate::<Own<Histogram>>("histogram"),
    Kind::aggregate::<Own<Percentile>>("percentile"),
    Kind::aggregate::<Own<Product>>("product"),
    Kind::aggregate::<Own<Quantile>>("quantile"),
    Kind::aggregate::<Own<Regression>>("regression"),
    Kind::aggregate::<Own<Vectors>>("vectors"),
];

pub(crate) const HIGHER_ORDER: &[Kind<HigherOrderUDF>] = &[Kind::higher_order::<higher_order::Function>("lambda")];
