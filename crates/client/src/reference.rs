//! What the API description says of each operation, for programs that call one by its name.

use std::fmt;

use brickwire_wire::OperationInfo;

/// An operation as the API description has it: what it takes and what it returns.
///
/// ```
/// let operation = brickwire_client::Reference::of("jobs_get").unwrap();
/// assert_eq!(operation.info.path, "/api/2.2/jobs/get");
/// assert!(operation.argument("job_id").unwrap().required);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// Its id, method and path, and whether it is safe to repeat.
    pub info: OperationInfo,
    /// What it does, in one line.
    pub summary: &'static str,
    /// What it takes: parameters of the path and of the query, and the members of a JSON body.
    pub arguments: &'static [Argument],
    /// What its request carries.
    pub body: Body,
    /// What its answer is.
    pub answer: Content,
}

/// What a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Body {
    /// Nothing.
    None,
    /// A JSON object with the arguments whose place is [`Place::Body`].
    Json,
    /// JSON that may have more than the arguments.
    Open,
    /// The bytes of a file.
    File,
}

/// What an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// JSON.
    Json,
    /// The bytes of a file.
    File,
}

/// Something that an operation takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Argument {
    /// Its name in the API.
    pub name: &'static str,
    /// Where it goes.
    pub place: Place,
    /// Its type.
    pub kind: Kind,
    /// Whether the service insists on it.
    pub required: bool,
    /// Whether it is a password, a key or the like, which must not be shown.
    pub secret: bool,
    /// What it means, in one sentence; empty if its name says it.
    pub description: &'static str,
}

/// Where an argument goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// One segment of the path.
    Path,
    /// Segments of the path, whose slashes stay.
    PathWithSlashes,
    /// The query; a list repeats its key.
    Query,
    /// A member of the JSON body.
    Body,
}

/// The type of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A text; of an enum, too, because the service may know more values than the description.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A JSON object.
    Object,
    /// A JSON array.
    List,
    /// Any JSON.
    Any,
}

impl Reference {
    /// The argument of this name.
    pub fn argument(&self, name: &str) -> Option<&'static Argument> {
        self.arguments.iter().find(|argument| argument.name == name)
    }
}

impl Argument {
    pub(crate) const fn new(name: &'static str, place: Place, kind: Kind, description: &'static str) -> Self {
        Self { name, place, kind, required: false, secret: false, description }
    }

    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(crate) const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Path | Self::PathWithSlashes => "path",
            Self::Query => "query",
            Self::Body => "body",
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Object => "object",
            Self::List => "list",
            Self::Any => "JSON",
        })
    }
}
