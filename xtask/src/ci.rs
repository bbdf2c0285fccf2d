//! Everything that must pass before a change is merged, as a list of named steps. `.ci/run` runs the tests and then the
//! other steps of this list.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};

use crate::{deny, fuzz, metadata, toolchain};

/// The optional features that can be built everywhere.
const FEATURES: &str = "brickwire-cli/full,brickwire-cli/sandbox";

/// The README's first query.
const MAIN_JOB: &str = "SELECT pickup_zip, count(*) AS trips FROM samples.nyctaxi.trips \
                        GROUP BY pickup_zip ORDER BY trips DESC LIMIT 5";

/// One thing that must pass.
pub(crate) struct Step {
    name: &'static str,
    about: &'static str,
    run: fn(&Path) -> Result<()>,
}

/// All steps, in the order in which they run.
pub(crate) const STEPS: [Step; 22] = [
    Step {
        name: "toolchain",
        about: "the compiler is new enough for every crate",
        run: toolchain::check_compiler,
    },
    Step { name: "test", about: "the tests of all crates", run: |root| cargo(root, "test --workspace") },
    Step { name: "main-job", about: "the README's query against the sandbox gives five rows", run: main_job },
    Step {
        name: "features",
        about: "the optional features of brick and of the library",
        run: |root| {
            cargo(root, "check -p brickwire-cli --features full")?;
            // One build, which the steps with Python use as well.
            let test = "test -p brickwire-cli --features full,sandbox";
            cargo(root, &format!("{test} --bins"))?;
            cargo(root, &format!("{test} --test it -- sandbox sql_results output:: mcp::"))?;
            cargo(root, "check -p brickwire-actions --features keyring")
        },
    },
    Step { name: "format", about: "rustfmt", run: |root| format(root, true) },
    Step { name: "clippy", about: "clippy, with the optional features", run: clippy },
    Step {
        name: "spec",
        about: "the API description follows its rules, and the generated client matches it",
        run: |root| {
            cargo(root, "xtask lint-spec")?;
            cargo(root, "xtask codegen --check")
        },
    },
    Step {
        name: "coverage",
        about: "docs/coverage.md is fresh, and what has an action is in the sandbox",
        run: |root| cargo(root, "xtask coverage --check"),
    },
    Step {
        name: "layers",
        about: "dependencies of crates and files run one way; one of each stack; allowed licenses",
        run: |root| cargo(root, "xtask layers"),
    },
    Step {
        name: "deny",
        about: "cargo-deny: licenses, sources, duplicates, known vulnerabilities (skipped if it can't be installed)",
        run: deny::run,
    },
    Step { name: "msrv", about: "each crate's rust-version is true", run: |root| cargo(root, "xtask msrv") },
    Step {
        name: "docs",
        about: "the command reference is fresh, and rustdoc finds nothing wrong",
        run: docs,
    },
    Step {
        name: "api",
        about: "the public APIs are those in docs/api",
        run: |root| cargo(root, "xtask api --check"),
    },
    Step {
        name: "examples",
        about: "the library's examples against the sandbox",
        run: |root| script(root, "tests/examples.sh"),
    },
    Step {
        name: "python-sdk",
        about: "the official Python SDK against the sandbox (skipped without Python)",
        run: |root| script(root, "tests/python_sdk.sh"),
    },
    Step {
        name: "pytest",
        about: "the fixtures for pytest, and figures of matplotlib, in the sandbox (likewise)",
        run: |root| script(root, "tests/pytest.sh"),
    },
    Step {
        name: "ecosystem",
        about: "Airflow's operators, lsql and another Rust client against the sandbox (likewise)",
        run: |root| script(root, "tests/ecosystem.sh"),
    },
    Step {
        name: "compare-sql",
        about: "the same statements through brick and the official clients; our files in pyarrow and DuckDB (likewise)",
        run: |root| script(root, "tests/compare_sql.sh"),
    },
    Step {
        name: "compare-config",
        about: "the same configurations read by brick and by the official SDK (likewise)",
        run: |root| script(root, "tests/compare_config.sh"),
    },
    Step {
        name: "picture",
        about: "docs/picture.svg shows what brick prints (skipped without Python)",
        run: |root| script(root, "tests/picture.sh"),
    },
    Step {
        name: "workflows",
        about: "the files in .github have no known mistakes (skipped without Python)",
        run: |root| script(root, "tests/workflows.sh"),
    },
    Step {
        name: "fuzz",
        about: "each fuzz target with the same sequence of inputs, for a few seconds at most (skipped without a nightly compiler)",
        run: |root| fuzz::run(root, &fuzz::Options::repeatable()),
    },
];

/// The steps with these names, in the order given; without names, all but the skipped ones.
pub(crate) fn select<'s>(steps: &'s [Step], names: &[String], skip: &[String]) -> Result<Vec<&'s Step>> {
    let known = |name: &String| steps.iter().find(|step| step.name == name);
    if let Some(unknown) = names.iter().chain(skip).find(|name| known(name).is_none()) {
        bail!("there is no step `{unknown}`; the steps are:\n{}", list(steps));
    }
    let named: Vec<&Step> =
        if names.is_empty() { steps.iter().collect() } else { names.iter().filter_map(known).collect() };
    Ok(named.into_iter().filter(|step| !skip.iter().any(|name| name == step.name)).collect())
}

/// One line for each step.
pub(crate) fn list(steps: &[Step]) -> String {
    let lines: Vec<String> = steps.iter().map(|step| format!("  {:14} {}", step.name, step.about)).collect();
    lines.join("\n")
}

