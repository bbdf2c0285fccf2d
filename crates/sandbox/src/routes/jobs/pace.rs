//! Waiting by the sandbox's clock.

use std::time::Duration;

use crate::{call::Call, clock::millis};

/// How often something that waits looks at the clock.
pub(super) const LOOK: Duration = Duration::from_millis(5);

/// Waits until this time has passed.
pub(super) async fn pause(call: &Call, time: Duration) {
    let due_ms = call.now_ms().saturating_add(millis(time));
    while call.now_ms() < due_ms {
        tokio::time::sleep(LOOK).await;
    }
}
