//! When an endpoint is ready, and what to say of one that will not be.

use std::{ops::RangeInclusive, time::Duration};

use brickwire_client::{ResponseValue, types};
use types::{
    EndpointStateConfigUpdate as Update, EndpointStateReady as Ready,
    ServedModelStateDeployment as Deployment, ServingEndpointDetailed as Endpoint,
};

use super::endpoint::{self, NOUN};
use crate::{
    Error, ErrorKind, Result, WaitOptions, Workspace,
    names::required,
    wait::{Seen, Verdict, until},
};

/// A container takes minutes to build.
const POLLS: RangeInclusive<Duration> = Duration::from_millis(500)..=Duration::from_secs(10);

pub(super) async fn wait(
    workspace: &Workspace,
    name: &str,
    options: WaitOptions,
) -> Result<ResponseValue<Endpoint>> {
    required(NOUN, name)?;
    let pace = options.start(POLLS);
    let workspace = workspace.with_deadline(pace.deadline);
    let poll = || endpoint::get(&workspace, name);
    until(NOUN, name, pace, workspace.events(), poll, |endpoint| seen(name, endpoint)).await
}

fn seen(name: &str, endpoint: &Endpoint) -> Seen {
    let state = state(endpoint);
    let verdict = match outcome(endpoint) {
        Outcome::Ready => Verdict::Done,
        Outcome::OnTheWay => Verdict::Working,
        Outcome::Failed => Verdict::Failed(failed(name, &state, endpoint)),
    };
    Seen { state, message: message(endpoint), verdict }
}

enum Outcome {
    Ready,
    OnTheWay,
    Failed,
}

fn outcome(endpoint: &Endpoint) -> Outcome {
    let state = endpoint.state.as_ref();
    let ready = state.and_then(|state| state.ready.as_ref());
    match state.and_then(|state| state.config_update.as_ref()) {
        Some(Update::UpdateFailed | Update::UpdateCanceled) => Outcome::Failed,
        Some(Update::NotUpdating) | None if ready == Some(&Ready::Ready) => Outcome::Ready,
        // Nothing goes on that could make it ready.
        Some(Update::NotUpdating) if is_stuck(endpoint) => Outcome::Failed,
        _ => Outcome::OnTheWay,
    }
}

/// Whether nothing is served, or a deployment has failed.
fn is_stuck(endpoint: &Endpoint) -> bool {
    let mut deployments = states(endpoint).map(|(_, state)| state.deployment.as_ref());
    let has_failed = |state: Option<&Deployment>| {
        matches!(state, Some(Deployment::DeploymentFailed | Deployment::DeploymentAborted))
    };
    entities(endpoint).next().is_none() || deployments.any(has_failed)
}

/// The state in one word: of the update, or, when there is none, whether it is ready.
pub(super) fn state(endpoint: &Endpoint) -> String {
    let Some(state) = &endpoint.state else { return String::new() };
    match (&state.config_update, &state.ready) {
        (Some(Update::NotUpdating) | None, Some(ready)) => ready.to_string(),
        (Some(update), _) => update.to_string(),
        (None, None) => String::new(),
    }
}

/// Names of the served entities, those of a new configuration first.
fn entities(endpoint: &Endpoint) -> impl Iterator<Item = &types::ServedEntityOutput> {
    let pending = endpoint.pending_config.iter().flat_map(|config| config.served_entities.iter().flatten());
    pending.chain(endpoint.config.iter().flat_map(|config| config.served_entities.iter().flatten()))
}

fn states(endpoint: &Endpoint) -> impl Iterator<Item = (&str, &types::ServedModelState)> {
    entities(endpoint)
        .filter_map(|entity| Some((entity.name.as_deref().unwrap_or_default(), entity.state.as_ref()?)))
}

/// What the entities say of themselves.
fn message(endpoint: &Endpoint) -> Option<String> {
    let mut told: Vec<String> = states(endpoint)
        .filter_map(|(name, state)| {
            let text = state.deployment_state_message.as_deref()?.trim();
            (!text.is_empty()).then(|| format!("{name}: {text}"))
        })
        .collect();
    told.dedup();
    (!told.is_empty()).then(|| told.join("; "))
}

