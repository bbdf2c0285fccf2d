//! Libraries on clusters: install, uninstall, their states, and waiting for their installation.

use std::{ops::RangeInclusive, time::Duration};

use brickwire_client::{Call, operations, types};
use serde_json::{Value, value::RawValue};

use types::LibraryInstallStatus as State;

use crate::{
    Error, List, Result, WaitOptions, Workspace, list,
    names::required,
    wait::{Seen, Verdict, until},
};

/// Libraries take from seconds to minutes.
const POLLS: RangeInclusive<Duration> = Duration::from_millis(200)..=Duration::from_secs(10);

/// The libraries on the clusters of a workspace.
#[derive(Debug, Clone)]
pub struct Libraries {
    workspace: Workspace,
}

impl Workspace {
    /// Libraries on clusters.
    pub fn libraries(&self) -> Libraries {
        Libraries { workspace: self.clone() }
    }
}

impl Libraries {
    /// Lists the libraries of a cluster with their states.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for library in &workspace.libraries().list("0123-456789-abcdefgh").await? {
    ///     println!("{:?} {:?}", library.library, library.status);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown cluster; no libraries is not an error.
    /// Operation: `libraries_cluster_status`.
    pub async fn list(&self, cluster_id: &str) -> Result<List<types::LibraryFullStatus>> {
        list::decoded(self.list_json(cluster_id).await?, "library_statuses")
    }

    /// Lists the libraries of a cluster as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{} libraries", workspace.libraries().list_json("0123-456789-abcdefgh").await?.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self, cluster_id: &str) -> Result<Vec<Box<RawValue>>> {
        required("cluster", cluster_id)?;
        list::json(|_| self.status(cluster_id), "library_statuses").await
    }

    /// Lists the libraries of all clusters that have any: one item for each cluster.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for cluster in &workspace.libraries().list_all().await? {
    ///     println!("{:?} {:?}", cluster.cluster_id, cluster.library_statuses);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of any call. Operation: `libraries_all_cluster_statuses`.
    pub async fn list_all(&self) -> Result<List<types::ClusterLibraryStatuses>> {
        list::decoded(self.list_all_json().await?, "statuses")
    }

    /// Lists the libraries of all clusters as JSON, each cluster as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{} clusters have libraries", workspace.libraries().list_all_json().await?.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list_all`](Self::list_all).
    pub async fn list_all_json(&self) -> Result<Vec<Box<RawValue>>> {
        let call = |_| self.workspace.client().call(&operations::LIBRARIES_ALL_CLUSTER_STATUSES);
        list::json(call, "statuses").await
    }

    /// Requests that libraries be installed on a cluster, and returns at once. On a terminated cluster they are installed
    /// when it starts. One that is there already stays as it is.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::{Library, PythonPyPiLibrary};
    /// let pypi = PythonPyPiLibrary { package: Some("simplejson==3.19.2".into()), repo: None };
    /// let library = Library { pypi: Some(pypi), ..Default::default() };
    /// let libraries = workspace.libraries();
    /// libraries.install("0123-456789-abcdefgh", &[library]).await?;
    /// libraries.wait("0123-456789-abcdefgh", Default::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) without a library, or for one that has no source or several,
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown cluster. Whether an installation fails shows in
    /// [`list`](Self::list) and [`wait`](Self::wait). Operation: `libraries_install`.
    pub async fn install(&self, cluster_id: &str, libraries: &[types::Library]) -> Result<()> {
        check(cluster_id, libraries)?;
        let (cluster_id, libraries) = (cluster_id.to_owned(), libraries.to_vec());
        let body = types::InstallLibraries { cluster_id, libraries };
        self.workspace.client().libraries_install(&body).await.map(drop)
    }

    /// Requests that libraries be removed from a cluster, which happens at its next restart. Those that aren't there are
    /// ignored.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::Library;
    /// let library = Library { jar: Some("/Volumes/main/default/jars/a.jar".into()), ..Default::default() };
    /// workspace.libraries().uninstall("0123-456789-abcdefgh", &[library]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`install`](Self::install). Operation: `libraries_uninstall`.
    pub async fn uninstall(&self, cluster_id: &str, libraries: &[types::Library]) -> Result<()> {
        check(cluster_id, libraries)?;
        let (cluster_id, libraries) = (cluster_id.to_owned(), libraries.to_vec());
        let body = types::UninstallLibraries { cluster_id, libraries };
        self.workspace.client().libraries_uninstall(&body).await.map(drop)
    }

    /// Waits until no installation on a cluster is under way, and returns all libraries. The cluster has to run: on a
    /// terminated one they stay `PENDING`.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::LibraryInstallStatus;
    /// let all = workspace.libraries().wait("0123-456789-abcdefgh", Default::default()).await?;
    /// for failed in all.iter().filter(|one| one.status == Some(LibraryInstallStatus::Failed)) {
    ///     println!("{:?} {:?}", failed.library, failed.messages);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::DeadlineExceeded`](crate::ErrorKind::DeadlineExceeded). A library that failed is not an error.
    /// Operation: `libraries_cluster_status`.
    pub async fn wait(
        &self,
        cluster_id: &str,
        options: WaitOptions,
    ) -> Result<List<types::LibraryFullStatus>> {
        self.wait_for(cluster_id, &[], options).await
    }

    /// Waits as [`wait`](Self::wait) does, and until each of these libraries is listed: one that was just requested may be
    /// missing from the list for a moment. Libraries are compared with [`is_same`](Self::is_same).
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::Library;
    /// let library = Library { whl: Some("/Volumes/main/default/libs/a.whl".into()), ..Default::default() };
    /// let (libraries, wanted) = (workspace.libraries(), [library]);
    /// libraries.install("0123-456789-abcdefgh", &wanted).await?;
    /// libraries.wait_for("0123-456789-abcdefgh", &wanted, Default::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`wait`](Self::wait). Operation: `libraries_cluster_status`.
    pub async fn wait_for(
        &self,
        cluster_id: &str,
        wanted: &[types::Library],
        options: WaitOptions,
    ) -> Result<List<types::LibraryFullStatus>> {
        required("cluster", cluster_id)?;
        let pace = options.start(POLLS);
        let libraries = Self { workspace: self.workspace.with_deadline(pace.deadline) };
        let look = |all: &List<types::LibraryFullStatus>| {
            let is_listed = |one: &&types::Library| {
                all.iter()
                    .filter_map(|listed| listed.library.as_ref())
                    .any(|listed| Self::is_same(listed, one))
            };
            let missing = wanted.iter().filter(|one| !is_listed(one)).count();
            let working = missing + all.iter().filter(|one| is_under_way(one.status.as_ref())).count();
            let left = || format!("{working} of {} left", missing + all.len());
            match working {
                0 => Seen { state: "DONE".to_owned(), message: None, verdict: Verdict::Done },
                _ => {
                    Seen { state: "INSTALLING".to_owned(), message: Some(left()), verdict: Verdict::Working }
                }
            }
        };
        let poll = || libraries.list(cluster_id);
        until("installation on cluster", cluster_id, pace, self.workspace.events(), poll, look).await
    }

    /// Whether two descriptions are about the same library: the same kind of source, and the same package, coordinates or
    /// path. Repositories and exclusions may differ, because the service adds them.
    ///
    /// ```
    /// use brickwire_actions::{Libraries, types::{Library, PythonPyPiLibrary}};
    /// let pypi = |repo: Option<&str>| {
    ///     let pypi = PythonPyPiLibrary { package: Some("tqdm".into()), repo: repo.map(str::to_owned) };
    ///     Library { pypi: Some(pypi), ..Default::default() }
    /// };
    /// assert!(Libraries::is_same(&pypi(None), &pypi(Some("https://pypi.org/simple"))));
    /// ```
    pub fn is_same(one: &types::Library, other: &types::Library) -> bool {
        let (one, other) = (source(one), source(other));
        one.is_some() && one == other
    }

    fn status(&self, cluster_id: &str) -> Call {
        self.workspace.client().call(&operations::LIBRARIES_CLUSTER_STATUS).query("cluster_id", &cluster_id)
    }
}

