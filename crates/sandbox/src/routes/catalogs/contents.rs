//! What is in a catalog or a schema: tables, functions, models and volumes.

use super::{
    names::{full_name, key},
    objects,
    store::{Kind, store},
};
use crate::{call::Call, error::ApiError, lock::lock, routes::volumes};

/// Whether nothing is in a schema.
pub(crate) async fn is_empty(call: &Call, catalog: &str, schema: &str) -> Result<bool, ApiError> {
    let has_tables = !objects::tables(call, catalog, schema).await?.is_empty();
    let has_volumes = !volumes::of(call).within(&full_name(&[catalog, schema])).is_empty();
    let store = store(call);
    let store = lock(&store);
    let mut others = [Kind::Function, Kind::Model].into_iter();
    Ok(!has_tables && !has_volumes && others.all(|kind| store.within(kind, &[catalog, schema]).is_empty()))
}

/// Forgets a catalog or a schema that SQL has dropped, with all that was in it.
pub(crate) fn forget(call: &Call, kind: Kind, parts: &[&str]) -> Result<(), ApiError> {
    lock(&store(call)).remove(kind, &key(parts));
    let volumes = volumes::of(call);
    volumes.within(&full_name(parts)).iter().try_for_each(|name| volumes.remove(name))
}
