//! Fills a workspace with what its directory has, and saves it there: some time after each change, and at the end.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::{DataDirectory, Identity, SERVICES, damaged, tables::Tables};
use crate::{engine::contents::Contents, routes::kept::KEPT, tenant::Tenant};

/// How long a change may be in memory only.
const PAUSE: Duration = Duration::from_millis(500);
/// The pause after a save is this many times as long as the save.
const REST: u32 = 10;

/// Saves a workspace to its directory.
pub(crate) struct Keeper {
    tenant: Arc<Tenant>,
    files: Arc<tokio::sync::Mutex<Files>>,
}

/// What is on disk, as far as it must be known to write only what has changed.
struct Files {
    directory: DataDirectory,
    services: HashMap<&'static str, [u8; 32]>,
    tables: Tables,
}

impl Keeper {
    /// Fills a workspace that is new in this process.
    pub(crate) async fn open(
        directory: DataDirectory,
        identity: &Identity,
        tenant: Arc<Tenant>,
    ) -> io::Result<Self> {
        let mut services = HashMap::new();
        for service in KEPT {
            let name = file(service.name);
            if let Some(saved) = directory.read(&name)? {
                (service.restore)(&tenant, &saved)
                    .map_err(|error| damaged(&directory.path.join(name), error))?;
                services.insert(service.name, Sha256::digest(&saved).into());
            }
        }
        let (tables, contents) = Tables::read(&directory)?;
        if let Some(contents) = contents {
            let loaded = tenant.engine().load(contents).await;
            loaded.map_err(|error| damaged(&directory.path.join(super::TABLES), error))?;
        }
        directory.write_identity(identity)?;
        let files = Files { directory, services, tables };
        Ok(Self { tenant, files: Arc::new(tokio::sync::Mutex::new(files)) })
    }

    /// Saves from time to time; it never ends.
    pub(crate) async fn run(&self) {
        let mut pause = PAUSE;
        loop {
            tokio::time::sleep(pause).await;
            let began = Instant::now();
            let services_changed = self.tenant.take_change();
            if let Err(error) = self.save_some(services_changed).await {
                tracing::warn!(%error, "cannot save the workspace");
                self.tenant.changed();
            }
            pause = PAUSE.max(began.elapsed().saturating_mul(REST));
        }
    }

    /// Saves everything that has changed since the last time.
    pub(crate) async fn save(&self) -> io::Result<()> {
        self.save_some(true).await
    }

    async fn save_some(&self, with_services: bool) -> io::Result<()> {
        // From here on, so that an older state never follows a newer one.
        let mut files = self.files.clone().lock_owned().await;
        let mut documents = Vec::new();
        for service in KEPT.iter().filter(|_| with_services) {
            if let Some(document) = (service.save)(&self.tenant) {
                documents.push((service.name, document?));
            }
        }
        let contents = match self.tenant.engine_in_use() {
            Some(engine) => {
                Some(engine.contents().await.map_err(|error| io::Error::other(error.to_string()))?)
            }
            None => None,
        };
        tokio::task::spawn_blocking(move || files.write(documents, contents)).await?
    }
}

impl Files {
    fn write(
        &mut self,
        documents: Vec<(&'static str, Vec<u8>)>,
        contents: Option<Contents>,
    ) -> io::Result<()> {
        for (name, document) in documents {
            let digest: [u8; 32] = Sha256::digest(&document).into();
            if self.services.get(name) != Some(&digest) {
                self.directory.write(&file(name), |out| out.write_all(&document))?;
                self.services.insert(name, digest);
            }
        }
        contents.map_or(Ok(()), |contents| self.tables.write(&self.directory, contents))
    }
}

fn file(service: &str) -> String {
    format!("{SERVICES}/{service}.json")
}
