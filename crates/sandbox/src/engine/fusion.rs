//! [`SqlEngine`](super::SqlEngine) on DataFusion.
//!
//! A statement goes: text → [`parse`] → tree → [`parameters`] bound → [`rewrite`] → plan → [`semantics`] → stream →
//! [`answers`]. It never goes through DataFusion's own front door (`ctx.sql`), which reads and writes files of the
//! host.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use datafusion::catalog::memory::MemoryCatalogProviderList;
use datafusion::common::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_spark::SessionStateBuilderSpark;
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};

use super::{
    contents::Contents,
    error::EngineError,
    metadata::Metadata,
    query::{Query, QueryStream, SqlEngine},
};

mod answers;
mod arithmetic;
mod bounds;
mod calls;
mod cancel;
mod catalogs;
mod commands;
mod constants;
mod contents;
pub(super) mod datasets;
mod definitions;
mod dialect;
mod errors;
mod functions;
mod limited;
mod metadata;
mod names;
mod parameters;
mod parse;
mod patterns;
mod range;
mod rewrite;
mod round;
mod runtime;
mod samples;
mod semantics;
mod session;
mod sql_types;
mod statement;
mod temporary;

use catalogs::{Catalogs, Place};
use runtime::SqlRuntime;
use session::{Session, Shared};
use statement::Job;

/// What sorts, joins and groups may hold; more spills to temporary files or fails.
const MEMORY_BYTES: usize = 512 << 20;

/// What they may spill to temporary files.
const SPILL_BYTES: u64 = 8 << 30;

/// A workspace's data and one session of it.
pub(super) struct FusionEngine {
    shared: Arc<Shared>,
    session: Arc<Session>,
}

impl FusionEngine {
    /// `spill` is for what sorts and joins cannot keep in memory.
    pub(super) fn new(spill: PathBuf) -> Self {
        Self::with_memory(MEMORY_BYTES, spill)
    }

    fn with_memory(bytes: usize, spill: PathBuf) -> Self {
        let list = Arc::new(MemoryCatalogProviderList::new());
        let context =
            context(bytes, spill, list.clone()).expect("DataFusion takes the settings it documents");
        let catalogs = Catalogs::create(&context, list).expect("an empty engine takes its first catalogs");
        let shared = Shared { context, catalogs, runtime: SqlRuntime::new(), sessions: AtomicU64::new(0) };
        Self::of_session(Arc::new(shared), Place::default())
    }

    fn of_session(shared: Arc<Shared>, place: Place) -> Self {
        let session = Arc::new(Session::new(&shared, place));
        Self { shared, session }
    }
}

impl SqlEngine for FusionEngine {
    fn query<'a>(&'a self, query: Query<'a>) -> BoxFuture<'a, Result<QueryStream, EngineError>> {
        let job = Job::new(Arc::clone(&self.shared), Arc::clone(&self.session), &query);
        async move {
            // Dropping this future or the stream raises the flag.
            let guard = job.canceled().when_dropped();
            let mut answer = self.shared.runtime.run(job.run()).await?;
            let batches = self.shared.runtime.pump(answer.batches);
            answer.batches = Box::pin(batches.inspect(move |_| {
                let _ = &guard;
            }));
            Ok(answer)
        }
        .boxed()
    }

    fn session(&self) -> Arc<dyn SqlEngine> {
        Arc::new(Self::of_session(Arc::clone(&self.shared), self.session.place()))
    }

    fn contents(&self) -> BoxFuture<'_, Result<Contents, EngineError>> {
        contents::read(&self.shared.catalogs).boxed()
    }

    fn load(&self, contents: Contents) -> BoxFuture<'_, Result<(), EngineError>> {
        let shared = Arc::clone(&self.shared);
        self.shared.runtime.run(async move { contents::load(&shared, contents).await }).boxed()
    }

    fn metadata(&self) -> &dyn Metadata {
        &self.shared.catalogs
    }
}

