//! What the two forms of a state mean: whether a run has ended, and how.
//!
//! `state` is the old form and `status` the new one; the service sends both, and may send one. The new form counts for
//! where a run is, if its value is known. How it ended is said best by the old one (`TIMEDOUT`, `UPSTREAM_FAILED`), so it
//! counts there. A run has succeeded only if neither form says anything else.

use std::fmt;

use brickwire_client::types::{
    RunLifeCycleState as Old, RunLifecycleStateV2State as New, RunResultState, RunState, RunStatus,
    TerminationCodeCode as Code, TerminationTypeType,
};

/// How a run or a task ended.
///
/// ```
/// use brickwire_actions::RunOutcome;
/// assert!(RunOutcome::SuccessWithFailures.is_success() && !RunOutcome::Skipped.is_success());
/// assert_eq!(RunOutcome::TimedOut.to_string(), "TIMEDOUT");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunOutcome {
    /// It succeeded.
    Success,
    /// The tasks that nothing depends on succeeded, and another one failed.
    SuccessWithFailures,
    /// It failed.
    Failed,
    /// It took longer than its timeout.
    TimedOut,
    /// It was canceled.
    Canceled,
    /// It didn't run: the job had as many runs as it may have, or it was skipped for another reason.
    Skipped,
    /// It didn't run, because a task that it depends on failed.
    UpstreamFailed,
    /// It didn't run, because a task that it depends on was canceled.
    UpstreamCanceled,
    /// It didn't run, because its condition wasn't met.
    Excluded,
    /// It didn't run, because it is disabled.
    Disabled,
    /// A word that this version doesn't know.
    Unknown(String),
}

impl RunOutcome {
    /// Whether it succeeded, perhaps with failures that don't count.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Success | Self::SuccessWithFailures)
    }

    /// Whether it ran, so that it may have an output.
    pub fn has_run(&self) -> bool {
        matches!(
            self,
            Self::Success
                | Self::SuccessWithFailures
                | Self::Failed
                | Self::TimedOut
                | Self::Canceled
                | Self::Unknown(_)
        )
    }

    /// The word for it, as the service writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Success => "SUCCESS",
            Self::SuccessWithFailures => "SUCCESS_WITH_FAILURES",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMEDOUT",
            Self::Canceled => "CANCELED",
            Self::Skipped => "SKIPPED",
            Self::UpstreamFailed => "UPSTREAM_FAILED",
            Self::UpstreamCanceled => "UPSTREAM_CANCELED",
            Self::Excluded => "EXCLUDED",
            Self::Disabled => "DISABLED",
            Self::Unknown(word) => word,
        }
    }
}

impl fmt::Display for RunOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What both forms say together.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Standing {
    /// The word for where it is; once it has ended, for how. Empty if there is none.
    pub(super) word: String,
    /// How it ended, if it has.
    pub(super) outcome: Option<RunOutcome>,
    pub(super) message: Option<String>,
}

impl Standing {
    pub(super) fn of(state: Option<&RunState>, status: Option<&RunStatus>) -> Self {
        let old = state.and_then(|state| state.life_cycle_state.as_ref());
        let new = status.and_then(|status| status.state.as_ref());
        let is_known = !matches!(new, None | Some(New::UnknownValue(_)));
        let has_ended = match new {
            Some(new) if is_known => *new == New::Terminated,
            _ => matches!(old, Some(Old::Terminated | Old::Skipped | Old::InternalError)),
        };
        let details = status.and_then(|status| status.termination_details.as_ref());
        let texts = [
            state.and_then(|state| state.state_message.as_ref()),
            details.and_then(|details| details.message.as_ref()),
            status.and_then(|s| s.queue_details.as_ref()).and_then(|details| details.message.as_ref()),
        ];
        let message = texts.into_iter().flatten().find(|text| !text.trim().is_empty()).cloned();
        if !has_ended {
            let word = match (new, old) {
                (Some(new), _) if is_known => new.as_str(),
                (_, Some(old)) => old.as_str(),
                (Some(new), None) => new.as_str(),
                (None, None) => "",
            };
            return Self { word: word.to_owned(), outcome: None, message };
        }
        let result = state.and_then(|state| state.result_state.as_ref()).map(by_result);
        let code = details.and_then(|details| details.code.as_ref());
        let kind = details.and_then(|details| details.type_.as_ref());
        let by_details = code.map(by_code).or_else(|| kind.map(by_type));
        let outcome = match (result, by_details) {
            (Some(RunOutcome::Success), Some(other)) | (None, Some(other)) => other,
            (Some(result), _) => result,
            (None, None) => match old {
                Some(Old::Skipped) => RunOutcome::Skipped,
                Some(Old::InternalError) => RunOutcome::Failed,
                _ => RunOutcome::Unknown("TERMINATED".to_owned()),
            },
        };
        Self { word: outcome.as_str().to_owned(), outcome: Some(outcome), message }
    }
}

