//! The settings of a warehouse: JSON, and options for those that people set most.

use brickwire_actions::types::WarehouseType;
use clap::ValueEnum;

use crate::{
    failure::Result,
    source::{self, Fields, set},
};

/// What a warehouse can be.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// With the fewest features
    Classic,
    /// With all features; may be serverless
    Pro,
}

/// Settings of a warehouse.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Size, such as 2X-Small, Small, or X-Large
    #[arg(long, value_name = "SIZE")]
    size: Option<String>,
    /// Type of the warehouse
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<Kind>,
    /// Use the service's own compute, which starts within seconds; the type is pro then
    #[arg(long, conflicts_with = "kind")]
    serverless: bool,
    /// Minutes without a statement after which the warehouse stops; 0 means never
    #[arg(long, value_name = "MINUTES")]
    auto_stop_minutes: Option<u32>,
    /// Fewest clusters while the warehouse runs
    #[arg(long, value_name = "COUNT")]
    min_clusters: Option<u32>,
    /// Maximum number of clusters
    #[arg(long, value_name = "COUNT")]
    max_clusters: Option<u32>,
    #[command(flatten)]
    data: source::Settings,
}

impl Options {
    /// All settings that are given, and the name.
    pub(super) fn read(&self, name: Option<&str>) -> Result<Fields> {
        let mut fields = self.data.read()?;
        set(&mut fields, "name", name)?;
        set(&mut fields, "cluster_size", self.size.as_ref())?;
        set(&mut fields, "auto_stop_mins", self.auto_stop_minutes)?;
        set(&mut fields, "min_num_clusters", self.min_clusters)?;
        set(&mut fields, "max_num_clusters", self.max_clusters)?;
        let kind = match self.kind {
            Some(Kind::Classic) => Some(WarehouseType::Classic),
            Some(Kind::Pro) => Some(WarehouseType::Pro),
            None => self.serverless.then_some(WarehouseType::Pro),
        };
        set(&mut fields, "warehouse_type", kind)?;
        set(&mut fields, "enable_serverless_compute", self.serverless.then_some(true))?;
        Ok(fields)
    }
}
