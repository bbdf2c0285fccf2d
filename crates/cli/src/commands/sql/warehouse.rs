//! The warehouse that statements run on.

use brickwire_actions::types::WarehouseState;

use super::arguments::Command;
use crate::{
    commands::warehouses,
    context::Context,
    failure::{Failure, Result},
};

/// The warehouse to run on.
pub(super) async fn find(command: &Command, context: &Context) -> Result<String> {
    let warehouses = warehouses::of(context).await?;
    let warehouse = warehouses::for_statements(command.warehouse.as_deref(), context).await?;
    if command.no_start {
        let state = warehouses.get(&warehouse).await?.state.clone();
        if state != Some(WarehouseState::Running) {
            let state = state.map(|s| s.to_string()).unwrap_or_default();
            let message = format!("warehouse {warehouse} is {state}, and --no-start was given");
            let hint = format!("start it with `brick warehouses start {warehouse}`");
            return Err(Failure::local(message).with_hint(hint));
        }
    }
    Ok(warehouse)
}