/// The kind of a library's source, and its package, coordinates or path.
fn source(library: &types::Library) -> Option<(&'static str, &str)> {
    let types::Library { cran, egg, jar, maven, pypi, requirements, whl } = library;
    let sources = [
        ("pypi", pypi.as_ref().and_then(|pypi| pypi.package.as_ref())),
        ("maven", maven.as_ref().and_then(|maven| maven.coordinates.as_ref())),
        ("cran", cran.as_ref().and_then(|cran| cran.package.as_ref())),
        ("jar", jar.as_ref()),
        ("whl", whl.as_ref()),
        ("egg", egg.as_ref()),
        ("requirements", requirements.as_ref()),
    ];
    sources.into_iter().find_map(|(kind, text)| Some((kind, text?.trim())))
}

/// Whether a library's state may still change without our doing. So may a state that this version doesn't know.
fn is_under_way(state: Option<&State>) -> bool {
    !matches!(
        state,
        None | Some(
            State::Installed | State::Failed | State::Skipped | State::Restored | State::UninstallOnRestart
        )
    )
}

/// Refuses what can't be meant.
fn check(cluster_id: &str, libraries: &[types::Library]) -> Result<()> {
    required("cluster", cluster_id)?;
    if libraries.is_empty() {
        return Err(Error::usage("no library is given"));
    }
    for (at, library) in libraries.iter().enumerate() {
        let members = match serde_json::to_value(library) {
            Ok(Value::Object(members)) => members.len(),
            _ => 0,
        };
        if members != 1 {
            return Err(Error::usage(format!(
                "library {at} has {members} sources; give exactly one of `pypi`, `maven`, `cran`, `jar`, `whl`, and `requirements`"
            )));
        }
    }
    Ok(())
}
