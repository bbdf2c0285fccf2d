//! What the API description says of an operation before it is sent.

/// An operation of the API: its id, where it is, and whether repeating it is safe.
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
}

impl OperationInfo {
    /// Describes an operation.
    ///
    /// ```
    /// use brickwire_wire::OperationInfo;
    /// const LIST: OperationInfo = OperationInfo::new("pools_list", "GET", "/api/2.0/instance-pools/list", true);
    /// assert!(LIST.repeatable);
    /// ```
    pub const fn new(
        operation_id: &'static str,
        method: &'static str,
        path: &'static str,
        repeatable: bool,
    ) -> Self {
        Self { operation_id, method, path, repeatable }
    }
}
