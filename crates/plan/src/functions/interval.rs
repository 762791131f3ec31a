//! Intervals that have fields of their own.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::DFSchema;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::interval::IntervalFields;
use crate::wire;

/// The fields of an interval.
pub(crate) fn fields_of(expr: &Expr, schema: &DFSchema) -> Result<Option<IntervalFields>> {
    Ok(IntervalFields::of(expr.to_field(schema)?.1.as_ref()))
}

/// The same value with these fields: its column says so, and nothing is computed.
pub(crate) fn with_fields(interval: Expr, fields: IntervalFields) -> Expr {
    ScalarUDF::new_from_impl(WithFields { fields, signature: wire::immutable(1) }).call(vec![interval])
}

#[derive(Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct WithFields {
    fields: IntervalFields,
    #[serde(with = "wire::arity")]
    signature: Signature,
}

impl ScalarUDFImpl for WithFields {
    fn name(&self) -> &str {
        "spark.interval_fields"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, args: &[DataType]) -> EngineResult<DataType> {
        Ok(args.first().cloned().unwrap_or(DataType::Null))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> EngineResult<FieldRef> {
        let field = Field::new(self.name(), self.return_type(&[args.arg_fields[0].data_type().clone()])?, true);
        Ok(Arc::new(field.with_metadata(self.fields.metadata())))
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> EngineResult<ColumnarValue> {
        Ok(args.args.remove(0))
    }
}
