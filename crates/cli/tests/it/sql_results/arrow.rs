//! Arrow and Parquet, read by the readers of Arrow's own project.

use std::fs::File;

use arrow_array::{
    Array, RecordBatch,
    cast::AsArray,
    types::{Decimal128Type, Int64Type},
};
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{DataType, Schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;

/// The file, its format being its extension's.
fn read(path: &Path) -> (Schema, Vec<RecordBatch>) {
    let file = File::open(path).unwrap();
    if path.extension().unwrap() == "parquet" {
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
        return (arrow_array::RecordBatchReader::schema(&reader).as_ref().clone(), all(reader));
    }
    let reader = FileReader::try_new(file, None).unwrap();
    (reader.schema().as_ref().clone(), all(reader))
}

fn all<E: std::fmt::Debug>(reader: impl Iterator<Item = Result<RecordBatch, E>>) -> Vec<RecordBatch> {
    reader.map(Result::unwrap).collect()
}

fn types(schema: &Schema) -> Vec<(&str, &DataType)> {
    schema.fields().iter().map(|field| (field.name().as_str(), field.data_type())).collect()
}

#[test]
fn files_hold_types_and_values_exactly() {
    let (workspace, folder) = (Workspace::fresh(), Folder::new());
    for name in ["a.arrow", "a.parquet"] {
        to(workspace.sql("-q", TYPES), &folder.path(name)).run().done().silent();
        let (schema, batches) = read(&folder.path(name));
        let [batch] = &batches[..] else { panic!("{batches:?}") };
        let names: Vec<_> = types(&schema).iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["big", "exact", "text", "nested", "big_2"], "{name}");
        let big = batch.column(0).as_primitive::<Int64Type>();
        assert_eq!(big.values(), &[9_007_199_254_740_993, i64::MIN]);
        assert_eq!(batch.column(1).data_type(), &DataType::Decimal128(38, 3));
        let exact = batch.column(1).as_primitive::<Decimal128Type>();
        assert_eq!(exact.values(), &[12_345_678_901_234_567_890_123_456_789_012_345_678, 100]);
        for text in [batch.column(2), batch.column(4)] {
            assert_eq!(text.as_string::<i32>().iter().collect::<Vec<_>>(), [Some(""), None]);
        }
        let nested = batch.column(3).as_struct();
        assert!(nested.is_valid(0) && nested.is_null(1));
        assert_eq!(nested.column(0).as_primitive::<Int64Type>().value(0), 9_007_199_254_740_993);
        let list = nested.column(1).as_list::<i32>().value(0);
        assert_eq!(list.as_string::<i32>().iter().collect::<Vec<_>>(), [Some("a"), None]);
    }
    assert_eq!(folder.names(), ["a.arrow", "a.parquet"]);
}

#[test]
fn chunks_make_one_file_in_order() {
    let (workspace, folder) = (in_chunks(), Folder::new());
    let ids = |batches: &[RecordBatch]| -> Vec<i64> {
        batches.iter().flat_map(|b| b.column(0).as_primitive::<Int64Type>().values().to_vec()).collect()
    };
    let expected: Vec<i64> = (0..1000).collect();
    for name in ["a.arrow", "a.parquet"] {
        let ran = to(workspace.sql("", "SELECT id FROM range(1000)"), &folder.path(name)).run().done();
        assert!(ran.says(&["1,000 rows to "]).text().is_empty());
        assert_eq!(ids(&read(&folder.path(name)).1), expected, "{name}");
    }
    let ran = workspace.sql("-o arrow", "SELECT id FROM range(1000)").run().done().silent();
    assert_eq!(ids(&all(StreamReader::try_new(&ran.stdout[..], None).unwrap())), expected);
    let ran = workspace.sql("-o parquet", "SELECT id FROM range(1000)").run().done().silent();
    fs::write(folder.path("piped.parquet"), ran.stdout).unwrap();
    assert_eq!(ids(&read(&folder.path("piped.parquet")).1), expected);
}

#[test]
fn no_rows_are_a_file_with_the_schema_of_some() {
    let (workspace, folder) = (Workspace::fresh(), Folder::new());
    let none = format!("SELECT * FROM ({}) WHERE exact < 0", TYPES.replace("text AS big", "text AS again"));
    let some = none.replace("< 0", "> 0");
    for extension in ["arrow", "parquet"] {
        let names = [format!("none.{extension}"), format!("some.{extension}")];
        for (name, statement) in names.iter().zip([&none, &some]) {
            to(workspace.sql("-q", statement), &folder.path(name)).run().done().silent();
        }
        let [none, some] = names.map(|name| read(&folder.path(&name)));
        assert_eq!(types(&none.0), types(&some.0), "{extension}");
        assert_eq!(none.1.iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
        assert_eq!(some.1[0].num_rows(), 2);
    }
    let ran = workspace.sql("-o arrow", "SELECT id FROM range(0)").run().done().silent();
    let mut reader = StreamReader::try_new(&ran.stdout[..], None).unwrap();
    assert_eq!(types(&reader.schema()), [("id", &DataType::Int64)]);
    assert!(reader.next().is_none());
}

#[test]
fn an_interval_that_parquet_has_no_type_for_is_named() {
    let workspace = Workspace::fresh();
    let folder = Folder::new();
    let statement =
        "SELECT 1 AS n, TIMESTAMP '2024-02-01 00:00:00' - TIMESTAMP '2024-01-31 00:00:00' AS late";
    let ran = to(workspace.sql("", statement), &folder.path("a.parquet")).run();
    ran.fails(3, &["INTERVAL", "column: late", "hint: CAST", "Arrow"]);
    assert_eq!(folder.names(), [""; 0]);
    to(workspace.sql("-q", statement), &folder.path("a.arrow")).run().done().silent();
    let (schema, batches) = read(&folder.path("a.arrow"));
    assert_eq!((schema.field(1).name().as_str(), batches[0].num_rows()), ("late", 1));
    assert!(matches!(schema.field(1).data_type(), DataType::Interval(_) | DataType::Duration(_)));
}
