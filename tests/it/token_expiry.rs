//! Tokens that live for seconds, in waits of half a minute: they are renewed in time, and each refresh token is used once.

use std::{
    collections::HashSet,
    pin::pin,
    sync::mpsc,
    time::{Duration, SystemTime},
};

use brickwire_actions::{BrowserLogin, Config, Environment, ErrorKind, WaitOptions, Workspace};
use brickwire_sandbox::{
    Clock, Delays, Sandbox,
    seed::{RUNNING_WAREHOUSE, TERMINATED_CLUSTER},
};
use tempfile::TempDir;

const TOKEN_TTL: Duration = Duration::from_secs(5);
const LONG: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_secs(20);
const ME: &str = "/api/2.0/preview/scim/v2/Me";
const CLUSTER: &str = "/api/2.1/clusters/get";
const TOKEN: &str = "/oidc/v1/token";

/// A sandbox whose work takes half a minute, by a clock that only moves when it is advanced.
async fn slow_sandbox() -> Sandbox {
    // The clock starts at the present, because a login is stored with the time at which it expires.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let clock = Clock::standing_at(u64::try_from(now.as_millis()).unwrap());
    let mut delays = Delays::NONE;
    (delays.cluster, delays.statement) = (LONG, LONG);
    let builder = Sandbox::builder().with_clock(clock).with_delays(delays);
    builder.with_token_ttl(TOKEN_TTL).start().await.unwrap()
}

fn service_principal(sandbox: &Sandbox) -> Workspace {
    let builder = Workspace::builder().environment(Environment::default()).host(sandbox.url());
    builder.oauth(sandbox.client_id(), sandbox.client_secret()).build().unwrap()
}

fn connect(config: &Config) -> Workspace {
    Workspace::builder().config(config).build().unwrap()
}

/// A user who is logged in, and the home directory with the stored login.
async fn user(sandbox: &Sandbox) -> (Config, TempDir) {
    let home = tempfile::tempdir().unwrap();
    let environment = Environment::default().with_home(home.path());
    let builder = Config::builder().environment(environment).host(sandbox.url());
    let config = builder.with("auth_type", "external-browser").resolve().unwrap();
    let login = BrowserLogin::start(&config).await.unwrap();
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    // The page that the address leads to asks for the login code.
    let address = login.address().to_owned();
    let browsing = async {
        let page = browser.get(address).send().await.unwrap();
        let form = format!("login_code={}", sandbox.login_code());
        let form = browser.post(page.url().clone()).body(form);
        form.header("content-type", "application/x-www-form-urlencoded").send().await
    };
    let (page, done) = tokio::join!(browsing, login.wait(SOON));
    done.unwrap();
    assert!(page.unwrap().text().await.unwrap().contains("You are logged in"));
    (config, home)
}

/// Runs work to its end while the times of the client and the sandbox advance together, by a tenth of a second per step.
async fn in_time_lapse<T>(sandbox: &Sandbox, work: impl Future<Output = T>) -> T {
    const STEP: Duration = Duration::from_millis(100);
    // Requests take real time. Paused time jumps ahead when all tasks are idle, unless a blocking task runs.
    let (end, held) = mpsc::channel::<()>();
    let holding = tokio::task::spawn_blocking(move || held.recv());
    tokio::time::pause();
    let watcher = reqwest::Client::builder().no_proxy().build().unwrap();
    let page = format!("{}/.well-known/databricks-config", sandbox.url());
    let mut work = pin!(work);
    let done = loop {
        tokio::select! {
            biased;
            done = &mut work => break done,
            // This request takes some real time, during which the work can proceed.
            answer = watcher.get(&page).send() => assert!(answer.unwrap().status().is_success()),
        }
        sandbox.clock().advance(STEP);
        tokio::time::advance(STEP).await;
    };
    tokio::time::resume();
    drop(end);
    assert!(holding.await.unwrap().is_err());
    done
}

/// The statuses of the answers for a path. A request whose answer is still to come has none.
fn statuses(sandbox: &Sandbox, path: &str) -> Vec<u16> {
    let requests = sandbox.requests();
    requests.iter().filter(|request| request.path == path).filter_map(|request| request.status).collect()
}

/// The values of a form field in all requests to the token endpoint.
fn shown(sandbox: &Sandbox, name: &str) -> Vec<String> {
    let requests = sandbox.requests();
    let forms = requests.iter().filter(|request| request.path == TOKEN);
    let fields = forms.flat_map(|request| {
        let form = request.body.as_ref().unwrap().as_str().unwrap().to_owned();
        form.split('&').map(str::to_owned).collect::<Vec<_>>()
    });
    fields.filter_map(|field| Some(field.strip_prefix(&format!("{name}="))?.to_owned())).collect()
}

