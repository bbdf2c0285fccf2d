//! Uses the generated client with a credential of one's own: here, a token that another program writes to a file.
//!
//! `cargo run --example own_credential -- token.txt`, with `DATABRICKS_HOST` in the environment.
#![allow(clippy::print_stdout, reason = "an example shows what it got")]

use std::{env, path::PathBuf};

use brickwire_client::Client;
use brickwire_wire::{Authorization, BoxFuture, Credential, Error, Host, HttpOptions, Result, Secret, Wire};

#[derive(Debug)]
struct TokenFile(PathBuf);

impl Credential for TokenFile {
    fn authorization(&self) -> BoxFuture<'_, Result<Authorization>> {
        Box::pin(async move {
            let text = tokio::fs::read_to_string(&self.0).await.map_err(|error| {
                Error::configuration(format!("cannot read the token: {}", self.0.display()))
                    .with_source(error)
            })?;
            Ok(Authorization::bearer(Secret::new(text).cleaned("token")?))
        })
    }

    fn refused(&self, _: &Authorization) -> bool {
        // The other program may have written a new one.
        true
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let file = env::args().nth(1).ok_or_else(|| Error::usage("name the file with the token"))?;
    let host = Host::parse(&env::var("DATABRICKS_HOST").unwrap_or_default())?;
    let wire = Wire::builder(HttpOptions::new(host)).build()?.with_credential(TokenFile(file.into()));
    let user = Client::from(wire).users_me(&Default::default()).await?;
    println!("{}", user.user_name.as_deref().unwrap_or("a user without a name"));
    Ok(())
}
