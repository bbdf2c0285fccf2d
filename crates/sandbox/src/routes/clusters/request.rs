//! What the handlers of clusters and of their events read alike.

use std::sync::{Arc, Mutex};

use super::life::{Clusters, Moment};
use crate::{call::Call, clock::millis};

pub(super) fn clusters(call: &Call) -> Arc<Mutex<Clusters>> {
    call.tenant.state()
}

pub(super) fn moment(call: &Call) -> Moment {
    Moment { now_ms: call.now_ms(), delay_ms: millis(call.server.options.delays.cluster) }
}
