//! The functions that users of a session made of SQL.

use std::collections::{BTreeMap, btree_map};
use std::sync::Arc;

use parking_lot::RwLock;
use sheetbend_plan::environment::Functions;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::SqlFunction;

use crate::tables::{CATALOG, quoted};

/// Where a function stands: its database, none for a temporary one, and its name, both in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) database: Option<String>,
    pub(crate) name: String,
}

/// Functions by their places.
#[derive(Debug, Default)]
pub(crate) struct SessionFunctions(RwLock<BTreeMap<Place, Arc<SqlFunction>>>);

impl Clone for SessionFunctions {
    fn clone(&self) -> Self {
        Self(RwLock::new(self.0.read().clone()))
    }
}

impl Place {
    /// The place that a name with or without its database and catalogue means.
    pub(crate) fn new(parts: &[String], temporary: bool, current: &str) -> Option<Self> {
        let is = |part: &String, word: &str| part.eq_ignore_ascii_case(word);
        let (database, name) = match parts {
            [name] if temporary => (None, name),
            [session, name] if temporary && is(session, "session") => (None, name),
            [system, session, name] if temporary && is(system, "system") && is(session, "session") => (None, name),
            _ if temporary => return None,
            [name] => (Some(current), name),
            [database, name] => (Some(database.as_str()), name),
            [catalog, database, name] if is(catalog, CATALOG) => (Some(database.as_str()), name),
            _ => return None,
        };
        Some(Self { database: database.map(str::to_lowercase), name: name.to_lowercase() })
    }

    /// As messages show it.
    pub(crate) fn quoted(&self) -> String {
        quoted(&self.database.iter().chain([&self.name]).cloned().collect::<Vec<_>>())
    }
}

impl SessionFunctions {
    /// The function of a place.
    pub(crate) fn get(&self, place: &Place) -> Option<Arc<SqlFunction>> {
        self.0.read().get(place).cloned()
    }

    /// The function that a call by this name means: a temporary one before one of the current database.
    pub(crate) fn find(&self, name: &[String], current: &str) -> Option<Arc<SqlFunction>> {
        let places = [true, false].into_iter().filter_map(|temporary| Place::new(name, temporary, current));
        places.into_iter().find_map(|place| self.get(&place))
    }

    /// Adds a function.
    ///
    /// # Errors
    /// `ROUTINE_ALREADY_EXISTS` if there is one and `replace` is not asked for.
    pub(crate) fn create(&self, place: Place, function: SqlFunction, replace: bool) -> Result<()> {
        match self.0.write().entry(place) {
            btree_map::Entry::Occupied(found) if !replace => {
                let name = found.key().quoted();
                let message = format!(
                    "Cannot create the routine {name} because a routine of that name already exists. Choose a \
                     different name, drop or replace the existing routine, or add the IF NOT EXISTS clause to tolerate \
                     a pre-existing routine."
                );
                Err(SparkError::new(ErrorClass::Analysis, "ROUTINE_ALREADY_EXISTS", "42723", message)
                    .with("routineName", name)
                    .with("newRoutineType", "routine")
                    .with("existingRoutineType", "routine"))
            }
            btree_map::Entry::Occupied(mut found) => {
                found.insert(Arc::new(function));
                Ok(())
            }
            btree_map::Entry::Vacant(place) => {
                place.insert(Arc::new(function));
                Ok(())
            }
        }
    }

    /// Has a place hold what it held before.
    pub(crate) fn put_back(&self, place: Place, before: Option<Arc<SqlFunction>>) {
        let mut functions = self.0.write();
        match before {
            Some(before) => drop(functions.insert(place, before)),
            None => drop(functions.remove(&place)),
        }
    }

    /// Forgets a function; whether there was one.
    pub(crate) fn remove(&self, place: &Place) -> bool {
        self.0.write().remove(place).is_some()
    }

    /// Forgets the functions of a database.
    pub(crate) fn remove_all(&self, database: &str) {
        let database = database.to_lowercase();
        self.0.write().retain(|place, _| place.database.as_ref() != Some(&database));
    }

    /// The names of all functions that can be called in a database, as lists show them.
    pub(crate) fn names(&self, current: &str) -> Vec<String> {
        let is_known = |place: &Place| place.database.as_deref().is_none_or(|database| database == current);
        let functions = self.0.read();
        functions.iter().filter(|(place, _)| is_known(place)).map(|(_, function)| function.name.clone()).collect()
    }

    /// All functions by the names that they can be called by.
    pub(crate) fn callable(&self, current: &str) -> Functions {
        let mut callable = Functions::new();
        // A temporary function, which is first in order, goes before one of the current database.
        for (Place { database, name }, function) in self.0.read().iter() {
            let names = match database {
                None => vec![name.clone(), format!("session.{name}"), format!("system.session.{name}")],
                Some(database) => {
                    let short = database.eq_ignore_ascii_case(current).then(|| name.clone());
                    let full = [format!("{database}.{name}"), format!("{CATALOG}.{database}.{name}")];
                    short.into_iter().chain(full).collect()
                }
            };
            for name in names {
                callable.entry(name).or_insert_with(|| Arc::clone(function));
            }
        }
        callable
    }
}
