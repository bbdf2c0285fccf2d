"""The same files and variables, read by `brick config show` and by the vendor's Python SDK: the same configuration.

    pip install databricks-sdk
    python3 tests/compare_config.py BRICK

Every value that either of them knows is compared. Where they differ on purpose the case names the value, both readings
and the reason, and the difference itself is asserted. Prints one line per case and `N passed, M failed`; exits with 1 if
anything failed.
"""

import json
import logging
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import traceback
from dataclasses import dataclass, field
from pathlib import Path

import requests
from databricks.sdk.config import Config

AWS = "https://dbc-1.cloud.databricks.com"
AZURE = "https://adb-1.2.azuredatabricks.net"
ERROR = "an error"


@dataclass
class Case:
    name: str
    file: str | None = None
    env: dict = field(default_factory=dict)
    # What the caller says: `--profile` and `--host`, or the SDK's keyword arguments.
    given: dict = field(default_factory=dict)
    # What both must read, beside being equal: the credential's kind, or words of their errors.
    kind: str | None = None
    fails: tuple = ()
    # value: (brick's, the SDK's, why). "outcome" is the whole: ERROR, or a kind.
    differs: dict = field(default_factory=dict)
    # Programs that are installed.
    programs: tuple = ()


DEFAULT_IS_NAMED = {"profile": ("DEFAULT", None, "the profile in use is shown, also when nobody named it")}

