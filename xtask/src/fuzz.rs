//! Runs the fuzz targets of `fuzz/`, each from its checked-in seeds and from what earlier runs have found.
//!
//! The inputs that reach new code are kept in the target folder, and so are finds. A find becomes a unit test of the
//! code that it is about, so that every build runs it.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
    thread,
};

use anyhow::{Context, Result, bail, ensure};

use crate::tools::{Tool, target_folder};

const CARGO_FUZZ: Tool = Tool { name: "cargo-fuzz", version: "0.13.2", features: "" };

/// How long each target runs in the CI, in seconds.
const SECONDS: u64 = 3;

/// The target that is left out of repeatable runs: it takes minutes to compile, and tries a few inputs a second.
const SLOW: &str = "types";

/// How many inputs a repeatable run tries, unless its time is over first.
const RUNS: u64 = 20_000;

/// Where the random numbers of a repeatable run begin.
const SEED: u32 = 1;

/// What an input may take: memory in MiB, and time in seconds. The time is the wall clock's, so a repeatable run, which
/// may share its machine, allows more of it.
const MEMORY: u64 = 1024;
const TIMEOUT: u64 = 5;
const REPEATABLE_TIMEOUT: u64 = 60;

/// How a run is done.
pub(crate) struct Options {
    /// Which targets; all if there are none.
    pub(crate) targets: Vec<String>,
    /// How long each runs.
    pub(crate) seconds: u64,
    /// How many run at a time.
    pub(crate) jobs: usize,
    /// Whether each run tries the same sequence of inputs, as far as [`RUNS`] and the time allow: a change is judged by
    /// what it changes, not by luck.
    pub(crate) repeatable: bool,
}

impl Default for Options {
    fn default() -> Self {
        let jobs = thread::available_parallelism().map_or(1, usize::from);
        Self { targets: Vec::new(), seconds: SECONDS, jobs, repeatable: false }
    }
}

impl Options {
    /// What the CI runs.
    pub(crate) fn repeatable() -> Self {
        Self { repeatable: true, ..Self::default() }
    }
}

/// Where things are.
struct Folders {
    programs: PathBuf,
    seeds: PathBuf,
    corpus: PathBuf,
    finds: PathBuf,
    logs: PathBuf,
}

