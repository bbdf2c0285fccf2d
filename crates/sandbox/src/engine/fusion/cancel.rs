//! Whether a statement was canceled, for code that cannot be interrupted from outside.
//!
//! A task ends where it waits, but a function of a batch of rows never waits: [`limited`](super::limited) looks here
//! between pieces of its work.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::common::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};
use datafusion::common::{DataFusionError, Result, config_err};

/// A statement's flag. It travels with the statement's settings, which DataFusion hands to every function.
#[derive(Debug, Clone, Default)]
pub(super) struct Canceled(Arc<AtomicBool>);

impl Canceled {
    /// Raises the flag when it is dropped: with the future or the stream of the statement's rows.
    pub(super) fn when_dropped(&self) -> Guard {
        Guard(self.clone())
    }

    /// An error if the statement with these settings was canceled.
    pub(super) fn check(options: &ConfigOptions) -> Result<()> {
        match options.extensions.get::<Self>() {
            Some(Self(flag)) if flag.load(Ordering::Relaxed) => {
                Err(DataFusionError::Execution("the statement was canceled".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

/// See [`Canceled::when_dropped`].
pub(super) struct Guard(Canceled);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

impl ConfigExtension for Canceled {
    const PREFIX: &'static str = "sandbox";
}

impl ExtensionOptions for Canceled {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    /// Shares the flag: a copy of a statement's settings is still that statement's.
    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, _: &str) -> Result<()> {
        config_err!("there is no setting {key}")
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        vec![]
    }
}
