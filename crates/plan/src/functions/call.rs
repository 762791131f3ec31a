//! A call with its arguments resolved, and what every function does with them.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::functions_nested::expr_fn::{array_element, map_extract};
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{ColumnarValue, Expr, lit};
use datafusion::physical_expr::create_physical_expr;

use super::array::{Element, MEMBERS};
use super::cast::cast;
use super::native::native;
use crate::ddl::sql_name;
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::CastMode;
use crate::types::{common_type, is_integral};

/// An expression and its type.
#[derive(Debug, Clone)]
pub(crate) struct Typed {
    pub(crate) expr: Expr,
    pub(crate) data_type: DataType,
}

/// A call whose arguments are resolved.
pub(crate) struct Call<'a> {
    /// The name, in lower case.
    pub(crate) name: String,
    /// How the call reads in a message.
    pub(crate) written: String,
    pub(crate) args: Vec<Typed>,
    /// The names that the arguments have as columns, where they have some.
    pub(crate) arg_names: Vec<Option<String>>,
    pub(crate) distinct: bool,
    pub(crate) filter: Option<Box<Expr>>,
    /// `WITHIN GROUP (ORDER BY ...)`.
    pub(crate) order_by: Vec<Sort>,
    pub(crate) time_zone: &'a str,
    /// Whether what does not fit is an error: `spark.sql.ansi.enabled`.
    pub(crate) ansi: bool,
    /// The current database.
    pub(crate) database: &'a str,
    /// The columns that the arguments may name.
    pub(crate) schema: &'a DFSchema,
}

/// The outcome of one family of functions: the expression, or the call back where the family has no such name.
pub(crate) type Outcome<'a> = Result<Result<Expr, Call<'a>>>;

