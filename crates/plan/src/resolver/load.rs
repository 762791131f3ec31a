//! First pass: SQL text inside the plan becomes plan, and the tables and sources it reads are opened.
//!
//! This is the only part that waits for the world outside, so that the rest of the resolver is plain code.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use recursive::recursive;

use crate::environment::{Environment, Resolved};
use crate::error::Result;
use crate::ir::{Expr, Read, Relation, RelationKind, Source};
use crate::sql;

/// What a plan reads.
#[derive(Default, Clone)]
pub(super) struct Tables {
    views: Vec<(Vec<String>, Option<Arc<Resolved>>)>,
    sources: Vec<(Source, Arc<dyn TableProvider>)>,
}

impl Tables {
    /// The view of a name, if there is one.
    pub(super) fn view(&self, name: &[String]) -> Option<&Arc<Resolved>> {
        self.views.iter().find(|(known, _)| known == name).and_then(|(_, view)| view.as_ref())
    }

    /// The table of a source.
    pub(super) fn source(&self, source: &Source) -> Option<&Arc<dyn TableProvider>> {
        self.sources.iter().find(|(known, _)| known == source).map(|(_, provider)| provider)
    }
}

/// Expands the SQL text in `relation`, and opens all that it reads. A source that is read twice is opened once.
pub(super) async fn load(relation: &mut Relation, environment: &dyn Environment) -> Result<Tables> {
    let mut reads = vec![];
    expand(relation, &mut reads)?;
    let mut names = vec![];
    let mut sources = vec![];
    for read in reads {
        match read {
            Read::Table(name) if !names.contains(&name) => names.push(name),
            Read::Source(source) if !sources.contains(&source) => sources.push(source),
            Read::Table(_) | Read::Source(_) => {}
        }
    }
    let views = environment.views(&names).await?;
    let providers = environment.sources(&sources).await?;
    Ok(Tables { views: names.into_iter().zip(views).collect(), sources: sources.into_iter().zip(providers).collect() })
}

#[recursive]
fn expand(relation: &mut Relation, reads: &mut Vec<Read>) -> Result<()> {
    if let RelationKind::Sql { query, named_args, positional_args } = &relation.kind {
        let parameters = sql::Parameters { named: named_args.clone(), positional: positional_args.clone() };
        relation.kind = sql::parse_query(query, &parameters)?.kind;
    }
    if let RelationKind::Read(read) = &relation.kind {
        reads.push(read.clone());
    }
    for expr in relation.expressions_mut() {
        expand_expr(expr, reads)?;
    }
    for input in relation.inputs_mut() {
        expand(input, reads)?;
    }
    Ok(())
}

#[recursive]
fn expand_expr(expr: &mut Expr, reads: &mut Vec<Read>) -> Result<()> {
    if let Expr::Text(text) = expr {
        *expr = sql::parse_expression(text)?;
    }
    if let Some(subquery) = expr.subquery_mut() {
        expand(subquery, reads)?;
    }
    for child in expr.children_mut() {
        expand_expr(child, reads)?;
    }
    Ok(())
}
