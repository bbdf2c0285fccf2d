//! Maintainers' tasks: `cargo xtask ci` runs all checks, and the other tasks generate files or check one thing.

mod api;
mod arguments;
mod ci;
mod circles;
mod coverage;
mod deny;
mod docs;
mod drift;
mod fuzz;
mod generate;
mod layers;
mod licenses;
mod lint;
mod load;
mod metadata;
mod package;
mod postprocess;
mod preprocess;
mod process;
mod publish;
mod release_notes;
mod toolchain;
mod tools;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use similar::TextDiff;

#[derive(Parser)]
#[command(about = "Maintainers' tasks")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run what must pass before a change is merged: all steps, or those named.
    Ci {
        /// Steps to run, in this order.
        #[arg(value_name = "STEP")]
        steps: Vec<String>,
        /// Leave this step out; can be repeated.
        #[arg(long, value_name = "STEP")]
        skip: Vec<String>,
        /// List the steps and run none.
        #[arg(long)]
        list: bool,
    },
    /// Format all files, those whose modules a macro declares included.
    Fmt,
    /// Generate the client from the API description.
    Codegen {
        /// Write nothing; print the difference and fail if there is one.
        #[arg(long)]
        check: bool,
        /// The folder with the description [default: spec].
        #[arg(long, value_name = "DIR")]
        spec: Option<PathBuf>,
        /// The file to generate [default: crates/client/src/generated.rs].
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Check the API description; findings name the operation or schema and the rule.
    LintSpec {
        /// The folder with the description [default: spec].
        #[arg(long, value_name = "DIR")]
        spec: Option<PathBuf>,
    },
    /// Compare the API description with an installed databricks-sdk for Python. The exit code is 1 if they differ in
    /// something that xtask/drift.yaml doesn't list, and 2 if they can't be compared.
    Drift {
        /// Where the SDK is: its package folder, or a folder or virtual environment that it is installed in.
        #[arg(long, value_name = "PATH")]
        sdk: PathBuf,
        /// Report in JSON.
        #[arg(long)]
        json: bool,
        /// The folder with the description [default: spec].
        #[arg(long, value_name = "DIR")]
        spec: Option<PathBuf>,
        /// The differences that are meant [default: xtask/drift.yaml].
        #[arg(long, value_name = "FILE")]
        allowed: Option<PathBuf>,
    },
    /// Draft the description of operations that an installed databricks-sdk for Python has, for a person to complete.
    Draft {
        /// Where the SDK is: its package folder, or a folder or virtual environment that it is installed in.
        #[arg(long, value_name = "PATH")]
        sdk: PathBuf,
        /// The folder with the description [default: spec].
        #[arg(long, value_name = "DIR")]
        spec: Option<PathBuf>,
        /// Module, class and method, as `drift` prints them, such as jobs.JobsAPI.create.
        #[arg(value_name = "OPERATION", required = true)]
        operations: Vec<String>,
    },
    /// Write the command reference, docs/commands.md, and man pages to target/reference/man.
    Docs {
        /// Write nothing; fail if it is not what `brick` would make today.
        #[arg(long)]
        check: bool,
    },
    /// Write docs/coverage.md: what there is of each operation in the client, the actions, the program and the sandbox.
    Coverage {
        /// Write nothing; fail if the file is stale, or if an operation has an action and no route in the sandbox.
        #[arg(long)]
        check: bool,
        /// The workspace to look at [default: this one].
        #[arg(long, value_name = "DIR")]
        root: Option<PathBuf>,
    },
    /// Check which crate depends on which, that no files of a crate import each other in a circle, that there is one
    /// HTTP stack, one TLS stack and one arrow, and the licenses and sources of everything in the tree.
    Layers {
        /// The workspace to check [default: this one].
        #[arg(long, value_name = "DIR")]
        root: Option<PathBuf>,
        /// Check only for import circles, which needs no resolved dependencies.
        #[arg(long)]
        circles_only: bool,
        /// For each circle, list every dependency between its files.
        #[arg(long)]
        edges: bool,
    },
    /// Run the fuzz targets: all, or those named. What they find is in the target folder, under fuzz/finds.
    Fuzz {
        /// Targets to run.
        #[arg(value_name = "TARGET")]
        targets: Vec<String>,
        /// How long each runs, in seconds [default: a few, like in the CI].
        #[arg(long, value_name = "N")]
        seconds: Option<u64>,
        /// How many run at a time [default: one for each core].
        #[arg(long, value_name = "N")]
        jobs: Option<usize>,
    },
    /// Check that each crate builds with its rust-version, as far as the versions of its dependencies tell.
    Msrv,
    /// Build what people install, the Python wheel and the archive for this system, and check both where nothing else is
    /// installed. They are in the target folder, under package, with SHA256SUMS.
    Package {
        /// Build only the wheel.
        #[arg(long, conflicts_with_all = ["archive", "lean"])]
        wheel: bool,
        /// Build only the archive.
        #[arg(long)]
        archive: bool,
        /// Build only an archive, and leave the sandbox out: the program is a fraction of the size.
        #[arg(long)]
        lean: bool,
        /// Build nothing; check what an earlier run has built.
        #[arg(long)]
        check: bool,
    },
    /// Package the crates for crates.io in the order in which they need each other, and print their sizes. Without --execute,
    /// build each from its package alone, and publish nothing.
    Publish {
        /// Publish them, and build nothing. Needs a token (CARGO_REGISTRY_TOKEN or cargo login), and a section of this
        /// version in CHANGELOG.md.
        #[arg(long)]
        execute: bool,
        /// Publish nothing, which is the default.
        #[arg(long, conflicts_with = "execute")]
        dry_run: bool,
        /// Package changes that aren't committed, too.
        #[arg(long, conflicts_with = "execute")]
        allow_dirty: bool,
    },
    /// Print what CHANGELOG.md has on a release, and fail if the tag isn't the version of the workspace.
    ReleaseNotes {
        /// Such as v0.1.0.
        tag: String,
    },
    /// Write the public API of each published library to docs/api.
    Api {
        /// Write nothing; print the differences and fail if there are any.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    if let Some(code) = api::stand_in() {
        return code;
    }
    match run(Arguments::parse().task) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stdout, reason = "the list, the draft or the notes are what was asked for")]
