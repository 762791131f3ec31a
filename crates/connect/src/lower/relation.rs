//! Relations.

use datafusion::common::ScalarValue;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::{
    Aggregate, Deduplicate, Expr, GroupKind, Join, JoinKind, JoinOn, Pivot, Relation, RelationKind, SetOp, SetOpKind,
    ShowForm,
};
use spark_connect_proto as proto;
use spark_connect_proto::aggregate::GroupType;
use spark_connect_proto::join::JoinType;
use spark_connect_proto::relation::RelType;
use spark_connect_proto::set_operation::SetOpType;

use super::expression::annotated;
use super::{Lowering, literal, local, source};
use crate::catalog;
use crate::error::{invalid_plan, missing};

/// Each partition is a queue in the engine, so a client must not have as many as it likes. No result depends on it.
const MAX_PARTITIONS: usize = 1000;

impl Lowering<'_> {
    /// The unresolved form of a relation.
    ///
    /// # Errors
    /// A message that is not whole, or something that is not supported.
    pub(crate) fn relation(&mut self, relation: proto::Relation) -> Result<Relation> {
        let plan_id = relation.common.and_then(|common| common.plan_id);
        let kind = self.kind(relation.rel_type.ok_or_else(|| missing("relation.rel_type"))?)?;
        Ok(Relation { kind, plan_id })
    }

    fn kind(&mut self, relation: RelType) -> Result<RelationKind> {
        Ok(match relation {
            RelType::Read(read) => RelationKind::Read(source::read(read, self.session)?),
            RelType::Range(range) => self.range(&range)?,
            RelType::LocalRelation(relation) => local::relation(relation.data.as_slice(), relation.schema.as_deref())?,
            RelType::CachedLocalRelation(relation) => self.cached(&[relation.hash], None)?,
            RelType::ChunkedCachedLocalRelation(relation) => {
                self.cached(&relation.data_hashes, relation.schema_hash.as_deref())?
            }
            RelType::Sql(sql) => self.sql(sql)?,
            RelType::WithRelations(with) => self.with_relations(*with)?,
            RelType::Project(project) => RelationKind::Project {
                input: project.input.map(|input| self.relation(*input).map(Box::new)).transpose()?,
                list: self.expressions(project.expressions)?,
            },
            RelType::Filter(filter) => RelationKind::Filter {
                input: self.input(filter.input)?,
                condition: self.expression(filter.condition.ok_or_else(|| missing("filter.condition"))?)?,
            },
            RelType::Join(join) => self.join(*join)?,
            RelType::SetOp(operation) => self.set_operation(*operation)?,
            RelType::Sort(sort) => {
                RelationKind::Sort { input: self.input(sort.input)?, order: self.sort_orders(sort.order)? }
            }
            RelType::Limit(limit) => RelationKind::Limit {
                input: self.input(limit.input)?,
                skip: None,
                fetch: Some(rows("limit", limit.limit)?),
            },
            RelType::Offset(offset) => RelationKind::Limit {
                input: self.input(offset.input)?,
                skip: Some(rows("offset", offset.offset)?),
                fetch: None,
            },
            RelType::Tail(tail) => {
                RelationKind::Tail { input: self.input(tail.input)?, limit: count("limit", tail.limit)? }
            }
            RelType::Aggregate(aggregate) => self.aggregate(*aggregate)?,
            RelType::Deduplicate(deduplicate) => self.deduplicate(*deduplicate)?,
            RelType::SubqueryAlias(alias) => {
                RelationKind::SubqueryAlias { input: self.input(alias.input)?, alias: alias.alias, columns: Vec::new() }
            }
            RelType::Hint(hint) => {
                RelationKind::Repartition { input: self.input(hint.input)?, partitions: None, by: Vec::new() }
            }
            RelType::Repartition(repartition) => RelationKind::Repartition {
                input: self.input(repartition.input)?,
                partitions: Some(partitions(repartition.num_partitions)?),
                by: Vec::new(),
            },
            RelType::RepartitionByExpression(by) => RelationKind::Repartition {
                input: self.input(by.input)?,
                partitions: by.num_partitions.map(partitions).transpose()?,
                by: self.expressions(by.partition_exprs)?.into_iter().map(without_order).collect(),
            },
            RelType::ToDf(to_df) => RelationKind::ToDf { input: self.input(to_df.input)?, names: to_df.column_names },
            RelType::WithColumns(with) => self.with_columns(*with)?,
            RelType::WithColumnsRenamed(with) => self.with_columns_renamed(*with)?,
            RelType::Drop(drop) => RelationKind::Drop {
                input: self.input(drop.input)?,
                columns: self.expressions(drop.columns)?,
                names: drop.column_names,
            },
            RelType::ShowString(show) => RelationKind::ShowString {
                input: self.input(show.input)?,
                rows: usize::try_from(show.num_rows).unwrap_or(0),
                truncate: usize::try_from(show.truncate).unwrap_or(0),
                form: if show.vertical { ShowForm::Vertical } else { ShowForm::Table },
            },
            RelType::HtmlString(show) => RelationKind::ShowString {
                input: self.input(show.input)?,
                rows: usize::try_from(show.num_rows).unwrap_or(0),
                truncate: usize::try_from(show.truncate).unwrap_or(0),
                form: ShowForm::Html,
            },
            RelType::ToSchema(to) => self.of_schema(*to)?,
            RelType::Sample(sample) => self.sample(*sample)?,
            RelType::FillNa(fill) => self.fill_na(*fill)?,
            RelType::DropNa(drop) => self.drop_na(*drop)?,
            RelType::Replace(replace) => self.replace(*replace)?,
            RelType::Describe(describe) => self.describe(*describe)?,
            RelType::Summary(summary) => self.summary(*summary)?,
            RelType::SampleBy(sample) => self.sample_by(*sample)?,
            RelType::Cov(cov) => self.covariance(*cov)?,
            RelType::Corr(corr) => self.correlation(*corr)?,
            RelType::ApproxQuantile(quantile) => self.quantiles(*quantile)?,
            RelType::FreqItems(items) => self.frequent_items(*items)?,
            RelType::Crosstab(tab) => self.crosstab(*tab)?,
            RelType::Transpose(transpose) => self.transpose(*transpose)?,
            RelType::Parse(parse) => self.parse(*parse)?,
            RelType::Unpivot(unpivot) => self.unpivot(*unpivot)?,
            RelType::UnresolvedTableValuedFunction(function) => self.table_function(function)?,
            RelType::LateralJoin(join) => self.lateral_join(*join)?,
            RelType::CollectMetrics(observe) => RelationKind::Observe {
                input: self.input(observe.input)?,
                name: observe.name,
                metrics: self.expressions(observe.metrics)?,
            },
            RelType::CachedRemoteRelation(checkpoint) => {
                RelationKind::Kept { rows: self.session.cache.checkpoint(&checkpoint.relation_id)?, of: None }
            }
            RelType::Catalog(request) => catalog::relation(request, self.session)?,
            other => return Err(SparkError::unsupported(unsupported(&other))),
        })
    }

    pub(super) fn input(&mut self, input: Option<Box<proto::Relation>>) -> Result<Box<Relation>> {
        Ok(Box::new(self.relation(*input.ok_or_else(|| missing("input"))?)?))
    }

    fn range(&self, range: &proto::Range) -> Result<RelationKind> {
        if range.step == 0 {
            return Err(invalid_plan("The step of a range must not be 0."));
        }
        Ok(RelationKind::Range { start: range.start.unwrap_or(0), end: range.end, step: range.step })
    }

    fn cached(&self, hashes: &[String], schema: Option<&str>) -> Result<RelationKind> {
        let artifacts = &self.session.artifacts;
        let streams = hashes.iter().map(|hash| artifacts.get(hash)).collect::<Result<Vec<_>>>()?;
        let schema = schema.map(|hash| artifacts.get(hash)).transpose()?;
        let schema = schema.as_deref().map(std::str::from_utf8).transpose();
        let schema = schema.map_err(|_| invalid_plan("The schema of a local relation is no UTF-8 text."))?;
        local::relation(&streams, schema)
    }

    #[expect(deprecated, reason = "older clients give the values of markers as literals")]
    fn sql(&mut self, sql: proto::Sql) -> Result<RelationKind> {
        let literal = |literal| proto::Expression {
            expr_type: Some(proto::expression::ExprType::Literal(literal)),
            ..proto::Expression::default()
        };
        let named = sql.args.into_iter().map(|(name, value)| (name, literal(value))).chain(sql.named_arguments);
        let positional = sql.pos_args.into_iter().map(literal).chain(sql.pos_arguments);
        let mut value = |value| self.expression(value).map(literal::as_written);
        let named_args = named.map(|(name, arg)| Ok((name, value(arg)?))).collect::<Result<_>>()?;
        let positional_args = positional.map(value).collect::<Result<_>>()?;
        Ok(RelationKind::Sql { query: sql.query, named_args, positional_args })
    }

    /// References are of two kinds: views by name (an alias), and the relations of subquery expressions (by plan id).
    fn with_relations(&mut self, with: proto::WithRelations) -> Result<RelationKind> {
        let mut relations = Vec::new();
        for reference in with.references {
            let relation = self.relation(reference)?;
            match relation.kind {
                RelationKind::SubqueryAlias { input, alias, .. } => relations.push((alias, *input)),
                _ => {
                    let id = relation.plan_id.ok_or_else(|| missing("reference.common.plan_id"))?;
                    self.subqueries.insert(id, relation);
                }
            }
        }
        let input = self.input(with.root)?;
        Ok(if relations.is_empty() { input.kind } else { RelationKind::With { input, relations } })
    }

    fn join(&mut self, join: proto::Join) -> Result<RelationKind> {
        if join.join_data_type.is_some() {
            return Err(SparkError::unsupported("`joinWith`"));
        }
        let on = match (join.join_condition, join.using_columns) {
            (Some(condition), columns) if columns.is_empty() => JoinOn::Condition(self.expression(condition)?),
            (None, columns) if columns.is_empty() => JoinOn::Nothing,
            (None, columns) => JoinOn::Using(columns),
            (Some(_), _) => return Err(invalid_plan("A join has a condition and USING columns.")),
        };
        let (left, right) = (self.input(join.left)?, self.input(join.right)?);
        Ok(RelationKind::Join(Join { left, right, kind: join_kind(join.join_type)?, on, lateral: false }))
    }

    fn set_operation(&mut self, operation: proto::SetOperation) -> Result<RelationKind> {
        let kind = match SetOpType::try_from(operation.set_op_type) {
            Ok(SetOpType::Union) => SetOpKind::Union,
            Ok(SetOpType::Intersect) => SetOpKind::Intersect,
            Ok(SetOpType::Except) => SetOpKind::Except,
            Ok(SetOpType::Unspecified) | Err(_) => return Err(missing("set_op.set_op_type")),
        };
        Ok(RelationKind::SetOp(SetOp {
            left: self.input(operation.left_input)?,
            right: self.input(operation.right_input)?,
            kind,
            all: operation.is_all.unwrap_or(false),
            by_name: operation.by_name.unwrap_or(false),
            allow_missing: operation.allow_missing_columns.unwrap_or(false),
        }))
    }

    fn aggregate(&mut self, aggregate: proto::Aggregate) -> Result<RelationKind> {
        let input = self.input(aggregate.input)?;
        let kind = match GroupType::try_from(aggregate.group_type) {
            Ok(GroupType::Groupby) => GroupKind::GroupBy,
            Ok(GroupType::Rollup) => GroupKind::Rollup,
            Ok(GroupType::Cube) => GroupKind::Cube,
            Ok(GroupType::GroupingSets) => {
                let sets = aggregate.grouping_sets.into_iter().map(|set| self.expressions(set.grouping_set));
                GroupKind::GroupingSets(sets.collect::<Result<_>>()?)
            }
            Ok(GroupType::Pivot) => {
                let pivot = aggregate.pivot.ok_or_else(|| missing("aggregate.pivot"))?;
                let values = pivot.values.into_iter().map(|value| Ok((Expr::Literal(literal::value(value)?), None)));
                let values = values.collect::<Result<Vec<_>>>()?;
                return Ok(RelationKind::Pivot(Pivot {
                    input,
                    keys: Some(self.expressions(aggregate.grouping_expressions)?),
                    column: self.expression(pivot.col.ok_or_else(|| missing("pivot.col"))?)?,
                    values: (!values.is_empty()).then_some(values),
                    list: self.expressions(aggregate.aggregate_expressions)?,
                }));
            }
            Ok(GroupType::Unspecified) | Err(_) => return Err(missing("aggregate.group_type")),
        };
        Ok(RelationKind::Aggregate(Aggregate {
            input,
            kind,
            keys: self.expressions(aggregate.grouping_expressions)?,
            list: self.expressions(aggregate.aggregate_expressions)?,
            keys_in_front: true,
            having: None,
        }))
    }

    fn deduplicate(&mut self, deduplicate: proto::Deduplicate) -> Result<RelationKind> {
        if deduplicate.within_watermark.unwrap_or(false) {
            return Err(SparkError::unsupported("`dropDuplicatesWithinWatermark`"));
        }
        let all = deduplicate.all_columns_as_keys.unwrap_or(false);
        if !all && deduplicate.column_names.is_empty() {
            return Err(missing("deduplicate.column_names"));
        }
        let columns = if all { Vec::new() } else { deduplicate.column_names };
        Ok(RelationKind::Deduplicate(Deduplicate { input: self.input(deduplicate.input)?, columns }))
    }

    fn with_columns(&mut self, with: proto::WithColumns) -> Result<RelationKind> {
        let input = self.input(with.input)?;
        let columns = with.aliases.into_iter().map(|alias| {
            let value = self.expression(*alias.expr.ok_or_else(|| missing("alias.expr"))?)?;
            let value = *annotated(Box::new(value), alias.metadata);
            match <[String; 1]>::try_from(alias.name) {
                Ok([name]) => Ok((name, value)),
                Err(_) => Err(invalid_plan("A new column needs one name.")),
            }
        });
        Ok(RelationKind::WithColumns { columns: columns.collect::<Result<_>>()?, input })
    }

    fn with_columns_renamed(&mut self, with: proto::WithColumnsRenamed) -> Result<RelationKind> {
        let renames = with.renames.into_iter().map(|rename| (rename.col_name, rename.new_col_name));
        Ok(RelationKind::WithColumnsRenamed {
            input: self.input(with.input)?,
            renames: with.rename_columns_map.into_iter().chain(renames).collect(),
        })
    }
}

