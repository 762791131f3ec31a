//! Functions of functions: the parameters of a lambda, and what calls it.

use arrow::datatypes::{DataType, Field as ArrowField};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::LambdaVariable;
use datafusion::logical_expr::{Expr, lambda};

use super::Resolver;
use super::expr::Scope;
use crate::ddl::sql_name;
use crate::error::{ErrorClass, Result, SparkError};
use crate::functions::call::Typed;
use crate::functions::higher_order::{HigherOrder, map_types};
use crate::functions::map::map_type;
use crate::ir;
use crate::types::common_type;

/// The parameters of a lambda function and of those around it.
pub(super) struct Parameters<'a> {
    names: &'a [String],
    variables: Vec<(Expr, DataType)>,
    outer: Option<&'a Parameters<'a>>,
}

impl<'a> Parameters<'a> {
    /// The names of all parameters in sight.
    pub(super) fn all_names(&self) -> Vec<&'a str> {
        let mut names = self.outer.map(Parameters::all_names).unwrap_or_default();
        names.extend(self.names.iter().map(String::as_str));
        names
    }

    /// The value of a parameter, or of a field of it; none for a name that no parameter has.
    pub(super) fn find(&self, parts: &[String], resolver: &Resolver) -> Result<Option<Expr>> {
        let [first, path @ ..] = parts else { return Ok(None) };
        let Some(position) = self.names.iter().position(|name| resolver.same(name, first)) else {
            return self.outer.map_or(Ok(None), |outer| outer.find(parts, resolver));
        };
        let (mut expr, mut data_type) = self.variables[position].clone();
        for field in path {
            (expr, data_type) = resolver.struct_field(expr, &data_type, field)?;
        }
        Ok(Some(expr))
    }
}

impl Scope<'_> {
    /// A call with a lambda function among its arguments.
    pub(super) fn higher_order(&self, kind: HigherOrder, function: &ir::Function) -> Result<Expr> {
        let written = self.name(&ir::Expr::Function(function.clone()));
        let call = HigherOrderCall { scope: self, function, written };
        match kind {
            HigherOrder::Transform => {
                let (array, item) = call.array(0)?;
                let (body, to) = call.lambda(1, &[item, DataType::Int32])?;
                Ok(kind.call(vec![array, body], DataType::new_list(to, true)))
            }
            HigherOrder::Filter => {
                let (array, item) = call.array(0)?;
                let result = DataType::new_list(item.clone(), true);
                let body = call.predicate(1, &[item, DataType::Int32])?;
                Ok(kind.call(vec![array, body], result))
            }
            HigherOrder::Exists | HigherOrder::ForAll => {
                let (array, item) = call.array(0)?;
                let body = call.predicate(1, &[item])?;
                Ok(kind.call(vec![array, body], DataType::Boolean))
            }
            HigherOrder::Aggregate => call.aggregate(),
            HigherOrder::ZipWith => {
                let ((left, l), (right, r)) = (call.array(0)?, call.array(1)?);
                let (body, to) = call.lambda(2, &[l, r])?;
                Ok(kind.call(vec![left, right, body], DataType::new_list(to, true)))
            }
            HigherOrder::ArraySort => {
                let (array, item) = call.array(0)?;
                let (body, to) = call.lambda(1, &[item.clone(), item.clone()])?;
                match to {
                    DataType::Int32 => Ok(kind.call(vec![array, body], DataType::new_list(item, true))),
                    other => Err(call.wrong_return("INT", &other)),
                }
            }
            HigherOrder::MapFilter => {
                let (map, key, value) = call.map(0)?;
                let body = call.predicate(1, &[key.clone(), value.clone()])?;
                Ok(kind.call(vec![map, body], map_type(key, value)))
            }
            HigherOrder::TransformKeys => {
                let (map, key, value) = call.map(0)?;
                let (body, to) = call.lambda(1, &[key, value.clone()])?;
                Ok(kind.call(vec![map, body], map_type(to, value)))
            }
            HigherOrder::TransformValues => {
                let (map, key, value) = call.map(0)?;
                let (body, to) = call.lambda(1, &[key.clone(), value])?;
                Ok(kind.call(vec![map, body], map_type(key, to)))
            }
            HigherOrder::MapZipWith => {
                let ((left, key, l), (right, other, r)) = (call.map(0)?, call.map(1)?);
                if key != other {
                    return Err(call.wrong_type(1, &format!("MAP<{}, _>", sql_name(&key)), &map_type(other, r)));
                }
                let (body, to) = call.lambda(2, &[key.clone(), l, r])?;
                Ok(kind.call(vec![left, right, body], map_type(key, to)))
            }
        }
    }
}

struct HigherOrderCall<'a> {
    scope: &'a Scope<'a>,
    function: &'a ir::Function,
    written: String,
}

