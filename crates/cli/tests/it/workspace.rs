//! A fresh workspace for each test, in one sandbox that they share while any of them runs.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{Arc, Mutex, Weak},
    time::{Duration, Instant},
};

use brickwire_sandbox::{Delays, RecordedRequest, Sandbox, SandboxBuilder};

use crate::program::Brick;

/// Weak, so that the last test's end deletes the sandbox's files and ends its processes.
static SHARED: Mutex<Weak<Sandbox>> = Mutex::new(Weak::new());

pub(crate) struct Workspace {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) token: String,
}

impl Workspace {
    /// A workspace of the shared sandbox, which has no delays.
    pub(crate) fn fresh() -> Self {
        // A test that failed to start it must not fail the others.
        let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let sandbox = shared.upgrade().unwrap_or_else(|| start(Sandbox::builder().with_delays(Delays::NONE)));
        *shared = Arc::downgrade(&sandbox);
        let token = sandbox.fresh_token();
        Self { sandbox, token }
    }

    /// A sandbox of its own, for settings that no other test wants.
    pub(crate) fn alone(builder: SandboxBuilder) -> Self {
        let sandbox = start(builder);
        let token = sandbox.token().to_owned();
        Self { sandbox, token }
    }

    /// Statements on it run for a thousand years.
    pub(crate) fn with_endless_statements() -> Self {
        let mut delays = Delays::NONE;
        delays.statement = Duration::from_secs(1000 * 365 * 24 * 3600);
        Self::alone(Sandbox::builder().with_delays(delays))
    }

    /// `brick` with these arguments, connected to this workspace.
    pub(crate) fn brick(&self, arguments: &str) -> Brick {
        Brick::new(arguments).env("DATABRICKS_HOST", self.sandbox.url()).env("DATABRICKS_TOKEN", &self.token)
    }

    /// `brick sql` of this statement.
    pub(crate) fn sql(&self, options: &str, statement: &str) -> Brick {
        self.brick(&format!("sql {options}")).arg(statement)
    }

    pub(crate) fn fault(&self, rule: &str) {
        self.sandbox.fault_for(&self.token, rule).unwrap();
    }

    /// What arrived with this method at a path that begins so.
    pub(crate) fn requests(&self, method: &str, path: &str) -> Vec<RecordedRequest> {
        let mut requests = self.sandbox.requests_of(&self.token);
        requests.retain(|request| request.method == method && request.path.starts_with(path));
        requests
    }

    /// Waits until such a request has arrived.
    pub(crate) fn until_requested(&self, method: &str, path: &str) {
        self.until_requested_after(method, path, Duration::ZERO);
    }

    /// As [`until_requested`](Self::until_requested), while the sandbox's clock runs ahead in such steps: by a minute in
    /// all, since results are closed after an hour, and a busy machine lets many steps pass.
    pub(crate) fn until_requested_after(&self, method: &str, path: &str, step: Duration) {
        let started = Instant::now();
        let mut left = Duration::from_secs(60);
        while self.requests(method, path).is_empty() {
            let step = step.min(left);
            left -= step;
            self.sandbox.clock().advance(step);
            assert!(started.elapsed() < Duration::from_secs(120), "no {method} {path}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The body that the service gives for a path, by hand.
    pub(crate) fn get(&self, path: &str) -> String {
        let address = self.sandbox.url().trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).unwrap();
        // HTTP/1.0: no keep-alive and no chunks.
        let request =
            format!("GET {path} HTTP/1.0\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\r\n", self.token);
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "GET {path}: {answer}");
        body.to_owned()
    }
}

fn start(builder: SandboxBuilder) -> Arc<Sandbox> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    Arc::new(runtime.block_on(builder.start()).unwrap())
}

/// JSON text without the blanks between its tokens; everything else stays as it is.
pub(crate) fn squeezed(text: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    text.chars()
        .filter(|c| {
            let kept = quoted || !c.is_ascii_whitespace();
            if *c == '"' && !escaped {
                quoted = !quoted;
            }
            escaped = quoted && *c == '\\' && !escaped;
            kept
        })
        .collect()
}
