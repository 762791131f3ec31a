//! Aggregate functions over partial results.

use std::any::Any;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use serde::{Deserialize, Serialize};

use crate::ipc::{read_schema, write_schema};

/// What merges the partial results of `function`, each of which is of the type `returned`. What it does with NULL, with no
/// rows and with an overflow is what the function itself does.
///
/// `arguments` are the fields that the function is called with. None where its state is more than its result.
pub(crate) fn merge(
    function: &Arc<AggregateUDF>,
    arguments: Vec<FieldRef>,
    returned: FieldRef,
) -> Result<Option<Arc<AggregateUDF>>> {
    let state = function.state_fields(StateFieldsArgs {
        name: "state",
        input_fields: &arguments,
        return_field: Arc::clone(&returned),
        ordering_fields: &[],
        is_distinct: false,
    })?;
    let [state] = state.as_slice() else { return Ok(None) };
    let merge = Merge {
        name: format!("merge_{}", function.name()),
        function: Arc::clone(function),
        arguments,
        state: state.data_type().clone(),
        returned,
        signature: Signature::any(1, Volatility::Immutable),
    };
    Ok(Some(Arc::new(AggregateUDF::from(merge))))
}

/// A function of [`merge`] as bytes; none for any other function. `encode` makes bytes of the function whose results are
/// merged.
///
/// # Errors
/// What `encode` fails with.
pub fn encode(
    function: &AggregateUDF,
    encode: impl FnOnce(&AggregateUDF) -> Result<Vec<u8>>,
) -> Result<Option<Vec<u8>>> {
    let implementation: &dyn Any = function.inner().as_ref();
    let Some(merge) = implementation.downcast_ref::<Merge>() else { return Ok(None) };
    let fields: Vec<_> = merge.arguments.iter().chain([&merge.returned]).cloned().collect();
    let sent = Sent { function: encode(&merge.function)?, fields: write_schema(&Schema::new(fields))? };
    serde_json::to_vec(&sent).map(Some).map_err(|error| DataFusionError::External(Box::new(error)))
}

/// The function that [`encode`] made `bytes` of.
///
/// # Errors
/// Other bytes, or what `decode` fails with.
pub fn decode(bytes: &[u8], decode: impl FnOnce(&[u8]) -> Result<Arc<AggregateUDF>>) -> Result<Arc<AggregateUDF>> {
    let sent: Sent = serde_json::from_slice(bytes).map_err(|error| DataFusionError::External(Box::new(error)))?;
    let mut fields = read_schema(&sent.fields)?.fields().to_vec();
    let merged = match fields.pop() {
        Some(returned) => merge(&decode(&sent.function)?, fields, returned)?,
        None => None,
    };
    merged.ok_or_else(|| DataFusionError::Internal("the bytes are of no function that merges".to_owned()))
}

#[derive(Serialize, Deserialize)]
struct Sent {
    function: Vec<u8>,
    /// What the function is called with, and what it returns, as a schema.
    fields: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Merge {
    name: String,
    function: Arc<AggregateUDF>,
    arguments: Vec<FieldRef>,
    state: DataType,
    returned: FieldRef,
    signature: Signature,
}

impl Merge {
    /// What the function itself would be called with.
    fn original<'a>(&'a self, args: &AccumulatorArgs<'a>) -> AccumulatorArgs<'a> {
        AccumulatorArgs {
            return_field: Arc::clone(&args.return_field),
            schema: args.schema,
            ignore_nulls: args.ignore_nulls,
            order_bys: args.order_bys,
            is_reversed: args.is_reversed,
            name: args.name,
            is_distinct: args.is_distinct,
            exprs: args.exprs,
            expr_fields: &self.arguments,
        }
    }
}

impl AggregateUDFImpl for Merge {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.returned.data_type().clone())
    }

    fn is_nullable(&self) -> bool {
        self.function.is_nullable()
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.function.default_value(data_type)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.function.state_fields(StateFieldsArgs { input_fields: &self.arguments, ..args })
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let inner = self.function.accumulator(self.original(&args))?;
        Ok(Box::new(Merging { inner, state: self.state.clone() }))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.function.groups_accumulator_supported(self.original(&args))
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let inner = self.function.create_groups_accumulator(self.original(&args))?;
        Ok(Box::new(Merging { inner, state: self.state.clone() }))
    }
}

/// An accumulator whose values are states.
#[derive(Debug)]
struct Merging<A: ?Sized> {
    state: DataType,
    inner: Box<A>,
}

impl<A: ?Sized> Merging<A> {
    fn states(&self, values: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
        values.iter().map(|values| Ok(cast(values, &self.state)?)).collect()
    }
}

impl Accumulator for Merging<dyn Accumulator> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let states = self.states(values)?;
        self.inner.merge_batch(&states)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.inner.merge_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.inner.evaluate()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.inner.size()
    }
}

impl GroupsAccumulator for Merging<dyn GroupsAccumulator> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        if opt_filter.is_some() {
            return Err(DataFusionError::Internal("partial results are merged without a filter".to_owned()));
        }
        let states = self.states(values)?;
        self.inner.merge_batch(&states, group_indices, total_num_groups)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], groups: usize) -> Result<()> {
        self.inner.merge_batch(states, group_indices, groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.inner.evaluate(emit_to)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.inner.state(emit_to)
    }

    fn convert_to_state(&self, values: &[ArrayRef], _: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        self.states(values)
    }

    fn size(&self) -> usize {
        self.inner.size()
    }
}