/// Runs the steps until one fails.
pub(crate) fn run(steps: &[&Step], root: &Path) -> Result<()> {
    let start = Instant::now();
    for step in steps {
        eprintln!("\n== {}: {}", step.name, step.about);
        let start = Instant::now();
        let result = (step.run)(root);
        let verdict = if result.is_ok() { "passed" } else { "failed" };
        eprintln!("== {} {verdict} after {:.1} s", step.name, start.elapsed().as_secs_f64());
        result.with_context(|| {
            format!("the step `{}` failed; repeat it with `cargo xtask ci {0}`", step.name)
        })?;
    }
    eprintln!("\n== {} step(s) passed after {:.1} s", steps.len(), start.elapsed().as_secs_f64());
    Ok(())
}

/// Runs cargo with arguments that have no spaces in them.
fn cargo(root: &Path, arguments: &str) -> Result<()> {
    finish(Command::new(metadata::cargo()).args(arguments.split(' ')), root)
}

/// How many files are formatted at once: a command line of Windows has 32 KiB at most.
const AT_ONCE: usize = 300;

/// Formats every file that git knows. `cargo fmt` finds a file by its `mod`, and doesn't see those of macros.
pub(crate) fn format(root: &Path, check: bool) -> Result<()> {
    let listed = Command::new("git").args(["ls-files", "-z", "*.rs"]).current_dir(root).output()?;
    ensure!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    let files = String::from_utf8(listed.stdout)?;
    let files: Vec<&str> = files.split_terminator('\0').filter(|file| root.join(file).exists()).collect();
    files.chunks(AT_ONCE).try_for_each(|some| {
        let mut rustfmt = Command::new("rustfmt");
        rustfmt.args(["--edition", "2024"]).args(check.then_some("--check"));
        finish(rustfmt.args(some), root)
    })
}

/// Runs a script of the shell, which Windows doesn't have.
fn script(root: &Path, path: &str) -> Result<()> {
    if cfg!(windows) {
        eprintln!("SKIPPED: {path} needs a Unix shell");
        return Ok(());
    }
    finish(&mut Command::new(root.join(path)), root)
}

fn finish(command: &mut Command, root: &Path) -> Result<()> {
    let line = format!("{command:?}");
    let status = command.current_dir(root).status().with_context(|| format!("cannot run {line}"))?;
    ensure!(status.success(), "{line} ended with {status}");
    Ok(())
}

#[allow(clippy::print_stdout, reason = "the rows are what was asked for")]
fn main_job(root: &Path) -> Result<()> {
    let output = Command::new(metadata::cargo())
        .args(["run", "--quiet", "--features", "sandbox", "--", "--sandbox", "sql", "-o", "csv", MAIN_JOB])
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run brick")?;
    let rows = String::from_utf8_lossy(&output.stdout);
    print!("{rows}");
    ensure!(output.status.success(), "brick ended with {}", output.status);
    ensure!(rows.lines().count() == 6, "a header and five rows were expected");
    Ok(())
}

fn clippy(root: &Path) -> Result<()> {
    let arguments = format!("clippy --workspace --all-targets --features {FEATURES}");
    cargo(root, &if toolchain::is_tested(root)? { arguments + " -- -D warnings" } else { arguments })
}

fn docs(root: &Path) -> Result<()> {
    cargo(root, "xtask docs --check")?;
    let mut command = Command::new(metadata::cargo());
    command.args(["doc", "--workspace", "--no-deps", "--quiet", "--features", FEATURES]);
    if toolchain::is_tested(root)? {
        command.env("RUSTDOCFLAGS", "-D warnings");
    }
    finish(&mut command, root)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use anyhow::bail;

    use super::{STEPS, Step, list, run, select};

    const TOYS: [Step; 3] = [
        Step { name: "good", about: "passes", run: |_| Ok(()) },
        Step { name: "bad", about: "fails", run: |_| bail!("the reason") },
        Step { name: "never", about: "comes too late", run: |_| panic!("ran after a failure") },
    ];

    fn names(steps: &[&Step]) -> Vec<&'static str> {
        steps.iter().map(|step| step.name).collect()
    }

    fn strings(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn steps_run_by_name_or_all_but_the_skipped_ones() {
        assert_eq!(names(&select(&TOYS, &[], &[]).unwrap()), ["good", "bad", "never"]);
        assert_eq!(names(&select(&TOYS, &strings(&["never", "good"]), &[]).unwrap()), ["never", "good"]);
        assert_eq!(names(&select(&TOYS, &[], &strings(&["bad"])).unwrap()), ["good", "never"]);
    }

    #[test]
    fn an_unknown_step_is_an_error_that_lists_the_known_ones() {
        for (named, skipped) in [(strings(&["good", "tset"]), vec![]), (vec![], strings(&["tset"]))] {
            let error = select(&TOYS, &named, &skipped).err().unwrap().to_string();
            assert!(error.starts_with("there is no step `tset`; the steps are:\n  good "), "{error}");
            assert!(error.contains("\n  never "), "{error}");
        }
    }

    #[test]
    fn the_first_failure_ends_the_run_and_is_named() {
        let steps = select(&TOYS, &[], &[]).unwrap();
        let error = format!("{:#}", run(&steps, Path::new(".")).unwrap_err());
        assert_eq!(error, "the step `bad` failed; repeat it with `cargo xtask ci bad`: the reason");
    }

    #[test]
    fn each_step_has_a_name_of_its_own() {
        let mut known: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        known.sort_unstable();
        known.dedup();
        assert_eq!(known.len(), STEPS.len());
        assert_eq!(list(&STEPS).lines().count(), STEPS.len());
    }
}
