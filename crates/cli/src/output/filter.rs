//! `--jq`, or the error of a build without it.

#[cfg(feature = "jq")]
mod process;

#[cfg(feature = "jq")]
pub(super) use self::process::filter;
#[cfg(feature = "jq")]
pub(crate) use self::process::run_if_child;
#[cfg(feature = "jq")]
pub(super) use super::jq::check;

#[cfg(not(feature = "jq"))]
pub(super) fn check(_: &str) -> Result<(), crate::failure::Failure> {
    Err(crate::failure::Failure::not_built("--jq", "full"))
}

#[cfg(not(feature = "jq"))]
pub(super) fn filter(
    code: &str,
    _: &[u8],
    _: &mut dyn std::io::Write,
) -> Result<(), crate::failure::Failure> {
    check(code)
}