CASES = [
    Case(
        "a token in DEFAULT",
        f"[DEFAULT]\nhost = {AWS}\ntoken = dapi-1\nwarehouse_id = abc\n",
        kind="pat",
        differs=DEFAULT_IS_NAMED,
    ),
    Case(
        "no profile inherits from DEFAULT",
        f"[DEFAULT]\nhost = {AZURE}\ntoken = dapi-1\ncluster_id = 0123-1\n[work]\nhost = {AWS}\ntoken = dapi-2\n",
        env={"DATABRICKS_CONFIG_PROFILE": "work"},
        kind="pat",
    ),
    Case(
        "the file's own default profile",
        f"[__settings__]\ndefault_profile = work\n[DEFAULT]\nhost = {AZURE}\ntoken = a\n[work]\nhost = {AWS}\ntoken = b\n",
        kind="pat",
    ),
    Case(
        "variables alone; the file is not read",
        f"[DEFAULT]\nhost = {AZURE}\ntoken = dapi-1\ncluster_id = 0123-1\n",
        env={"DATABRICKS_HOST": AWS, "DATABRICKS_TOKEN": "dapi-2", "DATABRICKS_WAREHOUSE_ID": "abc"},
        kind="pat",
    ),
    Case(
        "empty is not given",
        f"[DEFAULT]\nhost = {AWS}\ntoken = dapi-1\ncluster_id = c\n",
        env={"DATABRICKS_HOST": "", "DATABRICKS_TOKEN": "", "DATABRICKS_CLUSTER_ID": ""},
        kind="pat",
        differs=DEFAULT_IS_NAMED,
    ),
    Case(
        "Windows line ends, colons, capital keys, comments on lines of their own",
        f"; mine\r\n[work]\r\nHost: {AWS}\r\n# a token\r\nTOKEN = dapi#1;x%y=\r\n\r\n",
        env={"DATABRICKS_CONFIG_PROFILE": "work"},
        kind="pat",
    ),
    Case(
        "a host without https and with a slash",
        "[work]\nhost = dbc-1.cloud.databricks.com/\ntoken = dapi-1\n",
        given={"profile": "work"},
        kind="pat",
    ),
    Case(
        "a file elsewhere",
        f"[work]\nhost = {AWS}\ntoken = dapi-1\n",
        env={"DATABRICKS_CONFIG_FILE": "{dir}/.databrickscfg", "HOME": "/nonexistent", "DATABRICKS_CONFIG_PROFILE": "work"},
        kind="pat",
    ),
    Case(
        "a service principal",
        f"[work]\nhost = {AWS}\nclient_id = c\nclient_secret = s\n",
        given={"profile": "work"},
        kind="oauth-m2m",
    ),
    Case(
        "a service principal of an account",
        env={
            "DATABRICKS_HOST": "https://accounts.cloud.databricks.com",
            "DATABRICKS_ACCOUNT_ID": "00000000-0000-0000-0000-000000000001",
            "DATABRICKS_CLIENT_ID": "c",
            "DATABRICKS_CLIENT_SECRET": "s",
        },
        kind="oauth-m2m",
        differs={
            "token_audience": (None, "00000000-0000-0000-0000-000000000001", "the SDK derives it and shows it as a value")
        },
    ),
    Case(
        "an identity token in a variable",
        env={"DATABRICKS_HOST": AWS, "DATABRICKS_CLIENT_ID": "c", "DATABRICKS_OIDC_TOKEN": "jwt"},
        kind="env-oidc",
    ),
    Case(
        "an identity token in a file",
        env={
            "DATABRICKS_HOST": AWS,
            "DATABRICKS_CLIENT_ID": "c",
            "DATABRICKS_OIDC_TOKEN_FILEPATH": "{dir}/jwt",
            "DATABRICKS_AUTH_TYPE": "file-oidc",
        },
        kind="file-oidc",
    ),
    Case(
        "GitHub Actions",
        env={
            "DATABRICKS_HOST": AWS,
            "DATABRICKS_CLIENT_ID": "c",
            "DATABRICKS_AUTH_TYPE": "github-oidc",
            "ACTIONS_ID_TOKEN_REQUEST_URL": "https://actions.example/token",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t",
        },
        kind="github-oidc",
    ),
    Case(
        "an Azure service principal",
        env={"DATABRICKS_HOST": AZURE, "ARM_CLIENT_ID": "c", "ARM_CLIENT_SECRET": "s", "ARM_TENANT_ID": "t"},
        kind="azure-client-secret",
    ),
    Case(
        "the Azure CLI",
        f"[work]\nhost = {AZURE}\nauth_type = azure-cli\n",
        given={"profile": "work"},
        programs=("az",),
        kind="azure-cli",
    ),
    Case(
        "the vendor's CLI, asked for",
        f"[work]\nhost = {AWS}\nauth_type = databricks-cli\n",
        env={"DATABRICKS_CONFIG_PROFILE": "work"},
        programs=("databricks",),
        kind="databricks-cli",
    ),
    Case(
        "the vendor's CLI, found",
        env={"DATABRICKS_HOST": AWS},
        programs=("databricks",),
        kind="databricks-cli",
    ),
    Case(
        "a kind decides between two credentials",
        env={
            "DATABRICKS_HOST": AWS,
            "DATABRICKS_TOKEN": "dapi-1",
            "DATABRICKS_CLIENT_ID": "c",
            "DATABRICKS_CLIENT_SECRET": "s",
            "DATABRICKS_AUTH_TYPE": "oauth-m2m",
        },
        kind="oauth-m2m",
    ),
    Case(
        "two credentials",
        env={
            "DATABRICKS_HOST": AWS,
            "DATABRICKS_TOKEN": "dapi-1",
            "DATABRICKS_CLIENT_ID": "c",
            "DATABRICKS_CLIENT_SECRET": "s",
        },
        fails=("more than one authorization method configured: oauth and pat",),
    ),
    Case(
        "a profile that isn't there",
        f"[work]\nhost = {AWS}\ntoken = dapi-1\n",
        env={"DATABRICKS_CONFIG_PROFILE": "wrok"},
        fails=("wrok",),
    ),
    Case(
        "settings of the file are no profile",
        f"[__settings__]\ndefault_profile = work\n[work]\nhost = {AWS}\ntoken = dapi-1\n",
        given={"profile": "__settings__"},
        fails=("__settings__ is a reserved section name",),
    ),
    # From here on: where the two differ, and why.
    Case(
        "quotes and comments behind values",
        f"[work]\nhost = '{AWS}' # mine\ntoken = dapi-1 ; mine\ncluster_id = \"0123-1\"\n",
        given={"profile": "work"},
        kind="pat",
        differs={
            "host": (AWS, f"https://'{AWS}' # mine".replace("https://'", "'"), "read as the vendor's CLI and Go SDK do"),
            "cluster_id": ("0123-1", '"0123-1"', "read as the vendor's CLI and Go SDK do"),
        },
    ),
    Case(
        "a byte-order mark",
        f"\ufeff[work]\nhost = {AWS}\ntoken = dapi-1\n",
        given={"profile": "work"},
        differs={"outcome": ("pat", ERROR, "editors leave it, and the vendor's CLI accepts it")},
    ),
    Case(
        "a key that comes twice",
        f"[work]\nhost = {AZURE}\nhost = {AWS}\ntoken = dapi-1\n",
        given={"profile": "work"},
        differs={"outcome": ("pat", ERROR, "the last counts, as in the vendor's CLI")},
    ),
    Case(
        "an identity token in a file, and nothing that says so",
        env={"DATABRICKS_HOST": AWS, "DATABRICKS_CLIENT_ID": "c", "DATABRICKS_OIDC_TOKEN_FILEPATH": "{dir}/jwt"},
        differs={"outcome": ("file-oidc", ERROR, "a client id without a secret belongs to the identity beside it")},
    ),
    Case(
        "an address from the browser",
        env={"DATABRICKS_HOST": f"{AWS}/?o=123", "DATABRICKS_TOKEN": "dapi-1"},
        kind="pat",
        differs={
            "host": (AWS, f"{AWS}?o=123", "a pasted address works, and names the workspace"),
            "workspace_id": ("123", None, "a pasted address works, and names the workspace"),
        },
    ),
    Case(
        "a named profile beside variables",
        f"[work]\nhost = {AWS}\ntoken = dapi-1\n",
        given={"profile": "work"},
        env={"DATABRICKS_HOST": AZURE, "DATABRICKS_TOKEN": "dapi-2"},
        kind="pat",
        differs={"host": (AWS, AZURE, "whoever names a profile means it: it is taken whole")},
    ),
    Case(
        "a token given for another host",
        given={"host": AWS},
        env={"DATABRICKS_HOST": AZURE, "DATABRICKS_TOKEN": "dapi-1"},
        differs={"outcome": (ERROR, "pat", "a token for one workspace must not travel to another")},
    ),
    Case(
        "a host without TLS",
        env={"DATABRICKS_HOST": "http://dbc-1.cloud.databricks.com", "DATABRICKS_TOKEN": "dapi-1"},
        differs={"outcome": (ERROR, "pat", "a token would travel in clear")},
    ),
    Case(
        "a user's name and password",
        env={"DATABRICKS_HOST": AWS, "DATABRICKS_USERNAME": "u", "DATABRICKS_PASSWORD": "p"},
        differs={"outcome": (ERROR, "basic", "Databricks has ended it; the error names another way")},
    ),
    Case(
        "no credential",
        env={"DATABRICKS_HOST": AWS},
        differs={"outcome": (None, ERROR, "config show shows what there is; a command that connects fails")},
    ),
]