fn by_result(result: &RunResultState) -> RunOutcome {
    match result {
        RunResultState::Success => RunOutcome::Success,
        RunResultState::SuccessWithFailures => RunOutcome::SuccessWithFailures,
        RunResultState::Failed => RunOutcome::Failed,
        RunResultState::Timedout => RunOutcome::TimedOut,
        RunResultState::Canceled => RunOutcome::Canceled,
        RunResultState::MaximumConcurrentRunsReached => RunOutcome::Skipped,
        RunResultState::UpstreamFailed => RunOutcome::UpstreamFailed,
        RunResultState::UpstreamCanceled => RunOutcome::UpstreamCanceled,
        RunResultState::Excluded => RunOutcome::Excluded,
        RunResultState::Disabled => RunOutcome::Disabled,
        other => RunOutcome::Unknown(other.as_str().to_owned()),
    }
}

/// Most codes name a reason to fail.
fn by_code(code: &Code) -> RunOutcome {
    match code {
        Code::Success => RunOutcome::Success,
        Code::SuccessWithFailures => RunOutcome::SuccessWithFailures,
        Code::Canceled | Code::UserCanceled => RunOutcome::Canceled,
        Code::Skipped | Code::MaxConcurrentRunsExceeded | Code::MaxJobQueueSizeExceeded => {
            RunOutcome::Skipped
        }
        Code::Disabled => RunOutcome::Disabled,
        Code::UnknownValue(word) => RunOutcome::Unknown(word.clone()),
        _ => RunOutcome::Failed,
    }
}

fn by_type(kind: &TerminationTypeType) -> RunOutcome {
    match kind {
        TerminationTypeType::Success => RunOutcome::Success,
        TerminationTypeType::UnknownValue(word) => RunOutcome::Unknown(word.clone()),
        _ => RunOutcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[track_caller]
    fn standing(document: &Value) -> (String, Option<RunOutcome>, Option<String>) {
        let state: Option<RunState> = serde_json::from_value(document["state"].clone()).unwrap();
        let status: Option<RunStatus> = serde_json::from_value(document["status"].clone()).unwrap();
        let Standing { word, outcome, message } = Standing::of(state.as_ref(), status.as_ref());
        (word, outcome, message)
    }

    #[test]
    fn either_form_says_where_a_run_is() {
        for (document, word) in [
            (json!({"state": {"life_cycle_state": "PENDING"}}), "PENDING"),
            (json!({"status": {"state": "QUEUED"}}), "QUEUED"),
            (
                json!({"state": {"life_cycle_state": "RUNNING"}, "status": {"state": "TERMINATING"}}),
                "TERMINATING",
            ),
            (json!({"state": {"life_cycle_state": "RUNNING"}, "status": {"state": "NEWEST"}}), "RUNNING"),
            (json!({"state": {"life_cycle_state": null}, "status": {"state": "NEWEST"}}), "NEWEST"),
            (json!({}), ""),
        ] {
            assert_eq!(standing(&document), (word.to_owned(), None, None), "{document}");
        }
    }

    #[test]
    fn either_form_says_how_a_run_ended() {
        use RunOutcome::{Canceled, Failed, Skipped, Success, TimedOut, Unknown};
        for (document, outcome) in [
            (json!({"state": {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS"}}), Success),
            (json!({"state": {"life_cycle_state": "INTERNAL_ERROR"}}), Failed),
            (json!({"state": {"life_cycle_state": "SKIPPED"}}), Skipped),
            (json!({"status": {"state": "TERMINATED", "termination_details": {"code": "SUCCESS"}}}), Success),
            (
                json!({"status": {"state": "TERMINATED", "termination_details": {"code": "USER_CANCELED"}}}),
                Canceled,
            ),
            (
                json!({"status": {"state": "TERMINATED", "termination_details": {"type": "CLOUD_FAILURE"}}}),
                Failed,
            ),
            // The old form knows more, and never more of success.
            (
                json!({"state": {"life_cycle_state": "TERMINATED", "result_state": "TIMEDOUT"},
                "status": {"state": "TERMINATED", "termination_details": {"code": "RUN_EXECUTION_ERROR"}}}),
                TimedOut,
            ),
            (
                json!({"state": {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS"},
                "status": {"state": "TERMINATED", "termination_details": {"code": "DRIVER_ERROR"}}}),
                Failed,
            ),
            (
                json!({"state": {"life_cycle_state": "TERMINATED", "result_state": "WORN_OUT"}}),
                Unknown("WORN_OUT".into()),
            ),
            (json!({"status": {"state": "TERMINATED"}}), Unknown("TERMINATED".into())),
        ] {
            let (word, ended, _) = standing(&document);
            assert_eq!((ended, word.as_str()), (Some(outcome.clone()), outcome.as_str()), "{document}");
        }
    }

    #[test]
    fn the_first_message_that_says_something_counts() {
        let document = json!({
            "state": {"life_cycle_state": "TERMINATED", "result_state": "FAILED", "state_message": " "},
            "status": {"state": "TERMINATED", "termination_details": {"message": "out of disk"}},
        });
        assert_eq!(standing(&document).2.as_deref(), Some("out of disk"));
    }
}
