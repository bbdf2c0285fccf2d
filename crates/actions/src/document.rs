//! One resource as JSON, as the service sent it, for programs that pass it on. Nothing of it is decoded, so a field of an
//! unexpected type is no error.

use brickwire_client::Call;
use serde_json::value::RawValue;

use crate::{Error, Result};

/// Sends a call whose answer is a JSON object.
pub(crate) async fn object(call: Call) -> Result<Box<RawValue>> {
    let document = call.send::<Box<RawValue>>().await?;
    if document.get().starts_with('{') {
        return Ok(document.into_inner());
    }
    Err(Error::unexpected("the answer is not a JSON object").with_details(|d| {
        (d.status, d.body) = (Some(document.status().as_u16()), Some(document.raw().clone()))
    }))
}
