//! Git folders (repos): folders of a workspace that hold a checkout of a Git repository.
//!
//! - The list has only those that the caller may manage, and none for which the Git command line is enabled. So a path is
//!   looked up as a workspace object, whose id is the Git folder's.
//! - The provider follows from the URL where the host says it.

mod provider;

use std::time::Duration;

use brickwire_client::{Call, ResponseValue, operations, types};
use serde_json::value::RawValue;

use crate::{
    Candidate, Error, ErrorKind, List, Named, Result, Workspace, document, list,
    names::{self, required_name},
    objects::bare,
};

/// How long the service may take to clone a repository or to check out a commit.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// The Git folders of a workspace.
#[derive(Debug, Clone)]
pub struct Repos {
    workspace: Workspace,
}

impl Workspace {
    /// Git folders (repos): list, get, create, update, delete.
    pub fn repos(&self) -> Repos {
        Repos { workspace: self.clone() }
    }
}

impl Named for Repos {
    const NOUN: &'static str = "repo";

    /// A decimal number of 64 bits. Everything else is a path.
    fn is_id(text: &str) -> bool {
        text.parse::<i64>().is_ok_and(|id| id > 0) && text.bytes().all(|b| b.is_ascii_digit())
    }

    async fn candidates(&self) -> Result<Vec<Candidate>> {
        let all = self.list(None).await?.into_iter();
        Ok(all.map(|repo| Candidate::new(repo.id.map(|id| id.to_string()), repo.path, repo.branch)).collect())
    }

    async fn find(&self, id_or_path: &str) -> Result<String> {
        if Self::is_id(id_or_path) {
            return Ok(id_or_path.to_owned());
        }
        names::required(Self::NOUN, id_or_path)?;
        let object = self.workspace.objects().get(id_or_path).await?.into_inner();
        let (asked, came) = (id_or_path.trim_end_matches('/'), object.path.as_deref());
        document::check_id("workspace object", bare(asked), came.map(bare))?;
        let is_git_folder = object.object_type == Some(types::WorkspaceObjectType::Repo)
            || object.directory_info.is_some_and(|more| more.is_git_folder == Some(true));
        match object.object_id {
            Some(id) if is_git_folder => Ok(id.to_string()),
            _ => Err(Error::usage(format!("this is not a Git folder: {id_or_path}"))),
        }
    }
}

impl Repos {
    /// Lists the Git folders that the caller may manage: those whose path begins with the prefix, or those in `/Repos`.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for repo in &workspace.repos().list(Some("/Users/ada@example.com")).await? {
    ///     println!("{:?} {:?}", repo.path, repo.branch);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of any call; no Git folders is not an error. Operation: `repos_list`.
    pub async fn list(&self, path_prefix: Option<&str>) -> Result<List<types::RepoInfo>> {
        list::all(|token| self.page(path_prefix, token), "repos").await
    }

