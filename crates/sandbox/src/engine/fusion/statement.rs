//! One statement from its text to its answer.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use datafusion::common::DataFusionError;
use datafusion::execution::{SessionState, TaskContext};
use datafusion::logical_expr::{DdlStatement, LogicalPlan, WriteOp};
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement as Planned;
use datafusion::sql::sqlparser::ast::Spanned;
use datafusion::sql::sqlparser::ast::{
    Insert, ObjectName, ObjectType, Query as SqlQuery, SchemaName, Statement, TableObject, visit_relations,
};
use futures_util::StreamExt;

use super::{
    answers,
    cancel::Canceled,
    catalogs::{self, HIDDEN, Place, TableName, parts},
    commands, constants, definitions,
    errors::{self, Mention},
    names::{self, Shown},
    parameters,
    parse::{Parsed, Spelling, parse},
    rewrite,
    session::{Session, Shared},
    sql_types::TIME_ZONE,
    temporary,
};
use crate::engine::{
    contents::StoredView,
    error::EngineError,
    parameter::Parameter,
    query::{Query, QueryStream},
    types::type_text,
};

/// A statement with all that it needs, so that it can run on another thread.
pub(super) struct Job {
    shared: Arc<Shared>,
    session: Arc<Session>,
    place: Place,
    sql: String,
    user: String,
    parameters: Vec<Parameter>,
    canceled: Canceled,
}

impl Job {
    pub(super) fn new(shared: Arc<Shared>, session: Arc<Session>, query: &Query<'_>) -> Self {
        let mut place = session.place();
        if let Some(catalog) = query.catalog {
            place = Place { catalog: catalog.to_lowercase(), schema: "default".to_owned() };
        }
        if let Some(schema) = query.schema {
            place.schema = schema.to_lowercase();
        }
        let (sql, user) = (query.sql.to_owned(), query.user.to_owned());
        let (parameters, canceled) = (query.parameters.clone(), Canceled::default());
        Self { shared, session, place, sql, user, parameters, canceled }
    }

    pub(super) fn canceled(&self) -> Canceled {
        self.canceled.clone()
    }

    pub(super) async fn run(self) -> Result<QueryStream, EngineError> {
        let parsed = parse(&self.sql).map_err(|error| errors::of(&error, &self.sql, &[]))?;
        match parsed {
            Parsed::CreateCatalog { name, if_not_exists } => {
                self.shared.catalogs.create_catalog(&name, if_not_exists)?;
                Ok(answers::nothing())
            }
            Parsed::DropCatalog => Err(EngineError::unsupported("DROP CATALOG")),
            Parsed::Statement { statement, spelling, extended } => {
                let mentions = mentions(&statement);
                let names = |part: &str| {
                    mentions.iter().any(|m| m.parts.iter().any(|p| p.eq_ignore_ascii_case(part)))
                };
                if names("information_schema") || names(HIDDEN) {
                    return Err(EngineError::unsupported("information_schema"));
                }
                let run = Run { job: &self, mentions, spelling };
                run.statement(*statement, extended).await
            }
        }
    }
}

fn mentions(statement: &Statement) -> Vec<Mention> {
    let mut out = Vec::new();
    let _: ControlFlow<()> = visit_relations(statement, |name| {
        let start = name.span().start;
        let parts = name.0.iter().filter_map(|part| part.as_ident()).map(|part| part.value.clone()).collect();
        out.push(Mention { parts, line: start.line, column: start.column });
        ControlFlow::Continue(())
    });
    out
}

struct Run<'a> {
    job: &'a Job,
    mentions: Vec<Mention>,
    spelling: Spelling,
}

