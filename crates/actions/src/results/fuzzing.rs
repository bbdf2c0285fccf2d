//! Private parsers of results for the fuzz targets.

use std::sync::Arc;

use brickwire_client::types::{ExternalLink, ResultManifest, StatementColumnInfo, StatementFormat};
use http::HeaderMap;
use reqwest::Url;

use super::{
    Rows,
    buffer_pool::BufferPool,
    decode::ChunkDecoder,
    layout::Layout,
    link::{Link, Origin},
    lz4::Lz4Decompressor,
    rows::decoder::RowsDecoder,
    splitter::Splitter,
};
use crate::{Error, Host, Result};

/// The plain bytes of a chunk that arrives in portions that end at these offsets.
///
/// # Errors
/// If the compression is malformed.
pub fn decompress(chunk: &[u8], cuts: &[usize]) -> Result<Vec<u8>> {
    let mut plain = Vec::new();
    split(chunk, cuts, RowsDecoder::SEGMENT, |bytes| {
        plain.extend_from_slice(&bytes);
        Ok(())
    })?;
    Ok(plain)
}

/// The rows of a chunk that arrives in portions that end at these offsets.
///
/// # Errors
/// If the bytes are malformed.
pub fn rows(
    format: &StatementFormat,
    columns: &[StatementColumnInfo],
    chunk: &[u8],
    cuts: &[usize],
) -> Result<Vec<Rows>> {
    let columns: Arc<[_]> = columns.into();
    let mut decoder = RowsDecoder::new(&columns, Some(format));
    let mut items = Vec::new();
    // Pieces end where the portions do, so that the decoder sees the cuts, too.
    let buffers = BufferPool::default();
    for portion in portions(chunk, cuts) {
        let mut bytes = buffers.take(portion.len());
        bytes.copy_from_slice(portion);
        decoder.decode(bytes, &mut items)?;
    }
    decoder.finish()?;
    Ok(items.into_iter().map(|(rows, _)| rows).collect())
}

fn split(
    chunk: &[u8],
    cuts: &[usize],
    segment: usize,
    mut decode: impl FnMut(super::buffer_pool::PooledBuffer) -> Result<()>,
) -> Result<()> {
    let buffers = BufferPool::default();
    let (mut splitter, mut lz4) =
        (Splitter::new(buffers.clone(), segment), Lz4Decompressor::new(buffers.clone()));
    let damaged = |error: super::splitter::Malformed| -> Error { error.in_chunk(0) };
    let mut ready = Vec::new();
    for mut portion in portions(chunk, cuts) {
        while !portion.is_empty() {
            if let Some(piece) = splitter.take(&mut portion).map_err(damaged)? {
                lz4.take(piece, &mut ready).map_err(damaged)?;
            }
            ready.drain(..).try_for_each(&mut decode)?;
        }
    }
    if let Some(piece) = splitter.finish().map_err(damaged)? {
        lz4.take(piece, &mut ready).map_err(damaged)?;
    }
    ready.extend(lz4.finish());
    ready.into_iter().try_for_each(decode)
}

fn portions<'a>(bytes: &'a [u8], cuts: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut start = 0;
    cuts.iter().chain([&usize::MAX]).map(move |end| {
        let end = (*end).clamp(start, bytes.len());
        let portion = &bytes[start..end];
        start = end;
        portion
    })
}

/// How many chunks a manifest announces.
///
/// # Errors
/// If the manifest contradicts itself.
pub fn layout(manifest: &ResultManifest) -> Result<u64> {
    Ok(Layout::new(manifest, None)?.count())
}

/// Where a presigned link of a workspace leads, and how it is shown.
///
/// # Errors
/// If the link must not be used.
pub fn link(host: &Host, link: &ExternalLink, answer: &HeaderMap) -> Result<(Url, String), &'static str> {
    let link = Link::read(link, answer, Origin::of(host))?;
    let _ = link.is_stale();
    Ok((link.url.clone(), format!("{link:?}")))
}
