#[path = "it/sql.rs"]
mod sql;
