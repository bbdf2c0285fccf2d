//! Compares the API description with the official Python SDK, which is generated from the vendor's own description.
//!
//! What differs is new upstream, a mistake here, or meant; `xtask/drift.yaml` lists what is meant, with reasons. The two
//! are compared by structure: from an operation with the same method and path down to the fields of its request and its
//! answer. So a component may have another name than the SDK's type, and may stand for several of them.
//!
//! - Of an API class of the SDK that the description has nothing of, only the number of operations is told.
//! - What is deprecated here may be missing in the SDK.
//! - Whether a member is required isn't compared: in an answer nothing is.

mod allowed;
mod compare;
mod difference;
mod draft;
mod report;
mod sdk;

use std::path::Path;

use anyhow::Result;

use crate::load;

/// What to compare, and how to tell.
pub(crate) struct Options<'a> {
    /// The folder with the description.
    pub(crate) spec: &'a Path,
    /// The list of differences that are meant.
    pub(crate) allowed: &'a Path,
    /// Where the SDK is: the package, the folder that it is installed in, or a virtual environment.
    pub(crate) sdk: &'a Path,
    /// Whether to report in JSON.
    pub(crate) json: bool,
}

/// Compares; returns the report, and whether it lists a difference that isn't meant.
pub(crate) fn run(options: &Options) -> Result<(String, bool)> {
    let document = load::load(options.spec)?;
    let origins = load::origins(options.spec)?;
    let allowed = allowed::Allowed::load(options.allowed)?;
    let sdk = sdk::read(options.sdk)?;
    let comparison = compare::compare(&document, &origins, &sdk);
    let report = report::Report::new(&sdk, comparison, &allowed);
    let text = if options.json { report.json()? } else { report.text() };
    Ok((text, report.has_drift()))
}

/// Drafts the description of operations that the SDK has; `names` are as the report has them.
pub(crate) fn draft(spec: &Path, sdk: &Path, names: &[String]) -> Result<String> {
    let document = load::load(spec)?;
    let origins = load::origins(spec)?;
    let sdk = sdk::read(sdk)?;
    let comparison = compare::compare(&document, &origins, &sdk);
    draft::draft(&document, &origins, &sdk, &comparison, names)
}