    /// Lists the Git folders as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for repo in workspace.repos().list_json(None).await? {
    ///     println!("{repo}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self, path_prefix: Option<&str>) -> Result<Vec<Box<RawValue>>> {
        list::json(|token| self.page(path_prefix, token), "repos").await
    }

    /// Returns the id of the Git folder that has this id or path. An id costs no request.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// let repo_id = workspace.repos().find("/Repos/ada@example.com/etl").await?;
    /// workspace.repos().get(repo_id).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for a path that doesn't exist, [`ErrorKind::Usage`] for one that is no Git folder.
    /// Operation: `workspace_get_status`.
    pub async fn find(&self, id_or_path: &str) -> Result<i64> {
        let id = Named::find(self, id_or_path).await?;
        id.parse().map_err(|_| Error::unexpected(format!("the id of the repo is no number: {id}")))
    }

    /// Gets one Git folder.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{:?}", workspace.repos().get(1_234_567_890_123_456).await?.head_commit_id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id. Operation: `repos_get`.
    pub async fn get(&self, repo_id: i64) -> Result<ResponseValue<types::GetRepoResponse>> {
        numbered(repo_id)?;
        self.workspace.client().repos_get(repo_id).await
    }

    /// Gets one Git folder as JSON, as the service sent it. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.repos().get_json(1_234_567_890_123_456).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(&self, repo_id: i64) -> Result<Box<RawValue>> {
        numbered(repo_id)?;
        document::object(self.workspace.client().call(&operations::REPOS_GET).path("repo_id", &repo_id)).await
    }

    /// Clones a repository into a new Git folder. An empty provider is filled in where the URL's host is that of one.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::CreateRepoRequest;
    /// let request = CreateRepoRequest {
    ///     url: "https://github.com/example/etl.git".to_owned(),
    ///     path: Some("/Repos/ada@example.com/etl".to_owned()),
    ///     ..Default::default()
    /// };
    /// println!("{:?}", workspace.repos().create(&request).await?.id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a URL that names no provider and one with credentials; [`ErrorKind::Rejected`] if the path is
    /// taken, or if the service cannot clone. Operation: `repos_create`.
    pub async fn create(
        &self,
        request: &types::CreateRepoRequest,
    ) -> Result<ResponseValue<types::CreateRepoResponse>> {
        let provider = provider::of(&request.url, &request.provider)?;
        let request = types::CreateRepoRequest { provider, ..request.clone() };
        let call = self.workspace.client().call(&operations::REPOS_CREATE).json(&request);
        call.with_stall(PATIENCE).send().await
    }

    /// Checks out the latest commit of a branch, or another branch.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.repos().check_out_branch(1_234_567_890_123_456, "main").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id; [`ErrorKind::Rejected`] for an unknown branch and for uncommitted changes
    /// in the way. Operation: `repos_update`.
    pub async fn check_out_branch(&self, repo_id: i64, branch: &str) -> Result<()> {
        required_name("branch", branch)?;
        let change = types::UpdateRepoRequest { branch: Some(branch.to_owned()), ..Default::default() };
        self.update(repo_id, &change).await
    }

    /// Checks out a tag, which leaves the Git folder on no branch.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.repos().check_out_tag(1_234_567_890_123_456, "v1.2.0").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`check_out_branch`](Self::check_out_branch).
    pub async fn check_out_tag(&self, repo_id: i64, tag: &str) -> Result<()> {
        required_name("tag", tag)?;
        let change = types::UpdateRepoRequest { tag: Some(tag.to_owned()), ..Default::default() };
        self.update(repo_id, &change).await
    }

    /// Changes what a Git folder has checked out.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::{SparseCheckoutUpdate, UpdateRepoRequest};
    /// let folders = SparseCheckoutUpdate { patterns: Some(vec!["etl".to_owned()]) };
    /// let change = UpdateRepoRequest { sparse_checkout: Some(folders), ..Default::default() };
    /// workspace.repos().update(1_234_567_890_123_456, &change).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for both a branch and a tag; otherwise as for [`check_out_branch`](Self::check_out_branch).
    pub async fn update(&self, repo_id: i64, change: &types::UpdateRepoRequest) -> Result<()> {
        numbered(repo_id)?;
        if let (Some(branch), Some(tag)) = (&change.branch, &change.tag) {
            return Err(Error::usage(format!("check out a branch or a tag, not both: {branch}, {tag}")));
        }
        let call = self.workspace.client().call(&operations::REPOS_UPDATE).path("repo_id", &repo_id);
        call.json(change).with_stall(PATIENCE).send::<types::EmptyResponse>().await.map(drop)
    }

    /// Deletes a Git folder for good with everything in it, even what was never pushed. The repository stays.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.repos().delete(1_234_567_890_123_456).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an unknown id, or if an attempt whose answer was lost has deleted it. Operation:
    /// `repos_delete`.
    pub async fn delete(&self, repo_id: i64) -> Result<()> {
        numbered(repo_id)?;
        self.workspace.client().repos_delete(repo_id).await.map(drop)
    }

    fn page(&self, path_prefix: Option<&str>, next_page_token: Option<String>) -> Call {
        let query = types::ReposListQuery { path_prefix: path_prefix.map(str::to_owned), next_page_token };
        self.workspace.client().call(&operations::REPOS_LIST).query_object(&query)
    }
}

/// Refuses what can't be an id before it is sent; 0 is an id that was not set.
fn numbered(id: i64) -> Result<()> {
    match id > 0 {
        true => Ok(()),
        false => Err(Error::new(ErrorKind::Usage, format!("the repo's id is not a positive number: {id}"))),
    }
}
