//! What all requests of a sandbox share.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::{
    auth::Directory,
    builder::Options,
    fault::{Faults, gate::Gate},
    links::Links,
    lock::lock,
    request_log::{RequestLog, fingerprint},
    routes::{oauth::workload::Provider, statements::files::StoredBytes},
    secrets::random_hex,
    tenant::Tenant,
};

/// What refuses connections while a fault says so.
pub(crate) struct Gates {
    pub(crate) api: Gate,
    pub(crate) links: Gate,
}

/// Everything the handlers share.
pub(crate) struct Server {
    pub(crate) options: Options,
    /// Where this server answers: `http://127.0.0.1:<port>`.
    pub(crate) url: String,
    pub(crate) directory: Directory,
    pub(crate) faults: Faults,
    pub(crate) log: RequestLog,
    pub(crate) links: Links,
    /// Of the listeners of the API and of the links.
    pub(crate) gates: Gates,
    /// How much all results take on disk.
    pub(crate) stored: StoredBytes,
    /// What proves that a login in the browser is the owner's; see [`Sandbox::login_code`](crate::Sandbox::login_code).
    pub(crate) login_code: String,
    pub(crate) workloads: Provider,
    random: Mutex<fastrand::Rng>,
    pub(crate) directory_path: PathBuf,
    directory_of_files: Mutex<Option<tempfile::TempDir>>,
}

impl Server {
    pub(crate) fn new(options: Options, api: SocketAddr, links: SocketAddr) -> std::io::Result<Self> {
        let mut random = options.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        let files = private("brickwire-sandbox-").tempdir()?;
        Ok(Self {
            url: format!("http://{api}"),
            directory: Directory::default(),
            faults: Faults::new(random.fork()),
            log: RequestLog::default(),
            links: Links::new(links, random_hex(64)),
            gates: Gates { api: Gate::new(), links: Gate::new() },
            stored: StoredBytes::default(),
            login_code: login_code(),
            workloads: Provider::new(),
            random: Mutex::new(random),
            directory_path: files.path().to_owned(),
            directory_of_files: Mutex::new(Some(files)),
            options,
        })
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.options.clock.now_ms()
    }

    /// `digits` random hex digits, for ids: with a seed they are the same in each run. Secrets come from
    /// [`random_hex`].
    pub(crate) fn hex(&self, digits: usize) -> String {
        hex(&mut lock(&self.random), digits)
    }

    /// A random id of 16 digits. Every one is odd and beyond 2^53, so that no reader that goes through a double gets it
    /// right.
    pub(crate) fn new_id(&self) -> i64 {
        let random = i64::from_str_radix(&self.hex(12), 16).unwrap_or_default();
        9_007_199_254_740_993 + random % 900_000_000_000_000 * 2 % 990_000_000_000_000
    }

    /// A random id in the form of a UUID.
    pub(crate) fn uuid(&self) -> String {
        let digits = self.hex(32);
        format!(
            "{}-{}-{}-{}-{}",
            &digits[..8],
            &digits[8..12],
            &digits[12..16],
            &digits[16..20],
            &digits[20..]
        )
    }

    /// A personal access token that opens a workspace of its own, whose files are in this folder if it is to keep them.
    pub(crate) fn open_workspace(
        &self,
        token: Option<String>,
        folder: Option<PathBuf>,
    ) -> (String, Arc<Tenant>) {
        let token = token.unwrap_or_else(|| format!("dapi{}", random_hex(32)));
        let id = 1_000_000_000_000_000 + lock(&self.random).u64(0..9_000_000_000_000_000); // sixteen digits
        let tenant = self.reopen_workspace(&token, id, self.now_ms(), folder);
        (token, tenant)
    }

    /// A workspace that there was before, for this token.
    pub(crate) fn reopen_workspace(
        &self,
        token: &str,
        id: u64,
        opened_ms: u64,
        folder: Option<PathBuf>,
    ) -> Arc<Tenant> {
        let (name, directory) = (fingerprint(token), self.directory_path.clone());
        let tenant = Arc::new(Tenant::new(name, id, opened_ms, folder, directory));
        self.directory.add_personal(token, tenant.clone());
        tenant
    }

    /// A service principal of an existing workspace: client id and secret.
    pub(crate) fn add_client(&self, tenant: Arc<Tenant>) -> (String, String) {
        let (id, secret) = (self.uuid(), format!("dose{}", random_hex(32)));
        self.directory.add_client(&id, &secret, tenant);
        (id, secret)
    }

    /// A new empty directory, or nothing after [`delete_files`](Self::delete_files).
    pub(crate) fn new_directory(&self, prefix: &str) -> std::io::Result<tempfile::TempDir> {
        match &*lock(&self.directory_of_files) {
            Some(root) => private(prefix).tempdir_in(root),
            None => Err(std::io::Error::other("the sandbox is closed")),
        }
    }

    /// Ends what runs in every workspace.
    pub(crate) fn close(&self) {
        for tenant in self.directory.tenants() {
            tenant.close();
        }
    }

    /// Deletes every file, once nothing runs that could write more.
    pub(crate) fn delete_files(&self) {
        drop(lock(&self.directory_of_files).take());
    }
}

/// Four groups of five hex digits: 80 bits, and short enough to type.
fn login_code() -> String {
    let digits = random_hex(20);
    format!("{}-{}-{}-{}", &digits[..5], &digits[5..10], &digits[10..15], &digits[15..])
}

/// A directory that is its owner's alone from its first moment.
fn private(prefix: &str) -> tempfile::Builder<'_, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder
}

fn hex(random: &mut fastrand::Rng, digits: usize) -> String {
    (0..digits).map(|_| random.digit(16)).collect()
}
