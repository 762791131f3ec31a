//! What a name means in a session: a temporary view, a global one, a table or a stored view.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::{Expr, Read, Relation, RelationKind};
use sheetbend_plan::sql;

use crate::functions::Place;
use crate::session::Session;
use crate::tables::{CATALOG, Entry, GLOBAL, Name, quoted};
use crate::views::View;

/// The key of a column's comment in the metadata of its field.
pub(crate) const COMMENT: &str = "comment";

/// What a name means.
pub(crate) enum Found {
    /// A temporary view of the session.
    Temporary(View),
    /// A temporary view of all sessions.
    Global(View),
    /// What stands in a database.
    Stored(Entry),
}

impl Found {
    /// The columns, as they were when it was created.
    pub(crate) fn schema(&self) -> SchemaRef {
        match self {
            Self::Temporary(view) | Self::Global(view) => Arc::clone(&view.query.schema),
            Self::Stored(entry) => Arc::clone(entry.schema()),
        }
    }

    /// The comments of the columns; fewer than columns where there are none.
    pub(crate) fn comments(&self) -> Vec<Option<String>> {
        match self {
            Self::Temporary(view) | Self::Global(view) => view.comments.clone(),
            Self::Stored(Entry::View(view)) => view.comments.clone(),
            Self::Stored(Entry::Table(table)) => {
                table.schema.fields().iter().map(|field| field.metadata().get(COMMENT).cloned()).collect()
            }
        }
    }
}

impl Session {
    /// What a name means; none where it means nothing.
    pub(crate) fn find(&self, name: &[String]) -> Option<Found> {
        match name {
            [name] if let Some(view) = self.views.get(name) => Some(Found::Temporary(view)),
            [database, name] if database.eq_ignore_ascii_case(GLOBAL) => self.globals.get(name).map(Found::Global),
            _ => self.tables.entry(name).map(Found::Stored),
        }
    }

    /// The same.
    ///
    /// # Errors
    /// `TABLE_OR_VIEW_NOT_FOUND`.
    pub(crate) fn get(&self, name: &[String]) -> Result<Found> {
        self.find(name).ok_or_else(|| self.not_found(name))
    }

    /// The error for a name that means nothing.
    pub(crate) fn not_found(&self, name: &[String]) -> SparkError {
        not_found(&quoted(name)).with("searchPath", self.search_path())
    }

    /// Where names are looked for, as errors show it.
    pub(crate) fn search_path(&self) -> String {
        format!("[`system`.`builtin`, `system`.`session`, `{CATALOG}`.`{}`]", self.tables.current())
    }

    /// The same for a name that is to be dropped, which is looked for in one database.
    pub(crate) fn not_found_in_database(&self, name: &[String]) -> SparkError {
        let parts = match name {
            [_] => vec![CATALOG.to_owned(), self.tables.current()],
            [catalog, ..] if catalog.eq_ignore_ascii_case(CATALOG) => Vec::new(),
            _ => vec![CATALOG.to_owned()],
        };
        let full = [parts, name.to_vec()].concat();
        let path = format!("[{}]", quoted(&full[..full.len().saturating_sub(1)]));
        not_found(&quoted(&full)).with("searchPath", path)
    }

    /// A relation whose meaning does not change with the session's views and current database: SQL text is parsed,
    /// temporary views are written out, and tables are named with their databases.
    ///
    /// # Errors
    /// Text that does not parse.
    pub(crate) fn closed(&self, mut relation: Relation) -> Result<Relation> {
        Closing::new(self).relation(&mut relation)?;
        Ok(relation)
    }

    /// The same for the text of a temporary view: as it is now, and as it follows the session's temporary views.
    ///
    /// # Errors
    /// `RECURSIVE_VIEW` where it reads itself.
    pub(crate) fn closed_view(&self, name: &str, relation: Relation) -> Result<(Relation, Relation)> {
        let mut closed = relation.clone();
        let mut closing = Closing::new(self);
        closing.relation(&mut closed)?;
        if closing.views.contains(&name.to_lowercase()) {
            let name = quoted(&[name.to_owned()]);
            let message = format!("Recursive view {name} detected (cycle: {name} -> {name}).");
            return Err(SparkError::new(ErrorClass::Analysis, "RECURSIVE_VIEW", "42K0H", message)
                .with("viewIdent", &name)
                .with("newPath", format!("{name} -> {name}")));
        }
        Ok((closed, self.qualified(relation)?))
    }

    /// The same for a query that follows the session's temporary views, which stay names in it.
    ///
    /// # Errors
    /// Text that does not parse.
    pub(crate) fn qualified(&self, mut relation: Relation) -> Result<Relation> {
        Closing { keeps_views: true, ..Closing::new(self) }.relation(&mut relation)?;
        Ok(relation)
    }

