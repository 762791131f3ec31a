//! `UNPIVOT`: columns become rows.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;

use super::expr::Scope;
use super::node::{Node, quote};
use super::{Context, Resolver};
use crate::ddl::sql_name;
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::{Expr, Generate, Relation, RelationKind, Unpivot};
use crate::types::{common_type, is_string};

/// The qualifier of the new columns while they stand beside the old ones.
const MADE: &str = "#unpivot";

impl Resolver {
    /// Each row is `stack`ed: a row for each column, with its name.
    pub(super) fn unpivot(&self, unpivot: &Unpivot, context: &Context<'_>) -> Result<Node> {
        let node = self.relation(&unpivot.input, context)?.into_visible()?;
        let all = || node.visible().map(|field| Expr::column([field.name.clone()]));
        let named = |exprs: &mut dyn Iterator<Item = &Expr>| -> Result<Vec<String>> {
            let mut names = vec![];
            for expr in exprs {
                if let Expr::Attribute { parts, plan_id } = expr {
                    match self.find_column(parts, *plan_id, &node)? {
                        Some(field) => names.push(field.name.clone()),
                        None => return Err(self.unresolved_column(parts, &node)),
                    }
                }
            }
            Ok(names)
        };
        let others = |named: &[String]| {
            let is_other = |expr: &Expr| matches!(expr, Expr::Attribute { parts, .. } if !named.contains(&parts[0]));
            all().filter(is_other).collect::<Vec<_>>()
        };
        let values = match (&unpivot.values, &unpivot.ids) {
            (Some(values), _) => values.clone(),
            (None, ids) => {
                let ids = named(&mut ids.iter().flatten())?;
                others(&ids).into_iter().map(|column| (vec![column], None)).collect()
            }
        };
        if values.is_empty() {
            let message = "There is no column to unpivot.";
            return Err(SparkError::new(ErrorClass::Analysis, "UNPIVOT_REQUIRES_VALUE_COLUMNS", "42K0A", message));
        }
        let ids = match &unpivot.ids {
            Some(ids) => ids.clone(),
            None => others(&named(&mut values.iter().flat_map(|(columns, _)| columns))?),
        };
        let scope = Scope::new(self, &node, context);
        for position in 0..unpivot.value_names.len() {
            let mut types = vec![];
            for column in values.iter().filter_map(|(columns, _)| columns.get(position)) {
                types.push((column, scope.typed(column)?.data_type));
            }
            check_types(&types)?;
        }
        let count = i32::try_from(values.len()).map_err(SparkError::internal)?;
        let mut args = vec![Expr::literal(ScalarValue::Int32(Some(count)))];
        for (columns, name) in &values {
            if columns.len() != unpivot.value_names.len() {
                let message = "Every item to unpivot must have as many columns as there are columns of values.";
                let condition = "UNPIVOT_VALUE_SIZE_MISMATCH";
                return Err(SparkError::new(ErrorClass::Analysis, condition, "428C4", message));
            }
            let name = match name {
                Some(name) => name.clone(),
                None => columns.iter().map(|column| self.plain_name(column)).collect::<Vec<_>>().join("_"),
            };
            args.push(Expr::literal(ScalarValue::Utf8(Some(name))));
            args.extend(columns.iter().cloned());
        }
        let Expr::Function(call) = Expr::call("stack", args) else {
            return Err(SparkError::internal("a call is one"));
        };
        let made: Vec<_> = std::iter::once(&unpivot.variable).chain(&unpivot.value_names).cloned().collect();
        let column = |name: &String| Expr::column([MADE, name]);
        let generate = Generate {
            input: Some(unpivot.input.clone()),
            call,
            outer: false,
            alias: Some(MADE.to_owned()),
            columns: made.clone(),
        };
        let mut rows: Relation = RelationKind::Generate(generate).into();
        if !unpivot.include_nulls {
            let present = unpivot.value_names.iter().map(|name| Expr::call("isnotnull", vec![column(name)]));
            if let Some(condition) = present.reduce(|left, right| Expr::call("or", vec![left, right])) {
                rows = RelationKind::Filter { input: Box::new(rows), condition }.into();
            }
        }
        let list = ids.into_iter().chain(made.iter().map(column)).collect();
        let rows: Relation = RelationKind::Project { input: Some(Box::new(rows)), list }.into();
        let mut node = self.relation(&rows, context)?;
        for field in &mut node.fields {
            field.qualifier.retain(|part| part != MADE);
        }
        Ok(node)
    }
}

/// Columns that become one have a common type; text and another type have none here.
fn check_types(columns: &[(&Expr, DataType)]) -> Result<()> {
    let known = || columns.iter().map(|(_, found)| found).filter(|found| **found != DataType::Null);
    let common = known().try_fold(DataType::Null, |common, found| common_type(&common, found));
    if common.is_some() && (known().all(is_string) || !known().any(is_string)) {
        return Ok(());
    }
    let name = |column: &Expr| match column {
        Expr::Attribute { parts, .. } => quote(parts),
        _ => String::new(),
    };
    let types = columns.iter().map(|(column, found)| format!("\"{}\" ({})", sql_name(found), name(column)));
    let types = types.collect::<Vec<_>>().join(", ");
    let message = format!("Unpivot value columns must share a least common type, some types do not: [{types}].");
    Err(SparkError::new(ErrorClass::Analysis, "UNPIVOT_VALUE_DATA_TYPE_MISMATCH", "42K09", message)
        .with("types", types))
}
