//! Lists of what a session knows.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use sheetbend_plan::error::Result;
use sheetbend_plan::ir::RelationKind;
use sheetbend_plan::{ddl, function_names};

use super::rows::{fits, flags, optional, strings, table};
use crate::names::Found;
use crate::session::Session;
use crate::tables::{CATALOG, Database, Entry, GLOBAL};

impl Session {
    /// The tables and views of a database, then temporary views, which stand in none and are in every listing.
    pub(crate) fn listed(&self, database: &str, pattern: Option<&str>) -> Vec<Found> {
        let stored = self.tables.list(database).into_iter().map(Found::Stored);
        let global = if database.eq_ignore_ascii_case(GLOBAL) { self.globals.list() } else { Vec::new() };
        let temporary = self.views.list().into_iter().map(Found::Temporary);
        let all = stored.chain(global.into_iter().map(Found::Global)).chain(temporary);
        all.filter(|found| fits(found.name(), pattern)).collect()
    }
}

impl Found {
    /// The name without its database.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Temporary(view) | Self::Global(view) => &view.name,
            Self::Stored(entry) => &entry.name().name,
        }
    }

    /// The database that it stands in.
    pub(crate) fn database(&self) -> Option<&str> {
        match self {
            Self::Temporary(_) => None,
            Self::Global(_) => Some(GLOBAL),
            Self::Stored(entry) => Some(&entry.name().database),
        }
    }

    /// What it is for.
    pub(crate) fn comment(&self) -> Option<&str> {
        match self {
            Self::Temporary(_) | Self::Global(_) => None,
            Self::Stored(entry) => entry.details().comment.as_deref(),
        }
    }

    /// Whether it is a temporary view.
    pub(crate) fn is_temporary(&self) -> bool {
        matches!(self, Self::Temporary(_) | Self::Global(_))
    }

    /// Whether it is a view.
    pub(crate) fn is_view(&self) -> bool {
        !matches!(self, Self::Stored(Entry::Table(_)))
    }
}

pub(super) fn tables(found: Vec<Found>) -> Result<RelationKind> {
    let kind = |found: &Found| match found {
        Found::Temporary(_) | Found::Global(_) => "TEMPORARY",
        Found::Stored(Entry::View(_)) => "VIEW",
        Found::Stored(Entry::Table(_)) => "MANAGED",
    };
    let catalog = |found: &Found| (!found.is_temporary()).then_some(CATALOG);
    table(vec![
        ("name", false, strings(found.iter().map(Found::name))),
        ("catalog", true, optional(found.iter().map(catalog))),
        ("namespace", true, namespaces(&found)),
        ("description", true, optional(found.iter().map(Found::comment))),
        ("tableType", false, strings(found.iter().map(kind))),
        ("isTemporary", false, flags(found.iter().map(Found::is_temporary))),
    ])
}

fn namespaces(found: &[Found]) -> ArrayRef {
    let lengths = found.iter().map(|found| usize::from(found.database().is_some()));
    let databases = Arc::new(StringArray::from_iter_values(found.iter().filter_map(Found::database)));
    let field = Arc::new(Field::new_list_field(DataType::Utf8, true));
    Arc::new(ListArray::new(field, OffsetBuffer::from_lengths(lengths), databases, None))
}

pub(super) fn columns(found: &Found) -> Result<RelationKind> {
    let schema = found.schema();
    let fields = schema.fields();
    let comments = (0..fields.len()).map(|at| found.comments().get(at).cloned().flatten());
    let none = || flags(fields.iter().map(|_| false));
    table(vec![
        ("name", false, strings(fields.iter().map(|field| field.name()))),
        ("description", true, optional(comments)),
        ("dataType", false, strings(fields.iter().map(|field| ddl::type_name(field.data_type())))),
        ("nullable", false, flags(fields.iter().map(|field| field.is_nullable()))),
        ("isPartition", false, none()),
        ("isBucket", false, none()),
        ("isCluster", false, none()),
    ])
}

pub(super) fn catalogs(pattern: Option<&str>) -> Result<RelationKind> {
    let names: Vec<_> = [CATALOG].into_iter().filter(|name| fits(name, pattern)).collect();
    let descriptions = optional(names.iter().map(|_| None::<&str>));
    table(vec![("name", false, strings(names)), ("description", true, descriptions)])
}

pub(super) fn databases(databases: Vec<Database>) -> Result<RelationKind> {
    table(vec![
        ("name", false, strings(databases.iter().map(|database| &database.name))),
        ("catalog", true, strings(databases.iter().map(|_| CATALOG))),
        ("description", true, strings(databases.iter().map(|database| &database.comment))),
        ("locationUri", false, strings(databases.iter().map(|_| ""))),
    ])
}

/// The functions whose names fit a pattern, in order.
pub(crate) fn functions(pattern: Option<&str>) -> Vec<String> {
    function_names().into_iter().filter(|name| fits(name, pattern)).map(str::to_owned).collect()
}

/// The function of a name, which stands in no database.
pub(crate) fn function(name: &[String]) -> Option<String> {
    let [name] = name else { return None };
    function_names().into_iter().find(|known| known.eq_ignore_ascii_case(name)).map(str::to_owned)
}

pub(super) fn described_functions(names: Vec<String>) -> Result<RelationKind> {
    let field = Arc::new(Field::new_list_field(DataType::Utf8, true));
    let none = || optional(names.iter().map(|_| None::<&str>));
    table(vec![
        ("name", false, strings(&names)),
        ("catalog", true, none()),
        ("namespace", true, Arc::new(ListArray::new_null(field, names.len()))),
        ("description", true, none()),
        ("className", false, strings(names.iter().map(|_| ""))),
        ("isTemporary", false, flags(names.iter().map(|_| true))),
    ])
}
