//! The log on stderr: --debug and --verbose.

use tracing::Level;
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{options::Global, terminal::Messages};

/// Sets up logging to stderr.
pub(crate) fn start(global: &Global) {
    let level = match global.verbose {
        // Warnings for people are lines of their own, in plain words.
        0 => Level::ERROR,
        _ => Level::DEBUG,
    };
    let wire = if global.debug || global.verbose > 1 { Level::DEBUG } else { Level::WARN };
    let targets = Targets::new().with_target("brickwire", level).with_target("brickwire::debug", wire);
    let layer = tracing_subscriber::fmt::layer().with_writer(|| Messages).without_time().with_ansi(false);
    tracing_subscriber::registry().with(layer.with_filter(targets)).init();
}
