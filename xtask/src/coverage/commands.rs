//! The commands: which operations the code of each leads to.
//!
//! The code of a command is its arm in a `match`, and the functions of the same command's files that it calls. The methods
//! that it calls are looked up among the actions of the service with the command's name, and then among those of the
//! other services that the files reach. Commands that the reference lacks are left out.

mod calls;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context, Result};
use heck::ToKebabCase;
use quote::ToTokens;
use syn::{Attribute, Fields, Item, ItemEnum, ItemStruct, Type, visit::Visit};

use self::calls::{Body, Call, Calls, Reached};
use super::{
    actions::Actions,
    rust::{self, Function, Source},
};

/// The commands that lead to each operation, such as `brick jobs list`; those first that lead to few others.
pub(super) fn read(root: &Path, actions: &Actions) -> Result<BTreeMap<String, Vec<String>>> {
    let reference = root.join("docs/commands.md");
    let reference =
        fs::read_to_string(&reference).with_context(|| format!("cannot read {}", reference.display()))?;
    let known: BTreeSet<&str> =
        reference.lines().filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`')).collect();
    let mut by_noun: BTreeMap<String, Vec<Source>> = BTreeMap::new();
    for source in rust::load(&root.join("crates/cli/src/commands"))? {
        by_noun.entry(source.service()).or_default().push(source);
    }
    let mut found: BTreeMap<String, BTreeSet<(usize, String)>> = BTreeMap::new();
    for (noun, sources) in &by_noun {
        let files = Files::new(noun, sources, actions);
        for (command, body) in files.commands() {
            if known.contains(command.as_str()) {
                let operations = files.operations(&body);
                for operation in &operations {
                    found
                        .entry((*operation).to_owned())
                        .or_default()
                        .insert((operations.len(), command.clone()));
                }
            }
        }
    }
    let names =
        |commands: BTreeSet<(usize, String)>| commands.into_iter().map(|(_, command)| command).collect();
    Ok(found.into_iter().map(|(operation, commands)| (operation, names(commands))).collect())
}

/// The files of one command, with its subcommands.
struct Files<'a> {
    noun: &'a str,
    enums: BTreeMap<String, &'a ItemEnum>,
    structs: BTreeMap<String, &'a ItemStruct>,
    functions: Vec<Function>,
    actions: &'a Actions,
    /// The services that the files reach, the one with the command's name first.
    services: Vec<&'a str>,
}

impl<'a> Files<'a> {
    fn new(noun: &'a str, sources: &'a [Source], actions: &'a Actions) -> Self {
        let mut files = Self {
            noun,
            enums: BTreeMap::new(),
            structs: BTreeMap::new(),
            functions: sources.iter().flat_map(Source::functions).collect(),
            actions,
            services: vec![noun],
        };
        for item in sources.iter().flat_map(|source| &source.file.items) {
            match item {
                Item::Enum(item) if derives(&item.attrs, "Subcommand") => {
                    files.enums.insert(item.ident.to_string(), item);
                }
                Item::Struct(item) => drop(files.structs.insert(item.ident.to_string(), item)),
                _ => {}
            }
        }
        let mut reached = Reached::default();
        files.functions.iter().for_each(|function| reached.visit_block(&function.block));
        files.services.extend(reached.names.iter().filter_map(|name| actions.service(name)));
        files
    }

    /// All commands that do something, with their code.
    fn commands(&self) -> Vec<(String, Body<'_>)> {
        let mut commands = Vec::new();
        self.collect("Command", &format!("brick {}", self.noun.to_kebab_case()), &mut commands);
        commands
    }

    /// The subcommands of a type, or the command that it is.
    fn collect<'f>(&'f self, kind: &str, prefix: &str, commands: &mut Vec<(String, Body<'f>)>) {
        if let Some(subcommands) = self.enums.get(kind) {
            for variant in &subcommands.variants {
                let name = name(&variant.attrs).unwrap_or_else(|| variant.ident.to_string().to_kebab_case());
                let command = format!("{prefix} {name}");
                match self.nested(&variant.fields) {
                    Some(inner) => self.collect(&inner, &command, commands),
                    None => commands
                        .push((command, Body::of_arm(kind, &variant.ident.to_string(), &self.functions))),
                }
            }
        } else if let Some(inner) = self.structs.get(kind).and_then(|it| self.nested(&it.fields)) {
            self.collect(&inner, prefix, commands);
        } else {
            commands.push((prefix.to_owned(), Body::of_function("run", &self.functions)));
        }
    }

    /// The enum of subcommands, or the structure that holds one, among the fields.
    fn nested(&self, fields: &Fields) -> Option<String> {
        let names = fields.iter().filter_map(|field| inner_name(&field.ty));
        names.into_iter().find(|name| {
            let holds = |it: &&ItemStruct| self.nested(&it.fields).is_some();
            self.enums.contains_key(name) || self.structs.get(name).is_some_and(holds)
        })
    }

    /// The operations that the code leads to.
    fn operations(&self, body: &Body) -> BTreeSet<&str> {
        let calls = Calls::of(body, &self.functions);
        let lead = |(receiver, method): &Call| {
            let receiver = receiver.as_deref().unwrap_or_default();
            let mut services = self.services.iter();
            services
                .find_map(|service| self.actions.operations(service, receiver, method))
                .unwrap_or_default()
        };
        calls.methods.iter().flat_map(lead).collect()
    }
}

/// The name of a type, or of what an `Option` or a `Box` holds.
fn inner_name(kind: &Type) -> Option<String> {
    let Type::Path(path) = kind else { return None };
    let segment = path.path.segments.last()?;
    if let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments
        && let Some(syn::GenericArgument::Type(inner)) = arguments.args.first()
    {
        return inner_name(inner);
    }
    Some(segment.ident.to_string())
}

fn derives(attributes: &[Attribute], what: &str) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("derive") && rust::names(&attribute.meta).contains(what))
}

/// The name that `#[command(name = "...")]` gives.
fn name(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("command")).find_map(|attribute| {
        let text = attribute.meta.to_token_stream().to_string();
        let (_, rest) = text.split_once("(name = \"")?;
        rest.split_once('"').map(|(name, _)| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::read;
    use crate::coverage::actions::Actions;

    const ACTIONS: [(&str, &str); 2] = [
        (
            "toys.rs",
            "
            impl Workspace { pub fn toys(&self) -> Toys { Toys } }
            impl Toys {
                pub async fn list(&self) { client.toys_list() }
                pub async fn find(&self, name: &str) { client.toys_list() }
                pub async fn get(&self, id: &str) { client.toys_get() }
                pub async fn delete(&self, id: &str) { client.toys_delete() }
                pub async fn run(&self, id: &str) { client.toys_run() }
            }
            impl OldToy {
                pub async fn get(&self) { client.toys_get_old() }
            }",
        ),
        (
            "parts.rs",
            "
            impl Workspace { pub fn parts(&self) -> Parts { Parts } }
            impl Parts {
                pub async fn list(&self) { client.parts_list() }
                pub async fn attach(&self) { client.parts_attach() }
            }",
        ),
    ];

    const COMMANDS: [(&str, &str); 3] = [
        (
            "toys.rs",
            r#"
            #[derive(Debug, Subcommand)]
            pub(crate) enum Command {
                List,
                #[command(name = "show", after_help = "x")]
                Get { toy: String },
                DeleteAll(Which),
                #[command(subcommand)]
                Parts(PartsCommand),
                Old,
                Hidden,
            }
            #[derive(Debug, clap::Subcommand)]
            enum PartsCommand { Attach, List }

            pub(crate) async fn run(command: Command, context: &Context) -> Result {
                match command {
                    Command::List => context.output().list(&toys.list().await?, COLUMNS),
                    Command::Get { toy } => context.status(toys.get(&toy).await?.get()),
                    Command::DeleteAll(which) => which.delete(context).await,
                    Command::Parts(command) => parts::run(command, context).await,
                    Command::Old => toys.old_toy(1).get(true).await,
                    Command::Hidden => toys.delete("1").await,
                }
            }
            impl Which {
                async fn delete(self, context: &Context) -> Result {
                    let toy = names.iter().find(|name| name == self.name);
                    of(context).delete(toy).await
                }
            }
            fn of(context: &Context) -> Toys { context.workspace().toys() }
            "#,
        ),
        (
            "toys/parts.rs",
            "
            pub(super) async fn run(command: PartsCommand, context: &Context) -> Result {
                match command {
                    PartsCommand::List | PartsCommand::Attach if context.is_dry() => Ok(()),
                    PartsCommand::Attach => context.workspace().parts().attach().await,
                    PartsCommand::List => Ok(()),
                }
            }",
        ),
        (
            "play.rs",
            r#"
            #[derive(clap::Args)]
            pub(crate) struct Command { toy: String }
            pub(crate) async fn run(command: Command, context: &Context) -> Result {
                let toys = context.workspace().toys();
                let id = toys.find(&command.toy).await?;
                print(json!({ "id": toys.run(&id).await? }))
            }"#,
        ),
    ];

    #[test]
    fn commands_lead_to_the_operations_of_the_actions_that_they_call() {
        let root = tempfile::tempdir().unwrap();
        let write = |folder: &str, files: &[(&str, &str)]| {
            for (name, text) in files {
                let path = root.path().join(folder).join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
        };
        write("crates/actions/src", &ACTIONS);
        write("crates/cli/src/commands", &COMMANDS);
        let reference = "## `brick toys list`\n## `brick toys show`\n## `brick toys delete-all`\n## `brick toys old`\n\
                         ## `brick toys parts attach`\n## `brick toys parts list`\n## `brick play`\n";
        write("docs", &[("commands.md", reference)]);
        let ids = [
            "toys_list",
            "toys_get",
            "toys_delete",
            "toys_run",
            "toys_get_old",
            "parts_list",
            "parts_attach",
        ];
        let actions = Actions::read(&root.path().join("crates/actions/src"), &ids).unwrap();
        let found = read(root.path(), &actions).unwrap();
        let commands: Vec<_> =
            found.iter().map(|(id, commands)| (id.as_str(), commands.join(", "))).collect();
        let expected = [
            ("parts_attach", "brick toys parts attach"),
            ("toys_delete", "brick toys delete-all"),
            ("toys_get", "brick toys show"),
            ("toys_get_old", "brick toys old"),
            ("toys_list", "brick toys list, brick play"),
            ("toys_run", "brick play"),
        ];
        assert_eq!(commands, expected.map(|(id, commands)| (id, commands.to_owned())));
    }
}