class NoNetwork(requests.Session):
    """Answers where the SDK looks for its token endpoint before it knows its kind of credential, and nowhere else."""

    def send(self, request, **_):
        response = requests.Response()
        response.url, response.request = request.url, request
        response.status_code = 404
        response._content = b"{}"
        if request.url.endswith("/.well-known/databricks-config"):
            base = request.url.partition("/.well-known")[0]
            response.status_code = 200
            response._content = json.dumps({"oidc_endpoint": f"{base}/oidc"}).encode()
        elif request.url.endswith("/oauth-authorization-server"):
            base = request.url.partition("/.well-known")[0]
            answer = {"authorization_endpoint": f"{base}/v1/authorize", "token_endpoint": f"{base}/v1/token"}
            response.status_code = 200
            response._content = json.dumps(answer).encode()
        elif request.method == "POST" and request.url.endswith("/token"):
            response.status_code = 200
            response._content = b'{"access_token": "t", "token_type": "Bearer", "expires_in": 3600}'
        elif request.url.startswith("https://actions.example/"):
            response.status_code = 200
            response._content = b'{"value": "jwt"}'
        return response


PROGRAM = """#!/bin/sh
case "$0 $*" in
*/databricks*version*) echo 'Databricks CLI v0.250.0' ;;
*/databricks*) echo '{"access_token": "t", "token_type": "Bearer", "expiry": "2999-01-01T00:00:00Z"}' ;;
*/az*) echo '{"accessToken": "t", "tokenType": "Bearer", "expiresOn": "2999-01-01 00:00:00", "expires_on": 32472144000}' ;;
esac
exit 0
"""