fn context(
    memory_bytes: usize,
    spill: PathBuf,
    catalogs: Arc<MemoryCatalogProviderList>,
) -> Result<SessionContext> {
    let config = SessionConfig::new()
        .with_target_partitions(1)
        .with_default_catalog_and_schema("main", "default")
        .with_create_default_catalog_and_schema(false)
        .set_str("datafusion.sql_parser.default_null_ordering", "nulls_min")
        .set_str("datafusion.execution.time_zone", sql_types::TIME_ZONE)
        .set_bool("datafusion.sql_parser.collect_spans", true)
        .set_bool("datafusion.sql_parser.map_string_types_to_utf8view", false)
        .set_bool("datafusion.sql_parser.parse_float_as_decimal", true);
    let environment = RuntimeEnvBuilder::new()
        .with_memory_limit(memory_bytes, 1.0)
        .with_disk_manager_builder(
            DiskManagerBuilder::default()
                .with_mode(DiskManagerMode::Directories(vec![spill]))
                .with_max_temp_directory_size(SPILL_BYTES),
        )
        .build_arc()?;
    let mut builder = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(environment)
        .with_catalog_list(catalogs)
        .with_default_features()
        // After the defaults, so that Spark's functions win.
        .with_spark_features()
        .with_type_planner(Arc::new(sql_types::SparkTypes));
    let concat = datafusion_spark::function::string::concat().as_ref().clone();
    let operators = arithmetic::SparkOperators { concat: Arc::new(limited::wrapped(concat)) };
    builder.expr_planners().get_or_insert_default().insert(0, Arc::new(operators));
    let mut state = builder.build();
    state.add_analyzer_rule(Arc::new(semantics::SparkSemantics));
    // Spark's package has an `avg` of doubles only.
    state.register_udaf(avg_udaf())?;
    if let Some(package) = state.scalar_functions().get("round").cloned() {
        state.register_udf(Arc::new(ScalarUDF::from(round::SparkRound::of(package))))?;
    }
    limited::wrap_functions(&mut state)?;
    let context = SessionContext::new_with_state(state);
    context.register_udf(ScalarUDF::from(semantics::TypeOf::default()));
    context.register_udtf("range", Arc::new(range::SparkRange));
    Ok(context)
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    async fn rows(engine: &FusionEngine, sql: &str) -> Result<usize, EngineError> {
        let stream = engine.query(Query { sql, ..Query::default() }).await?;
        let batches: Vec<_> = stream.batches.try_collect().await?;
        Ok(batches.iter().map(arrow_array::RecordBatch::num_rows).sum())
    }

    #[tokio::test]
    async fn a_table_can_be_read_while_it_is_replaced() {
        let engine = FusionEngine::new(std::env::temp_dir());
        rows(&engine, "CREATE TABLE t AS SELECT 1 AS n").await.unwrap();
        let done = std::cell::Cell::new(false);
        let writer = async {
            for _ in 0..30 {
                rows(&engine, "INSERT OVERWRITE t VALUES (2)").await.unwrap();
                rows(&engine, "CREATE OR REPLACE TABLE t AS SELECT 3 AS n").await.unwrap();
            }
            done.set(true);
        };
        let reader = async || {
            while !done.get() {
                assert_eq!(rows(&engine, "SELECT n FROM t").await, Ok(1));
            }
        };
        // A session of its own overwrites another table at the same time.
        let other = async {
            rows(&engine, "CREATE TABLE other AS SELECT 1 AS n").await.unwrap();
            while !done.get() {
                rows(&engine, "INSERT OVERWRITE other VALUES (2)").await.unwrap();
            }
        };
        tokio::join!(writer, reader(), reader(), other);
    }

    #[tokio::test]
    async fn statements_that_create_the_same_lose_nothing() {
        let engine = FusionEngine::new(std::env::temp_dir());
        let create = async |n: usize, value: usize| {
            for sql in [
                format!("CREATE SCHEMA IF NOT EXISTS s{n}"),
                format!("CREATE TABLE IF NOT EXISTS s{n}.t (n INT)"),
                format!("INSERT INTO s{n}.t VALUES ({value})"),
            ] {
                rows(&engine, &sql).await.unwrap();
            }
        };
        for n in 0..20 {
            tokio::join!(create(n, 1), create(n, 2), create(n, 3));
            assert_eq!(rows(&engine, &format!("SELECT * FROM s{n}.t")).await, Ok(3));
        }
    }

    #[tokio::test]
    async fn what_does_not_fit_the_memory_fails_and_the_engine_lives_on() {
        let engine = FusionEngine::with_memory(1 << 20, std::env::temp_dir());
        let join = "SELECT count(*) FROM range(300000) a JOIN range(300000) b ON a.id = b.id + 1";
        let error = rows(&engine, join).await.unwrap_err();
        assert_eq!(error.error_code, "RESOURCE_EXHAUSTED", "{error}");
        assert_eq!(rows(&engine, "SELECT 1").await, Ok(1));
    }
}
