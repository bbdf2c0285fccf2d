//! Finding an operation by its name.

use crate::{generated::REFERENCE, reference::Reference};

impl Reference {
    /// All operations, in the order of the description.
    ///
    /// ```
    /// let reads = brickwire_client::Reference::all().iter().filter(|operation| operation.info.method == "GET");
    /// assert!(reads.count() > 10);
    /// ```
    pub fn all() -> &'static [Self] {
        REFERENCE
    }

    /// The operation with this id, such as `jobs_get`.
    pub fn of(operation_id: &str) -> Option<&'static Self> {
        Self::all().iter().find(|operation| operation.info.operation_id == operation_id)
    }
}
