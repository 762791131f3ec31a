//! First pass: SQL text inside the plan becomes plan, and the tables and sources it reads are opened.
//!
//! This is the only part that waits for the world outside, so that the rest of the resolver is plain code.

use std::sync::Arc;

use recursive::recursive;

use crate::environment::{Environment, Resolved, Table};
use crate::error::Result;
use crate::ir::{Expr, Read, Relation, RelationKind, Source};
use crate::sql;

/// What a plan reads.
#[derive(Default, Clone)]
pub(super) struct Tables {
    views: Vec<(Vec<String>, Option<Arc<Resolved>>)>,
    named: Vec<(Vec<String>, Source)>,
    sources: Vec<(Source, Table)>,
}

impl Tables {
    /// The view of a name, if there is one.
    pub(super) fn view(&self, name: &[String]) -> Option<&Arc<Resolved>> {
        self.views.iter().find(|(known, _)| known == name).and_then(|(_, view)| view.as_ref())
    }

    /// The source that a name stands for, if it is none of a view.
    pub(super) fn source_named(&self, name: &[String]) -> Option<&Source> {
        self.named.iter().find(|(known, _)| known == name).map(|(_, source)| source)
    }

    /// The table of a source.
    pub(super) fn source(&self, source: &Source) -> Option<&Table> {
        self.sources.iter().find(|(known, _)| known == source).map(|(_, table)| table)
    }
}

/// Expands the SQL text in `relation`, and opens all that it reads. A source that is read twice is opened once.
pub(super) async fn load(relation: &mut Relation, environment: &dyn Environment) -> Result<Tables> {
    let mut reads = vec![];
    expand(relation, &mut reads)?;
    let (mut names, mut named, mut sources) = (vec![], vec![], vec![]);
    for read in reads {
        let source = match read {
            Read::Source(source) => source,
            Read::Table(name) => match environment.source_named(&name) {
                Some(source) => {
                    named.push((name, source.clone()));
                    source
                }
                None if names.contains(&name) => continue,
                None => {
                    names.push(name);
                    continue;
                }
            },
        };
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    let views = environment.views(&names).await?;
    let tables = environment.sources(&sources).await?;
    let (views, sources) = (names.into_iter().zip(views).collect(), sources.into_iter().zip(tables).collect());
    Ok(Tables { views, named, sources })
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
