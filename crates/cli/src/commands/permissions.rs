//! `brick permissions`: who may do what with an object.

use brickwire_actions::types::{AccessControlRequest, PermissionLevel};
use clap::Subcommand;

use crate::{
    context::Context,
    failure::{Failure, Result},
    output::Column,
};

/// Permissions of jobs, clusters, warehouses, notebooks and all else: get, set, update, levels
#[derive(Debug, Subcommand)]
#[command(alias = "permission")]
pub(crate) enum Command {
    /// Show the direct and inherited permissions of an object
    #[command(after_help = "\
Examples:
  brick permissions get jobs 1234567890123456
  brick permissions get sql/warehouses 0123456789abcdef --jq .access_control_list")]
    Get(Object),
    /// Replace all direct permissions of an object by those that are given
    #[command(after_help = "\
Inherited permissions stay. Jobs and pipelines need an owner, with the level IS_OWNER.

Example:
  brick permissions set jobs 1234567890123456 --user ada@example.com=IS_OWNER --group analysts=CAN_VIEW")]
    Set {
        #[command(flatten)]
        object: Object,
        #[command(flatten)]
        given: Given,
        /// Remove all direct permissions
        #[arg(long, conflicts_with_all = ["user", "group", "service_principal"])]
        none: bool,
    },
    /// Add or change permissions of an object and keep all others
    #[command(
        after_help = "Example:\n  brick permissions update clusters 0123-456789-abcdefgh --group analysts=CAN_RESTART"
    )]
    Update {
        #[command(flatten)]
        object: Object,
        #[command(flatten)]
        given: Given,
    },
    /// List the levels that permissions of an object may have
    #[command(after_help = "Example:\n  brick permissions levels jobs 1234567890123456 -o table")]
    Levels(Object),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Object {
    /// Type of the object as a plural noun, such as jobs, clusters, notebooks, serving-endpoints, or sql/warehouses
    #[arg(value_name = "TYPE")]
    object_type: String,
    /// ID of the object
    #[arg(value_name = "ID")]
    id: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Given {
    /// Permission of a user; may be repeated
    #[arg(long, value_name = "EMAIL=LEVEL")]
    user: Vec<String>,
    /// Permission of a group; may be repeated
    #[arg(long, value_name = "NAME=LEVEL")]
    group: Vec<String>,
    /// Permission of a service principal; may be repeated
    #[arg(long, value_name = "APPLICATION_ID=LEVEL")]
    service_principal: Vec<String>,
}

impl Given {
    fn read(&self) -> Result<Vec<AccessControlRequest>> {
        let mut read = Vec::new();
        for text in &self.user {
            let (name, level) = split(text)?;
            read.push(AccessControlRequest {
                user_name: name,
                permission_level: level,
                ..Default::default()
            });
        }
        for text in &self.group {
            let (name, level) = split(text)?;
            read.push(AccessControlRequest {
                group_name: name,
                permission_level: level,
                ..Default::default()
            });
        }
        for text in &self.service_principal {
            let (name, level) = split(text)?;
            read.push(AccessControlRequest {
                service_principal_name: name,
                permission_level: level,
                ..Default::default()
            });
        }
        Ok(read)
    }
}

/// A name may have an equals sign, a level has none.
fn split(text: &str) -> Result<(Option<String>, Option<PermissionLevel>)> {
    match text.rsplit_once('=') {
        Some((name, level)) if !name.trim().is_empty() && !level.trim().is_empty() => {
            Ok((Some(name.to_owned()), Some(PermissionLevel::from(level.trim().to_ascii_uppercase()))))
        }
        _ => Err(Failure::usage(format!("not NAME=LEVEL: {text:?}"))),
    }
}

const LEVELS: &[Column] = &[("LEVEL", "/permission_level"), ("DESCRIPTION", "/description")];

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    match command {
        Command::Get(Object { object_type, id }) => {
            let permissions = context.workspace().await?.permissions();
            context.record(permissions.get_json(&object_type, &id).await?.get().as_bytes())
        }
        Command::Set { object: Object { object_type, id }, given, none } => {
            let list = given.read()?;
            if list.is_empty() && !none {
                return Err(Failure::usage("no permissions are given")
                    .with_hint("add --user, --group or --service-principal, or --none to remove them all"));
            }
            let permissions = context.workspace().await?.permissions();
            context.record(permissions.set(&object_type, &id, &list).await?.raw())
        }
        Command::Update { object: Object { object_type, id }, given } => {
            let list = given.read()?;
            let permissions = context.workspace().await?.permissions();
            context.record(permissions.update(&object_type, &id, &list).await?.raw())
        }
        Command::Levels(Object { object_type, id }) => {
            let permissions = context.workspace().await?.permissions();
            context.output().list(&permissions.levels_json(&object_type, &id).await?, LEVELS)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_is_a_name_and_a_level() {
        let given =
            Given { user: vec!["a=b@c=can_view".to_owned()], group: vec![], service_principal: vec![] };
        let read = given.read().unwrap();
        assert_eq!(read[0].user_name.as_deref(), Some("a=b@c"));
        assert_eq!(read[0].permission_level, Some(PermissionLevel::CanView));
        for wrong in ["", "a", "a=", "=CAN_VIEW", " =CAN_VIEW"] {
            assert!(split(wrong).is_err(), "{wrong}");
        }
    }
}