/// Waits for a cluster and for a statement, half a minute each, and checks how many tokens that took.
async fn waits_through_many_tokens(sandbox: &Sandbox, workspace: &Workspace) {
    in_time_lapse(sandbox, async {
        let clusters = workspace.clusters();
        clusters.start(TERMINATED_CLUSTER).await.unwrap();
        let polls = WaitOptions::default().with_polls(Duration::from_secs(1)..=Duration::from_secs(1));
        let cluster = clusters.wait_until_running(TERMINATED_CLUSTER, polls).await.unwrap();
        assert_eq!(cluster.state.as_ref().map(|state| state.as_str()), Some("RUNNING"));
    })
    .await;
    let renewed = statuses(sandbox, TOKEN).len();
    assert!(renewed > 3, "{renewed} tokens for {LONG:?}");
    let refused = statuses(sandbox, CLUSTER).iter().filter(|status| **status != 200).count();
    assert!(refused < renewed / 2, "{refused} refused: tokens must be renewed before they expire");

    let rows = in_time_lapse(sandbox, async {
        let statement = workspace.sql(RUNNING_WAREHOUSE).statement("SELECT 1 AS one");
        statement.execute().await.unwrap().collect().await.unwrap()
    })
    .await;
    assert_eq!(rows[0].get(0).and_then(|cell| cell.as_str()), Some("1"));
    let tokens = statuses(sandbox, TOKEN);
    assert!(tokens.len() > renewed + 3 && tokens.iter().all(|status| *status == 200), "{tokens:?}");
}

#[tokio::test]
async fn a_service_principal_waits_through_many_tokens() {
    let sandbox = slow_sandbox().await;
    waits_through_many_tokens(&sandbox, &service_principal(&sandbox)).await;
    let grants: HashSet<_> = shown(&sandbox, "grant_type").into_iter().collect();
    assert_eq!(grants, HashSet::from(["client_credentials".to_owned()]));
}

#[tokio::test]
async fn a_user_waits_through_many_tokens_and_uses_each_refresh_token_once() {
    let sandbox = slow_sandbox().await;
    let (config, _home) = user(&sandbox).await;
    waits_through_many_tokens(&sandbox, &connect(&config)).await;
    let used = shown(&sandbox, "refresh_token");
    assert_eq!(used.iter().collect::<HashSet<_>>().len(), used.len());
    assert_eq!(statuses(&sandbox, TOKEN).len(), used.len() + 1, "one more for the login itself");
    // The last refresh token is stored for the next process.
    connect(&config).users().me().await.unwrap();
}

#[tokio::test]
async fn a_token_that_ends_before_it_said_costs_one_refused_call() {
    let sandbox = slow_sandbox().await;
    let (config, _home) = user(&sandbox).await;
    for workspace in [service_principal(&sandbox), connect(&config)] {
        workspace.users().me().await.unwrap();
        let (calls, tokens) = (statuses(&sandbox, ME).len(), statuses(&sandbox, TOKEN).len());
        for _ in 0..3 {
            // The client can't know that the token has expired.
            sandbox.clock().advance(TOKEN_TTL);
            workspace.users().me().await.unwrap();
        }
        assert_eq!(statuses(&sandbox, ME)[calls..], [401, 200, 401, 200, 401, 200]);
        assert_eq!(statuses(&sandbox, TOKEN)[tokens..], [200, 200, 200]);
    }
}

#[tokio::test]
async fn a_renewal_whose_answer_is_lost_ends_a_login_and_no_service_principal() {
    let sandbox = slow_sandbox().await;
    let (config, _home) = user(&sandbox).await;
    let lose = || sandbox.fault(&format!("POST {TOKEN}: times 1 after reset")).unwrap();
    lose();
    service_principal(&sandbox).users().me().await.unwrap();
    lose();
    let error = connect(&config).users().me().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
    assert!(error.to_string().contains("the login has ended"), "{error}");
    assert!(error.hint().unwrap().contains("`BrowserLogin` for `host = "), "{:?}", error.hint());
}

#[tokio::test]
async fn many_who_share_a_login_renew_it_once() {
    let sandbox = Sandbox::start().await.unwrap();
    let (config, _home) = user(&sandbox).await;
    // Each workspace acts like a process of its own.
    let workspaces: Vec<_> = (0..8).map(|_| connect(&config)).collect();
    for workspace in &workspaces {
        workspace.users().me().await.unwrap();
    }
    assert_eq!(shown(&sandbox, "grant_type"), ["authorization_code"]);
    sandbox.clock().advance(Duration::from_secs(3600));
    let mut all = tokio::task::JoinSet::new();
    for workspace in workspaces {
        all.spawn(async move { workspace.users().me().await.map(drop) });
    }
    for outcome in all.join_all().await {
        outcome.unwrap();
    }
    assert_eq!(shown(&sandbox, "grant_type"), ["authorization_code", "refresh_token"]);
}
