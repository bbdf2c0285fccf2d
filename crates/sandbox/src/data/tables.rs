//! Tables on disk: an Arrow file each, and an index. A table that changes gets a file of another name, and the index is
//! replaced after that, so it always names whole files that belong together.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::CompressionType;
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_schema::SchemaRef;
use serde::{Deserialize, Serialize};

use super::{DataDirectory, TABLES, damaged, parsed, unreadable};
use crate::engine::contents::{Contents, FullName, StoredTable, StoredView};

const INDEX: &str = "tables/index.json";

#[derive(Serialize, Deserialize, Default, PartialEq)]
struct Index {
    catalogs: BTreeMap<String, BTreeSet<String>>,
    tables: Vec<Place>,
    views: Vec<StoredView>,
}

/// Where the rows of a table are.
#[derive(Serialize, Deserialize, PartialEq)]
struct Place {
    name: FullName,
    file: String,
    #[serde(default)]
    defaults: BTreeMap<String, String>,
}

/// What is on disk.
#[derive(Default)]
pub(super) struct Tables {
    index: Index,
    /// Columns and rows of each file. Holding the rows makes their addresses stand for their values.
    rows: HashMap<String, (SchemaRef, Vec<RecordBatch>)>,
    /// The number of the next file.
    next: u64,
}

impl Tables {
    /// What the directory has; `None` if there was no SQL yet.
    pub(super) fn read(directory: &DataDirectory) -> io::Result<(Self, Option<Contents>)> {
        let Some(bytes) = directory.read(INDEX)? else { return Ok((Self::default(), None)) };
        let index: Index = parsed(&directory.path.join(INDEX), &bytes)?;
        let mut contents =
            Contents { catalogs: index.catalogs.clone(), tables: vec![], views: index.views.clone() };
        let (mut rows, mut next) = (HashMap::new(), 0);
        for Place { name, file, defaults } in &index.tables {
            let path = directory.path.join(TABLES).join(file);
            let number = file.strip_suffix(".arrow").and_then(|number| number.parse::<u64>().ok());
            // It could lead anywhere.
            let number =
                number.ok_or_else(|| damaged(&directory.path.join(INDEX), format!("{file} is no table")))?;
            next = next.max(number + 1);
            let opened = File::open(&path).map_err(|error| unreadable(&path, error))?;
            let reader =
                FileReader::try_new(BufReader::new(opened), None).map_err(|error| damaged(&path, error))?;
            let schema = reader.schema();
            let batches: Vec<RecordBatch> =
                reader.collect::<Result<_, _>>().map_err(|error| damaged(&path, error))?;
            rows.insert(file.clone(), (schema.clone(), batches.clone()));
            contents.tables.push(StoredTable {
                name: name.clone(),
                schema,
                batches,
                defaults: defaults.clone(),
            });
        }
        Ok((Self { index, rows, next }, Some(contents)))
    }

    /// Writes what is new, and deletes the files of what is gone.
    pub(super) fn write(&mut self, directory: &DataDirectory, contents: Contents) -> io::Result<()> {
        let mut places = Vec::new();
        for StoredTable { name, schema, batches, defaults } in contents.tables {
            let known = self.index.tables.iter().find(|known| known.name == name);
            let is_same =
                |(columns, rows): &(SchemaRef, Vec<RecordBatch>)| *columns == schema && same(rows, &batches);
            let known = known.filter(|known| self.rows.get(&known.file).is_some_and(is_same));
            let file = match known {
                Some(known) => known.file.clone(),
                None => {
                    let file = format!("{}.arrow", self.next);
                    self.next += 1;
                    directory.write(&format!("{TABLES}/{file}"), |out| {
                        let options =
                            IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME));
                        let mut writer = FileWriter::try_new_with_options(
                            BufWriter::new(out),
                            &schema,
                            options.map_err(io::Error::other)?,
                        )
                        .map_err(io::Error::other)?;
                        for batch in &batches {
                            writer.write(batch).map_err(io::Error::other)?;
                        }
                        writer.finish().map_err(io::Error::other)?;
                        writer.get_mut().flush()
                    })?;
                    self.rows.insert(file.clone(), (schema, batches));
                    file
                }
            };
            places.push(Place { name, file, defaults });
        }
        let index = Index { catalogs: contents.catalogs, tables: places, views: contents.views };
        if index == self.index {
            return Ok(());
        }
        directory.write(INDEX, |out| Ok(serde_json::to_writer_pretty(out, &index)?))?;
        self.index = index;
        let in_use: BTreeSet<&str> = self.index.tables.iter().map(|place| place.file.as_str()).collect();
        self.rows.retain(|file, _| in_use.contains(file.as_str()));
        for entry in fs::read_dir(directory.path.join(TABLES))? {
            let entry = entry?;
            let name = entry.file_name();
            let is_old = name.to_str().is_some_and(|name| name.ends_with(".arrow") && !in_use.contains(name));
            if is_old {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

/// Whether these are the very same rows. Rows are never changed in place, only replaced.
fn same(one: &[RecordBatch], other: &[RecordBatch]) -> bool {
    let same_batch = |(one, other): (&RecordBatch, &RecordBatch)| {
        one.num_rows() == other.num_rows()
            && one.columns().len() == other.columns().len()
            && one.columns().iter().zip(other.columns()).all(|(one, other)| Arc::ptr_eq(one, other))
    };
    one.len() == other.len() && one.iter().zip(other).all(same_batch)
}