impl Run<'_> {
    fn error(&self, error: &DataFusionError) -> EngineError {
        errors::of(error, &self.job.sql, &self.mentions)
    }

    /// A state of its own, so that short names mean this statement's catalog and schema.
    fn state(&self) -> SessionState {
        let mut state = self.job.shared.context.state();
        let catalog = &mut state.config_mut().options_mut().catalog;
        catalog.default_catalog.clone_from(&self.job.place.catalog);
        catalog.default_schema.clone_from(&self.job.place.schema);
        state.config_mut().options_mut().extensions.insert(self.job.canceled.clone());
        state
    }

    async fn statement(
        mut self,
        mut statement: Statement,
        extended: bool,
    ) -> Result<QueryStream, EngineError> {
        let catalogs = &self.job.shared.catalogs;
        if let Statement::Use(to) = &statement {
            self.job.session.use_place(commands::used(to, catalogs, &self.job.place)?);
            return Ok(answers::nothing());
        }
        let views = self.job.session.temporary_schema();
        temporary::name_views(&mut statement, catalogs.hidden_schema(&views)?.as_ref(), &views);
        if let Some(answer) = commands::run(&statement, catalogs, &self.job.place, extended).await? {
            return Ok(answer);
        }
        parameters::bind(&mut statement, &self.job.parameters).map_err(|error| self.error(&error))?;
        match &mut statement {
            Statement::CreateSchema { schema_name: SchemaName::Simple(name), if_not_exists, .. }
            | Statement::CreateDatabase { db_name: name, if_not_exists, .. } => {
                catalogs.create_schema(&self.job.place.schema(name)?, *if_not_exists)?;
                return Ok(answers::nothing());
            }
            Statement::Drop { object_type, if_exists, names, cascade, .. } => {
                return self.drop(*object_type, *if_exists, names, *cascade).await;
            }
            Statement::Truncate(truncate) => {
                for target in &truncate.table_names {
                    let name = self.job.place.table(&target.name)?;
                    let table = catalogs.existing_table(&name).await?;
                    catalogs.put(&name, Arc::new(definitions::with_rows(table.as_ref(), vec![])?), None)?;
                }
                return Ok(answers::nothing());
            }
            _ => definitions::refuse_others(&statement)?,
        }
        self.plan_and_run(statement).await
    }

    async fn plan_and_run(&mut self, mut statement: Statement) -> Result<QueryStream, EngineError> {
        let mut shown = Shown::new();
        let (mut temporary, mut if_not_exists, mut overwrites, mut of_query) = (false, false, false, false);
        match &mut statement {
            Statement::Query(query) => shown = self.name_columns(query),
            Statement::CreateTable(create) => {
                of_query = create.query.is_some();
                definitions::plain_table(create, &mut self.spelling)?;
            }
            Statement::CreateView(create) => {
                (temporary, if_not_exists) = (create.temporary, create.if_not_exists);
                definitions::plain_view(create)?;
            }
            Statement::Insert(insert) => overwrites = std::mem::take(&mut insert.overwrite),
            Statement::Explain { statement, .. } => {
                if let Statement::Query(query) = statement.as_mut() {
                    shown = self.name_columns(query);
                }
            }
            _ => {}
        }
        rewrite::rewrite(&mut statement, self.constants()).map_err(|error| self.error(&error))?;
        if overwrites && let Statement::Insert(insert) = statement {
            return self.overwrite(insert).await;
        }
        let state = self.state();
        let plan = self.plan(&state, statement).await?;
        let context = SessionContext::new_with_state(state);
        match plan {
            LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(create)) => {
                let name = TableName::of_reference(&create.name, &self.job.place);
                let catalogs = &self.job.shared.catalogs;
                if definitions::may_create(catalogs, &name, create.or_replace, create.if_not_exists).await? {
                    let inner = create.input.schema().as_arrow().clone();
                    let batches = if of_query {
                        self.collect(&context, create.input.as_ref().clone()).await?
                    } else {
                        vec![]
                    };
                    let table =
                        definitions::table(&create, of_query, &inner, batches, &shown, &self.spelling)?;
                    // Another statement may have created one since.
                    let is_created = catalogs.put_if(&name, Arc::new(table), None, create.or_replace)?;
                    if !is_created && !create.if_not_exists {
                        return Err(definitions::taken(&name));
                    }
                }
                Ok(answers::nothing())
            }
            LogicalPlan::Ddl(DdlStatement::CreateView(create)) => {
                let name = TableName::of_reference(&create.name, &self.job.place);
                self.create_view(name, create, temporary, if_not_exists).await
            }
            LogicalPlan::Dml(dml) => {
                catalogs::writable(&TableName::of_reference(&dml.table_name, &self.job.place).catalog)?;
                let inserts = matches!(dml.op, WriteOp::Insert(_));
                let count = self.count(&context, LogicalPlan::Dml(dml)).await?;
                Ok(if inserts {
                    answers::of_counts(&[("num_affected_rows", count), ("num_inserted_rows", count)])
                } else {
                    answers::of_counts(&[("num_affected_rows", count)])
                })
            }
            LogicalPlan::DescribeTable(describe) => {
                let schema = answers::sent_schema(&describe.schema, &shown, &self.spelling)?;
                let rows: Vec<_> = schema
                    .fields()
                    .iter()
                    .map(|field| {
                        let name = type_text(field.data_type()).to_lowercase();
                        [field.name().clone(), name, String::new()]
                    })
                    .collect();
                Ok(answers::of_texts(["col_name", "data_type", "comment"], &rows))
            }
            LogicalPlan::Explain(_) => {
                let batches = self.collect(&context, plan).await?;
                let text: Vec<String> = batches.iter().flat_map(plan_texts).collect();
                Ok(answers::of_texts(["plan"], &[[text.join("\n")]]))
            }
            plan => {
                let stream = self.execute(&context, plan).await?;
                answers::of_stream(stream, &shown, &self.spelling, &self.job.sql, &self.mentions)
            }
        }
    }

    fn name_columns(&self, query: &mut SqlQuery) -> Shown {
        names::name_outer_columns(query, &self.spelling)
    }

    async fn plan(&self, state: &SessionState, statement: Statement) -> Result<LogicalPlan, EngineError> {
        let statement = Planned::Statement(Box::new(statement));
        state.statement_to_plan(statement).await.map_err(|error| self.error(&error))
    }

    async fn execute(
        &self,
        context: &SessionContext,
        plan: LogicalPlan,
    ) -> Result<datafusion::execution::SendableRecordBatchStream, EngineError> {
        let mut state = context.state();
        let plan = state.optimize(&plan).map_err(|error| self.error(&error))?;
        let usual = state.config().batch_size();
        let fewer = constants::batch_rows(&plan, usual).map_err(|error| self.error(&error))?;
        if let Some(rows) = fewer {
            *state.config_mut() = state.config().clone().with_batch_size(rows);
        }
        // What `execute_logical_plan` does, without optimizing once more.
        let physical = state.query_planner().create_physical_plan(&plan, &state).await;
        let physical = physical.map_err(|error| self.error(&error))?;
        execute_stream(physical, Arc::new(TaskContext::from(&state))).map_err(|error| self.error(&error))
    }

    async fn collect(
        &self,
        context: &SessionContext,
        plan: LogicalPlan,
    ) -> Result<Vec<RecordBatch>, EngineError> {
        let mut stream = self.execute(context, plan).await?;
        let mut batches = Vec::new();
        while let Some(batch) = stream.next().await {
            batches.push(batch.map_err(|error| self.error(&error))?);
            definitions::within_memory(&batches)?;
        }
        Ok(batches)
    }

    async fn count(&self, context: &SessionContext, plan: LogicalPlan) -> Result<u64, EngineError> {
        let batches = self.collect(context, plan).await?;
        let counts = batches.iter().filter_map(|batch| batch.column(0).as_primitive_opt::<UInt64Type>());
        Ok(counts.flat_map(|counts| counts.values().iter()).sum())
    }

    /// Fills an empty copy and puts it in the table's place, so that the query may read the table it overwrites.
    async fn overwrite(&self, mut insert: Insert) -> Result<QueryStream, EngineError> {
        let TableObject::TableName(name) = &insert.table else {
            return Err(EngineError::unsupported("INSERT OVERWRITE of something else than a table"));
        };
        let catalogs = &self.job.shared.catalogs;
        let target = self.job.place.table(name)?;
        catalogs::writable(&target.catalog)?;
        let table = catalogs.existing_table(&target).await?;
        let copy = Arc::new(definitions::with_rows(table.as_ref(), vec![])?);
        let number = self.job.shared.sessions.fetch_add(1, Ordering::Relaxed);
        let copy_name = format!("overwrite_{number}");
        let hidden = catalogs.hidden_schema("overwrites")?;
        hidden.register_table(copy_name.clone(), copy.clone()).map_err(|error| self.error(&error))?;
        insert.table = TableObject::TableName(temporary::hidden_name("overwrites", &copy_name));
        let state = self.state();
        let context = SessionContext::new_with_state(state.clone());
        let filled = match self.plan(&state, Statement::Insert(insert)).await {
            Ok(plan) => self.count(&context, plan).await,
            Err(error) => Err(error),
        };
        hidden.deregister_table(&copy_name).map_err(|error| self.error(&error))?;
        let count = filled?;
        catalogs.put(&target, copy, None)?;
        Ok(answers::of_counts(&[("num_affected_rows", count), ("num_inserted_rows", count)]))
    }

    async fn create_view(
        &self,
        name: TableName,
        create: datafusion::logical_expr::CreateView,
        temporary: bool,
        if_not_exists: bool,
    ) -> Result<QueryStream, EngineError> {
        let catalogs = &self.job.shared.catalogs;
        let or_replace = create.or_replace;
        if temporary {
            let schema = catalogs.hidden_schema(&self.job.session.temporary_schema())?;
            let exists = schema.table_exist(&name.table);
            if exists && !or_replace {
                let text =
                    format!("Cannot create the temporary view `{}` because it already exists.", name.table);
                return Err(EngineError::of_class("TEMP_TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", text));
            }
            let view =
                Arc::new(definitions::view(create, &self.spelling).map_err(|error| self.error(&error))?);
            schema.register_table(name.table, view).map_err(|error| self.error(&error))?;
        } else if definitions::may_create(catalogs, &name, or_replace, if_not_exists).await? {
            let view = definitions::view(create, &self.spelling).map_err(|error| self.error(&error))?;
            let Job { place: Place { catalog, schema }, sql, user, parameters, .. } = self.job;
            let stored = StoredView {
                name: name.parts(),
                sql: sql.clone(),
                catalog: catalog.clone(),
                schema: schema.clone(),
                user: user.clone(),
                parameters: parameters.clone(),
            };
            let is_created = catalogs.put_if(&name, Arc::new(view), Some(stored), or_replace)?;
            if !is_created && !if_not_exists {
                return Err(definitions::taken(&name));
            }
        }
        Ok(answers::nothing())
    }

    async fn drop(
        &self,
        kind: ObjectType,
        if_exists: bool,
        names: &[ObjectName],
        cascade: bool,
    ) -> Result<QueryStream, EngineError> {
        let catalogs = &self.job.shared.catalogs;
        for name in names {
            match kind {
                ObjectType::Schema | ObjectType::Database => {
                    catalogs.drop_schema(&self.job.place.schema(name)?, if_exists, cascade)?;
                }
                ObjectType::Table | ObjectType::View => {
                    if let [_, schema, table] = &parts(name)[..]
                        && parts(name)[0] == HIDDEN
                    {
                        let schema = catalogs.hidden_schema(schema)?;
                        schema.deregister_table(table).map_err(|error| self.error(&error))?;
                        continue;
                    }
                    let name = self.job.place.table(name)?;
                    match catalogs.existing_table(&name).await {
                        Ok(_) => catalogs.remove(&name)?,
                        Err(_) if if_exists => {}
                        Err(error) => return Err(error),
                    }
                }
                other => return Err(EngineError::unsupported(format_args!("DROP {other}"))),
            }
        }
        Ok(answers::nothing())
    }

    fn constants(&self) -> rewrite::Constants {
        let Place { catalog, schema } = &self.job.place;
        HashMap::from([
            ("current_user", self.job.user.clone()),
            ("session_user", self.job.user.clone()),
            ("user", self.job.user.clone()),
            ("current_catalog", catalog.clone()),
            ("current_schema", schema.clone()),
            ("current_database", schema.clone()),
            ("current_metastore", "sandbox:local:00000000-0000-0000-0000-000000000000".to_owned()),
            ("current_timezone", TIME_ZONE.to_owned()),
            ("version", "4.0.0 sandbox".to_owned()),
        ])
    }
}

/// The texts of an EXPLAIN's second column.
fn plan_texts(batch: &RecordBatch) -> Vec<String> {
    let column = batch.columns().last();
    let texts = column.and_then(|column| column.as_string_opt::<i32>());
    texts.map(|texts| texts.iter().flatten().map(str::to_owned).collect()).unwrap_or_default()
}
