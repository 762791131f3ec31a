//! `*`, `t.*`, `s.*` of a struct, `* EXCEPT (a)` and columns by a pattern.

use arrow::datatypes::DataType;
use datafusion::logical_expr::Expr;
use regex::RegexBuilder;

use super::expr::Scope;
use super::node::{Field, quote, same_name};
use crate::error::{ErrorClass, Result, SparkError};

impl Scope<'_> {
    /// The columns of a star.
    pub(super) fn star(
        &self,
        qualifier: &[String],
        plan_id: Option<i64>,
        except: &[Vec<String>],
    ) -> Result<Vec<(Expr, Field)>> {
        let fits = |field: &&Field| {
            plan_id.is_none_or(|id| field.plan_ids.contains(&id))
                && field.qualifier.len() >= qualifier.len()
                && field.qualifier[field.qualifier.len() - qualifier.len()..]
                    .iter()
                    .zip(qualifier)
                    .all(|(own, given)| same_name(own, given, self.resolver.settings.case_sensitive))
        };
        let mut excluded = vec![];
        for parts in except {
            match self.resolver.find_column(parts, None, self.node)? {
                Some(field) => excluded.push(field.column.clone()),
                None => return Err(self.resolver.unresolved_column(parts, self.node)),
            }
        }
        let found: Vec<_> =
            self.node.visible().filter(fits).filter(|field| !excluded.contains(&field.column)).collect();
        if !found.is_empty() || qualifier.is_empty() || !excluded.is_empty() {
            return Ok(found.into_iter().map(|field| self.same_column(field)).collect());
        }
        if let Some(found) = self.resolver.find_reference(qualifier, plan_id, self.node)? {
            return self.struct_star(self.resolver.access(&found, self.node)?);
        }
        let message = format!("Cannot resolve {}.* given the columns of the input.", quote(qualifier));
        Err(SparkError::new(ErrorClass::Analysis, "CANNOT_RESOLVE_STAR_EXPAND", "42704", message)
            .with("targetString", quote(qualifier)))
    }

    /// The columns whose whole name fits a pattern.
    pub(super) fn fitting(&self, pattern: &str, plan_id: Option<i64>) -> Result<Vec<(Expr, Field)>> {
        let whole = RegexBuilder::new(&format!("^(?:{pattern})$"))
            .case_insensitive(!self.resolver.settings.case_sensitive)
            .build()
            .map_err(|error| {
                let message = format!("`{pattern}` is no regular expression: {error}.");
                SparkError::new(ErrorClass::Analysis, "INVALID_REGEXP_PATTERN", "22023", message)
            })?;
        let of_plan = |field: &&Field| plan_id.is_none_or(|id| field.plan_ids.contains(&id));
        let found = self.node.visible().filter(of_plan).filter(|field| whole.is_match(&field.name));
        Ok(found.map(|field| self.same_column(field)).collect())
    }

    fn same_column(&self, field: &Field) -> (Expr, Field) {
        (field.expr(), Field { column: self.resolver.new_column(), ..field.clone() })
    }

    fn struct_star(&self, base: Expr) -> Result<Vec<(Expr, Field)>> {
        let data_type = self.type_of(&base)?;
        let DataType::Struct(fields) = &data_type else {
            let message = "Only a struct can be expanded with a star.";
            return Err(SparkError::new(ErrorClass::Analysis, "INVALID_USAGE_OF_STAR_OR_REGEX", "42000", message));
        };
        fields
            .iter()
            .map(|field| {
                let (expr, _) = self.resolver.struct_field(base.clone(), &data_type, field.name())?;
                Ok((expr, Field::new(self.resolver.new_column(), field.name())))
            })
            .collect()
    }
}
