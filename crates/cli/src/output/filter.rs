//! `--jq`, or the error of a build without it.

#[cfg(feature = "jq")]
pub(super) use super::jq::filter;

#[cfg(not(feature = "jq"))]
pub(super) fn filter(_: &str, _: &str) -> Result<Vec<String>, crate::failure::Failure> {
    Err(crate::failure::Failure::not_built("--jq", "full"))
}