impl HigherOrderCall<'_> {
    fn argument(&self, position: usize) -> Result<&ir::Expr> {
        self.function.args.get(position).ok_or_else(|| {
            let (name, found) = (&self.function.name, self.function.args.len());
            let message = format!("The `{name}` requires more than {found} parameters.");
            SparkError::new(ErrorClass::Analysis, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", message)
                .with("functionName", format!("`{name}`"))
                .with("actualNum", found.to_string())
        })
    }

    /// An array, and the type of its elements.
    fn array(&self, position: usize) -> Result<(Expr, DataType)> {
        let Typed { expr, data_type } = self.scope.typed(self.argument(position)?)?;
        match &data_type {
            DataType::List(item) => Ok((expr, item.data_type().clone())),
            DataType::Null => {
                let list = DataType::new_list(DataType::Null, true);
                Ok((Expr::Literal(ScalarValue::try_from(&list)?, None), DataType::Null))
            }
            other => Err(self.wrong_type(position, "ARRAY", other)),
        }
    }

    /// A map, and the types of its keys and values.
    fn map(&self, position: usize) -> Result<(Expr, DataType, DataType)> {
        let Typed { expr, data_type } = self.scope.typed(self.argument(position)?)?;
        match map_types(&data_type) {
            Some((key, value)) => Ok((expr, key.clone(), value.clone())),
            None => Err(self.wrong_type(position, "MAP", &data_type)),
        }
    }

    /// A lambda of as many of these parameters as it names, and the type of what it returns.
    fn lambda(&self, position: usize, types: &[DataType]) -> Result<(Expr, DataType)> {
        let ir::Expr::Lambda { params, body } = self.argument(position)? else {
            let (name, written) = (&self.function.name, &self.written);
            let message = format!("\"{written}\": argument {} of `{name}` must be a lambda function.", position + 1);
            let condition = "INVALID_LAMBDA_FUNCTION_CALL.PARAMETER_DOES_NOT_ACCEPT_LAMBDA_FUNCTION";
            return Err(SparkError::new(ErrorClass::Analysis, condition, "42K0D", message));
        };
        if params.len() > types.len() || params.is_empty() {
            let message =
                format!("A lambda function takes {} arguments here, this one has {}.", types.len(), params.len());
            let condition = "INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH";
            return Err(SparkError::new(ErrorClass::Analysis, condition, "42K0D", message)
                .with("expectedNumArgs", params.len().to_string())
                .with("actualNumArgs", types.len().to_string()));
        }
        // Unique names, so that a parameter hides no column and no parameter further out.
        let resolver = self.scope.resolver;
        let names: Vec<_> = params.iter().map(|_| resolver.new_column().name).collect();
        let variables = names.iter().zip(types).map(|(name, data_type)| {
            let field = ArrowField::new(name, data_type.clone(), true).into();
            (Expr::LambdaVariable(LambdaVariable::new(name.clone(), Some(field))), data_type.clone())
        });
        let parameters = Parameters { names: params, variables: variables.collect(), outer: self.scope.parameters };
        let scope = Scope { parameters: Some(&parameters), ..*self.scope };
        let Typed { expr, data_type } = scope.typed(body)?;
        Ok((lambda(names, expr), data_type))
    }

    fn predicate(&self, position: usize, types: &[DataType]) -> Result<Expr> {
        let (body, data_type) = self.lambda(position, types)?;
        match (data_type, body) {
            (DataType::Boolean, body) => Ok(body),
            (DataType::Null, Expr::Lambda(found)) => {
                Ok(lambda(found.params, Expr::Literal(ScalarValue::Boolean(None), None)))
            }
            (other, _) => Err(self.wrong_type(position, "BOOLEAN", &other)),
        }
    }

    /// `aggregate(array, zero, merge, finish)`.
    fn aggregate(&self) -> Result<Expr> {
        let (array, item) = self.array(0)?;
        let zero = self.scope.typed(self.argument(1)?)?;
        let state = zero.data_type;
        let (merge, merged) = self.lambda(2, &[state.clone(), item])?;
        // Precision apart, the state stays what it began as.
        let same = match (&state, &merged) {
            (DataType::Decimal128(..), DataType::Decimal128(..)) => false,
            _ => common_type(&state, &merged).as_ref() == Some(&state),
        };
        if state != merged && !(same && state.is_nested()) {
            return Err(self.wrong_type(2, &sql_name(&state), &merged));
        }
        let mut args = vec![array, zero.expr, merge];
        let mut result = state.clone();
        if self.function.args.len() > 3 {
            let (finish, finished) = self.lambda(3, &[state])?;
            args.push(finish);
            result = finished;
        }
        Ok(HigherOrder::Aggregate.call(args, result))
    }

    /// The error for a lambda that returns another type than is needed.
    fn wrong_return(&self, expected: &str, found: &DataType) -> SparkError {
        let (name, written, found) = (&self.function.name, &self.written, sql_name(found));
        let message = format!(
            "Cannot resolve \"{written}\" due to data type mismatch: The `{name}` requires return \"{expected}\" type, but \
             the actual is \"{found}\" type."
        );
        SparkError::new(ErrorClass::Analysis, "DATATYPE_MISMATCH.UNEXPECTED_RETURN_TYPE", "42K09", message)
            .with("sqlExpr", format!("\"{written}\""))
            .with("functionName", format!("`{name}`"))
            .with("expectedType", format!("\"{expected}\""))
            .with("actualType", format!("\"{found}\""))
    }

    fn wrong_type(&self, position: usize, required: &str, found: &DataType) -> SparkError {
        crate::functions::call::wrong_type(&self.written, position, required, found)
    }
}
