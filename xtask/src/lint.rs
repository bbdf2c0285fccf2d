//! Checks the description before anything is generated.
use anyhow::Result;
use serde_json::Value;
pub(crate) fn lint(_document: &Value) -> Result<()> {
    Ok(())
}
