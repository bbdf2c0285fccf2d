//! Copies files: first what goes where, so that a mistake is found before anything is sent; then a few files at once.

use std::collections::HashSet;

use brickwire_actions::{ErrorKind, Objects};
use futures_util::{StreamExt, TryStreamExt, stream};
use indicatif::HumanBytes;

use super::{
    item::{Item, Kind, local},
    location::{Location, PLACES, Place},
    pattern,
    store::{Source, Stores},
    stream::print,
};
use crate::{
    context::Context,
    failure::{Failure, Result},
};

/// How many files are copied at once: the service takes 10 requests at once from a workspace.
const AT_ONCE: usize = 5;

/// What to copy, and where to.
pub(super) struct Copy {
    pub(super) sources: Vec<Location>,
    pub(super) target: Location,
    pub(super) recursive: bool,
    pub(super) overwrite: bool,
}

/// What is copied where.
#[derive(Default)]
struct Plan {
    directories: Vec<Location>,
    files: Vec<(Item, Location)>,
    /// What has no content to copy.
    left_out: Vec<Location>,
}

impl Copy {
    pub(super) async fn run(self, context: &Context) -> Result {
        let standard = |location: &Location| location.place == Place::Standard;
        let is_alone = self.sources.len() == 1;
        if self.sources.iter().any(standard) {
            return match is_alone && !standard(&self.target) && !self.target.is_local() {
                true => self.copy_stdin(context).await,
                false => {
                    Err(Failure::usage("standard input is copied alone, and to a file in the workspace"))
                }
            };
        }
        if self.target.is_local() && self.sources.iter().any(Location::is_local) {
            let text = format!("source and target are both on this machine: {}", self.target);
            return Err(Failure::usage(text).with_hint(PLACES));
        }
        let stores = Stores::connect(context).await?;
        let mut found = Vec::new();
        for source in &self.sources {
            found.extend(pattern::expand(&stores, source).await?);
        }
        if standard(&self.target) {
            return match &found[..] {
                [file] if !file.location.is_local() => print(&stores, &found, context).await,
                _ => Err(Failure::usage("one file of the workspace can be copied to standard output")),
            };
        }
        let plan = self.plan(&stores, found).await?;
        for other in &plan.left_out {
            context.note(&format!("left out: {other}"));
        }
        let (count, bytes) = plan.carry_out(&stores, self.overwrite).await?;
        let files = if count == 1 { "file" } else { "files" };
        context.note(&format!("copied {count} {files}, {}", HumanBytes(bytes)));
        Ok(())
    }

    async fn copy_stdin(&self, context: &Context) -> Result {
        if self.target.says_directory {
            return Err(Failure::usage(format!("standard input needs the name of a file: {}/", self.target)));
        }
        let stores = Stores::connect(context).await?;
        stores.upload(Source::Stdin, &self.target, self.overwrite).await
    }

    /// Decides what goes where.
    async fn plan(&self, stores: &Stores, found: Vec<Item>) -> Result<Plan> {
        let target = &self.target;
        let directory = found.iter().find(|item| item.is_directory());
        if let Some(item) = directory.filter(|_| !self.recursive) {
            return Err(Failure::usage(format!("this is a directory: {}", item.location))
                .with_hint("add -r to copy it with everything in it"));
        }
        let has_names = self.sources.len() > 1 || self.sources.iter().any(Location::is_pattern);
        let there = stores.find(target).await?.map(|item| item.is_directory());
        if there == Some(false) && (has_names || directory.is_some()) {
            return Err(Failure::new(
                ErrorKind::Rejected,
                format!("the target is a file, not a directory: {target}"),
            ));
        }
        let mut plan = Plan::default();
        let into = has_names || target.says_directory || there == Some(true);
        if (into || directory.is_some()) && there.is_none() {
            plan.directories.push(target.clone());
        }
        for item in found {
            let own = || item.file_name().map(|name| target.join(&name));
            match item.kind {
                Kind::Directory if has_names => {
                    let to = own()?;
                    plan.directories.push(to.clone());
                    plan.add(stores, item.location, to).await?;
                }
                Kind::Directory => plan.add(stores, item.location, target.clone()).await?,
                Kind::Other if !self.sources.iter().any(Location::is_pattern) => {
                    let text = format!("this object has no content that could be copied: {}", item.location);
                    return Err(Failure::new(ErrorKind::Rejected, text));
                }
                _ => {
                    let to = if into { own()? } else { target.clone() };
                    plan.push(item, to);
                }
            }
        }
        plan.check()?;
        Ok(plan)
    }
}

impl Plan {
    /// Adds what is in a directory, at any depth.
    async fn add(&mut self, stores: &Stores, from: Location, to: Location) -> Result {
        let mut open = vec![(from, to)];
        while let Some((from, to)) = open.pop() {
            for item in stores.list(&from).await? {
                let to = to.join(&item.file_name()?);
                if item.is_directory() {
                    self.directories.push(to.clone());
                    open.push((item.location, to));
                } else {
                    self.push(item, to);
                }
            }
        }
        Ok(())
    }

    fn push(&mut self, item: Item, to: Location) {
        match item.kind {
            Kind::Other => self.left_out.push(item.location),
            _ => self.files.push((item, to)),
        }
    }

    /// Finds out what can't work, before anything is sent.
    fn check(&self) -> Result {
        let mut seen = HashSet::new();
        if let Some((_, twice)) = self.files.iter().find(|(_, to)| !seen.insert(to)) {
            return Err(Failure::usage(format!("two sources have the same target: {twice}")));
        }
        let is_large = |(item, to): &&(Item, Location)| {
            to.place == Place::Workspace && item.size > Objects::MAX_CONTENT_BYTES
        };
        if let Some((item, _)) = self.files.iter().find(is_large) {
            let text = format!(
                "larger than {} MB, the most that can be copied to /Workspace: {}",
                Objects::MAX_CONTENT_BYTES >> 20,
                item.location
            );
            return Err(Failure::usage(text).with_hint("keep large files in a volume"));
        }
        Ok(())
    }

    /// Copies everything, and returns how many files and bytes that were. The first failure ends it.
    async fn carry_out(self, stores: &Stores, overwrite: bool) -> Result<(usize, u64)> {
        let created = self.directories.iter().map(|directory| stores.create_directory(directory));
        stream::iter(created).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        let count = self.files.len();
        let copied = self.files.iter().map(|(item, to)| one(stores, item, to, overwrite));
        let bytes = stream::iter(copied).buffer_unordered(AT_ONCE);
        Ok((count, bytes.try_fold(0, async |sum, bytes| Ok(sum + bytes)).await?))
    }
}

async fn one(stores: &Stores, item: &Item, to: &Location, overwrite: bool) -> Result<u64> {
    let from = &item.location;
    match (from.is_local(), to.is_local()) {
        (true, _) => {
            stores.upload(Source::File(local(from)), to, overwrite).await?;
            Ok(item.size)
        }
        (false, true) => stores.download(item, local(to), overwrite).await,
        // A file on its way can be sent again if the upload breaks off.
        (false, false) => {
            let folder = tempfile::tempdir()?;
            // Its name may say that it is a notebook.
            let between = folder.path().join(item.file_name()?);
            let bytes = stores.download(item, &between, true).await?;
            stores.upload(Source::File(&between), to, overwrite).await?;
            Ok(bytes)
        }
    }
}