/// Builds all targets and runs those that are asked for. Without a nightly compiler or cargo-fuzz it says so and does
/// nothing.
pub(crate) fn run(root: &Path, options: &Options) -> Result<()> {
    let mut targets = select(&targets(root)?, &options.targets)?;
    if options.repeatable {
        targets.retain(|target| target != SLOW);
    }
    let Some(host) = nightly_host() else {
        eprintln!("SKIPPED: fuzzing needs a nightly compiler: rustup toolchain install nightly");
        return Ok(());
    };
    let target = target_folder(root)?;
    fs::create_dir_all(&target)?;
    let Some(cargo_fuzz) = CARGO_FUZZ.find(&target)? else {
        eprintln!("SKIPPED: cargo-fuzz isn't installed and can't be");
        return Ok(());
    };
    let own = target.join("fuzz");
    build(root, &cargo_fuzz, &own, &targets)?;
    let folders = Folders {
        programs: own.join(host).join("release"),
        seeds: root.join("fuzz/seeds"),
        // What earlier runs have found leads to other inputs.
        corpus: own.join(if options.repeatable { "corpus-of-ci" } else { "corpus" }),
        finds: own.join("finds"),
        logs: own.join("logs"),
    };
    if options.repeatable && folders.corpus.exists() {
        fs::remove_dir_all(&folders.corpus).context("cannot empty the corpus")?;
    }
    let (queue, failed) = (Mutex::new(targets.iter()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(|| {
                while let Some(name) = queue.lock().ok().and_then(|mut queue| queue.next()) {
                    if let Err(error) = run_one(name, &folders, options) {
                        eprintln!("{error:#}");
                        failed.lock().map(|mut failed| failed.push(name.as_str())).unwrap_or_default();
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_default();
    ensure!(failed.is_empty(), "fuzzing has found something: {}", failed.join(", "));
    Ok(())
}

/// The names of all targets.
fn targets(root: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root.join("fuzz/targets")).context("cannot read fuzz/targets")? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The targets that are asked for, or all.
fn select(all: &[String], asked: &[String]) -> Result<Vec<String>> {
    if let Some(unknown) = asked.iter().find(|name| !all.contains(name)) {
        bail!("there is no target `{unknown}`; the targets are: {}", all.join(", "));
    }
    Ok(if asked.is_empty() { all.to_vec() } else { asked.to_vec() })
}

/// The platform that the nightly compiler builds for; `None` if there is no such compiler.
fn nightly_host() -> Option<String> {
    let output = Command::new("rustup")
        .args(["run", "nightly", "rustc", "-vV"])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned)
}

fn build(root: &Path, cargo_fuzz: &Path, target: &Path, targets: &[String]) -> Result<()> {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo", "fuzz", "build", "--fuzz-dir", "fuzz", "--target-dir"]);
    // Many units compile in half the time, and the targets are hardly slower.
    command.arg(target).args(["--codegen-units", "16"]);
    if targets.iter().any(|target| target == SLOW) {
        command.args(["--features", SLOW]);
    }
    if let [only] = targets {
        command.arg(only);
    }
    // These are the other compiler's.
    for variable in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(variable);
    }
    let status = command
        .env("PATH", path_with(cargo_fuzz)?)
        .current_dir(root)
        .status()
        .context("cannot run cargo fuzz build")?;
    ensure!(status.success(), "cargo fuzz build ended with {status}");
    Ok(())
}

/// The search path with the folder of a program before all others, so that cargo finds it as a subcommand.
fn path_with(program: &Path) -> Result<OsString> {
    let own = program.parent().map(Path::to_path_buf).filter(|folder| !folder.as_os_str().is_empty());
    let others = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths(own.into_iter().chain(env::split_paths(&others)))?)
}

fn run_one(name: &str, folders: &Folders, options: &Options) -> Result<()> {
    let [corpus, finds] = [&folders.corpus, &folders.finds].map(|folder| folder.join(name));
    for folder in [&corpus, &finds, &folders.logs] {
        fs::create_dir_all(folder)?;
    }
    let log = folders.logs.join(format!("{name}.log"));
    let status = Command::new(folders.programs.join(name))
        .args([&corpus, &folders.seeds.join(name)])
        .arg(format!("-artifact_prefix={}/", finds.display()))
        .arg(format!("-max_total_time={}", options.seconds))
        .args(options.repeatable.then(|| format!("-runs={RUNS}")))
        .args(options.repeatable.then(|| format!("-seed={SEED}")))
        .arg(format!("-rss_limit_mb={MEMORY}"))
        .arg(format!("-timeout={}", if options.repeatable { REPEATABLE_TIMEOUT } else { TIMEOUT }))
        .args(["-print_final_stats=1", "-verbosity=1"])
        // Freed memory is kept for a while to notice its use; the default of 256 MiB counts against the limit.
        .env("ASAN_OPTIONS", "quarantine_size_mb=16:allocator_may_return_null=0")
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log)?)
        .status()
        .with_context(|| format!("cannot run the target {name}"))?;
    let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    ensure!(status.success(), "{name} failed; all of it is in {}\n{}", log.display(), reason(&text));
    eprintln!("{name:14} {} executions", executions(&text).unwrap_or("?"));
    Ok(())
}

/// How many inputs were tried.
fn executions(log: &str) -> Option<&str> {
    log.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:")).map(str::trim)
}

/// The part of the output that says what was found, and with which input.
fn reason(log: &str) -> String {
    const SIGNS: [&str; 6] =
        ["panicked at", "ERROR:", "SUMMARY:", "ALARM", "Test unit written to", "Base64:"];
    let lines: Vec<&str> = log.lines().collect();
    let mut told: Vec<&str> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if SIGNS.iter().any(|sign| line.contains(sign)) {
            told.push(line);
            // A panic's message is on the lines after it.
            told.extend(lines.iter().skip(at + 1).take(if line.contains("panicked at") { 4 } else { 0 }));
        }
    }
    told.join("\n")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{executions, path_with, reason, select};

    #[test]
    fn targets_are_selected_by_name() {
        let all = ["host", "lz4"].map(str::to_owned);
        assert_eq!(select(&all, &[]).unwrap(), all);
        assert_eq!(select(&all, &["lz4".to_owned()]).unwrap(), ["lz4"]);
        let error = select(&all, &["lz5".to_owned()]).unwrap_err().to_string();
        assert_eq!(error, "there is no target `lz5`; the targets are: host, lz4");
    }

    #[test]
    fn the_log_says_how_much_was_tried_and_what_was_found() {
        let log = "INFO: Seed: 1\n#2 INITED\nDone\nstat::number_of_executed_units: 4711\n";
        assert_eq!(executions(log), Some("4711"));
        let log = "#2 INITED\nthread '<unnamed>' panicked at targets/host.rs:1:2:\nleft: 1\nright: 2\n\
                   note: x\n==1== ERROR: libFuzzer: deadly signal\n  #0 0x1\nSUMMARY: libFuzzer: deadly signal\n\
                   Test unit written to /f/crash-1\nBase64: AA==\n";
        let told = reason(log);
        for part in ["panicked at", "left: 1", "SUMMARY", "/f/crash-1", "Base64: AA=="] {
            assert!(told.contains(part), "{told}");
        }
        assert!(!told.contains("INITED") && !told.contains("#0"), "{told}");
    }

    #[test]
    fn every_target_has_seeds_and_a_place_in_the_manifest() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let manifest = std::fs::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();
        let targets = super::targets(root).unwrap();
        assert_eq!(manifest.matches("[[bin]]").count(), targets.len());
        for name in targets {
            assert!(manifest.contains(&format!("path = \"targets/{name}.rs\"")), "{name}");
            let seeds = std::fs::read_dir(root.join("fuzz/seeds").join(&name));
            assert!(seeds.is_ok_and(|seeds| seeds.count() > 0), "{name} has no seeds");
        }
    }

    #[test]
    fn a_program_of_ours_comes_first() {
        let path = path_with(Path::new("/tools/bin/cargo-fuzz")).unwrap();
        assert_eq!(std::env::split_paths(&path).next().unwrap(), Path::new("/tools/bin"));
        let path = path_with(Path::new("cargo-fuzz")).unwrap();
        assert_eq!(
            path,
            std::env::join_paths(std::env::split_paths(&std::env::var_os("PATH").unwrap())).unwrap()
        );
    }
}
