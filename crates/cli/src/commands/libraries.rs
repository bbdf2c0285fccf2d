//! `brick libraries`: libraries on clusters.

use brickwire_actions::{
    ErrorKind, Libraries, Workspace,
    types::{
        ClusterState, Library, LibraryFullStatus, LibraryInstallStatus, MavenLibrary, PythonPyPiLibrary,
        RCranLibrary,
    },
};
use clap::Subcommand;
use clap_complete::ArgValueCompleter;
use serde_json::{json, value::RawValue};

use super::clusters;
use crate::{
    context::Context,
    failure::{Failure, Result},
    options::Waiting,
    output::Column,
    terminal::escaped_line,
};

/// Libraries on clusters: list, install, uninstall
#[derive(Debug, Subcommand)]
#[command(alias = "library")]
pub(crate) enum Command {
    /// List the libraries of a cluster, or of all clusters that have any
    #[command(
        after_help = "Examples:\n  brick libraries list shared-analytics -o table\n  brick libraries list"
    )]
    List {
        /// ID or name of the cluster; by default the libraries of all clusters are listed
        #[arg(value_name = "CLUSTER", add = ArgValueCompleter::new(clusters::candidates))]
        cluster: Option<String>,
    },
    /// Install libraries on a cluster and wait until that is done; exits with 8 if one fails
    #[command(after_help = "\
On a terminated cluster, brick doesn't wait: the libraries are installed when it starts.

Examples:
  brick libraries install shared-analytics --pypi simplejson==3.19.2 --pypi tqdm
  brick libraries install 0123-456789-abcdefgh --whl /Volumes/main/default/libs/etl.whl --no-wait")]
    Install {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Uninstall libraries from a cluster; they are gone after its next restart
    #[command(after_help = "Example:\n  brick libraries uninstall shared-analytics --pypi tqdm")]
    Uninstall(Which),
}

/// A cluster and libraries, described alike for installing and uninstalling.
#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// ID or name of the cluster
    #[arg(value_name = "CLUSTER", add = ArgValueCompleter::new(clusters::candidates))]
    cluster: String,
    /// Python package, perhaps with a version; may be repeated, as all of these options
    #[arg(long, value_name = "PACKAGE")]
    pypi: Vec<String>,
    /// Maven coordinates, as group:artifact:version
    #[arg(long, value_name = "COORDINATES")]
    maven: Vec<String>,
    /// R package
    #[arg(long, value_name = "PACKAGE")]
    cran: Vec<String>,
    /// Path or URL of a JAR file
    #[arg(long, value_name = "PATH")]
    jar: Vec<String>,
    /// Path or URL of a Python wheel
    #[arg(long, value_name = "PATH")]
    whl: Vec<String>,
    /// Path of a requirements file, in a volume or in the workspace
    #[arg(long, value_name = "PATH")]
    requirements: Vec<String>,
}

impl Which {
    fn libraries(&self) -> Result<Vec<Library>> {
        let given = |all: &[String], library: fn(Option<String>) -> Library| -> Vec<Library> {
            all.iter().map(|text| library(Some(text.clone()))).collect()
        };
        let all = [
            given(&self.pypi, |package| Library {
                pypi: Some(PythonPyPiLibrary { package, ..Default::default() }),
                ..Default::default()
            }),
            given(&self.maven, |coordinates| Library {
                maven: Some(MavenLibrary { coordinates, ..Default::default() }),
                ..Default::default()
            }),
            given(&self.cran, |package| Library {
                cran: Some(RCranLibrary { package, ..Default::default() }),
                ..Default::default()
            }),
            given(&self.jar, |jar| Library { jar, ..Default::default() }),
            given(&self.whl, |whl| Library { whl, ..Default::default() }),
            given(&self.requirements, |requirements| Library { requirements, ..Default::default() }),
        ]
        .concat();
        let texts = [&self.pypi, &self.maven, &self.cran, &self.jar, &self.whl, &self.requirements];
        if texts.into_iter().flatten().any(|text| text.trim().is_empty()) {
            return Err(Failure::usage("the name or path of a library is empty"));
        }
        if all.is_empty() {
            return Err(Failure::usage("no library is given")
                .with_hint("give --pypi, --maven, --cran, --jar, --whl, or --requirements"));
        }
        Ok(all)
    }
}

const COLUMNS: &[Column] = &[
    ("STATUS", "/status"),
    ("PYPI", "/library/pypi/package"),
    ("MAVEN", "/library/maven/coordinates"),
    ("CRAN", "/library/cran/package"),
    ("JAR", "/library/jar"),
    ("WHL", "/library/whl"),
    ("REQUIREMENTS", "/library/requirements"),
    ("MESSAGES", "/messages"),
];

const ALL: &[Column] = &[("CLUSTER", "/cluster_id"), ("LIBRARIES", "/library_statuses")];

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    match command {
        Command::List { cluster: None } => {
            let all = context.workspace().await?.libraries().list_all_json().await?;
            context.output().list(&all, ALL)
        }
        Command::List { cluster: Some(cluster) } => {
            let id = clusters::find(Some(&cluster), context).await?;
            list(&context.workspace().await?.libraries().list_json(&id).await?, context)
        }
        Command::Install { which, waiting } => install(&which, &waiting, context).await,
        Command::Uninstall(which) => {
            let libraries = which.libraries()?;
            let id = clusters::find(Some(&which.cluster), context).await?;
            context.workspace().await?.libraries().uninstall(&id, &libraries).await?;
            context.record(json!({ "cluster_id": id, "uninstall_on_restart": true }).to_string().as_bytes())
        }
    }
}

fn list(all: &[Box<RawValue>], context: &Context) -> Result {
    context.output().list(all, COLUMNS)
}

async fn install(which: &Which, waiting: &Waiting, context: &Context) -> Result {
    let wanted = which.libraries()?;
    let limit = context.limit(waiting.timeout.timeout);
    let id = clusters::find(Some(&which.cluster), context).await?;
    let workspace: Workspace = context.workspace().await?;
    let libraries = workspace.libraries();
    libraries.install(&id, &wanted).await?;
    let is_down = !waiting.no_wait && {
        let state = workspace.clusters().get(&id).await?.into_inner().state;
        matches!(state, Some(ClusterState::Terminated | ClusterState::Terminating))
    };
    if is_down {
        context.note(&format!("cluster {id} is not running: the libraries are installed when it starts"));
    }
    if waiting.no_wait || is_down {
        return list(&libraries.list_json(&id).await?, context);
    }
    context.progress().expect_to_outlive("installation on cluster", "brick libraries list");
    let all = libraries.wait_for(&id, &wanted, limit).await?;
    list(all.raw(), context)?;
    let failed = |one: &&LibraryFullStatus| {
        one.status == Some(LibraryInstallStatus::Failed)
            && one
                .library
                .as_ref()
                .is_some_and(|library| wanted.iter().any(|one| Libraries::is_same(one, library)))
    };
    match all.iter().find(failed) {
        None => Ok(()),
        Some(one) => {
            let name = one.library.as_ref().map(serde_json::to_string).transpose()?;
            let why = one.messages.iter().flatten().map(String::as_str).collect::<Vec<_>>().join("; ");
            let text = format!("a library was not installed: {}: {why}", name.unwrap_or_default());
            Err(Failure::new(ErrorKind::RemoteFailed, escaped_line(&text)))
        }
    }
}