fn run(task: Task) -> Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in no workspace")?;
    match task {
        Task::Ci { list: true, .. } => {
            println!("{}", ci::list(&ci::STEPS));
            Ok(ExitCode::SUCCESS)
        }
        Task::Ci { steps, skip, list: false } => {
            ci::run(&ci::select(&ci::STEPS, &steps, &skip)?, root).map(|()| ExitCode::SUCCESS)
        }
        Task::Fmt => ci::format(root, false).map(|()| ExitCode::SUCCESS),
        Task::Codegen { check, spec, output } => {
            let text = generate::generate(&spec.unwrap_or_else(|| root.join("spec")), root)?;
            let output = output.unwrap_or_else(|| root.join("crates/client/src/generated.rs"));
            if check { compare(&output, &text) } else { write(&output, &text) }
        }
        Task::LintSpec { spec } => {
            let operations = generate::check(&spec.unwrap_or_else(|| root.join("spec")))?;
            eprintln!("{operations} operations, no findings");
            Ok(ExitCode::SUCCESS)
        }
        Task::Drift { sdk, json, spec, allowed } => Ok(compare_with_sdk(root, &sdk, json, spec, allowed)),
        Task::Draft { sdk, spec, operations } => {
            println!("{}", drift::draft(&spec.unwrap_or_else(|| root.join("spec")), &sdk, &operations)?);
            Ok(ExitCode::SUCCESS)
        }
        Task::Docs { check: false } => docs::write(root).map(|()| ExitCode::SUCCESS),
        Task::Docs { check: true } => {
            let fresh = docs::is_fresh(root)?;
            if !fresh {
                eprintln!("docs/commands.md is stale: run cargo xtask docs");
            }
            Ok(if fresh { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Task::Coverage { check, root: other } => {
            let root = other.as_deref().unwrap_or(root);
            let (text, findings) = coverage::make(root)?;
            let file = root.join(coverage::FILE);
            if !check {
                findings.iter().for_each(|finding| eprintln!("{finding}"));
                return write(&file, &text);
            }
            let is_fresh = fs::read_to_string(&file).is_ok_and(|present| present == text);
            let stale = (!is_fresh).then(|| format!("{} is stale: run cargo xtask coverage", coverage::FILE));
            Ok(report(&findings.into_iter().chain(stale).collect::<Vec<_>>()))
        }
        Task::Layers { root: other, circles_only, edges } => {
            let root = other.as_deref().unwrap_or(root);
            let mut findings = Vec::new();
            if !circles_only {
                let metadata = metadata::load(root)?;
                findings.extend(layers::findings(&metadata));
                findings.extend(licenses::findings(&metadata));
            }
            findings.extend(circles::check(root, edges)?);
            Ok(report(&findings))
        }
        Task::Fuzz { targets, seconds, jobs } => {
            let default = fuzz::Options::default();
            let (seconds, jobs) = (seconds.unwrap_or(default.seconds), jobs.unwrap_or(default.jobs));
            fuzz::run(root, &fuzz::Options { targets, seconds, jobs, ..default }).map(|()| ExitCode::SUCCESS)
        }
        Task::Package { wheel, archive, lean, check } => {
            package::run(root, &package::Options { wheel, archive, lean, check }).map(|()| ExitCode::SUCCESS)
        }
        Task::Publish { execute, dry_run: _, allow_dirty } => {
            publish::run(root, &publish::Options { execute, allow_dirty }).map(|()| ExitCode::SUCCESS)
        }
        Task::ReleaseNotes { tag } => {
            println!("{}", release_notes::of_tag(root, &tag)?);
            Ok(ExitCode::SUCCESS)
        }
        Task::Msrv => Ok(report(&toolchain::check_rust_versions(root)?)),
        Task::Api { check: false } => api::write(root).map(|()| ExitCode::SUCCESS),
        Task::Api { check: true } if !toolchain::is_tested(root)? => {
            eprintln!("SKIPPED: the public APIs are compared with the tested compiler only");
            Ok(ExitCode::SUCCESS)
        }
        Task::Api { check: true } => {
            let differences = api::check(root)?;
            if !differences.is_empty() {
                eprintln!("the public API differs from docs/api: if that is meant, run cargo xtask api");
            }
            Ok(report(&differences))
        }
    }
}

/// "Cannot compare" is another exit code than "differs", so that a schedule can tell a new release from a broken run.
#[allow(clippy::print_stdout, reason = "the report is what was asked for")]
fn compare_with_sdk(
    root: &Path,
    sdk: &Path,
    json: bool,
    spec: Option<PathBuf>,
    allowed: Option<PathBuf>,
) -> ExitCode {
    let spec = spec.unwrap_or_else(|| root.join("spec"));
    let allowed = allowed.unwrap_or_else(|| root.join("xtask/drift.yaml"));
    match drift::run(&drift::Options { spec: &spec, allowed: &allowed, sdk, json }) {
        Ok((report, has_drift)) => {
            println!("{report}");
            if has_drift { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn report(findings: &[String]) -> ExitCode {
    findings.iter().for_each(|finding| eprintln!("{finding}"));
    if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn write(output: &Path, text: &str) -> Result<ExitCode> {
    // An untouched file keeps its time, and cargo what it has built from it.
    if fs::read_to_string(output).ok().as_deref() != Some(text) {
        fs::write(output, text).with_context(|| format!("cannot write {}", output.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

#[allow(clippy::print_stdout, reason = "the difference is what was asked for")]
fn compare(output: &Path, text: &str) -> Result<ExitCode> {
    let present = fs::read_to_string(output).with_context(|| format!("cannot read {}", output.display()))?;
    if present == text {
        return Ok(ExitCode::SUCCESS);
    }
    let difference = TextDiff::from_lines(&present, text);
    let mut unified = difference.unified_diff();
    print!("{}", unified.header(&output.display().to_string(), "generated from the description"));
    eprintln!("error: {} is not what the description generates: run `cargo xtask codegen`", output.display());
    Ok(ExitCode::FAILURE)
}
