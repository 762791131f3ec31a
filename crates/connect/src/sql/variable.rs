//! Session variables.

use std::collections::HashSet;

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use sheetbend_plan::environment::Environment;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::{CastMode, Expr, Relation, RelationKind};
use sheetbend_plan::sql::{DeclareVariables, SetVariables};
use sheetbend_plan::types::client_type;

use super::Statements;
use crate::session::Session;
use crate::tables::quoted;
use crate::variables::{Declared, local_name};

/// Where `DECLARE` and `DROP` look.
const SESSION: &str = "[`system`.`session`]";

impl Statements<'_> {
    pub(super) async fn declare(&self, declare: DeclareVariables) -> Result<()> {
        let DeclareVariables { names, replace, data_type, default } = declare;
        let names = names.iter().map(|name| local_name(name).ok_or_else(|| unresolved(name, SESSION)));
        let names = names.collect::<Result<Vec<_>>>()?;
        if let (Some(default), Some(name)) = (&default, names.first())
            && has_subquery(default)
        {
            return Err(subquery_as_default(name));
        }
        let value = default.clone().unwrap_or(Expr::Literal(ScalarValue::Null));
        let value = match data_type {
            Some(to) => cast(value, to),
            None => value,
        };
        let mut values = self.evaluate(vec![value]).await?;
        let value = values.pop().unwrap_or(ScalarValue::Null);
        self.session().variables.declare(&names, &Declared { value, default }, replace)
    }

    pub(super) async fn set_variables(&self, set: SetVariables) -> Result<()> {
        match set {
            SetVariables::Row { names, query } => self.set_row(&self.targets(&names, not_a_variable)?, *query).await,
            SetVariables::Values(assignments) => {
                let (names, values): (Vec<_>, Vec<_>) = assignments.into_iter().unzip();
                let targets = self.targets(&names, not_a_variable)?;
                let values = targets.iter().zip(values).map(|((_, declared), value)| {
                    let value = value.or_else(|| declared.default.clone());
                    cast(value.unwrap_or(Expr::Literal(ScalarValue::Null)), declared.value.data_type())
                });
                let values = self.evaluate(values.collect()).await?;
                self.session().variables.set(targets.into_iter().map(|(name, _)| name).zip(values));
                Ok(())
            }
        }
    }

    pub(super) fn drop_variable(&self, name: &[String], if_exists: bool) -> Result<()> {
        let local = local_name(name).ok_or_else(|| unresolved(name, SESSION))?;
        match self.session().variables.remove(&local) {
            Err(_) if if_exists => Ok(()),
            removed => removed,
        }
    }

    /// Sets variables to the only row of a query, or to NULL where it has none.
    pub(super) async fn set_row(&self, targets: &[(String, Declared)], query: Relation) -> Result<()> {
        let two = Some(Expr::literal(ScalarValue::Int32(Some(2))));
        let query: Relation = RelationKind::Limit { input: Box::new(query), skip: None, fetch: two }.into();
        let session = self.session();
        let resolved = session.resolve(&self.with(query)).await?;
        let found = resolved.schema.fields().len();
        if found != targets.len() {
            return Err(arity_mismatch(targets.len(), found));
        }
        let batches = session.rows(resolved).await?;
        let row = batches.iter().find(|batch| batch.num_rows() > 0);
        if batches.iter().map(|batch| batch.num_rows()).sum::<usize>() > 1 {
            let message = "More than one row returned by a subquery used as a row.";
            return Err(SparkError::new(ErrorClass::Internal, "ROW_SUBQUERY_TOO_MANY_ROWS", "21000", message));
        }
        let mut values = vec![];
        for (position, (_, declared)) in targets.iter().enumerate() {
            let value = match row {
                Some(row) => internal(&ScalarValue::try_from_array(row.column(position), 0)?)?,
                None => ScalarValue::Null,
            };
            values.push(cast(Expr::Literal(value), declared.value.data_type()));
        }
        let values = self.evaluate(values).await?;
        session.variables.set(targets.iter().map(|(name, _)| name.clone()).zip(values));
        Ok(())
    }

    /// The variables of these names, each once; `missing` makes the error for one that is not there.
    pub(super) fn targets(
        &self,
        names: &[Vec<String>],
        missing: fn(&[String], &Session) -> SparkError,
    ) -> Result<Vec<(String, Declared)>> {
        let session = self.session();
        let mut seen = HashSet::new();
        let mut targets = vec![];
        for name in names {
            let found = local_name(name).and_then(|local| Some((local.clone(), session.variables.get(&local)?)));
            let (local, declared) = found.ok_or_else(|| missing(name, session))?;
            if !seen.insert(local.clone()) {
                return Err(assigned_twice(&local));
            }
            targets.push((local, declared));
        }
        Ok(targets)
    }

    /// The values of expressions that name no columns.
    pub(super) async fn evaluate(&self, list: Vec<Expr>) -> Result<Vec<ScalarValue>> {
        let row = RelationKind::Project { input: None, list }.into();
        let session = self.session();
        let resolved = session.resolve(&self.with(row)).await?;
        let batches = session.rows(resolved).await?;
        let row = batches.iter().find(|batch| batch.num_rows() > 0);
        let row = row.ok_or_else(|| SparkError::internal("Expressions without columns came to no row."))?;
        row.columns().iter().map(|column| internal(&ScalarValue::try_from_array(column, 0)?)).collect()
    }
}

/// A value as plans have it: instants are in UTC there.
fn internal(value: &ScalarValue) -> Result<ScalarValue> {
    Ok(value.cast_to(&client_type(&value.data_type(), "UTC"))?)
}

fn cast(expr: Expr, to: DataType) -> Expr {
    Expr::Cast { expr: Box::new(expr), to, mode: CastMode::Ansi }
}

/// Whether a query stands anywhere in an expression.
pub(super) fn has_subquery(expr: &Expr) -> bool {
    matches!(expr, Expr::ScalarSubquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. })
        || expr.children().into_iter().any(has_subquery)
}

fn not_a_variable(name: &[String], session: &Session) -> SparkError {
    unresolved(name, &session.search_path())
}

fn unresolved(name: &[String], path: &str) -> SparkError {
    let name = quoted(name);
    let message = format!("Cannot resolve variable {name} on search path {path}.");
    SparkError::new(ErrorClass::Analysis, "UNRESOLVED_VARIABLE", "42883", message)
        .with("variableName", name)
        .with("searchPath", path)
}

fn assigned_twice(name: &str) -> SparkError {
    let name = quoted(&[name.to_owned()]);
    let message = format!("The columns or variables {name} appear more than once as assignment targets.");
    SparkError::new(ErrorClass::Analysis, "DUPLICATE_ASSIGNMENTS", "42701", message).with("nameList", name)
}

fn arity_mismatch(targets: usize, found: usize) -> SparkError {
    let message = format!(
        "The number of columns or variables assigned or aliased: {targets} does not match the number of source \
         expressions: {found}."
    );
    SparkError::new(ErrorClass::Analysis, "ASSIGNMENT_ARITY_MISMATCH", "42802", message)
        .with("numTarget", targets.to_string())
        .with("numExpr", found.to_string())
}

fn subquery_as_default(name: &str) -> SparkError {
    let name = quoted(&["system".to_owned(), "session".to_owned(), name.to_owned()]);
    let message = format!("The default of the variable {name} contains a subquery. Use SET VARIABLE for it.");
    SparkError::new(ErrorClass::Analysis, "INVALID_DEFAULT_VALUE.SUBQUERY_EXPRESSION", "42623", message)
        .with("statement", "DECLARE VARIABLE")
        .with("colName", name)
}