impl Call<'_> {
    /// The arguments, if there are just `N`.
    pub(crate) fn exactly<const N: usize>(&mut self) -> Result<[Typed; N]> {
        let found = self.args.len();
        std::mem::take(&mut self.args).try_into().map_err(|_| self.wrong_count(&N.to_string(), found))
    }

    /// The error for another number of arguments than `expected`.
    pub(crate) fn wrong_count(&self, expected: &str, found: usize) -> SparkError {
        let name = &self.name;
        let message = format!("The `{name}` requires {expected} parameters but the actual number is {found}.");
        SparkError::new(ErrorClass::Analysis, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", message)
            .with("functionName", format!("`{name}`"))
            .with("expectedNum", expected)
            .with("actualNum", found.to_string())
    }

    /// `value` as a value of type `to`.
    pub(crate) fn cast(&self, value: Typed, to: &DataType) -> Result<Expr> {
        cast(value.expr, &value.data_type, to, CastMode::plain(self.ansi), self.time_zone)
    }

    /// All arguments as values of one type, and that type.
    pub(crate) fn common(&self, args: Vec<Typed>) -> Result<(Vec<Expr>, DataType)> {
        let mut to = DataType::Null;
        for arg in &args {
            to = common_type(&to, &arg.data_type).ok_or_else(|| self.different_types(&args))?;
        }
        let exprs = args.into_iter().map(|arg| self.cast(arg, &to)).collect::<Result<_>>()?;
        Ok((exprs, to))
    }

    /// The error for arguments that have no common type.
    pub(crate) fn different_types(&self, args: &[Typed]) -> SparkError {
        let types: Vec<_> = args.iter().map(|arg| format!("\"{}\"", sql_name(&arg.data_type))).collect();
        let written = &self.written;
        let is_operator = !self.name.starts_with(char::is_alphabetic)
            || matches!(self.name.as_str(), "and" | "or" | "div" | "mod")
            || self.name.starts_with("try_");
        if let ([left, right], true) = (types.as_slice(), is_operator) {
            let message = format!(
                "Cannot resolve \"{written}\" due to data type mismatch: the left and right operands of the binary \
                 operator have incompatible types ({left} and {right})."
            );
            return SparkError::new(ErrorClass::Analysis, "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "42K09", message)
                .with("sqlExpr", format!("\"{written}\""))
                .with("left", left)
                .with("right", right);
        }
        let message = format!(
            "Cannot resolve \"{written}\" due to data type mismatch: input to `{}` should all be the same type, but it's \
             [{}].",
            self.name,
            types.join(", ")
        );
        SparkError::new(ErrorClass::Analysis, "DATATYPE_MISMATCH.DATA_DIFF_TYPES", "42K09", message)
            .with("sqlExpr", format!("\"{written}\""))
            .with("functionName", format!("`{}`", self.name))
            .with("dataType", format!("[{}]", types.join(", ")))
    }

    /// The error for an argument of a type that the function does not take.
    pub(crate) fn wrong_type(&self, position: usize, required: &str, found: &DataType) -> SparkError {
        wrong_type(&self.written, position, required, found)
    }
}

/// The error for an argument of a type that a function does not take; `written` is how its call reads.
pub(crate) fn wrong_type(written: &str, position: usize, required: &str, found: &DataType) -> SparkError {
    let found = sql_name(found);
    let ordinal = ["first", "second", "third", "fourth", "fifth"].get(position).unwrap_or(&"next");
    let message = format!(
        "Cannot resolve \"{written}\" due to data type mismatch: The {ordinal} parameter requires the \"{required}\" \
         type, however it has the type \"{found}\"."
    );
    SparkError::new(ErrorClass::Analysis, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09", message)
        .with("sqlExpr", format!("\"{written}\""))
        .with("paramIndex", *ordinal)
        .with("requiredType", format!("\"{required}\""))
        .with("inputType", format!("\"{found}\""))
}

/// The value of an expression that has no columns.
pub(crate) fn constant(expr: &Expr) -> Option<ScalarValue> {
    if let Expr::Literal(value, _) = expr {
        return Some(value.clone());
    }
    if expr.is_volatile() {
        return None;
    }
    let computed = create_physical_expr(expr, &DFSchema::empty(), &ExecutionProps::new(), &Default::default()).ok()?;
    let one_row = RecordBatchOptions::new().with_row_count(Some(1));
    let row = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &one_row).ok()?;
    match computed.evaluate(&row).ok()? {
        ColumnarValue::Scalar(value) => Some(value),
        ColumnarValue::Array(array) => ScalarValue::try_from_array(&array, 0).ok(),
    }
}

/// `base[key]`: an array's element counted from zero, or the value of a map's key.
pub(crate) fn element(base: Typed, key: Typed, time_zone: &str) -> Result<Expr> {
    element_by(base, key, Element::Index, time_zone)
}

/// The member at a position of each struct in an array, as an array of type `list`.
pub(crate) fn members(structs: Expr, position: usize, list: DataType) -> Expr {
    native(MEMBERS, list, "", vec![structs, lit(position as u64)])
}

/// An element of an array by its position, or the value of a map's key.
pub(super) fn element_by(base: Typed, key: Typed, by: Element, time_zone: &str) -> Result<Expr> {
    match &base.data_type {
        DataType::List(item) if is_integral(&key.data_type) || key.data_type == DataType::Null => {
            let index = cast(key.expr, &key.data_type, &DataType::Int64, CastMode::Ansi, time_zone)?;
            Ok(native(by.function(), item.data_type().clone(), "", vec![base.expr, index]))
        }
        DataType::Map(entries, _) => {
            let DataType::Struct(fields) = entries.data_type() else {
                return Err(SparkError::internal("a map without entries"));
            };
            let key = cast(key.expr, &key.data_type, fields[0].data_type(), CastMode::Ansi, time_zone)?;
            Ok(array_element(map_extract(base.expr, key), Expr::Literal(ScalarValue::Int64(Some(1)), None)))
        }
        other => {
            let message = format!("No element can be extracted from a value of the type \"{}\".", sql_name(other));
            Err(SparkError::new(ErrorClass::Analysis, "INVALID_EXTRACT_BASE_FIELD_TYPE", "42000", message))
        }
    }
}
