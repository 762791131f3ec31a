//! Rows of a query as rows of a table: which column goes where, and as which type.
//!
//! Spark's rules for `INSERT` in ANSI mode: a number fits a number and anything but a nested value fits text; what does
//! not fit is an error, and so is a value that its column does not hold.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::Expr;

use super::build;
use super::node::{quote, same_name};
use crate::environment::{Resolved, Settings};
use crate::error::{ErrorClass, Result, SparkError};
use crate::functions::assign::{assigned, not_null};
use crate::functions::cast::cast;
use crate::ir::{CastMode, InsertColumns};
use crate::resolver::assignable::Assignable;
use crate::types::client_type;

/// A table that rows go into.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Its name as messages show it.
    pub name: &'a str,
    /// Its columns.
    pub schema: &'a Schema,
}

/// The rows of `query` with the columns of `target`.
///
/// # Errors
/// `INSERT_COLUMN_ARITY_MISMATCH` and `INCOMPATIBLE_DATA_FOR_TABLE`, with what does not fit.
pub fn assign(query: Resolved, target: &Target<'_>, columns: &InsertColumns, settings: &Settings) -> Result<Resolved> {
    let sources = Matching { query: &query.schema, target, settings }.sources(columns)?;
    let plan_columns = query.plan.schema().columns();
    let mut exprs = Vec::with_capacity(sources.len());
    let mut fields = Vec::with_capacity(sources.len());
    for (field, source) in target.schema.fields().iter().zip(sources) {
        let (expr, nullable) = match source {
            None => (null(field, target)?, true),
            Some(source) => {
                let by_name = *columns == InsertColumns::Name;
                Assignable { target, by_name }.check(query.schema.field(source), field)?;
                let expr = convert(&query, &plan_columns[source], field, settings)?;
                (expr, query.schema.field(source).is_nullable())
            }
        };
        let expr = if nullable && !field.is_nullable() { not_null(expr, field.name()) } else { expr };
        exprs.push(expr.alias(format!("#{}", exprs.len())));
        fields.push(Field::clone(field).with_nullable(nullable && field.is_nullable()));
    }
    let plan = build::project(query.plan, exprs)?;
    Ok(Resolved { plan, schema: Arc::new(Schema::new(fields)) })
}

fn null(field: &Field, target: &Target<'_>) -> Result<Expr> {
    if field.is_nullable() {
        return Ok(Expr::Literal(ScalarValue::try_from(&engine_type(field.data_type()))?, None));
    }
    let column = quote([field.name()]);
    Err(incompatible(target, "CANNOT_FIND_DATA", &format!("Cannot find data for the output column {column}"))
        .with("colName", column))
}

fn convert(query: &Resolved, column: &Column, field: &Field, settings: &Settings) -> Result<Expr> {
    let in_plan = query.plan.schema().field_with_name(None, &column.name)?.data_type();
    let (from, to) = (engine_type(in_plan), engine_type(field.data_type()));
    let mut expr = Expr::Column(column.clone());
    if *in_plan != from {
        expr = datafusion::logical_expr::cast(expr, from.clone());
    }
    if from == to {
        return Ok(expr);
    }
    if from.is_nested() {
        return cast(expr, &from, &to, CastMode::Ansi, &settings.time_zone);
    }
    // What does not fit is NULL first, and then an error that names the column.
    let converted = cast(expr.clone(), &from, &to, CastMode::Try, &settings.time_zone)?;
    Ok(assigned(converted, expr, field.name(), &from))
}

/// The type in which the engine keeps values of a client's type.
fn engine_type(data_type: &DataType) -> DataType {
    client_type(data_type, "UTC")
}

/// Finds the column of a query for each column of a table.
struct Matching<'a> {
    query: &'a Schema,
    target: &'a Target<'a>,
    settings: &'a Settings,
}