fn failed(name: &str, state: &str, endpoint: &Endpoint) -> Error {
    let why = message(endpoint).map(|why| format!(": {why}")).unwrap_or_default();
    let is_served = endpoint.state.as_ref().is_some_and(|state| state.ready == Some(Ready::Ready));
    let serves = if is_served { "; it still serves the configuration from before" } else { "" };
    let text = format!("serving endpoint {name} is {state}{serves}{why}");
    let hint = match entities(endpoint).next() {
        None => "give it something to serve with `update_config`",
        Some(_) => "see `build_logs` of the served entity for the reason",
    };
    Error::new(ErrorKind::RemoteFailed, text).with_hint(hint)
}

/// Why a query failed, if it is the endpoint's state. A model that has refused its input is awake.
pub(super) fn explanation(endpoint: &Endpoint, is_refusal: bool) -> Option<String> {
    let is_ready = endpoint.state.as_ref()?.ready.as_ref()? == &Ready::Ready;
    if !is_ready {
        let state = state(endpoint);
        return Some(format!("the endpoint isn't ready ({state}): wait for it with `wait_until_ready`"));
    }
    let sleeps = entities(endpoint).any(|entity| entity.scale_to_zero_enabled == Some(true));
    (sleeps && !is_refusal).then(|| {
        "the endpoint stops while there are no requests, and may be starting: try again in a few minutes"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Endpoint {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn ready_is_what_is_ready_once_the_update_has_ended() {
        let with = |update: &str, ready: &str, deployment: &str| {
            let entity = format!(r#"[{{"name":"a","state":{{"deployment":"{deployment}"}}}}]"#);
            let text = format!(
                r#"{{"state":{{"config_update":"{update}","ready":"{ready}"}},"config":{{"served_entities":{entity}}}}}"#
            );
            match outcome(&endpoint(&text)) {
                Outcome::Ready => "ready",
                Outcome::OnTheWay => "on the way",
                Outcome::Failed => "failed",
            }
        };
        for (update, ready, deployment, expected) in [
            ("NOT_UPDATING", "READY", "DEPLOYMENT_READY", "ready"),
            ("NOT_UPDATING", "READY", "DEPLOYMENT_RECOVERING", "ready"),
            ("IN_PROGRESS", "READY", "DEPLOYMENT_READY", "on the way"),
            ("IN_PROGRESS", "NOT_READY", "DEPLOYMENT_CREATING", "on the way"),
            ("NOT_UPDATING", "NOT_READY", "DEPLOYMENT_RECOVERING", "on the way"),
            ("NOT_UPDATING", "NOT_READY", "DEPLOYMENT_FAILED", "failed"),
            ("UPDATE_FAILED", "READY", "DEPLOYMENT_READY", "failed"),
            ("UPDATE_CANCELED", "NOT_READY", "DEPLOYMENT_ABORTED", "failed"),
            ("REARRANGING", "READY", "DEPLOYMENT_READY", "on the way"),
        ] {
            assert_eq!(with(update, ready, deployment), expected, "{update} {ready} {deployment}");
        }
        let empty = endpoint(r#"{"state":{"config_update":"NOT_UPDATING","ready":"NOT_READY"}}"#);
        assert!(matches!(outcome(&empty), Outcome::Failed));
        assert!(failed("a", "NOT_READY", &empty).hint().unwrap().contains("update_config"));
    }

    #[test]
    fn a_failure_says_what_each_entity_says() {
        let endpoint = endpoint(
            r#"{"state":{"config_update":"UPDATE_FAILED","ready":"READY"},
                "pending_config":{"served_entities":[{"name":"b","state":{"deployment":"DEPLOYMENT_FAILED",
                    "deployment_state_message":"no such version"}}]},
                "config":{"served_entities":[{"name":"a","state":{"deployment":"DEPLOYMENT_READY",
                    "deployment_state_message":""}}]}}"#,
        );
        let error = failed("churn", &state(&endpoint), &endpoint);
        assert_eq!(
            error.to_string(),
            "serving endpoint churn is UPDATE_FAILED; it still serves the configuration from before: b: no such version"
        );
    }
}
