//! The columns of a result: those of the first chunk count for all others, and the manifest's names count for all. Columns
//! that differ would become wrong values under right names.

use arrow_schema::{Schema, SchemaRef};
use brickwire_client::types::StatementColumnInfo;

use crate::{Error, Result};

/// The schema that the rows of all chunks must have.
#[derive(Debug, Default)]
pub(super) struct CommonSchema {
    first: Option<SchemaRef>,
    /// The last one that was compared: all batches of a chunk share one.
    last: Option<SchemaRef>,
}

impl CommonSchema {
    /// Compares the schema of a chunk with that of the first.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) that names the chunk and the column.
    pub(super) fn check(&mut self, schema: &SchemaRef, chunk: u64) -> Result<()> {
        if self.last.as_ref().is_some_and(|last| std::sync::Arc::ptr_eq(last, schema)) {
            return Ok(());
        }
        if let Some(difference) = difference(self.first.get_or_insert_with(|| schema.clone()), schema) {
            return Err(Error::unexpected(format!(
                "chunk {chunk} of the result has different columns from earlier chunks: {difference}"
            )));
        }
        self.last = Some(schema.clone());
        Ok(())
    }
}

/// How a schema differs from the first: in the number, the names or the types of its columns, or in NULLs where the first
/// has none. Their comments (metadata) don't matter.
fn difference(first: &Schema, other: &Schema) -> Option<String> {
    let (count, others) = (first.fields().len(), other.fields().len());
    if count != others {
        return Some(format!("{others} instead of {count}"));
    }
    let mut pairs = first.fields().iter().zip(other.fields()).enumerate();
    pairs.find_map(|(at, (first, other))| {
        let (name, at) = (first.name(), at + 1);
        if name != other.name() {
            Some(format!("column {at} is named {:?} instead of {name:?}", other.name()))
        } else if first.data_type() != other.data_type() {
            let (is, was) = (other.data_type(), first.data_type());
            Some(format!("column {at}, {name:?}, is {is} instead of {was}"))
        } else if other.is_nullable() && !first.is_nullable() {
            Some(format!("column {at}, {name:?}, may be NULL"))
        } else {
            None
        }
    })
}

/// Compares the columns of the rows with those that the manifest lists, if it does.
///
/// # Errors
/// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) if their number or a name differs.
pub(super) fn check_names(schema: &Schema, columns: &[StatementColumnInfo]) -> Result<()> {
    let (count, expected) = (schema.fields().len(), columns.len());
    if expected > 0 && count != expected {
        return Err(Error::unexpected(format!(
            "the rows have {count} columns, and the schema of the result lists {expected}"
        )));
    }
    // Columns that share a name may have been given others, for formats that demand it.
    let is_shared = |name: &String| {
        let same = |column: &&StatementColumnInfo| {
            column.name.as_ref().is_some_and(|other| other.eq_ignore_ascii_case(name))
        };
        columns.iter().filter(same).count() > 1
    };
    for (at, (field, column)) in schema.fields().iter().zip(columns).enumerate() {
        match &column.name {
            Some(name) if name != field.name() && !is_shared(name) => {
                return Err(Error::unexpected(format!(
                    "column {} of the rows is named {:?}, and the schema of the result names it {name:?}",
                    at + 1,
                    field.name()
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_schema::{DataType, Field, Fields};

    use super::*;

    fn schema(fields: &[(&str, DataType, bool)]) -> SchemaRef {
        let fields = fields.iter().map(|(name, kind, nullable)| Field::new(*name, kind.clone(), *nullable));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    #[test]
    fn chunks_have_the_columns_of_the_first() {
        let point = |name: &str| DataType::Struct(Fields::from(vec![Field::new(name, DataType::Int8, true)]));
        let first = [("id", DataType::Int64, false), ("s", DataType::Utf8, true), ("p", point("x"), true)];
        let mut common = CommonSchema::default();
        common.check(&schema(&first), 0).unwrap();
        common.check(&schema(&first), 1).unwrap();
        let change = |at: usize, field: (&'static str, DataType, bool)| {
            let mut fields = first.clone();
            fields[at] = field;
            fields.to_vec()
        };
        // A column that is never NULL in one chunk may be one that can be NULL.
        common.check(&schema(&change(1, ("s", DataType::Utf8, false))), 2).unwrap();
        let mut swapped = first.to_vec();
        swapped.swap(0, 1);
        for (fields, words) in [
            (change(0, ("id", DataType::Int32, false)), "column 1, \"id\", is Int32 instead of Int64"),
            (change(0, ("ID", DataType::Int64, false)), "column 1 is named \"ID\" instead of \"id\""),
            (change(0, ("id", DataType::Int64, true)), "column 1, \"id\", may be NULL"),
            (change(2, ("p", point("y"), true)), "column 3, \"p\", is Struct"),
            (swapped, "column 1 is named \"s\""),
            (first[..2].to_vec(), "2 instead of 3"),
            ([&first[..], &[("more", DataType::Null, true)]].concat(), "4 instead of 3"),
        ] {
            let error = common.check(&schema(&fields), 3).unwrap_err().to_string();
            assert!(error.starts_with("chunk 3 of the result") && error.contains(words), "{error}");
        }
        common.check(&schema(&first), 4).unwrap();
    }

    #[test]
    fn the_manifest_names_the_columns() {
        let rows = schema(&[("id", DataType::Int64, false), ("", DataType::Utf8, true)]);
        let column =
            |name: Option<&str>| StatementColumnInfo { name: name.map(str::to_owned), ..Default::default() };
        for good in [&[][..], &[column(Some("id")), column(Some(""))], &[column(None), column(None)]] {
            check_names(&rows, good).unwrap();
        }
        let renamed = schema(&[("a", DataType::Int64, false), ("a_1", DataType::Int64, false)]);
        check_names(&renamed, &[column(Some("a")), column(Some("A"))]).unwrap();
        check_names(&renamed, &[column(Some("a")), column(Some("b"))]).unwrap_err();
        for bad in [&[column(Some("id"))][..], &[column(Some("")), column(Some("id"))]] {
            check_names(&rows, bad).unwrap_err();
        }
    }
}
