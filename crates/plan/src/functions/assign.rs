//! Checks of values that go into a column of a table.

use datafusion::arrow::array::Array;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use arrow::datatypes::DataType;
use serde::{Deserialize, Serialize};

use crate::ddl::sql_name;
use crate::error::{ErrorClass, SparkError};
use crate::wire;

/// `converted`, which is what became of `original`, a value of type `from`: NULL for one that does not fit `column`.
pub(crate) fn assigned(converted: Expr, original: Expr, column: &str, from: &DataType) -> Expr {
    call(
        Check { column: column.to_owned(), from: Some(from.clone()), signature: signature(2) },
        vec![converted, original],
    )
}

/// `value`, which must not be NULL in `column`.
pub(crate) fn not_null(value: Expr, column: &str) -> Expr {
    call(Check { column: column.to_owned(), from: None, signature: signature(1) }, vec![value])
}

fn call(check: Check, args: Vec<Expr>) -> Expr {
    ScalarUDF::new_from_impl(check).call(args)
}

// Volatile, so that a value that does not fit is an error of the rows and not of their planning.
fn signature(arguments: usize) -> Signature {
    wire::any(arguments, Volatility::Volatile)
}

#[derive(Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Check {
    column: String,
    /// What values were converted from; none to check for NULL alone.
    #[serde(with = "wire::types::optional")]
    from: Option<DataType>,
    #[serde(with = "wire::arity")]
    signature: Signature,
}

impl ScalarUDFImpl for Check {
    fn name(&self) -> &str {
        "spark_assign"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> EngineResult<DataType> {
        Ok(types.first().cloned().unwrap_or(DataType::Null))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> EngineResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let failed = match (arrays.as_slice(), &self.from) {
            ([value], None) => (value.logical_null_count() > 0).then(|| self.null()),
            ([converted, original], Some(from)) => (converted.logical_null_count() > original.logical_null_count())
                .then(|| self.overflow(from, converted.data_type())),
            _ => Some(SparkError::internal("a check of values has other arguments")),
        };
        match failed {
            Some(error) => Err(error.into()),
            None => args.args.into_iter().next().ok_or_else(|| SparkError::internal("no value to check").into()),
        }
    }
}

impl Check {
    fn overflow(&self, from: &DataType, to: &DataType) -> SparkError {
        let (column, from, to) = (format!("`{}`", self.column), sql_name(from), sql_name(to));
        let message = format!(
            "Fail to assign a value of \"{from}\" type to the \"{to}\" type column or variable {column} due to an \
             overflow. Use `try_cast` on the input value to tolerate overflow and return NULL instead."
        );
        SparkError::new(ErrorClass::Arithmetic, "CAST_OVERFLOW_IN_TABLE_INSERT", "22003", message)
            .with("sourceType", format!("\"{from}\""))
            .with("targetType", format!("\"{to}\""))
            .with("columnName", column)
    }

    fn null(&self) -> SparkError {
        let message = format!("NULL value appeared in non-nullable field: \n{}\n", self.column);
        SparkError::new(ErrorClass::Runtime, "NOT_NULL_ASSERT_VIOLATION", "42000", message)
            .with("walkedTypePath", format!("\n{}\n", self.column))
    }
}
