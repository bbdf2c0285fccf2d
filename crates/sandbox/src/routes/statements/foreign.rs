//! A chunk that belongs to no result of the workspace: what a link leads to when storage mixes up its files.

use std::sync::Arc;

use arrow_array::{Float64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};

use super::{request::Request, run::compressed};
use crate::engine::{EngineError, encode::encode};

/// Three rows of other columns in the format that the request asked for.
pub(super) fn chunk(request: &Request) -> Result<Vec<u8>, EngineError> {
    let fields = [("stranger", DataType::Utf8), ("weight", DataType::Float64)];
    let fields: Vec<Field> = fields.map(|(name, kind)| Field::new(name, kind, true)).to_vec();
    let schema = Arc::new(Schema::new(fields));
    let names = Arc::new(StringArray::from(vec!["not", "your", "rows"]));
    let weights = Arc::new(Float64Array::from(vec![0.5, 1.5, 2.5]));
    let batch = RecordBatch::try_new(schema.clone(), vec![names, weights]).map_err(EngineError::internal)?;
    let body = encode(request.format, &schema, &[batch], true)?;
    if request.lz4 { compressed(&body).map_err(EngineError::internal) } else { Ok(body) }
}
