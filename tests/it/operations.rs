//! The contract over all operations of the API description: the sandbox has each, and none is sent twice that may not be.

use brickwire_actions::{Connection, RawRequest, RetryPolicy, Workspace};
use brickwire_client::{OPERATIONS, OperationInfo};
use brickwire_sandbox::Sandbox;

fn workspace(sandbox: &Sandbox, token: &str) -> Workspace {
    Workspace::new(Connection::token(sandbox.url(), token).unwrap()).unwrap()
}

/// The names of the parameters in a path.
fn parameters(template: &str) -> impl Iterator<Item = &str> {
    template.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// The path with something in place of each parameter. An answer to HEAD has no body that says why it is 404, so there it is
/// something that every workspace has.
fn filled(operation: &OperationInfo) -> String {
    let template = operation.path;
    if operation.method == "HEAD" {
        return template
            .replace("{file_path}", "Volumes/main/default/files/readme.txt")
            .replace("{directory_path}", "Volumes/main/default/files");
    }
    parameters(template).fold(template.to_owned(), |path, name| path.replace(&format!("{{{name}}}"), "1"))
}

/// The operations that the sandbox leaves out: products that a local workspace could only pretend to have. None has an
/// action of its own. After a change: `BRICK_WRITE_OPERATIONS=1 cargo test -p brickwire-tests operations`.
const LEFT_OUT: &str = include_str!("left_out_of_sandbox.txt");

#[tokio::test]
async fn the_sandbox_has_every_operation_but_those_that_are_left_out() {
    let sandbox = Sandbox::start().await.unwrap();
    let workspace = workspace(&sandbox, sandbox.token());
    assert!(!OPERATIONS.is_empty());
    let mut missing = String::new();
    for operation in OPERATIONS {
        let request = RawRequest::new(operation.method, filled(operation)).with_retry(RetryPolicy::never());
        let error = workspace.raw(&request).await.err();
        let is_missing = match operation.method {
            "HEAD" => error.is_some(),
            _ => error.is_some_and(|error| error.error_code() == Some("ENDPOINT_NOT_FOUND")),
        };
        if is_missing {
            missing += &format!("{}\n", operation.operation_id);
        }
    }
    if std::env::var_os("BRICK_WRITE_OPERATIONS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/it/left_out_of_sandbox.txt");
        std::fs::write(path, &missing).unwrap();
        return;
    }
    assert_eq!(missing, LEFT_OUT);
}

#[tokio::test]
async fn what_may_not_be_repeated_is_sent_once_into_an_unavailable_service() {
    let sandbox = Sandbox::start().await.unwrap();
    for operation in OPERATIONS.iter().filter(|o| !o.repeatable) {
        let token = sandbox.fresh_token();
        sandbox.fault_for(&token, "* *: 503").unwrap();
        let workspace = workspace(&sandbox, &token);
        let call = parameters(operation.path)
            .fold(workspace.client().call(operation), |call, name| call.path(name, &1));
        let error = call.send_raw().await.unwrap_err();
        assert!(error.is_unknown_outcome(), "{}: {error}", operation.operation_id);
        assert_eq!(sandbox.requests_of(&token).len(), 1, "{}", operation.operation_id);
    }
}
