//! What the API description says of an operation before it is sent.

/// An operation of the API: its id, where it is, whether repeating it is safe, and whether it only reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperationInfo {
    /// The operation's id in the API description, such as `clusters_list`.
    pub operation_id: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path with its placeholders, such as `/api/2.0/sql/warehouses/{id}`.
    pub path: &'static str,
    /// Whether sending it twice has the same effect as sending it once.
    pub repeatable: bool,
    /// Whether it changes nothing, so that it may be sent in read-only mode.
    pub reads: bool,
}

impl OperationInfo {
    /// Describes an operation. GET and HEAD only read.
    ///
    /// ```
    /// use brickwire_wire::OperationInfo;
    /// const LIST: OperationInfo = OperationInfo::new("pools_list", "GET", "/api/2.0/instance-pools/list", true);
    /// assert!(LIST.repeatable && LIST.reads);
    /// ```
    pub const fn new(
        operation_id: &'static str,
        method: &'static str,
        path: &'static str,
        repeatable: bool,
    ) -> Self {
        let reads = matches!(method.as_bytes(), b"GET" | b"HEAD");
        Self { operation_id, method, path, repeatable, reads }
    }

    /// The same operation, which only reads although its method is another one than GET.
    ///
    /// ```
    /// use brickwire_wire::OperationInfo;
    /// const EVENTS: OperationInfo =
    ///     OperationInfo::new("clusters_events", "POST", "/api/2.1/clusters/events", true).reading();
    /// assert!(EVENTS.reads);
    /// ```
    #[must_use]
    pub const fn reading(mut self) -> Self {
        self.reads = true;
        self
    }
}
