//! What the statements of a script or a prompt share: the warehouse, the default catalog and schema, and an SQL session,
//! if one is kept.

use std::time::Instant;

use brickwire_actions::{Defaults, SqlSession, Statement, Workspace};

use super::arguments::Command;
use crate::failure::Result;

pub(super) struct Connection<'a> {
    command: &'a Command,
    workspace: Workspace,
    pub(super) warehouse: String,
    pub(super) defaults: Defaults,
    session: Option<SqlSession>,
}

impl<'a> Connection<'a> {
    /// Opens a session if that was asked for.
    pub(super) async fn open(command: &'a Command, workspace: Workspace, warehouse: String) -> Result<Self> {
        let defaults = Defaults::new(command.catalog.clone(), command.schema.clone());
        let mut connection = Self { command, workspace, warehouse, defaults, session: None };
        if command.session {
            connection.session = Some(connection.new_session().await?);
        }
        Ok(connection)
    }

    async fn new_session(&self) -> Result<SqlSession> {
        Ok(self.workspace.sql(&self.warehouse).open_session(&self.defaults).await?)
    }

    pub(super) fn keeps_session(&self) -> bool {
        self.session.is_some()
    }

    /// Goes on with another warehouse. A session belongs to its warehouse, so a new one is opened.
    pub(super) async fn change_warehouse(&mut self, id: String) -> Result {
        self.warehouse = id;
        if let Some(session) = self.session.take() {
            session.close().await?;
            self.session = Some(self.new_session().await?);
        }
        Ok(())
    }

    /// A statement that begins now: --timeout is for each. It returns at most `cap` rows.
    pub(super) fn request(&self, text: &str, began: Instant, cap: Option<u64>) -> Statement {
        let end = self.command.timeout.and_then(|timeout| Some((timeout, began.checked_add(timeout)?)));
        let workspace = match end {
            Some((_, end)) => self.workspace.with_deadline(end),
            None => self.workspace.clone(),
        };
        let mut request = self.command.statement(&workspace, &self.warehouse, text, cap);
        request = match &self.session {
            // What `USE` sets is in the session.
            Some(session) => request.in_session(session),
            None => self.defaults.apply(request),
        };
        match end {
            Some((timeout, end)) => request.with_deadline(timeout).until(end),
            None => request,
        }
    }

    /// Closes the session.
    pub(super) async fn close(&mut self) -> Result {
        match self.session.take() {
            Some(session) => Ok(session.close().await?),
            None => Ok(()),
        }
    }
}
