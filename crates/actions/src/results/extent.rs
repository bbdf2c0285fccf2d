//! What the service says about the rows of one chunk: how many there are, and how many come before them. It says so in
//! several places, which must agree.

use crate::{Error, Result};

/// The rows of a chunk, as far as they are announced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) rows: Option<u64>,
    pub(super) offset: Option<u64>,
}

impl Extent {
    /// Reads both numbers as they came. A negative one says nothing.
    pub(super) fn new(rows: Option<i64>, offset: Option<i64>) -> Self {
        let known = |number: Option<i64>| u64::try_from(number?).ok();
        Self { rows: known(rows), offset: known(offset) }
    }

    /// What both say together about this chunk.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) if they contradict each other.
    pub(super) fn and(self, other: Self, index: u64) -> Result<Self> {
        let same = |what: &str, one: Option<u64>, another: Option<u64>| match (one, another) {
            (Some(one), Some(another)) if one != another => Err(Error::unexpected(format!(
                "the service contradicts itself about the {what} of chunk {index} of the result: {one} and {another}"
            ))),
            (one, another) => Ok(one.or(another)),
        };
        Ok(Self {
            rows: same("number of rows", self.rows, other.rows)?,
            offset: same("first row", self.offset, other.offset)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_twice_must_agree() {
        let some = Extent::new(Some(10), None).and(Extent::new(Some(10), Some(30)), 3).unwrap();
        assert_eq!((some.rows, some.offset), (Some(10), Some(30)));
        assert_eq!(Extent::new(Some(-1), Some(i64::MIN)), Extent::default());
        for other in [Extent::new(Some(11), None), Extent::new(None, Some(20))] {
            let error = some.and(other, 3).unwrap_err().to_string();
            assert!(error.contains("chunk 3"), "{error}");
        }
    }
}
