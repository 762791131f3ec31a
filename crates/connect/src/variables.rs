//! The variables of a session, `DECLARE`d in SQL.

use std::collections::BTreeMap;

use datafusion::common::ScalarValue;
use parking_lot::RwLock;
use sheetbend_plan::environment::Variables;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::Expr;

use crate::tables::quoted;

/// Variables by name in lower case.
#[derive(Debug, Default)]
pub(crate) struct SessionVariables(RwLock<BTreeMap<String, Declared>>);

/// A variable.
#[derive(Debug, Clone)]
pub(crate) struct Declared {
    /// Its value, which has its type.
    pub(crate) value: ScalarValue,
    /// What `DEFAULT` stands for; NULL for none.
    pub(crate) default: Option<Expr>,
}

impl Clone for SessionVariables {
    fn clone(&self) -> Self {
        Self(RwLock::new(self.0.read().clone()))
    }
}

impl SessionVariables {
    /// The variable of a name in lower case.
    pub(crate) fn get(&self, name: &str) -> Option<Declared> {
        self.0.read().get(name).cloned()
    }

    /// Adds variables.
    ///
    /// # Errors
    /// `VARIABLE_ALREADY_EXISTS`, if they must not be replaced.
    pub(crate) fn declare(&self, names: &[String], declared: &Declared, replace: bool) -> Result<()> {
        let mut variables = self.0.write();
        if let Some(name) = names.iter().find(|name| !replace && variables.contains_key(*name)) {
            let name = full_name(name);
            let message = format!("Cannot create the variable {name} because it already exists.");
            return Err(SparkError::new(ErrorClass::Analysis, "VARIABLE_ALREADY_EXISTS", "42723", message)
                .with("variableName", name));
        }
        variables.extend(names.iter().map(|name| (name.clone(), declared.clone())));
        Ok(())
    }

    /// Sets variables that are there.
    pub(crate) fn set(&self, values: impl IntoIterator<Item = (String, ScalarValue)>) {
        let mut variables = self.0.write();
        for (name, value) in values {
            if let Some(variable) = variables.get_mut(&name) {
                variable.value = value;
            }
        }
    }

    /// Forgets a variable.
    ///
    /// # Errors
    /// `VARIABLE_NOT_FOUND`.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        match self.0.write().remove(name) {
            Some(_) => Ok(()),
            None => {
                let name = full_name(name);
                let message = format!("The variable {name} cannot be found. Verify its spelling, or use IF EXISTS.");
                Err(SparkError::new(ErrorClass::Analysis, "VARIABLE_NOT_FOUND", "42883", message)
                    .with("variableName", name))
            }
        }
    }

    /// All values.
    pub(crate) fn values(&self) -> Variables {
        self.0.read().iter().map(|(name, variable)| (name.clone(), variable.value.clone())).collect()
    }
}

/// The name of a variable in lower case: `v`, `session.v` or `system.session.v`; none for a name of something else.
pub(crate) fn local_name(name: &[String]) -> Option<String> {
    let is = |part: &String, word: &str| part.eq_ignore_ascii_case(word);
    match name {
        [name] => Some(name.to_lowercase()),
        [session, name] if is(session, "session") => Some(name.to_lowercase()),
        [system, session, name] if is(system, "system") && is(session, "session") => Some(name.to_lowercase()),
        _ => None,
    }
}

fn full_name(name: &str) -> String {
    quoted(&["system".to_owned(), "session".to_owned(), name.to_owned()])
}
