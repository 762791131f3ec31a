//! `*`, `t.*`, `s.*` of a struct, `* EXCEPT (a)` and columns by a pattern.

use arrow::datatypes::DataType;
use datafusion::logical_expr::Expr;
use regex::RegexBuilder;

use super::expr::Scope;
use super::node::{Field, quote, same_name};
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir;

/// Whether a function below has a star among its arguments that stands for columns.
pub(super) fn has_star(expr: &ir::Expr) -> bool {
    let own = match expr {
        ir::Expr::Function(call) => {
            !counts_rows(call) && call.args.iter().any(|arg| matches!(arg, ir::Expr::Star { .. }))
        }
        _ => false,
    };
    own || expr.children().into_iter().any(has_star)
}

fn counts_rows(call: &ir::Function) -> bool {
    call.name.eq_ignore_ascii_case("count")
        && matches!(call.args.as_slice(), [ir::Expr::Star { qualifier, .. }] if qualifier.is_empty())
}

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
        if !except.is_empty()
            && !self.node.visible().any(|field| fits(&field))
            && let Some(found) = self.resolver.find_reference(qualifier, plan_id, self.node)?
        {
            let is_left = |(_, field): &(Expr, Field)| {
                !except.iter().any(|parts| {
                    parts.last().is_some_and(|name| same_name(name, &field.name, self.resolver.settings.case_sensitive))
                })
            };
            let fields = self.struct_star(self.resolver.access(&found, self.node)?)?;
            return Ok(fields.into_iter().filter(is_left).collect());
        }
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

    /// Puts the columns in place of the stars among the arguments of functions; `count(*)` stays as it is.
    pub(super) fn write_out_stars(&self, expr: &mut ir::Expr) -> Result<()> {
        if let ir::Expr::Function(call) = expr
            && call.args.iter().any(|arg| matches!(arg, ir::Expr::Star { .. }))
            && !counts_rows(call)
        {
            if call.name.eq_ignore_ascii_case("count") {
                let message = "It is not allowed to use a star of a table in COUNT.";
                let condition = "INVALID_USAGE_OF_STAR_WITH_TABLE_IDENTIFIER_IN_COUNT";
                return Err(SparkError::new(ErrorClass::Analysis, condition, "42000", message));
            }
            let mut args = vec![];
            for arg in std::mem::take(&mut call.args) {
                match arg {
                    ir::Expr::Star { qualifier, plan_id, except } => {
                        let found = self.star(&qualifier, plan_id, &except)?;
                        args.extend(
                            found.into_iter().map(|(_, field)| {
                                ir::Expr::column(field.qualifier.iter().chain([&field.name]).cloned())
                            }),
                        );
                    }
                    other => args.push(other),
                }
            }
            call.args = args;
        }
        expr.children_mut().into_iter().try_for_each(|child| self.write_out_stars(child))
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