def prepare(case, folder):
    """The files of a case, and its environment."""
    if case.file is not None:
        file = folder / ".databrickscfg"
        file.write_bytes(case.file.encode())
        file.chmod(0o600)
    (folder / "jwt").write_text("jwt")
    (folder / "bin").mkdir()
    for program in case.programs:
        path = folder / "bin" / program
        # The SDK takes a small file of this name for the old CLI.
        path.write_text(PROGRAM + "#" * (2 << 20))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    shell = Path(shutil.which("sh")).parent
    surroundings = {"HOME": str(folder), "PATH": f"{folder / 'bin'}:{shell}"}
    return surroundings | {name: value.replace("{dir}", str(folder)) for name, value in case.env.items()}


def read_by_brick(brick, case, environment):
    arguments = [part for name, value in case.given.items() for part in (f"--{name}", value)]
    done = subprocess.run([brick, "config", "show", "-o", "json", *arguments], env=environment, capture_output=True)
    if done.returncode != 0:
        assert done.returncode == 3, (done.returncode, done.stderr)
        error = json.loads(done.stderr)["error"]
        assert error["kind"] == "configuration", error
        return ERROR, error["message"]
    view = json.loads(done.stdout)
    values = {one["name"]: one["value"] for one in view["attributes"]}
    for name in ("host", "account_id", "workspace_id", "profile"):
        assert view[name] == values.get(name), (name, view)
    return view["auth_type"], values | {"auth_type": view["auth_type"]}


def read_by_sdk(case, environment):
    os.environ.clear()
    os.environ.update(environment)
    try:
        config = Config(**case.given)
    except Exception as error:
        return ERROR, str(error)
    secret = {attribute.name for attribute in Config.attributes() if attribute.sensitive}
    values = {name: "***" if name in secret else value for name, value in config.as_dict().items()}
    return config.auth_type, values


# The SDK adds these to what it was told, or brick has no use for them and leaves them out.
NOT_COMPARED = {"config_file", "discovery_url", "cloud"}


def compare(brick, case, folder):
    environment = prepare(case, folder)
    ours, values = read_by_brick(brick, case, environment)
    theirs, their_values = read_by_sdk(case, environment)
    if "outcome" in case.differs:
        found = (ours, theirs)
        assert found == case.differs["outcome"][:2], (found, values, their_values)
        return 1
    if case.fails:
        assert (ours, theirs) == (ERROR, ERROR), (ours, theirs)
        for words in case.fails:
            assert words in values and words in their_values, (values, their_values)
        return len(case.fails)
    assert (ours, theirs) == (case.kind, case.kind), (ours, theirs, values, their_values)
    names = ({*values, *their_values} | case.differs.keys()) - NOT_COMPARED
    for name in sorted(names):
        found = (values.get(name), their_values.get(name))
        if name in case.differs:
            assert found == case.differs[name][:2], (name, found)
        else:
            assert found[0] == found[1], (name, found)
    return len(names)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    brick = str(Path(sys.argv[1]).resolve())
    # The SDK warns of what it could not find out without a network.
    logging.getLogger("databricks").setLevel(logging.ERROR)
    requests.Session.send = NoNetwork.send
    passed = failed = compared = 0
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            try:
                count = compare(brick, case, Path(folder))
            except Exception:
                failed += 1
                print(f"FAILED {case.name}")
                traceback.print_exc(file=sys.stdout)
                continue
        passed += 1
        compared += count
        print(f"ok     {case.name}: {count} values")
        for name, (ours, theirs, why) in case.differs.items():
            print(f"       differs: {name} is {ours!r}, in the SDK {theirs!r}: {why}")
    print(f"{compared} values compared")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
