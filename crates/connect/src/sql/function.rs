//! Functions of SQL: made, dropped and described.

use datafusion::common::ScalarValue;
use sheetbend_plan::ddl::sql_name;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::{CastMode, Expr, Function, FunctionBody, Generate, Relation, RelationKind, SqlFunction};
use sheetbend_plan::sql::CreateFunction;

use super::Statements;
use crate::functions::Place;
use crate::session::Session;
use crate::tables::{CATALOG, quoted};

impl Statements<'_> {
    pub(super) async fn create_function(&self, create: CreateFunction) -> Result<()> {
        let CreateFunction { name, temporary, replace, if_not_exists, mut function } = create;
        let session = self.session();
        let place = Place::new(&name, temporary, &session.tables.current());
        let place = place.ok_or_else(|| misplaced(&name, temporary))?;
        if temporary && crate::catalog::function(std::slice::from_ref(&place.name)).is_some() {
            return Err(not_replaced(&place.name));
        }
        let before = session.functions.get(&place);
        if if_not_exists && before.is_some() {
            return Ok(());
        }
        if let Some(database) = &place.database {
            let database = session.tables.database(std::slice::from_ref(database))?.name;
            function.name = format!("{CATALOG}.{database}.{}", function.name);
        }
        close(&mut function, &place, session)?;
        let call = call_of_nulls(&function);
        session.functions.create(place.clone(), function, replace)?;
        match session.resolve(&call).await {
            Ok(_) => Ok(()),
            Err(error) => {
                session.functions.put_back(place, before);
                Err(error)
            }
        }
    }
}

/// Names the tables of the body with their databases.
fn close(function: &mut SqlFunction, place: &Place, session: &Session) -> Result<()> {
    let body = function.body.relation();
    let closed = match place.database {
        Some(_) => session.closed_for("FUNCTION", &place.quoted(), body)?,
        None => session.qualified(body)?,
    };
    match (&mut function.body, closed.kind) {
        (FunctionBody::Scalar { expr, .. }, RelationKind::Project { list, .. }) => {
            if let Some(closed) = list.into_iter().next() {
                **expr = closed;
            }
        }
        (FunctionBody::Table { query, .. }, kind) => query.kind = kind,
        (FunctionBody::Scalar { .. }, _) => return Err(SparkError::internal("A value became rows.")),
    }
    Ok(())
}

/// A query that calls the function, so that what is wrong with its body is said when it is made.
fn call_of_nulls(function: &SqlFunction) -> Relation {
    let null = Expr::Literal(ScalarValue::Null);
    let args = function.parameters.iter().map(|parameter| Expr::Cast {
        expr: Box::new(null.clone()),
        to: parameter.data_type.clone(),
        mode: CastMode::Ansi,
    });
    let args = args.collect();
    match &function.body {
        FunctionBody::Scalar { .. } => {
            RelationKind::Project { input: None, list: vec![Expr::call(&function.name, args)] }.into()
        }
        FunctionBody::Table { .. } => {
            let call =
                Function { name: function.name.clone(), args, distinct: false, filter: None, order_by: Vec::new() };
            let generate = Generate { input: None, call, outer: false, alias: None, columns: Vec::new() };
            RelationKind::Generate(generate).into()
        }
    }
}

pub(super) fn drop(name: &[String], temporary: bool, if_exists: bool, session: &Session) -> Result<()> {
    let current = session.tables.current();
    let place = Place::new(name, temporary, &current);
    if place.as_ref().is_some_and(|place| session.functions.remove(place)) || if_exists {
        return Ok(());
    }
    if !temporary && Place::new(name, true, &current).is_some_and(|place| session.functions.get(&place).is_some()) {
        let name = name.join(".");
        let message = format!(
            "{name} is a temporary function. 'DROP FUNCTION' expects a persistent function. Please use DROP TEMPORARY \
             FUNCTION to drop a temporary function."
        );
        return Err(SparkError::new(ErrorClass::Analysis, "_LEGACY_ERROR_TEMP_1017", "", message).with("name", name));
    }
    let name = place.map_or_else(|| quoted(name), |place| place.quoted());
    let message = format!("The routine {name} cannot be found. Verify the spelling and correctness of the schema.");
    Err(SparkError::new(ErrorClass::Analysis, "ROUTINE_NOT_FOUND", "42883", message).with("routineName", name))
}

/// What `DESCRIBE FUNCTION` says, line by line.
pub(super) fn described(function: &SqlFunction) -> Vec<String> {
    let (kind, returns) = match &function.body {
        FunctionBody::Scalar { returns, .. } => ("SCALAR", vec![returns.as_ref().map_or_else(String::new, sql_name)]),
        FunctionBody::Table { returns, .. } => {
            let columns = returns.iter().flat_map(|schema| schema.fields());
            ("TABLE", aligned(columns.map(|field| (field.name().clone(), sql_name(field.data_type())))))
        }
    };
    let input = aligned(function.parameters.iter().map(|one| (one.name.clone(), sql_name(&one.data_type))));
    let mut lines = vec![format!("Function: {}", function.name), format!("Type:     {kind}")];
    for (title, rows) in [("Input:", input), ("Returns:", returns)] {
        let titles = std::iter::once(title).chain(std::iter::repeat(""));
        lines.extend(titles.zip(rows).map(|(title, row)| format!("{title:<10}{row}")));
    }
    lines
}

/// Names and types in two columns.
fn aligned(rows: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let rows: Vec<_> = rows.collect();
    let width =
        |of: fn(&(String, String)) -> &String| rows.iter().map(|row| of(row).chars().count()).max().unwrap_or(0);
    let (names, types) = (width(|row| &row.0), width(|row| &row.1));
    rows.iter().map(|(name, of)| format!("{name:<names$} {of:<types$}")).collect()
}

fn misplaced(name: &[String], temporary: bool) -> SparkError {
    let (Some((last, before)), true) = (name.split_last(), temporary) else {
        return crate::tables::schema_not_found(&name[..name.len().saturating_sub(1)]);
    };
    let (object, qualifier) = (quoted(std::slice::from_ref(last)), quoted(before));
    let message = format!(
        "Temporary FUNCTION {object} cannot be qualified with {qualifier}. Temporary objects can only be qualified with \
         SESSION or SYSTEM.SESSION."
    );
    SparkError::new(ErrorClass::Parse, "INVALID_TEMP_OBJ_QUALIFIER", "42602", message)
        .with("objectName", object)
        .with("objectType", "FUNCTION")
        .with("qualifier", qualifier)
}

fn not_replaced(name: &str) -> SparkError {
    let message =
        format!("User defined function is invalid: Cannot replace the non-SQL function {name} with a SQL function.");
    let condition = "USER_DEFINED_FUNCTIONS.CANNOT_REPLACE_NON_SQL_UDF_WITH_SQL_UDF";
    SparkError::new(ErrorClass::Analysis, condition, "42601", message).with("name", name)
}
