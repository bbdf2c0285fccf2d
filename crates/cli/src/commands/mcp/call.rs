//! What the calls of all tools share: their time, and how a warehouse is found.

use std::time::{Duration, Instant};

use brickwire_actions::{Preview, Workspace};

use crate::{
    context::Context,
    failure::{Failure, Result},
};

/// The longest time that a call may ask for, in seconds.
pub(super) const LONGEST: u64 = 24 * 3600;

/// The time of a call that asks for none: long enough for a warehouse to start.
const USUAL: u64 = 300;

/// The time of a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Time {
    pub(super) begin: Instant,
    pub(super) limit: Duration,
}

impl Time {
    /// The time that a call asks for, in seconds.
    pub(super) fn of(seconds: Option<u64>) -> Result<Self> {
        let seconds = within("timeout_s", seconds, LONGEST)?.unwrap_or(USUAL);
        Ok(Self { begin: Instant::now(), limit: Duration::from_secs(seconds) })
    }

    pub(super) fn end(&self) -> Instant {
        self.begin + self.limit
    }

    /// The workspace, whose requests end with the time.
    pub(super) async fn workspace(&self, context: &Context) -> Result<Workspace> {
        Ok(context.workspace().await?.with_deadline(self.end()))
    }

    /// The facts of a summary line: the statement, and how long it took.
    pub(super) fn summary(&self, preview: &Preview, statement: &str, next: Option<&str>) -> String {
        let elapsed = format!("{:.1}", self.begin.elapsed().as_secs_f64());
        preview.to_text(&[("statement", statement), ("elapsed_s", &elapsed)], next)
    }
}

/// Refuses a number outside of 1 to `most`.
pub(super) fn within(name: &str, number: Option<u64>, most: u64) -> Result<Option<u64>> {
    match number {
        Some(number) if number == 0 || number > most => {
            Err(Failure::usage(format!("{name} must be from 1 to {most}: {number}")))
        }
        number => Ok(number),
    }
}

/// The warehouse with this ID or name, or else the one that `brick sql` would take.
pub(super) async fn warehouse(
    given: Option<&str>,
    workspace: &Workspace,
    context: &Context,
) -> Result<String> {
    let warehouses = workspace.warehouses();
    match given.or(context.config().await?.warehouse_id()) {
        Some(id_or_name) => Ok(warehouses.find(id_or_name).await?),
        None => Ok(warehouses.find_default().await?),
    }
}