/// Which rows come out of a join.
pub(super) fn join_kind(join_type: i32) -> Result<JoinKind> {
    Ok(match JoinType::try_from(join_type) {
        Ok(JoinType::Inner) => JoinKind::Inner,
        Ok(JoinType::FullOuter) => JoinKind::FullOuter,
        Ok(JoinType::LeftOuter) => JoinKind::LeftOuter,
        Ok(JoinType::RightOuter) => JoinKind::RightOuter,
        Ok(JoinType::LeftAnti) => JoinKind::LeftAnti,
        Ok(JoinType::LeftSemi) => JoinKind::LeftSemi,
        Ok(JoinType::Cross) => JoinKind::Cross,
        Ok(JoinType::Unspecified) | Err(_) => return Err(missing("join.join_type")),
    })
}

/// A number of rows as an expression.
fn rows(what: &str, value: i32) -> Result<Expr> {
    count(what, value)?;
    Ok(Expr::literal(ScalarValue::Int32(Some(value))))
}

/// What a sort goes by.
fn without_order(expr: Expr) -> Expr {
    match expr {
        Expr::SortOrder(order) => order.expr,
        other => other,
    }
}

fn partitions(wanted: i32) -> Result<usize> {
    Ok(count("num_partitions", wanted)?.clamp(1, MAX_PARTITIONS))
}

