//! Gives an unresolved plan its meaning: names become columns, calls become functions, types are checked.
//!
//! Columns of the plan have unique internal names (`#0`, `#1`, ...), because Spark lets names repeat and looks them
//! up without regard to case. [`node::Field`] keeps what the user wrote; it is applied to the output alone.

mod aggregate;
mod assign;
mod assignable;
mod attribute;
mod build;
mod expr;
mod generate;
mod input_file;
mod join;
mod lambda;
mod lateral_alias;
mod load;
mod lookahead;
mod na;
mod names;
mod node;
mod nullability;
mod parse;
mod pivot;
mod prune;
mod recursion;
mod recursion_limit;
mod relation;
mod rows;
mod sample;
mod set_op;
mod sort;
mod sql_function;
mod star;
mod statistic;
mod subquery;
mod summary;
mod time_window;
mod to_schema;
mod transpose;
mod unpivot;
mod update_field;
mod variable;

use std::cell::Cell;
use std::sync::Arc;

use arrow::datatypes::{Field as ArrowField, Schema};
use datafusion::common::Column;

pub use self::assign::{Target, assign, column_exists};
use self::load::Tables;
use self::lookahead::Found;
use self::names::Namer;
use self::node::Node;
use crate::environment::{Environment, Functions, Resolved, Settings, Variables};
use crate::error::Result;
use crate::ir::{Expr, Relation};
use crate::types::client_type;

/// Resolves `relation` against the tables, sources and settings of `environment`.
///
/// # Errors
/// `AnalysisException` where the query cannot mean anything, with Spark's condition and SQLSTATE; `ParseException`
/// for SQL text inside the plan that does not parse.
pub async fn resolve(relation: &Relation, environment: &dyn Environment) -> Result<Resolved> {
    let mut relation = relation.clone();
    let tables = load::load(&mut relation, environment).await?;
    while let Some(query) = lookahead::wanted(&mut relation) {
        let query = with_meaning(&query, tables.clone(), environment)?;
        let found = Found { names: Arc::clone(&query.schema), rows: environment.rows(query).await? };
        lookahead::settle(&mut relation, &found, environment)?;
    }
    with_meaning(&relation, tables, environment)
}

fn with_meaning(relation: &Relation, tables: Tables, environment: &dyn Environment) -> Result<Resolved> {
    let (settings, variables) = (environment.settings(), environment.variables());
    let functions = environment.functions();
    let resolver = Resolver { tables, settings, variables, functions, next_column: Cell::new(0), calls: Cell::new(0) };
    let node = resolver.relation(relation, &Context::default())?.into_visible()?;
    resolver.output(node)
}

/// The second pass, over a plan whose tables are open.
struct Resolver {
    tables: Tables,
    settings: Settings,
    variables: Variables,
    functions: Functions,
    next_column: Cell<usize>,
    /// How many functions of users call one another around what is resolved.
    calls: Cell<usize>,
}

/// What a relation may refer to beside its inputs.
#[derive(Default, Clone, Copy)]
struct Context<'a> {
    /// The innermost named query, `WITH name AS (...)`.
    named: Option<&'a Named<'a>>,
    /// The rows of the step before, within a named query that refers to itself.
    recursion: Option<&'a Recursion<'a>>,
    /// The row of the query around a subquery.
    outer: Option<&'a Node>,
}

/// The rows that a named query refers to by its own name, and what else its name hides.
struct Recursion<'a> {
    name: &'a str,
    node: &'a Node,
    outer: Option<&'a Recursion<'a>>,
}

/// A named query and those before it, which it may refer to.
struct Named<'a> {
    name: &'a str,
    relation: &'a Relation,
    context: Context<'a>,
}

impl<'a> Context<'a> {
    fn find(&self, name: &str, case_sensitive: bool) -> Option<&'a Named<'a>> {
        let mut next = self.named;
        while let Some(named) = next {
            if node::same_name(named.name, name, case_sensitive) {
                return Some(named);
            }
            next = named.context.named;
        }
        None
    }
}

impl Resolver {
    /// Names and types as the client sees them.
    fn output(&self, node: Node) -> Result<Resolved> {
        let mut fields = Vec::with_capacity(node.fields.len());
        for field in &node.fields {
            let found = node.type_of(field)?;
            let stated = nullability::stated(&node.plan, &field.column).unwrap_or_else(|| Arc::clone(&found));
            let data_type = client_type(stated.data_type(), &self.settings.time_zone);
            let shown = ArrowField::new(&field.name, data_type, stated.is_nullable());
            let mut metadata = found.metadata().clone();
            // Values of an extension type reach the client as their storage: it may not know the type.
            metadata.retain(|key, _| !key.starts_with("ARROW:extension:"));
            fields.push(shown.with_metadata(metadata));
        }
        Ok(Resolved { plan: prune::prune(node.plan)?, schema: Arc::new(Schema::new(fields)) })
    }

    /// The name that Spark gives to an expression, as far as it does not depend on types.
    fn plain_name(&self, expr: &Expr) -> String {
        let time_zone = &self.settings.time_zone;
        Namer { time_zone, type_of: &|_| None, variable: &|_| None, inside: &|_| None, parameters: vec![] }.name(expr)
    }

    /// A new internal name.
    fn new_column(&self) -> Column {
        let id = self.next_column.get();
        self.next_column.set(id + 1);
        Column::new_unqualified(format!("#{id}"))
    }
}
