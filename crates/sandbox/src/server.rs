//! What all requests of a sandbox share.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use crate::{
    auth::Directory,
    builder::Options,
    fault::Faults,
    links::Links,
    lock::lock,
    request_log::{RequestLog, fingerprint},
    tenant::Tenant,
};

/// Everything the handlers share.
pub(crate) struct Server {
    pub(crate) options: Options,
    /// Where this server answers: `http://127.0.0.1:<port>`.
    pub(crate) url: String,
    pub(crate) directory: Directory,
    pub(crate) faults: Faults,
    pub(crate) log: RequestLog,
    pub(crate) links: Links,
    random: Mutex<fastrand::Rng>,
    directory_of_files: Mutex<Option<tempfile::TempDir>>,
}

impl Server {
    pub(crate) fn new(options: Options, api: SocketAddr, links: SocketAddr) -> std::io::Result<Self> {
        let mut random = options.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        let files = tempfile::Builder::new().prefix("brickwire-sandbox-").tempdir()?;
        Ok(Self {
            url: format!("http://{api}"),
            directory: Directory::default(),
            faults: Faults::new(random.fork()),
            log: RequestLog::default(),
            links: Links::new(links, hex(&mut random, 32)),
            random: Mutex::new(random),
            directory_of_files: Mutex::new(Some(files)),
            options,
        })
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.options.clock.now_ms()
    }

    /// `digits` random hex digits.
    pub(crate) fn hex(&self, digits: usize) -> String {
        hex(&mut lock(&self.random), digits)
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

    /// A personal access token that opens a workspace of its own.
    pub(crate) fn open_workspace(&self, token: Option<String>) -> (String, Arc<Tenant>) {
        let token = token.unwrap_or_else(|| format!("dapi{}", self.hex(32)));
        let id = 1_000_000_000_000_000 + lock(&self.random).u64(0..9_000_000_000_000_000); // sixteen digits
        let tenant = Arc::new(Tenant::new(fingerprint(&token), id, self.now_ms()));
        self.directory.add_personal(&token, tenant.clone());
        (token, tenant)
    }

    /// A service principal of an existing workspace: client id and secret.
    pub(crate) fn add_client(&self, tenant: Arc<Tenant>) -> (String, String) {
        let (id, secret) = (self.uuid(), format!("dose{}", self.hex(32)));
        self.directory.add_client(&id, &secret, tenant);
        (id, secret)
    }

    /// A new empty directory, or nothing after [`delete_files`](Self::delete_files).
    pub(crate) fn new_directory(&self, prefix: &str) -> std::io::Result<tempfile::TempDir> {
        match &*lock(&self.directory_of_files) {
            Some(root) => tempfile::Builder::new().prefix(prefix).tempdir_in(root),
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

fn hex(random: &mut fastrand::Rng, digits: usize) -> String {
    (0..digits).map(|_| random.digit(16)).collect()
}
