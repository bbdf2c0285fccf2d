//! Prints the public API that a file of rustdoc's JSON describes, one item to a line.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    let Some(file) = env::args_os().nth(1) else {
        eprintln!("usage: list-public-api FILE");
        return ExitCode::FAILURE;
    };
    // Blanket, automatic and derived implementations would be three quarters of the listing.
    let built = public_api::Builder::from_rustdoc_json(file)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build();
    match built {
        Ok(api) => {
            print!("{api}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
