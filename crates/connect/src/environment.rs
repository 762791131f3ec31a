//! A session, as the resolver sees it.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use sheetbend_datasource::format::SourceInfo;
use sheetbend_plan::environment::{Environment, Resolved, Settings};
use sheetbend_plan::error::Result;
use sheetbend_plan::ir::Source;

use crate::failure;
use crate::session::Session;

#[async_trait]
impl Environment for Session {
    async fn view(&self, name: &[String]) -> Result<Option<Arc<Resolved>>> {
        // Temporary views stand in no database.
        Ok(match name {
            [name] => self.views.get(name),
            _ => None,
        })
    }

    async fn source(&self, source: &Source) -> Result<Arc<dyn TableProvider>> {
        let info = SourceInfo {
            options: source.options.clone(),
            paths: source.paths.clone(),
            predicates: source.predicates.clone(),
            schema: source.schema.clone(),
        };
        let format = self.formats.get(&source.format).map_err(|e| failure::from_bridge(&e))?;
        format.create_provider(info).await.map_err(|e| failure::from_bridge(&e))
    }

    fn settings(&self) -> Settings {
        self.config.read().settings()
    }
}