    /// The same for what is stored, which must outlast what is temporary in the session: an object of a kind (`VIEW`,
    /// `FUNCTION`), and its name as messages show it.
    ///
    /// # Errors
    /// `INVALID_TEMP_OBJ_REFERENCE` where it reads a temporary view or calls a temporary function.
    pub(crate) fn closed_for(&self, kind: &str, object: &str, mut relation: Relation) -> Result<Relation> {
        let mut closing = Closing::new(self);
        closing.relation(&mut relation)?;
        match closing.temporary {
            Some((of, name)) => Err(temporary_reference((kind, object), (of, &name))),
            None => Ok(relation),
        }
    }
}

/// The error for a stored object that needs a temporary one, each by its kind and name.
pub(crate) fn temporary_reference((kind, object): (&str, &str), (of, temporary): (&str, &str)) -> SparkError {
    let temporary = quoted(&[temporary.to_owned()]);
    let message = format!(
        "Cannot create the persistent object {object} of the type {kind} because it references to the temporary object \
         {temporary} of the type {of}."
    );
    SparkError::new(ErrorClass::Analysis, "INVALID_TEMP_OBJ_REFERENCE", "42K0F", message)
        .with("obj", kind)
        .with("objName", object)
        .with("tempObj", of)
        .with("tempObjName", temporary)
}

fn not_found(name: &str) -> SparkError {
    let message = format!(
        "The table or view {name} cannot be found. Verify the spelling and correctness of the schema and catalog."
    );
    SparkError::new(ErrorClass::Analysis, "TABLE_OR_VIEW_NOT_FOUND", "42P01", message).with("relationName", name)
}

struct Closing<'a> {
    session: &'a Session,
    /// The named queries in scope.
    named: Vec<String>,
    /// What is temporary and stands in it, by its kind and name.
    temporary: Option<(&'static str, String)>,
    /// Temporary views stay names.
    keeps_views: bool,
    /// The names of the temporary views that are read, in lower case, those inside others too.
    views: BTreeSet<String>,
}

impl<'a> Closing<'a> {
    fn new(session: &'a Session) -> Self {
        Self { session, named: Vec::new(), temporary: None, keeps_views: false, views: BTreeSet::new() }
    }

    fn relation(&mut self, relation: &mut Relation) -> Result<()> {
        if let RelationKind::Sql { query, named_args, positional_args } = &relation.kind {
            let parameters = sql::Parameters { named: named_args.clone(), positional: positional_args.clone() };
            relation.kind = sql::parse_query(query, &parameters)?.kind;
        }
        for expr in relation.expressions_mut() {
            self.expression(expr)?;
        }
        match &mut relation.kind {
            RelationKind::Read(Read::Table(name)) => {
                if let Some(kind) = self.table(name)? {
                    relation.kind = kind;
                }
                Ok(())
            }
            RelationKind::With { input, relations } => {
                let outside = self.named.len();
                for (name, relation) in relations {
                    self.relation(relation)?;
                    self.named.push(name.clone());
                }
                self.relation(input)?;
                self.named.truncate(outside);
                Ok(())
            }
            RelationKind::Recursive(recursive) => {
                self.relation(&mut recursive.anchor)?;
                self.named.push(recursive.name.clone());
                self.relation(&mut recursive.step)?;
                self.named.pop();
                Ok(())
            }
            _ => relation.inputs_mut().into_iter().try_for_each(|input| self.relation(input)),
        }
    }

    fn expression(&mut self, expr: &mut Expr) -> Result<()> {
        if let Expr::Text(text) = expr {
            *expr = sql::parse_expression(text)?;
        }
        if let Expr::Function(function) = expr {
            let name: Vec<_> = function.name.split('.').map(str::to_owned).collect();
            let place = Place::new(&name, true, "");
            if place.is_some_and(|place| self.session.functions.get(&place).is_some()) {
                self.temporary.get_or_insert_with(|| ("FUNCTION", function.name.clone()));
            }
        }
        if let Some(subquery) = expr.subquery_mut() {
            self.relation(subquery)?;
        }
        expr.children_mut().into_iter().try_for_each(|child| self.expression(child))
    }

    /// What stands for a table; none where its name is as good.
    fn table(&mut self, name: &[String]) -> Result<Option<RelationKind>> {
        let [single] = name else { return Ok(None) };
        if self.named.iter().any(|named| named.eq_ignore_ascii_case(single)) {
            return Ok(None);
        }
        if let Some(view) = self.session.views.get(single) {
            if self.keeps_views {
                return Ok(None);
            }
            self.temporary.get_or_insert_with(|| ("VIEW", view.name.clone()));
            self.views.insert(single.to_lowercase());
            let mut input = Box::new(Relation::clone(view.text.as_ref().unwrap_or(&view.relation)));
            if view.text.is_some() {
                let outside = std::mem::take(&mut self.named);
                self.relation(&mut input)?;
                self.named = outside;
            }
            return Ok(Some(RelationKind::SubqueryAlias { input, alias: single.clone(), columns: Vec::new() }));
        }
        let Some(entry) = self.session.tables.entry(name) else { return Ok(None) };
        let Name { database, name } = entry.name().clone();
        Ok(Some(RelationKind::Read(Read::Table(vec![database, name]))))
    }
}
