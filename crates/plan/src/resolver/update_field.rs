//! `Column.withField` and `Column.dropFields`: structs with other fields.

use arrow::datatypes::{DataType, Fields};
use datafusion::common::ScalarValue;
use datafusion::functions::core::expr_ext::FieldAccessor;
use datafusion::functions::core::expr_fn::named_struct;
use datafusion::logical_expr::{Expr, lit, when};

use super::attribute::no_such_field;
use super::expr::Scope;
use super::names::Namer;
use super::nullability::of_expr;
use crate::ddl::sql_name;
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir;

impl Namer<'_> {
    /// `update_fields(s, WithField(1))`; what is done to one struct stands in one list.
    pub(super) fn updated(&self, base: &ir::Expr, path: &[String], value: Option<&ir::Expr>) -> String {
        let (name, mut done) = match base {
            ir::Expr::UpdateField { expr, path, value } => {
                let name = self.updated(expr, path, value.as_deref());
                let open = name.strip_suffix(')').unwrap_or(&name).to_owned();
                (self.struct_of(expr), open + ", ")
            }
            other => (self.name(other), format!("update_fields({}, ", self.name(other))),
        };
        done.push_str(&self.change(&name, path, value));
        done + ")"
    }

    fn struct_of(&self, expr: &ir::Expr) -> String {
        match expr {
            ir::Expr::UpdateField { expr, .. } => self.struct_of(expr),
            other => self.name(other),
        }
    }

    fn change(&self, base: &str, path: &[String], value: Option<&ir::Expr>) -> String {
        match (path, value) {
            ([first, rest @ ..], _) if !rest.is_empty() => {
                let inner = format!("{base}.{first}");
                format!("WithField(update_fields({inner}, {}))", self.change(&inner, rest, value))
            }
            (_, Some(value)) => format!("WithField({})", self.name(value)),
            (_, None) => "dropfield()".to_owned(),
        }
    }
}

impl Scope<'_> {
    pub(super) fn update_field(&self, base: &ir::Expr, path: &[String], value: Option<&ir::Expr>) -> Result<Expr> {
        let written = self.name(&ir::Expr::UpdateField {
            expr: Box::new(base.clone()),
            path: path.to_vec(),
            value: value.map(|value| Box::new(value.clone())),
        });
        let input = self.name(base);
        let base = self.typed(base)?;
        let DataType::Struct(fields) = &base.data_type else {
            let found = sql_name(&base.data_type);
            let message = format!(
                "Cannot resolve \"{written}\" due to data type mismatch: The first parameter requires the \"STRUCT\" \
                 type, however \"{input}\" has the type \"{found}\"."
            );
            let condition = "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE";
            return Err(SparkError::new(ErrorClass::Analysis, condition, "42K09", message)
                .with("sqlExpr", format!("\"{written}\""))
                .with("paramIndex", "first")
                .with("requiredType", "\"STRUCT\"")
                .with("inputSql", format!("\"{input}\""))
                .with("inputType", format!("\"{found}\"")));
        };
        let value = value.map(|value| self.expr(value)).transpose()?;
        self.struct_with(base.expr, fields, path, value.as_ref(), &written)
    }

    /// A struct with another field; NULL where the struct is.
    fn struct_with(
        &self,
        base: Expr,
        fields: &Fields,
        path: &[String],
        value: Option<&Expr>,
        written: &str,
    ) -> Result<Expr> {
        let [name, below @ ..] = path else { return Err(SparkError::internal("a field without a name")) };
        let mut members = vec![];
        let mut found = false;
        for field in fields {
            let member = base.clone().field(field.name().as_str());
            if !self.resolver.same(field.name(), name) {
                members.extend([lit(field.name().as_str()), member]);
                continue;
            }
            found = true;
            match (below, value, field.data_type()) {
                ([], Some(value), _) => members.extend([lit(name.as_str()), value.clone()]),
                ([], None, _) => {}
                (_, _, DataType::Struct(inner)) => {
                    let changed = self.struct_with(member, inner, below, value, written)?;
                    members.extend([lit(field.name().as_str()), changed]);
                }
                (_, _, other) => {
                    let message = format!("A value of the type \"{}\" has no fields.", sql_name(other));
                    let condition = "INVALID_EXTRACT_BASE_FIELD_TYPE";
                    return Err(SparkError::new(ErrorClass::Analysis, condition, "42000", message));
                }
            }
        }
        match (found, below, value) {
            (false, [], Some(value)) => members.extend([lit(name.as_str()), value.clone()]),
            (false, [_, ..], _) => return Err(no_such_field(name, fields)),
            _ => {}
        }
        if members.is_empty() {
            let message =
                format!("Cannot resolve \"{written}\" due to data type mismatch: Cannot drop all fields in struct.");
            let condition = "DATATYPE_MISMATCH.CANNOT_DROP_ALL_FIELDS";
            return Err(SparkError::new(ErrorClass::Analysis, condition, "42K09", message)
                .with("sqlExpr", format!("\"{written}\"")));
        }
        let is_nullable = of_expr(&base, &self.node.plan).is_none_or(|field| field.is_nullable());
        let changed = named_struct(members);
        if !is_nullable {
            return Ok(changed);
        }
        let none = Expr::Literal(ScalarValue::try_from(&self.type_of(&changed)?)?, None);
        Ok(when(base.is_null(), none).otherwise(changed)?)
    }
}
