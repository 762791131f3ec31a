//! Which types of a query fit a column of a table.

use arrow::datatypes::{DataType, Field, Fields};

use super::assign::{Target, incompatible};
use super::node::quote;
use crate::ddl::sql_name;
use crate::error::{Result, SparkError};
use crate::types::{client_type, is_numeric, is_string};

/// Checks columns of a query against those of a table.
pub(super) struct Assignable<'a> {
    pub(super) target: &'a Target<'a>,
    /// Whether the members of structs are found by name.
    pub(super) by_name: bool,
}

impl Assignable<'_> {
    /// Whether `column` takes the values of `data`.
    ///
    /// # Errors
    /// `INCOMPATIBLE_DATA_FOR_TABLE`, with the place in a nested column.
    pub(super) fn check(&self, data: &Field, column: &Field) -> Result<()> {
        let (from, to) = (client_type(data.data_type(), "UTC"), client_type(column.data_type(), "UTC"));
        self.types(&from, &to, &[column.name()])
    }

    fn types(&self, from: &DataType, to: &DataType, at: &[&str]) -> Result<()> {
        let below = |part: &'static str| [at, &[part]].concat();
        match (from, to) {
            _ if fits(from, to) => Ok(()),
            (DataType::List(from), DataType::List(to)) => {
                self.types(from.data_type(), to.data_type(), &below("element"))
            }
            (DataType::Map(from, _), DataType::Map(to, _)) => match (from.data_type(), to.data_type()) {
                (DataType::Struct(from), DataType::Struct(to)) => {
                    let parts = ["key", "value"];
                    let mut entries = from.iter().zip(to).zip(parts);
                    entries
                        .try_for_each(|((from, to), part)| self.types(from.data_type(), to.data_type(), &below(part)))
                }
                _ => Err(self.unsafe_cast(from.data_type(), to.data_type(), at)),
            },
            (DataType::Struct(from), DataType::Struct(to)) => self.members(from, to, at),
            _ => Err(self.unsafe_cast(from, to, at)),
        }
    }

    fn members(&self, from: &Fields, to: &Fields, at: &[&str]) -> Result<()> {
        let name = quote(at);
        let missing: Vec<_> = to.iter().skip(from.len()).map(|field| quote([field.name()])).collect();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            let what = format!("Struct {name} missing fields: {missing}");
            let error = incompatible(self.target, "STRUCT_MISSING_FIELDS", &what);
            return Err(error.with("colName", name).with("missingFields", missing));
        }
        let extra: Vec<_> = from.iter().skip(to.len()).map(|field| quote([field.name()])).collect();
        if !extra.is_empty() {
            let extra = extra.join(", ");
            let what = format!("Cannot write extra fields {extra} to the struct {name}");
            let error = incompatible(self.target, "EXTRA_STRUCT_FIELDS", &what);
            return Err(error.with("colName", name).with("extraFields", extra));
        }
        for (member, to) in to.iter().enumerate() {
            let from = self.member(member, to, from, &name)?;
            self.types(from.data_type(), to.data_type(), &[at, &[to.name()]].concat())?;
        }
        Ok(())
    }

    /// The member of a struct that becomes the one at `position` of the table's.
    fn member<'f>(&self, position: usize, to: &Field, from: &'f Fields, name: &str) -> Result<&'f Field> {
        let here = &from[position];
        let same = here.name().eq_ignore_ascii_case(to.name());
        let elsewhere = from.iter().find(|field| field.name() == to.name());
        match (self.by_name, elsewhere) {
            _ if same => Ok(here),
            (true, Some(field)) => Ok(field),
            (true, None) => {
                let missing = quote([to.name()]);
                let what = format!("Struct {name} missing fields: {missing}");
                let error = incompatible(self.target, "STRUCT_MISSING_FIELDS", &what);
                Err(error.with("colName", name).with("missingFields", missing))
            }
            // The engine would match them by name.
            (false, Some(_)) => Err(SparkError::unsupported(format!(
                "the struct {name} by position, for it has members of the same names in another order"
            ))),
            (false, None) => Ok(here),
        }
    }

    fn unsafe_cast(&self, from: &DataType, to: &DataType, at: &[&str]) -> SparkError {
        let (name, from, to) = (quote(at), sql_name(from), sql_name(to));
        let what = format!("Cannot safely cast {name} \"{from}\" to \"{to}\"");
        incompatible(self.target, "CANNOT_SAFELY_CAST", &what)
            .with("colName", name)
            .with("srcType", format!("\"{from}\""))
            .with("targetType", format!("\"{to}\""))
    }
}

/// Whether every value may be stored, if it does not overflow.
pub(super) fn fits(from: &DataType, to: &DataType) -> bool {
    use DataType::{Date32, Null, Timestamp};
    match (from, to) {
        _ if from == to => true,
        (Null, _) => true,
        _ if is_numeric(from) && is_numeric(to) => true,
        _ if is_string(to) => !from.is_nested(),
        (Date32 | Timestamp(..), Date32 | Timestamp(..)) => true,
        _ => false,
    }
}
