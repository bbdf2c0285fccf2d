use super::*;
use crate::Environment;

const FILE: &str = "\
[DEFAULT]
host = https://d.example
token = dapi-d

# reports
[work]
host = https://w.example/?o=1
username = token
password = dapi-old
workspace_id = 1
http_path = /sql/1.0/warehouses/w
scopes = sql
my_own = key
";

struct Home(tempfile::TempDir);

impl Home {
    fn new(file: Option<&str>) -> Self {
        let home = tempfile::tempdir().unwrap();
        if let Some(file) = file {
            fs::write(home.path().join(".databrickscfg"), file).unwrap();
        }
        Self(home)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join(".databrickscfg")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    fn builder(&self, variables: &[(&str, &str)]) -> ConfigBuilder {
        let environment = Environment::new(variables.iter().copied()).with_home(self.0.path());
        Config::builder().environment(environment)
    }

    fn save(&self, profile: &Profile) -> Result<PathBuf> {
        let saved = self.builder(&[]).save_profile(profile);
        // Whatever happens, no temporary file stays.
        let names = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(names.into_iter().all(|name| !name.to_string_lossy().starts_with(".databrickscfg.")));
        saved
    }
}

#[test]
fn a_new_credential_replaces_the_old_one_and_nothing_else() {
    let home = Home::new(Some(FILE));
    let path =
        home.save(&Profile::new("work").with("host", "w.example").with("token", " dapi-new\n")).unwrap();
    assert_eq!(path, home.path());
    let expected = FILE
        .replace("https://w.example/?o=1", "https://w.example")
        .replace("username = token\npassword = dapi-old\n", "")
        .replace("my_own = key\n", "my_own = key\ntoken = dapi-new\n");
    assert_eq!(home.text(), expected);
    home.save(&Profile::new("work").with("warehouse_id", "v")).unwrap();
    let expected = expected
        .replace("http_path = /sql/1.0/warehouses/w\n", "")
        .replace("token = dapi-new\n", "token = dapi-new\nwarehouse_id = v\n");
    assert_eq!(home.text(), expected, "the credential stays");
    home.save(&Profile::new("work").with_login()).unwrap();
    assert_eq!(home.text(), expected.replace("token = dapi-new\n", ""));
}

#[test]
fn another_host_leaves_nothing_of_the_old_workspace() {
    let home = Home::new(Some(FILE));
    home.save(&Profile::new("work").with("host", "https://x.example/sql?o=2").with_login()).unwrap();
    let work = "[work]\nhost = https://x.example\nworkspace_id = 2\nscopes = sql\nmy_own = key\n";
    assert_eq!(home.text(), format!("{}{work}", &FILE[..FILE.find("[work]").unwrap()]));
}

#[test]
fn a_preview_is_what_is_saved_and_writes_nothing() {
    let home = Home::new(None);
    let variables =
        [("DATABRICKS_HOST", "e.example"), ("DATABRICKS_TOKEN", "et"), ("DATABRICKS_CLIENT_ID", "c")];
    let builder = home.builder(&variables);
    let profile = Profile::new("work").with("host", "w.example").with("token", "dapi-1").as_default();
    let config = builder.preview_profile(&profile).unwrap();
    assert!(!home.path().exists());
    assert_eq!((config.host().unwrap().as_str(), config.auth_type()), ("https://w.example", Some("pat")));
    assert!(!format!("{profile:?}{config:?}").contains("dapi-1"));
    builder.save_profile(&profile).unwrap();
    let section = "[work]\nhost = https://w.example\ntoken = dapi-1\n";
    assert_eq!(home.text(), format!("{section}\n[__settings__]\ndefault_profile = work\n"));
    assert_eq!(home.builder(&[]).resolve().unwrap().profile(), Some("work"));
}

#[test]
fn the_default_profile_is_one_that_exists() {
    let home = Home::new(Some(FILE));
    home.builder(&[]).set_default_profile("work").unwrap();
    assert_eq!(home.text(), format!("{FILE}\n[__settings__]\ndefault_profile = work\n"));
    home.builder(&[]).set_default_profile("DEFAULT").unwrap();
    assert_eq!(home.text(), format!("{FILE}\n[__settings__]\ndefault_profile = DEFAULT\n"));
    let error = home.builder(&[]).set_default_profile("wrok").unwrap_err();
    assert_eq!(
        (error.kind(), error.hint()),
        (ErrorKind::Configuration, Some("its profiles are: DEFAULT, work"))
    );
    assert_eq!(home.builder(&[]).set_default_profile("__settings__").unwrap_err().kind(), ErrorKind::Usage);
    assert!(Home::new(None).builder(&[]).set_default_profile("work").is_err());
}

#[test]
fn what_can_not_be_written_is_refused_and_the_file_stays() {
    let home = Home::new(Some(FILE));
    for (name, setting, value, word) in [
        ("", "host", "h.example", "empty"),
        ("a]", "host", "h.example", "brackets"),
        ("__settings__", "host", "h.example", "reserved"),
        ("p", "host", "ftp://h.example", "scheme"),
        ("p", "token", "a b", "blanks"),
        ("p", "token", "a\n[DEFAULT]", "blanks"),
        ("p", "warehouse_id", "a\nhost = evil.example", "control"),
        ("p", "client_id", " ", "empty"),
        ("p", "account_id", "a/b", "must be"),
        ("p", "token_url", "https://evil.example", "no setting"),
        ("p", "profile", "q", "no setting"),
        ("p", "tokn", "t", "no setting"),
    ] {
        let error = home.save(&Profile::new(name).with(setting, value)).unwrap_err();
        assert!(error.to_string().contains(word), "{name} {setting}: {error}");
    }
    assert_eq!(home.text(), FILE);
    for broken in [&b"[p]\nno key\n"[..], b"[p]\nhost = \xff\n"] {
        fs::write(home.path(), broken).unwrap();
        assert_eq!(
            home.save(&Profile::new("p").with("token", "t")).unwrap_err().kind(),
            ErrorKind::Configuration
        );
        assert_eq!(fs::read(home.path()).unwrap(), broken);
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_reads_it_and_links_and_read_only_files_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let profile = Profile::new("new").with("host", "n.example").with("token", "t");

    let home = Home::new(None);
    home.save(&profile).unwrap();
    assert_eq!(mode(&home.path()), 0o600);
    set(&home.path(), 0o644);
    home.save(&profile.clone().with("token", "u")).unwrap();
    assert_eq!(mode(&home.path()), 0o600);
    set(&home.path(), 0o444);
    let before = home.text();
    let error = home.save(&profile.clone().with("token", "v")).unwrap_err();
    assert!(error.to_string().starts_with("the configuration file is read-only: "), "{error}");
    assert_eq!((home.text(), mode(&home.path())), (before, 0o444));

    let home = Home::new(None);
    let real = home.0.path().join("real");
    fs::write(&real, FILE).unwrap();
    symlink("real", home.path()).unwrap();
    home.save(&profile).unwrap();
    assert!(home.path().is_symlink() && fs::read_to_string(&real).unwrap().starts_with(FILE));
    assert!(fs::read_to_string(&real).unwrap().ends_with("[new]\nhost = https://n.example\ntoken = t\n"));
    fs::remove_file(&real).unwrap();
    let error = home.save(&profile).unwrap_err();
    assert!(error.to_string().contains("can't be read") && !real.exists(), "{error}");

    let elsewhere = [("DATABRICKS_CONFIG_FILE", "/no/such/folder/cfg")];
    let error = home.builder(&elsewhere).save_profile(&profile).unwrap_err();
    assert!(error.to_string().contains("no such folder: /no/such/folder"), "{error}");
}
