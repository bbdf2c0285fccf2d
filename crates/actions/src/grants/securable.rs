//! What privileges are granted on.

use crate::{Error, Result, full_name::FullName};

/// An object of Unity Catalog that privileges are granted on: its kind and its full name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Securable {
    kind: String,
    name: FullName,
}

impl Securable {
    /// Reads the kind of an object, such as `catalog`, `schema`, `table`, `volume`, `function` or `external_location`, in any
    /// case, and its full name. A registered model is a `function`.
    ///
    /// ```
    /// use brickwire_actions::Securable;
    /// let location = Securable::parse("External-Location", "raw")?;
    /// assert_eq!((location.kind(), location.full_name().as_str()), ("external_location", "raw"));
    /// assert!(Securable::parse("table", "sales").is_err());
    /// # Ok::<(), brickwire_actions::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for a kind that is no word, and for a name that doesn't fit the kind.
    /// Kinds that this version doesn't know are left to the service.
    pub fn parse(kind: &str, full_name: &str) -> Result<Self> {
        let is_word =
            |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let kind = kind.to_ascii_lowercase().replace(['-', ' '], "_");
        if !is_word(&kind) {
            return Err(Error::usage(format!("not a kind of object that has privileges: {kind:?}"))
                .with_hint(
                    "use one such as catalog, schema, table, volume, function, or external_location",
                ));
        }
        let name = match kind.as_str() {
            "catalog" => FullName::parse(&kind, 1, full_name)?,
            "schema" => FullName::parse(&kind, 2, full_name)?,
            "table" | "volume" | "function" => FullName::parse(&kind, 3, full_name)?,
            _ => FullName::any(&kind, full_name)?,
        };
        Ok(Self { kind, name })
    }

    /// The kind in lower case, as the path of a request has it.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The full name, with backticks around parts that have dots.
    pub fn full_name(&self) -> String {
        self.name.to_string()
    }
}
