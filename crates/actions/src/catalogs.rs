//! Catalogs of Unity Catalog: the first part of a full name.

use brickwire_client::{Call, ResponseValue, operations, types};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    Candidate, List, Named, Result, Workspace, document,
    full_name::{FullName, check_new},
    list,
};

/// The catalogs of a workspace.
#[derive(Debug, Clone)]
pub struct Catalogs {
    workspace: Workspace,
}

impl Workspace {
    /// Catalogs of Unity Catalog.
    pub fn catalogs(&self) -> Catalogs {
        Catalogs { workspace: self.clone() }
    }
}

impl Named for Catalogs {
    const NOUN: &'static str = "catalog";

    /// A catalog has no other id than its name.
    fn is_id(text: &str) -> bool {
        FullName::parse(Self::NOUN, 1, text).is_ok()
    }

    async fn candidates(&self) -> Result<Vec<Candidate>> {
        let all = list::all::<Reference>(|token| self.page(token), "catalogs").await?;
        Ok(all.into_iter().map(|c| Candidate::new(c.name, None, c.catalog_type)).collect())
    }
}

/// What completion needs of a catalog.
#[derive(Deserialize)]
struct Reference {
    name: Option<String>,
    catalog_type: Option<types::CatalogType>,
}

impl Catalogs {
    /// Lists all catalogs that the caller may see, page after page.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for catalog in &workspace.catalogs().list().await? {
    ///     println!("{:?} {:?}", catalog.name, catalog.catalog_type);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of any call; no catalogs is not an error. Operation: `catalogs_list`.
    pub async fn list(&self) -> Result<List<types::CatalogInfo>> {
        list::all(|token| self.page(token), "catalogs").await
    }

    /// Lists all catalogs as JSON, each as the service sent it.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// for catalog in workspace.catalogs().list_json().await? {
    ///     println!("{catalog}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    pub async fn list_json(&self) -> Result<Vec<Box<RawValue>>> {
        list::json(|token| self.page(token), "catalogs").await
    }

    /// Gets one catalog.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{:?}", workspace.catalogs().get("main").await?.owner);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown name,
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a text that can't be one. Operation: `catalogs_get`.
    pub async fn get(&self, name: &str) -> Result<ResponseValue<types::CatalogInfo>> {
        let name = FullName::parse(Self::NOUN, 1, name)?;
        let answer = self.workspace.client().catalogs_get(name.part(0), &Default::default()).await?;
        is_about(answer, name.part(0))
    }

    /// Gets one catalog as JSON, as the service sent it. A field of an unexpected type is no error here.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// println!("{}", workspace.catalogs().get_json("main").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    pub async fn get_json(&self, name: &str) -> Result<Box<RawValue>> {
        let name = FullName::parse(Self::NOUN, 1, name)?;
        let call = self.workspace.client().call(&operations::CATALOGS_GET).path("name", &name.part(0));
        document::object_about(call, Self::NOUN, name.compared("name"), name.part(0)).await
    }

    /// Creates a catalog. The service stores its name in lower case.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::CreateCatalog;
    /// let catalog = CreateCatalog { name: "sandbox".to_owned(), ..Default::default() };
    /// println!("{:?}", workspace.catalogs().create(&catalog).await?.storage_root);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) for a name that is taken,
    /// [`ErrorKind::UnknownOutcome`](crate::ErrorKind::UnknownOutcome) if the answer is lost. Operation: `catalogs_create`.
    pub async fn create(&self, catalog: &types::CreateCatalog) -> Result<ResponseValue<types::CatalogInfo>> {
        check_new(Self::NOUN, Some(&catalog.name))?;
        let answer = self.workspace.client().catalogs_create(catalog).await?;
        is_about(answer, &catalog.name).map_err(|e| e.into_unknown_outcome("catalogs_create"))
    }

    /// Changes the settings that are given, and keeps all others. Maps such as `properties` are replaced as a whole.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// use brickwire_actions::types::UpdateCatalog;
    /// let change = UpdateCatalog { comment: Some("raw data".to_owned()), ..Default::default() };
    /// workspace.catalogs().update("main", &change).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`get`](Self::get). After a change of the name whose answer was lost, the old name is not found. Operation:
    /// `catalogs_update`.
    pub async fn update(
        &self,
        name: &str,
        change: &types::UpdateCatalog,
    ) -> Result<ResponseValue<types::CatalogInfo>> {
        let name = FullName::parse(Self::NOUN, 1, name)?;
        self.workspace.client().catalogs_update(name.part(0), change).await
    }

    /// Deletes a catalog that is empty. The schemas `default` and `information_schema` don't count.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.catalogs().delete("sandbox").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`](crate::ErrorKind::Rejected) if it is not empty,
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown name, or if an attempt whose answer was lost has
    /// deleted it. Operation: `catalogs_delete`.
    pub async fn delete(&self, name: &str) -> Result<()> {
        self.delete_if(name, None).await
    }

    /// Deletes a catalog with everything in it: schemas, tables, volumes, functions, and models.
    ///
    /// ```no_run
    /// # async fn example(workspace: brickwire_actions::Workspace) -> brickwire_actions::Result<()> {
    /// workspace.catalogs().delete_with_contents("sandbox").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`delete`](Self::delete).
    pub async fn delete_with_contents(&self, name: &str) -> Result<()> {
        self.delete_if(name, Some(true)).await
    }

    async fn delete_if(&self, name: &str, force: Option<bool>) -> Result<()> {
        let name = FullName::parse(Self::NOUN, 1, name)?;
        let query = types::CatalogsDeleteQuery { force };
        let deleted = self.workspace.client().catalogs_delete(name.part(0), &query).await;
        deleted.map(drop).map_err(document::about_contents)
    }

    fn page(&self, page_token: Option<String>) -> Call {
        let query = types::CatalogsListQuery { page_token, max_results: Some(0), ..Default::default() };
        self.workspace.client().call(&operations::CATALOGS_LIST).query_object(&query)
    }
}

fn is_about(
    answer: ResponseValue<types::CatalogInfo>,
    name: &str,
) -> Result<ResponseValue<types::CatalogInfo>> {
    document::about(answer, Catalogs::NOUN, name, |catalog| {
        catalog.name.as_deref().filter(|_| name.is_ascii())
    })
}
