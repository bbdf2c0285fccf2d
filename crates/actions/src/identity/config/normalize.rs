//! Values that other programs write and that mean something else than they say: the vendor's own spellings of settings
//! that this connector has under one name.

use super::{
    attribute::{Attribute, attribute},
    settings::{Ignored, Setting},
};
use crate::Secret;

/// The user name that stands for a personal access token in the field for the password.
const TOKEN_USER: &str = "token";
/// What the Databricks CLI writes as `workspace_id` if the user skipped the choice of a workspace.
const NO_WORKSPACE: &str = "none";

/// Rewrites the settings of one source. What is left out goes to `ignored`.
pub(crate) fn normalize(settings: Vec<Setting>, ignored: &mut Vec<Ignored>) -> Vec<Setting> {
    let mut settings = settings;
    settings.retain(|setting| {
        let is_none = setting.attribute.name == "workspace_id" && is_text(setting, NO_WORKSPACE);
        if is_none {
            let reason = "none says that no workspace was chosen, and is no id".to_owned();
            ignored.push(Ignored::new(setting, reason));
        }
        !is_none
    });
    http_path(&mut settings, ignored);
    token_user(&mut settings, ignored);
    settings
}

/// Uses the password of the user `token` as the token that it is.
pub(crate) fn token_user(settings: &mut Vec<Setting>, ignored: &mut Vec<Ignored>) {
    let find = |name: &str| settings.iter().position(|s| s.attribute.name == name);
    let (Some(user), Some(password), Some(token)) = (find("username"), find("password"), attribute("token"))
    else {
        return;
    };
    if !is_text(&settings[user], TOKEN_USER) {
        return;
    }
    match find("token") {
        Some(at) if settings[at].value != settings[password].value => return,
        Some(_) => {
            ignored.push(Ignored::new(&settings[password], "it repeats the token".to_owned()));
            settings.retain(|s| s.attribute.name != "password");
        }
        None => settings[password].attribute = token,
    }
    for setting in settings.iter_mut() {
        if setting.attribute.name == "auth_type" && is_text(setting, "basic") {
            setting.value = Secret::new("pat");
        }
    }
    let is_user = |s: &Setting| s.attribute.name == "username";
    let reason = "the password of the user `token` is a personal access token, and used as one";
    ignored.extend(settings.iter().filter(|s| is_user(s)).map(|s| Ignored::new(s, reason.to_owned())));
    settings.retain(|s| !is_user(s));
}

/// Takes the warehouse from the HTTP path that the workspace's connection details show.
fn http_path(settings: &mut Vec<Setting>, ignored: &mut Vec<Ignored>) {
    let Some(at) = settings.iter().position(|s| s.attribute.name == "http_path") else { return };
    let mut setting = settings.remove(at);
    let named = |name: &str| settings.iter().any(|s| s.attribute.name == name);
    let found: Option<(&'static Attribute, String)> =
        compute_of(setting.value.expose()).and_then(|(name, id)| Some((attribute(name)?, id.to_owned())));
    match found {
        Some((attribute, id)) if !named(attribute.name) => {
            (setting.attribute, setting.value) = (attribute, Secret::new(id));
            settings.insert(at, setting);
        }
        Some((attribute, _)) => {
            ignored.push(Ignored::new(&setting, format!("{} comes first", attribute.name)));
        }
        None => {
            let reason = "it names neither a warehouse (/sql/1.0/warehouses/ID) nor a cluster";
            ignored.push(Ignored::new(&setting, reason.to_owned()));
        }
    }
}

/// The setting that an HTTP path stands for, and the id in it: `/sql/1.0/warehouses/ID`, `/sql/1.0/endpoints/ID` (the
/// older name of warehouses), or `/sql/protocolv1/o/WORKSPACE/CLUSTER`.
pub(crate) fn compute_of(path: &str) -> Option<(&'static str, &str)> {
    let path = path.trim().trim_matches('/');
    let (name, id) = match path.split('/').collect::<Vec<_>>()[..] {
        ["sql", "1.0", "warehouses" | "endpoints", id] => ("warehouse_id", id),
        ["sql", "protocolv1", "o", _, id] => ("cluster_id", id),
        _ => return None,
    };
    let id = id.split('?').next().unwrap_or_default();
    (!id.is_empty()).then_some((name, id))
}

fn is_text(setting: &Setting, text: &str) -> bool {
    setting.value.expose().trim().eq_ignore_ascii_case(text)
}

#[cfg(test)]
mod tests {
    use super::compute_of;

    #[test]
    fn reads_http_paths() {
        for (path, expected) in [
            ("/sql/1.0/warehouses/0123456789abcdef", Some(("warehouse_id", "0123456789abcdef"))),
            ("sql/1.0/endpoints/0123456789abcdef/", Some(("warehouse_id", "0123456789abcdef"))),
            ("/sql/1.0/warehouses/0123456789abcdef?o=1", Some(("warehouse_id", "0123456789abcdef"))),
            ("/sql/protocolv1/o/42/0123-456789-abc", Some(("cluster_id", "0123-456789-abc"))),
            ("/sql/1.0/warehouses/", None),
            ("0123456789abcdef", None),
        ] {
            assert_eq!(compute_of(path), expected, "{path}");
        }
    }
}