impl Matching<'_> {
    /// The position in the query for each column of the table; none for NULL.
    fn sources(&self, columns: &InsertColumns) -> Result<Vec<Option<usize>>> {
        let names = |schema: &Schema| schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
        let (data, table) = (names(self.query), names(self.target.schema));
        match columns {
            InsertColumns::Position => {
                self.check_count(&data, &table)?;
                Ok((0..table.len()).map(Some).collect())
            }
            InsertColumns::List(listed) => {
                let positions = self.listed(listed, &table)?;
                self.check_count(&data, listed)?;
                Ok((0..table.len()).map(|column| positions.iter().position(|listed| *listed == column)).collect())
            }
            InsertColumns::Name => {
                if data.len() > table.len() {
                    return Err(self.arity("TOO_MANY_DATA_COLUMNS", &data, &table));
                }
                let extra: Vec<_> = data.iter().filter(|name| self.find(name, &table).is_none()).collect();
                if !extra.is_empty() {
                    let extra = list(&extra);
                    let what = format!("Cannot write extra columns {extra}");
                    return Err(incompatible(self.target, "EXTRA_COLUMNS", &what).with("extraColumns", extra));
                }
                self.check_unique(&data)?;
                Ok(table.iter().map(|column| self.find(column, &data)).collect())
            }
        }
    }

    /// The positions in the table of a list of columns.
    fn listed(&self, listed: &[String], table: &[String]) -> Result<Vec<usize>> {
        self.check_unique(listed)?;
        listed.iter().map(|name| self.find(name, table).ok_or_else(|| unresolved(name, table))).collect()
    }

    fn find(&self, name: &str, among: &[String]) -> Option<usize> {
        among.iter().position(|other| same_name(other, name, self.settings.case_sensitive))
    }

    fn check_unique(&self, names: &[String]) -> Result<()> {
        match names.iter().enumerate().find(|(at, name)| self.find(name, names) != Some(*at)) {
            None => Ok(()),
            Some((_, name)) => Err(column_exists(name)),
        }
    }

    fn check_count(&self, data: &[String], table: &[String]) -> Result<()> {
        match data.len().cmp(&table.len()) {
            std::cmp::Ordering::Less => Err(self.arity("NOT_ENOUGH_DATA_COLUMNS", data, table)),
            std::cmp::Ordering::Greater => Err(self.arity("TOO_MANY_DATA_COLUMNS", data, table)),
            std::cmp::Ordering::Equal => Ok(()),
        }
    }

    fn arity(&self, kind: &str, data: &[String], table: &[String]) -> SparkError {
        let (name, data, table) = (self.target.name, list(data), list(table));
        let reason = kind.to_lowercase().replace('_', " ");
        let message =
            format!("Cannot write to {name}, the reason is {reason}:\nTable columns: {table}.\nData columns: {data}.");
        let condition = format!("INSERT_COLUMN_ARITY_MISMATCH.{kind}");
        SparkError::new(ErrorClass::Analysis, &condition, "21S01", message)
            .with("tableName", name)
            .with("tableColumns", table)
            .with("dataColumns", data)
    }
}

/// The error for a column that a table or a query has twice.
pub fn column_exists(name: &str) -> SparkError {
    let column = quote([name.to_lowercase()]);
    let message = format!("The column {column} already exists. Choose another name or rename the existing column.");
    SparkError::new(ErrorClass::Analysis, "COLUMN_ALREADY_EXISTS", "42711", message).with("columnName", column)
}

/// The error for rows that a table cannot take; `what` says why.
pub(super) fn incompatible(target: &Target<'_>, kind: &str, what: &str) -> SparkError {
    let message = format!("Cannot write incompatible data for the table {}: {what}.", target.name);
    let condition = format!("INCOMPATIBLE_DATA_FOR_TABLE.{kind}");
    SparkError::new(ErrorClass::Analysis, &condition, "KD000", message).with("tableName", target.name)
}

fn unresolved(name: &str, table: &[String]) -> SparkError {
    let (name, proposal) = (quote([name]), list(table));
    let message = format!("The table has no column {name}. It has: {proposal}.");
    SparkError::new(ErrorClass::Analysis, "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", message)
        .with("objectName", name)
        .with("proposal", proposal)
}

fn list<S: AsRef<str>>(names: &[S]) -> String {
    names.iter().map(|name| quote([name])).collect::<Vec<_>>().join(", ")
}
