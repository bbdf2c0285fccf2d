//! From the description to the text of the generated file: the steps in order.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use progenitor::{GenerationSettings, Generator, InterfaceStyle, TagStyle};

use crate::{lint, load, postprocess, preprocess};

/// Loads and checks the description in `spec`; returns how many operations it has.
pub(crate) fn check(spec: &Path) -> Result<usize> {
    let mut document = load::load(spec)?;
    lint::lint(&document)?;
    Ok(preprocess::preprocess(&mut document)?.operations.len())
}

/// Generates the file's text; `root` is where `rustfmt.toml` lies.
pub(crate) fn generate(spec: &Path, root: &Path) -> Result<String> {
    let mut document = load::load(spec)?;
    lint::lint(&document)?;
    let annotations = preprocess::preprocess(&mut document)?;
    let description: openapiv3::OpenAPI =
        serde_json::from_value(document).context("the preprocessed description is not OpenAPI 3.0")?;

    let mut settings = GenerationSettings::default();
    settings
        .with_interface(InterfaceStyle::Positional)
        .with_tag(TagStyle::Merged)
        .with_map_type("::std::collections::BTreeMap")
        .with_derive("PartialEq");
    let tokens = Generator::new(&settings).generate_tokens(&description).context("progenitor failed")?;
    let mut file: syn::File = syn::parse2(tokens).context("progenitor's output is not Rust")?;
    postprocess::postprocess(&mut file, &annotations)?;
    let text = format!("{}\n{}", postprocess::HEADER, prettyplease::unparse(&file));
    rustfmt(&text, root)
}

fn rustfmt(text: &str, root: &Path) -> Result<String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run rustfmt")?;
    let mut stdin = child.stdin.take().context("rustfmt has no input")?;
    let input = text.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().context("cannot read from rustfmt")?;
    writer.join().ok().context("writing to rustfmt panicked")?.context("cannot write to rustfmt")?;
    ensure!(output.status.success(), "rustfmt failed");
    String::from_utf8(output.stdout).context("rustfmt's output is not UTF-8")
}
