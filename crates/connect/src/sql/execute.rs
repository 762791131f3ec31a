//! `EXECUTE IMMEDIATE`: a text that is computed, with values for its markers.

use datafusion::common::ScalarValue;
use sheetbend_plan::ddl::sql_name;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::Expr;
use sheetbend_plan::sql::{self, ExecuteImmediate, Parameters, Statement};
use spark_connect_proto as proto;
use spark_connect_proto::expression::ExprType;
use spark_connect_proto::relation::RelType;

use super::variable::has_subquery;
use super::{Statements, to_relation};
use crate::session::Session;
use crate::tables::quoted;
use crate::value::literal;

/// How many texts may execute one another.
const MOST_NESTED: usize = 32;

impl Statements<'_> {
    /// Executes the text; the relation that stands for its result, which for a query is the query.
    pub(super) async fn immediate(&self, mut execute: ExecuteImmediate) -> Result<proto::Relation> {
        for _ in 0..MOST_NESTED {
            let ExecuteImmediate { text, into, using } = execute;
            let text = self.text(text).await?;
            let parameters = self.parameters(&text, using).await?;
            if !into.is_empty() {
                let targets = self.targets(&into, no_target)?;
                let Statement::Query(query) = statement(&text, &parameters)? else { return Err(not_a_query(&text)) };
                self.set_row(&targets, query).await?;
                return to_relation(crate::catalog::rows::nothing()?);
            }
            match statement(&text, &parameters)? {
                Statement::Query(query) => {
                    self.session().resolve(&self.with(query)).await?;
                    return relation(text, parameters);
                }
                Statement::ExecuteImmediate(inner) => execute = inner,
                other => return to_relation(self.run(other).await?),
            }
        }
        let message = format!("EXECUTE IMMEDIATE executes itself more than {MOST_NESTED} times.");
        Err(SparkError::new(ErrorClass::Analysis, "NESTED_EXECUTE_IMMEDIATE", "07501", message))
    }

    async fn text(&self, expr: Expr) -> Result<String> {
        let name = match &expr {
            Expr::Attribute { parts, .. } => Some(quoted(parts)),
            _ => None,
        };
        match (self.evaluate(vec![expr]).await?.pop(), name) {
            (Some(ScalarValue::Utf8(Some(text))), _) => Ok(text),
            (Some(ScalarValue::Utf8(None)), Some(name)) => {
                let message = format!("Execute immediate requires a non-null variable as the query string: {name}.");
                Err(SparkError::new(ErrorClass::Analysis, "NULL_QUERY_STRING_EXECUTE_IMMEDIATE", "22004", message)
                    .with("varName", name))
            }
            (other, _) => {
                let found = sql_name(&other.unwrap_or(ScalarValue::Null).data_type());
                let message = format!("The text of EXECUTE IMMEDIATE must be a STRING, but it is \"{found}\".");
                let condition = "INVALID_EXPR_TYPE_FOR_QUERY_EXECUTE_IMMEDIATE";
                Err(SparkError::new(ErrorClass::Analysis, condition, "42K09", message)
                    .with("exprType", format!("\"{found}\"")))
            }
        }
    }

    /// The values of `USING` for the markers of `text`.
    async fn parameters(&self, text: &str, using: Vec<(Expr, Option<String>)>) -> Result<Parameters> {
        if using.is_empty() {
            return Ok(Parameters::default());
        }
        if using.iter().any(|(expr, _)| has_subquery(expr)) {
            let message = "A query parameter must be a variable or a literal; a subquery was found.";
            return Err(SparkError::new(ErrorClass::Analysis, "UNSUPPORTED_EXPR_FOR_PARAMETER", "42K0E", message));
        }
        let (exprs, names): (Vec<_>, Vec<_>) = using.into_iter().unzip();
        let values = self.evaluate(exprs).await?.into_iter().map(Expr::Literal);
        let mut parameters = Parameters::default();
        for (value, name) in values.zip(names) {
            match name {
                None => parameters.positional.push(value),
                Some(name) if parameters.named.contains_key(&name) => return Err(named_twice(&name)),
                Some(name) => drop(parameters.named.insert(name, value)),
            }
        }
        match sql::markers(text)? {
            (false, true) if !parameters.positional.is_empty() => Err(nameless()),
            (true, false) => {
                parameters.positional.extend(std::mem::take(&mut parameters.named).into_values());
                Ok(parameters)
            }
            _ => Ok(parameters),
        }
    }
}

fn statement(text: &str, parameters: &Parameters) -> Result<Statement> {
    let is_script = text.trim_start().get(..5).is_some_and(|word| word.eq_ignore_ascii_case("begin"));
    if is_script {
        let message = "SQL scripts in EXECUTE IMMEDIATE are not allowed: the text has to be one statement.";
        return Err(SparkError::new(ErrorClass::Analysis, "SQL_SCRIPT_IN_EXECUTE_IMMEDIATE", "07501", message)
            .with("sqlString", text.to_uppercase()));
    }
    sql::parse_statement(text, parameters)
}

/// A query as the client sends it back.
fn relation(query: String, parameters: Parameters) -> Result<proto::Relation> {
    let argument = |value: Expr| -> Result<proto::Expression> {
        let Expr::Literal(value) = value else { return Err(SparkError::internal("A parameter has no value.")) };
        let value = literal(&value.to_array()?)?;
        Ok(proto::Expression { expr_type: Some(ExprType::Literal(value)), ..proto::Expression::default() })
    };
    let Parameters { named, positional } = parameters;
    let sql = proto::Sql {
        query,
        named_arguments: named.into_iter().map(|(name, value)| Ok((name, argument(value)?))).collect::<Result<_>>()?,
        pos_arguments: positional.into_iter().map(argument).collect::<Result<_>>()?,
        ..proto::Sql::default()
    };
    Ok(proto::Relation { rel_type: Some(RelType::Sql(sql)), ..proto::Relation::default() })
}

fn no_target(name: &[String], _: &Session) -> SparkError {
    let name = quoted(name);
    let message = format!("A column, variable, or function parameter with name {name} cannot be resolved.");
    SparkError::new(ErrorClass::Analysis, "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "42703", message)
        .with("objectName", name)
}

fn not_a_query(text: &str) -> SparkError {
    let text = text.to_uppercase();
    let message =
        format!("The INTO clause of EXECUTE IMMEDIATE is only valid for queries but the given statement is: {text}.");
    SparkError::new(ErrorClass::Analysis, "INVALID_STATEMENT_FOR_EXECUTE_INTO", "07501", message)
        .with("sqlString", text)
}

fn named_twice(name: &str) -> SparkError {
    let name = quoted(&[name.to_owned()]);
    let message = format!("The USING clause of EXECUTE IMMEDIATE has several arguments of the name {name}.");
    SparkError::new(ErrorClass::Parse, "EXEC_IMMEDIATE_DUPLICATE_ARGUMENT_ALIASES", "42701", message)
        .with("aliases", name)
}

fn nameless() -> SparkError {
    let message = "Using name parameterized queries requires all parameters to be named.";
    SparkError::new(ErrorClass::Analysis, "ALL_PARAMETERS_MUST_BE_NAMED", "07001", message)
}
