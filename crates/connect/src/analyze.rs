//! Questions about a plan that are answered without running it.

use std::fmt::{self, Write};
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use arrow::datatypes::DataType;
use sheetbend_plan::ddl;
use sheetbend_plan::error::{Result, SparkError};
use sheetbend_plan::ir::{Relation, RelationKind};
use sheetbend_plan::resolver::resolve;
use spark_connect_proto::analyze_plan_request::Analyze;
use spark_connect_proto::analyze_plan_request::explain::ExplainMode;
use spark_connect_proto::analyze_plan_response::{self as answer, Result as Answer};
use spark_connect_proto::{self as proto, Plan, StorageLevel};

use crate::cache::{MEMORY_AND_DISK, anonymous};
use crate::compressed::{self, Asked};
use crate::engine::Engine;
use crate::error::{invalid_plan, missing};
use crate::lower::{Lowering, types};
use crate::session::Session;
use crate::{explain, stack, tree};

/// The version of Spark whose protocol and semantics this server speaks.
const SPARK_VERSION: &str = "4.2.0";

/// Answers a question.
///
/// # Errors
/// A plan that cannot mean anything, or a question that is not supported.
pub(crate) async fn answer(question: Analyze, session: &Arc<Session>, engine: &Engine) -> Result<Answer> {
    match question {
        Analyze::SparkVersion(_) => {
            Ok(Answer::SparkVersion(answer::SparkVersion { version: SPARK_VERSION.to_owned() }))
        }
        Analyze::DdlParse(parse) => {
            let parsed = type_or_columns(&parse.ddl_string)?;
            Ok(Answer::DdlParse(answer::DdlParse { parsed: Some(types::to_proto(&parsed)?) }))
        }
        Analyze::IsStreaming(_) => Ok(Answer::IsStreaming(answer::IsStreaming { is_streaming: false })),
        Analyze::InputFiles(_) => Ok(Answer::InputFiles(answer::InputFiles { files: Vec::new() })),
        Analyze::JsonToDdl(_) => Err(SparkError::unsupported("schemas from JSON to DDL")),
        other => {
            let (session, engine) = (session.clone(), engine.clone());
            stack::run(move || async move { of_plan(other, &session, &engine).await }).await
        }
    }
}

/// `int` is a type, `a INT, b STRING` the columns of a struct; text of either kind comes here.
fn type_or_columns(text: &str) -> Result<DataType> {
    let data_type = ddl::parse_data_type(text);
    if data_type.is_ok() || !text.trim().contains([' ', ':']) {
        return data_type;
    }
    ddl::parse_schema(text).map(|schema| DataType::Struct(schema.fields))
}

/// Answers to questions about a plan, which take stack.
async fn of_plan(question: Analyze, session: &Session, engine: &Engine) -> Result<Answer> {
    Ok(match question {
        Analyze::Schema(schema) => {
            let resolved = resolve(&lower(schema.plan, session)?, session).await?;
            Answer::Schema(answer::Schema { schema: Some(types::schema_to_proto(&resolved.schema)?) })
        }
        Analyze::TreeString(tree) => {
            let resolved = resolve(&lower(tree.plan, session)?, session).await?;
            let depth = tree.level.and_then(|level| usize::try_from(level).ok()).filter(|level| *level > 0);
            let tree_string = tree::tree(&resolved.schema, depth.unwrap_or(usize::MAX));
            Answer::TreeString(answer::TreeString { tree_string })
        }
        Analyze::Explain(question) => {
            let mode = ExplainMode::try_from(question.explain_mode).unwrap_or_default();
            let resolved = session.resolve(&lower(question.plan, session)?).await?;
            Answer::Explain(answer::Explain { explain_string: explain::text(&resolved, mode, engine).await? })
        }
        Analyze::Persist(persist) => {
            let relation = relation(persist.relation, session)?;
            session.keep(&relation, persist.storage_level.unwrap_or(MEMORY_AND_DISK)).await?;
            Answer::Persist(answer::Persist {})
        }
        Analyze::Unpersist(unpersist) => {
            session.forget(&relation(unpersist.relation, session)?)?;
            Answer::Unpersist(answer::Unpersist {})
        }
        Analyze::GetStorageLevel(question) => {
            let level = session.level(&relation(question.relation, session)?)?;
            let none = StorageLevel { replication: 1, ..StorageLevel::default() };
            Answer::GetStorageLevel(answer::GetStorageLevel { storage_level: Some(level.unwrap_or(none)) })
        }
        Analyze::IsLocal(local) => {
            let is_local = is_local(&lower(local.plan, session)?);
            Answer::IsLocal(answer::IsLocal { is_local })
        }
        Analyze::SameSemantics(same) => {
            let result = anonymous(lower(same.target_plan, session)?) == anonymous(lower(same.other_plan, session)?);
            Answer::SameSemantics(answer::SameSemantics { result })
        }
        Analyze::SemanticHash(hash) => {
            let result = semantic_hash(&anonymous(lower(hash.plan, session)?));
            Answer::SemanticHash(answer::SemanticHash { result })
        }
        _ => return Err(invalid_plan("The question is about no plan.")),
    })
}

fn lower(plan: Option<Plan>, session: &Session) -> Result<Relation> {
    match compressed::unpacked(plan)? {
        Asked::Rows(relation) => Lowering::new(session).relation(*relation),
        Asked::Command(_) => Err(invalid_plan("A command has no schema.")),
    }
}

fn relation(relation: Option<proto::Relation>, session: &Session) -> Result<Relation> {
    Lowering::new(session).relation(relation.ok_or_else(|| missing("relation"))?)
}

fn is_local(relation: &Relation) -> bool {
    match &relation.kind {
        RelationKind::Local { .. } => true,
        RelationKind::ToDf { input, .. } => is_local(input),
        _ => false,
    }
}

/// Equal for relations that are equal.
fn semantic_hash(relation: &Relation) -> i32 {
    struct Sink(DefaultHasher);
    impl Write for Sink {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.write(text.as_bytes());
            Ok(())
        }
    }
    let mut sink = Sink(DefaultHasher::new());
    // Writing to a hasher does not fail.
    let _ = write!(sink, "{relation:?}");
    let bytes = sink.0.finish().to_le_bytes();
    i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}
