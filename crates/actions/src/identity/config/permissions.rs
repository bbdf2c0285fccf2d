//! Who may read the configuration file.

use std::path::PathBuf;

use super::{
    Environment,
    read::{from_arguments, from_variables, readable_by_others},
};
use crate::Result;

/// The configuration file that is there, and what is wrong with its permissions.
pub(crate) struct FilePermissions {
    pub(crate) path: PathBuf,
    /// The sentence that is also among the warnings of a configuration that was read from it.
    pub(crate) warning: Option<String>,
}

impl FilePermissions {
    /// Looks at the file that a configuration would be read from; `None` if there is none.
    pub(crate) fn look(explicit: &[(&str, &str)], environment: &Environment) -> Result<Option<Self>> {
        let given = from_arguments(explicit)?.into_iter().chain(from_variables(environment));
        let named = given.into_iter().find(|s| s.attribute.name == "config_file");
        let path = match (named, environment.home()) {
            (Some(setting), _) => environment.expand(setting.value.expose()),
            (None, Some(home)) => home.join(".databrickscfg"),
            (None, None) => return Ok(None),
        };
        let warning = readable_by_others(&path);
        Ok(path.is_file().then_some(Self { path, warning }))
    }
}
