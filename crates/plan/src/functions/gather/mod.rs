//! Aggregate functions of our own, each without what all of them say alike.

pub(super) mod bitmap;
pub(super) mod distinct;
pub(super) mod extreme;
pub(super) mod frequent;
pub(super) mod histogram;
pub(super) mod percentile;
pub(super) mod product;
pub(super) mod quantile;
pub(super) mod regression;
pub(super) mod vector;

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature};
use serde::{Deserialize, Serialize};

use crate::wire;

/// What an aggregate function is: its constants are part of it.
pub(super) trait Gather: Debug + Clone + PartialEq + Eq + Hash + Send + Sync + 'static {
    /// The name in plans.
    fn name(&self) -> &'static str;

    /// The type of the result of arguments of these types.
    fn result(&self, args: &[DataType]) -> DataType;

    /// The types of what one step hands to the next one.
    fn state(&self, args: &[DataType]) -> Vec<DataType>;

    /// What gathers the rows of one group.
    fn start(&self, args: &[DataType]) -> Box<dyn Accumulator>;
}

/// The aggregate function of so many arguments.
pub(super) fn function<G: Gather>(gather: G, count: usize) -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::from(Own { gather, signature: wire::immutable(count) }))
}

#[derive(Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Own<G> {
    gather: G,
    #[serde(with = "wire::arity")]
    signature: Signature,
}

impl<G: Gather> AggregateUDFImpl for Own<G> {
    fn name(&self) -> &str {
        self.gather.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> EngineResult<DataType> {
        Ok(self.gather.result(args))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> EngineResult<Vec<FieldRef>> {
        let field = |(at, of): (usize, DataType)| Arc::new(Field::new(format!("{}[{at}]", args.name), of, true));
        Ok(self.gather.state(&types(args.input_fields)).into_iter().enumerate().map(field).collect())
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> EngineResult<Box<dyn Accumulator>> {
        Ok(self.gather.start(&types(args.expr_fields)))
    }
}

fn types(fields: &[FieldRef]) -> Vec<DataType> {
    fields.iter().map(|field| field.data_type().clone()).collect()
}

/// A list as one value.
fn list(values: &[ScalarValue], item: &DataType) -> ScalarValue {
    ScalarValue::List(ScalarValue::new_list_nullable(values, item))
}

/// A list of primitive values as one value.
fn list_of<T: ArrowPrimitiveType>(values: impl IntoIterator<Item = T::Native>) -> EngineResult<ScalarValue> {
    let values = values.into_iter().map(|value| ScalarValue::new_primitive::<T>(Some(value), &T::DATA_TYPE));
    Ok(list(&values.collect::<EngineResult<Vec<_>>>()?, &T::DATA_TYPE))
}

/// The lists of a column, those that are there.
fn lists(column: &ArrayRef) -> impl Iterator<Item = ArrayRef> + '_ {
    column.as_list::<i32>().iter().flatten()
}

/// The values of a list that was made by [`list_of`].
fn numbers<T: ArrowPrimitiveType>(list: &ArrayRef) -> Vec<T::Native> {
    list.as_primitive::<T>().values().to_vec()
}
