//! First pass: SQL text inside the plan becomes plan, and the tables and sources it reads are opened.
//!
//! This is the only part that waits for the world outside, so that the rest of the resolver is plain code.

use std::collections::BTreeSet;
use std::sync::Arc;

use recursive::recursive;

use crate::environment::{Environment, Functions, Resolved, Table};
use crate::error::Result;
use crate::ir::{Expr, Read, Relation, RelationKind, Source, SqlFunction};
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
    let mut expansion = Expansion { functions: environment.functions(), called: BTreeSet::new(), reads: vec![] };
    expansion.relation(relation)?;
    let (mut names, mut named, mut sources) = (vec![], vec![], vec![]);
    for read in expansion.reads {
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

/// What is found on the way through a plan.
struct Expansion {
    functions: Functions,
    /// The functions of users that have been looked into.
    called: BTreeSet<String>,
    reads: Vec<Read>,
}

impl Expansion {
    #[recursive]
    fn relation(&mut self, relation: &mut Relation) -> Result<()> {
        if let RelationKind::Sql { query, named_args, positional_args } = &relation.kind {
            let parameters = sql::Parameters { named: named_args.clone(), positional: positional_args.clone() };
            relation.kind = sql::parse_query(query, &parameters)?.kind;
        }
        match &mut relation.kind {
            RelationKind::Read(read) => self.reads.push(read.clone()),
            RelationKind::Generate(generate) => self.call(&mut generate.call.name)?,
            _ => {}
        }
        for expr in relation.expressions_mut() {
            self.expression(expr)?;
        }
        for input in relation.inputs_mut() {
            self.relation(input)?;
        }
        Ok(())
    }

    #[recursive]
    fn expression(&mut self, expr: &mut Expr) -> Result<()> {
        if let Expr::Text(text) = expr {
            *expr = sql::parse_expression(text)?;
        }
        if let Expr::Function(function) = expr {
            self.call(&mut function.name)?;
        }
        if let Some(subquery) = expr.subquery_mut() {
            self.relation(subquery)?;
        }
        for child in expr.children_mut() {
            self.expression(child)?;
        }
        Ok(())
    }

    /// Gives a function of a user its full name, and takes note of what it reads.
    fn call(&mut self, name: &mut String) -> Result<()> {
        let Some(function) = of_user(&self.functions, name) else { return Ok(()) };
        name.clone_from(&function.name);
        if !self.called.insert(function.name.to_lowercase()) {
            return Ok(());
        }
        for default in function.parameters.iter().filter_map(|parameter| parameter.default.as_ref()) {
            self.expression(&mut default.clone())?;
        }
        self.relation(&mut function.body.relation())
    }
}

/// The function that a user made under a name. Those of the engine go before it.
pub(super) fn of_user(functions: &Functions, name: &str) -> Option<Arc<SqlFunction>> {
    if functions.is_empty() {
        return None;
    }
    let name = name.to_lowercase();
    functions.get(&name).filter(|_| !crate::function_names().contains(&name.as_str())).cloned()
}
