//! Privileges, against a scripted service.

use brickwire_actions::{
    ErrorKind, Securable,
    types::{PermissionsChange, Privilege},
};
use brickwire_testserver::{End, Response};

use crate::catalogs::{lines, missing, script};

fn change(principal: &str, add: &[&str], remove: &[&str]) -> PermissionsChange {
    let privileges = |names: &[&str]| Some(names.iter().map(|name| Privilege::from(*name)).collect());
    PermissionsChange {
        principal: Some(principal.to_owned()),
        add: privileges(add),
        remove: privileges(remove),
    }
}

fn sales() -> Securable {
    Securable::parse("TABLE", "main.default.sales").unwrap()
}

#[tokio::test]
async fn privileges_are_read_page_by_page() {
    let (server, workspace) = script([
        Response::json(r#"{"next_page_token":"t"}"#),
        Response::json(
            r#"{"privilege_assignments":[{"principal":"a b","privileges":["SELECT","TELEPORT"]},{"principal":"c","privileges":null}]}"#,
        ),
    ]);
    let all = workspace.grants().get(&sales(), Some("a b")).await.unwrap();
    let privileges: Vec<_> = all[0].privileges.iter().flatten().map(Privilege::as_str).collect();
    assert_eq!((privileges, all[1].privileges.is_none()), (vec!["SELECT", "TELEPORT"], true));
    let first = "GET /api/2.1/unity-catalog/permissions/table/main.default.sales?max_results=0";
    assert_eq!(
        lines(&server),
        [format!("{first}&principal=a+b"), format!("{first}&page_token=t&principal=a+b")]
    );
    let effective = r#"{"privilege_assignments":[{"principal":"c","privileges":[
        {"privilege":"SELECT","inherited_from_type":"CATALOG","inherited_from_name":"main"},{"privilege":"MODIFY"}]}]}"#;
    let (server, workspace) = script([Response::json(effective)]);
    let all = workspace.grants().get_effective(&sales(), None).await.unwrap();
    let privileges = all[0].privileges.as_ref().unwrap();
    assert_eq!(privileges[0].inherited_from_name.as_deref(), Some("main"));
    assert_eq!(
        (privileges[1].privilege.as_ref(), &privileges[1].inherited_from_name),
        (Some(&Privilege::Modify), &None)
    );
    assert_eq!(
        lines(&server),
        ["GET /api/2.1/unity-catalog/effective-permissions/table/main.default.sales?max_results=0"]
    );
}

#[tokio::test]
async fn a_change_is_checked_and_then_sent_as_it_is() {
    let (server, workspace) = script([Response::none(End::Reset), Response::json("{}")]);
    let grants = workspace.grants();
    for wrong in [
        vec![],
        vec![change(" ", &["SELECT"], &[])],
        vec![change("ada", &[], &[])],
        vec![change("ada", &[""], &[])],
        // The good one before it isn't sent either.
        vec![change("ben", &["SELECT"], &[]), change("ada", &["SELECT", "MODIFY"], &["MODIFY"])],
    ] {
        let error = grants.update(&sales(), &wrong).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    }
    assert_eq!(grants.get(&sales(), Some(" ")).await.unwrap_err().kind(), ErrorKind::Usage);
    assert!(server.requests().is_empty());
    // The same principal twice is the service's affair, and a second send leaves the same privileges.
    grants.update(&sales(), &[change("ada", &["SELECT"], &["MODIFY"])]).await.unwrap();
    assert_eq!(lines(&server), ["PATCH /api/2.1/unity-catalog/permissions/table/main.default.sales"; 2]);
    let sent = r#"{"changes":[{"add":["SELECT"],"principal":"ada","remove":["MODIFY"]}]}"#;
    assert_eq!(server.requests()[1].text(), sent);
    let (server, workspace) = script([missing("PRINCIPAL_DOES_NOT_EXIST")]);
    let error = workspace.grants().update(&sales(), &[change("eve", &["SELECT"], &[])]).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (ErrorKind::NotFound, 1));
}

#[test]
fn a_securable_has_a_name_that_fits_its_kind() {
    for (kind, name) in [
        ("catalog", "main.default"),
        ("schema", "main"),
        ("table", "main.default"),
        ("function", "f"),
        ("volume", ""),
        ("metastore", ""),
        ("", "main"),
        ("../tables", "main"),
    ] {
        assert_eq!(Securable::parse(kind, name).unwrap_err().kind(), ErrorKind::Usage, "{kind} {name}");
    }
    let new = Securable::parse("Model Provider-Service", "a.b").unwrap();
    assert_eq!((new.kind(), new.full_name().as_str()), ("model_provider_service", "a.b"));
}