fn count(what: &str, value: i32) -> Result<usize> {
    usize::try_from(value).map_err(|_| {
        SparkError::new(
            ErrorClass::Analysis,
            "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE",
            "42K0E",
            format!("The {what} must be equal to or greater than 0, but got {value}."),
        )
        .with("name", what)
        .with("v", value.to_string())
    })
}

/// What a user calls a relation that is not supported.
fn unsupported(relation: &RelType) -> &'static str {
    match relation {
        RelType::MapPartitions(_) => "`df.mapInPandas` and `df.mapInArrow`",
        RelType::GroupMap(_) => "`groupBy().applyInPandas`",
        RelType::CoGroupMap(_) => "`cogroup().applyInPandas`",
        RelType::WithWatermark(_) => "`df.withWatermark`",
        RelType::ApplyInPandasWithState(_) => "`applyInPandasWithState`",
        RelType::CommonInlineUserDefinedTableFunction(_) => "user-defined table functions",
        RelType::AsOfJoin(_) => "as-of joins",
        RelType::CommonInlineUserDefinedDataSource(_) => "inline data sources",
        RelType::RelationChanges(_) => "change feeds of a table",
        RelType::NearestByJoin(_) => "nearest-by joins",
        RelType::Zip(_) => "`df.zip`",
        RelType::MlRelation(_) => "machine learning (`pyspark.ml`)",
        RelType::Extension(_) => "protocol extensions",
        _ => "this relation",
    }
}
