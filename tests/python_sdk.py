"""The vendor's own Python SDK against a sandbox: what it can do there, our client can be trusted to meet too.

    pip install databricks-sdk
    python3 tests/python_sdk.py URL TOKEN [CLIENT_ID CLIENT_SECRET]

Prints one line per check, which calls of the SDK succeeded, and `N passed, M failed`; exits with 1 if anything failed or
fewer calls than `LEAST_CALLS` succeeded.
"""

import base64
import io
import os
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.request
from datetime import timedelta

from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config
from databricks.sdk.core import ApiClient
from databricks.sdk.errors import (
    AlreadyExists,
    BadRequest,
    DatabricksError,
    NotFound,
    OperationFailed,
    PermissionDenied,
    ResourceAlreadyExists,
    ResourceConflict,
)
from databricks.sdk.service import catalog, compute, iam, jobs, ml, pipelines, serving, sql, workspace

# How many methods of the SDK's services have to succeed at least once.
LEAST_CALLS = 205

checks = []
calls = set()


def check(function):
    checks.append(function)
    return function


def connect(url, **credentials):
    # No profile of this machine may answer in place of the sandbox; main() clears the environment.
    return WorkspaceClient(config=Config(host=url, config_file="/dev/null", retry_timeout_seconds=20, **credentials))


def poll_often():
    """Cuts the pauses between two looks at a state: the SDK's are seconds, and here states pass in milliseconds."""
    sleep = time.sleep
    time.sleep = lambda seconds: sleep(min(seconds, 0.05))


def count_calls():
    """Notes each method of a service of the SDK whose request succeeds, as `jobs.JobsAPI.run_now`."""
    send = ApiClient.do

    def do(self, *arguments, **named):
        answer = send(self, *arguments, **named)
        if name := caller(sys._getframe(1)):
            calls.add(name)
        return answer

    ApiClient.do = do


def caller(frame):
    """The method of a service that is nearest, or else the outermost of what the SDK adds to its services."""
    added = None
    while frame:
        module, owner = frame.f_globals.get("__name__", ""), frame.f_locals.get("self")
        if owner is not None and module.startswith(("databricks.sdk.service.", "databricks.sdk.mixins.")):
            # The class that is generated, whichever one extends it.
            own = [one for one in type(owner).__mro__ if one.__module__.startswith("databricks.sdk.service.")]
            if own:
                name = f"{own[0].__module__.rsplit('.', 1)[1]}.{own[0].__name__}.{frame.f_code.co_name}"
                if module.startswith("databricks.sdk.service."):
                    return name
                added = name
        frame = frame.f_back
    return added


@check
def current_user(w):
    me = w.current_user.me()
    assert me.user_name == "ada.sandbox@example.com", me
    assert {group.display for group in me.groups} == {"users", "admins"}
    assert all(group.ref.startswith("Groups/") for group in me.groups)


@check
def workspace_id(w):
    assert w.get_workspace_id() > 10**15


@check
def clusters_are_listed_page_by_page(w):
    at_once = [cluster.cluster_id for cluster in w.clusters.list()]
    in_pages = [cluster.cluster_id for cluster in w.clusters.list(page_size=1)]
    assert at_once == in_pages and len(at_once) == 3, (at_once, in_pages)
    big = next(cluster.spark_context_id for cluster in w.clusters.list() if cluster.spark_context_id)
    assert big == 9007199254740993, big


@check
def clusters_are_filtered(w):
    only = compute.ListClustersFilterBy(cluster_states=[compute.State.RUNNING])
    assert [cluster.state for cluster in w.clusters.list(filter_by=only)] == [compute.State.RUNNING]


@check
def a_cluster_starts_and_terminates(w):
    stopped = find_cluster(w, "nightly-etl")
    seen = []
    started = w.clusters.start(stopped).result(
        timeout=timedelta(seconds=30), callback=lambda cluster: seen.append(cluster.state)
    )
    assert started.state == compute.State.RUNNING
    assert compute.State.PENDING in seen, seen
    ended = w.clusters.delete(stopped).result(timeout=timedelta(seconds=30))
    assert ended.state == compute.State.TERMINATED
    assert ended.termination_reason.code == compute.TerminationReasonCode.USER_REQUEST


@check
def a_start_that_fails_says_why(w):
    try:
        w.clusters.start_and_wait(find_cluster(w, "gpu-experiments"), timeout=timedelta(seconds=30))
    except Exception as error:
        assert "TERMINATED" in str(error), error
    else:
        raise AssertionError("the start did not fail")


@check
def a_missing_cluster_is_not_found(w):
    # The service answers 400; the SDK knows to read that as not found.
    expect(NotFound, lambda: w.clusters.get("0000-000000-missing0"))


@check
def node_types_and_versions(w):
    assert w.clusters.select_node_type(local_disk=True)
    assert w.clusters.select_spark_version(long_term_support=True) == "15.4.x-scala2.12"


@check
def events_are_paged(w):
    kinds = [event.type for event in w.clusters.events(find_cluster(w, "shared-analytics"), limit=1)]
    assert compute.EventType.CREATING in kinds, kinds


@check
def events_have_types_and_two_orders(w):
    cluster = find_cluster(w, "nightly-etl")
    w.clusters.pin(cluster)
    w.clusters.unpin(cluster)
    kinds = [compute.EventType.PINNED, compute.EventType.UNPINNED]
    events = list(w.clusters.events(cluster, event_types=kinds, limit=1))
    assert [event.type for event in events][:2] == [compute.EventType.UNPINNED, compute.EventType.PINNED], events
    first = next(w.clusters.events(cluster, order=compute.GetEventsOrder.ASC))
    assert first.type == compute.EventType.CREATING, first


@check
def a_cluster_is_created_changed_and_deleted_for_good(w):
    half_a_minute = timedelta(seconds=30)
    made = w.clusters.create_and_wait(
        spark_version=w.clusters.select_spark_version(long_term_support=True),
        cluster_name="made here",
        node_type_id="i3.xlarge",
        num_workers=1,
        data_security_mode=compute.DataSecurityMode.SINGLE_USER,
        timeout=half_a_minute,
    )
    assert made.state == compute.State.RUNNING and made.single_user_name == w.current_user.me().user_name, made
    change = compute.UpdateClusterResource(autotermination_minutes=30)
    changed = w.clusters.update_and_wait(made.cluster_id, "autotermination_minutes", cluster=change, timeout=half_a_minute)
    assert (changed.autotermination_minutes, changed.cluster_name) == (30, "made here"), changed
    resized = w.clusters.resize_and_wait(made.cluster_id, num_workers=3, timeout=half_a_minute)
    assert (resized.state, resized.num_workers) == (compute.State.RUNNING, 3), resized
    edited = w.clusters.edit_and_wait(
        made.cluster_id, made.spark_version, node_type_id="m5d.large", num_workers=2, timeout=half_a_minute
    )
    # What an edit leaves out is gone.
    assert (edited.node_type_id, edited.autotermination_minutes) == ("m5d.large", None), edited
    w.clusters.ensure_cluster_is_running(made.cluster_id)
    w.clusters.permanent_delete(made.cluster_id)
    expect(NotFound, lambda: w.clusters.get(made.cluster_id))
    expect(BadRequest, lambda: w.clusters.resize(find_cluster(w, "nightly-etl"), num_workers=3))
    assert w.clusters.list_zones().default_zone == "us-west-2a"


@check
def what_a_cluster_had_goes_with_it(w):
    made = w.clusters.create_and_wait(
        spark_version="15.4.x-scala2.12", node_type_id="i3.xlarge", num_workers=1, timeout=timedelta(seconds=30)
    ).cluster_id
    language, half_a_minute = compute.Language.PYTHON, timedelta(seconds=30)
    context = w.command_execution.create(cluster_id=made, language=language).result(timeout=half_a_minute).id
    command = w.command_execution.execute(cluster_id=made, context_id=context, language=language, command="6 * 7")
    assert command.result(timeout=half_a_minute).results.data == "42"
    users = iam.AccessControlRequest(group_name="users", permission_level=iam.PermissionLevel.CAN_RESTART)
    shown = w.permissions.update("clusters", made, access_control_list=[users])
    assert "users" in [entry.group_name for entry in shown.access_control_list], shown
    w.libraries.install(made, [compute.Library(whl="/Volumes/main/default/files/tools.whl")])
    assert made in [one.cluster_id for one in w.libraries.all_cluster_statuses()]
    w.clusters.permanent_delete(made)
    assert made not in [one.cluster_id for one in w.libraries.all_cluster_statuses()]
    for gone in [
        lambda: list(w.libraries.cluster_status(made)),
        lambda: w.command_execution.context_status(made, context),
        lambda: w.command_execution.create(cluster_id=made, language=language),
        lambda: w.clusters.start(made),
    ]:
        expect((BadRequest, NotFound), gone)


@check
def a_cluster_obeys_its_policy(w):
    policy = next(policy for policy in w.cluster_policies.list() if policy.name == "Shared Compute")
    assert w.cluster_policies.get(policy.policy_id).max_clusters_per_user == 9007199254740993
    settings = dict(spark_version="15.4.x-scala2.12", node_type_id="i3.xlarge", num_workers=1, policy_id=policy.policy_id)
    expect(BadRequest, lambda: w.clusters.create(autotermination_minutes=600, **settings))
    made = w.clusters.create(autotermination_minutes=60, **settings).result(timeout=timedelta(seconds=30))
    assert made.custom_tags == {"team": "analytics"}, made
    w.clusters.permanent_delete(made.cluster_id)
    new = w.cluster_policies.create(name="made here", definition='{"num_workers": {"type": "range", "maxValue": 1}}')
    w.cluster_policies.edit(new.policy_id, name="again", definition="{}")
    assert w.cluster_policies.get(new.policy_id).name == "again"
    w.cluster_policies.delete(new.policy_id)
    expect(NotFound, lambda: w.cluster_policies.get(new.policy_id))
    assert "personal-vm" in [family.policy_family_id for family in w.policy_families.list(max_results=1)]


@check
def instance_pools_are_made_changed_and_deleted(w):
    assert [pool.state for pool in w.instance_pools.list()] == [compute.InstancePoolState.ACTIVE]
    pool = w.instance_pools.create("made here", "i3.xlarge", min_idle_instances=2).instance_pool_id
    w.instance_pools.edit(pool, "again", "i3.xlarge", min_idle_instances=1)
    made = w.instance_pools.get(pool)
    assert (made.instance_pool_name, made.stats.idle_count) == ("again", 1), made
    w.instance_pools.delete(pool)
    expect(NotFound, lambda: w.instance_pools.get(pool))


@check
def libraries_are_installed_and_uninstalled(w):
    cluster = find_cluster(w, "shared-analytics")
    library = compute.Library(pypi=compute.PythonPyPiLibrary(package="simplejson"))
    w.libraries.install(cluster, [library])
    states = []
    while not states or states[-1] != compute.LibraryInstallStatus.INSTALLED:
        (status,) = w.libraries.cluster_status(cluster)
        assert status.library == library and len(states) < 200, status
        states.append(status.status)
        time.sleep(0.02)
    assert states[0] == compute.LibraryInstallStatus.PENDING, states
    assert [one.cluster_id for one in w.libraries.all_cluster_statuses()] == [cluster]
    w.libraries.uninstall(cluster, [library])
    (status,) = w.libraries.cluster_status(cluster)
    assert status.status == compute.LibraryInstallStatus.UNINSTALL_ON_RESTART, status
    w.clusters.restart(cluster).result(timeout=timedelta(seconds=30))
    assert not list(w.libraries.cluster_status(cluster))


@check
def a_pipeline_runs_and_fills_its_tables(w):
    pipeline = next(w.pipelines.list_pipelines(filter="name LIKE 'tri%'"))
    assert sorted(one.name for one in w.pipelines.list_pipelines(max_results=1)) == ["orders", "trips"]
    update = w.pipelines.start_update(pipeline.pipeline_id, full_refresh=True).update_id
    states = update_states(w, pipeline.pipeline_id, update)
    assert states[0] == pipelines.UpdateInfoState.CREATED and pipelines.UpdateInfoState.RESETTING in states, states
    assert states[-1] == pipelines.UpdateInfoState.COMPLETED, states
    idle = w.pipelines.wait_get_pipeline_idle(pipeline.pipeline_id, timeout=timedelta(seconds=30))
    assert idle.spec.catalog == "main" and idle.latest_updates[0].update_id == update, idle
    rows = execute(w, "SELECT trips > 0 FROM main.default.trips_count").result.data_array
    assert rows == [["true"]], rows


@check
def a_pipeline_that_fails_says_why_in_its_events(w):
    pipeline = next(w.pipelines.list_pipelines(filter="name LIKE 'orders'")).pipeline_id
    update = w.pipelines.start_update(pipeline).update_id
    assert update_states(w, pipeline, update)[-1] == pipelines.UpdateInfoState.FAILED
    errors = list(w.pipelines.list_pipeline_events(pipeline, filter="level='ERROR'", max_results=1))
    assert {event.level for event in errors} == {pipelines.EventLevel.ERROR} and len(errors) == 2, errors
    assert "orders_raw" in errors[1].error.exceptions[0].message, errors
    assert w.pipelines.list_updates(pipeline).updates[0].update_id == update
    w.pipelines.stop(pipeline).result(timeout=timedelta(seconds=30))


@check
def a_pipeline_is_created_changed_and_deleted(w):
    library = pipelines.PipelineLibrary(notebook=pipelines.NotebookLibrary(path="/Shared/etl"))
    made = w.pipelines.create(name="made here", libraries=[library], catalog="main", schema="default").pipeline_id
    found = [one.pipeline_id for one in w.pipelines.list_pipelines(filter="notebook='/Shared/etl'")]
    assert found == [made], found
    w.pipelines.update(made, name="again")
    changed = w.pipelines.get(made)
    assert changed.name == "again" and not changed.spec.libraries, changed
    w.pipelines.delete(made)
    expect(NotFound, lambda: w.pipelines.get(made))


@check
def a_warehouse_is_created_changed_and_deleted(w):
    settings = dict(cluster_size="Small", max_num_clusters=2, auto_stop_mins=10)
    made = w.warehouses.create_and_wait(name="made here", timeout=timedelta(seconds=30), **settings)
    assert made.state == sql.State.RUNNING and made.warehouse_type is not None, made
    expect(AlreadyExists, lambda: w.warehouses.create(name="made here", **settings))
    changed = w.warehouses.edit_and_wait(made.id, name="again", cluster_size="Medium", timeout=timedelta(seconds=30))
    assert (changed.name, changed.cluster_size) == ("again", "Medium"), changed
    w.warehouses.delete(made.id)
    expect(NotFound, lambda: [w.warehouses.get(made.id) for _ in range(1000)])
    assert w.warehouses.get_workspace_warehouse_config().security_policy is not None
    policy = sql.SetWorkspaceWarehouseConfigRequestSecurityPolicy.DATA_ACCESS_CONTROL
    w.warehouses.set_workspace_warehouse_config(security_policy=policy)


@check
def a_warehouse_stops_and_starts(w):
    warehouse = next(one for one in w.warehouses.list() if one.state == sql.State.RUNNING)
    assert w.warehouses.stop(warehouse.id).result(timeout=timedelta(seconds=30)).state == sql.State.STOPPED
    assert w.warehouses.start(warehouse.id).result(timeout=timedelta(seconds=30)).state == sql.State.RUNNING
    expect(NotFound, lambda: w.warehouses.get("0123456789abcdef"))


@check
def a_statement_returns_rows(w):
    answer = execute(w, "SELECT 1 AS one, 'x' AS two, NULL AS three")
    assert answer.status.state == sql.StatementState.SUCCEEDED, answer.status
    assert answer.result.data_array == [["1", "x", None]], answer.result
    assert [column.name for column in answer.manifest.schema.columns] == ["one", "two", "three"]


@check
def a_statement_takes_parameters(w):
    parameters = [
        sql.StatementParameterListItem(name="n", value="9007199254740993", type="BIGINT"),
        sql.StatementParameterListItem(name="s", value="it's"),
        sql.StatementParameterListItem(name="none"),
    ]
    answer = execute(w, "SELECT :n AS n, :s AS s, :none AS none", parameters=parameters)
    assert answer.result.data_array == [["9007199254740993", "it's", None]], answer.result


@check
def a_statement_is_polled(w):
    answer = execute(w, "SELECT id FROM range(5)", wait_timeout="0s")
    states = [answer.status.state]
    while states[-1] in (sql.StatementState.PENDING, sql.StatementState.RUNNING) and len(states) < 200:
        time.sleep(0.05)
        answer = w.statement_execution.get_statement(answer.statement_id)
        states.append(answer.status.state)
    assert states[0] == sql.StatementState.PENDING and sql.StatementState.RUNNING in states, states
    assert states[-1] == sql.StatementState.SUCCEEDED, states
    assert [row[0] for row in answer.result.data_array] == list("01234")


@check
def a_statement_is_canceled(w):
    answer = execute(w, "SELECT count(*) FROM range(100000000000) a CROSS JOIN range(1000)", wait_timeout="0s")
    w.statement_execution.cancel_execution(answer.statement_id)
    state = w.statement_execution.get_statement(answer.statement_id).status.state
    assert state == sql.StatementState.CANCELED, state


@check
def a_wrong_statement_fails_with_status_200(w):
    answer = execute(w, "SELEKT 1")
    assert answer.status.state == sql.StatementState.FAILED
    assert "PARSE_SYNTAX_ERROR" in answer.status.error.message, answer.status


@check
def chunks_follow_each_other(w):
    rows = 200_000
    answer = execute(
        w, f"SELECT id FROM range({rows})", disposition=sql.Disposition.EXTERNAL_LINKS, format=sql.Format.JSON_ARRAY
    )
    assert answer.status.state == sql.StatementState.SUCCEEDED, answer.status
    first = w.statement_execution.get_statement_result_chunk_n(answer.statement_id, 0)
    assert first.external_links[0].row_count == answer.result.external_links[0].row_count, first
    total, part = 0, answer.result
    while part is not None:
        link = part.external_links[0]
        with urllib.request.urlopen(link.external_link) as response:
            total += response.read().count(b"[") - 1
        following = link.next_chunk_index
        part = None
        if following is not None:
            part = w.statement_execution.get_statement_result_chunk_n(answer.statement_id, following)
    assert total == rows == answer.manifest.total_row_count, total


@check
def a_link_refuses_the_token(w):
    answer = execute(w, "SELECT 1", disposition=sql.Disposition.EXTERNAL_LINKS, format=sql.Format.CSV)
    link = answer.result.external_links[0].external_link
    request = urllib.request.Request(link, headers=w.config.authenticate())
    try:
        urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        assert error.code == 400, error
    else:
        raise AssertionError("the link took the token")


@check
def commands_share_a_context(w):
    cluster = find_cluster(w, "shared-analytics")
    language = compute.Language.PYTHON
    context = w.command_execution.create(cluster_id=cluster, language=language).result(timeout=timedelta(seconds=30))
    assert context.status == compute.ContextStatus.RUNNING

    def run(code):
        waiter = w.command_execution.execute(
            cluster_id=cluster, context_id=context.id, language=language, command=code
        )
        return waiter.result(timeout=timedelta(seconds=30))

    first = run("x = 41\nprint('hello')\nx + 1")
    assert first.results.result_type == compute.ResultType.TEXT and first.results.data == "hello\n42", first
    assert run("x").results.data == "41"
    failed = run("1 / 0")
    assert failed.results.result_type == compute.ResultType.ERROR, failed
    assert "ZeroDivisionError" in failed.results.summary and "Traceback" in failed.results.cause
    table = w.command_execution.execute(
        cluster_id=cluster, context_id=context.id, language=compute.Language.SQL, command="SELECT 1 AS a"
    ).result(timeout=timedelta(seconds=30))
    assert table.results.result_type == compute.ResultType.TABLE and table.results.data == [[1]], table
    w.command_execution.destroy(cluster_id=cluster, context_id=context.id)


@check
def a_command_is_cancelled(w):
    cluster = find_cluster(w, "shared-analytics")
    with_context = dict(cluster_id=cluster, language=compute.Language.PYTHON)
    context = w.command_execution.create(**with_context).result(timeout=timedelta(seconds=30))
    waiter = w.command_execution.execute(context_id=context.id, command="import time\ntime.sleep(600)", **with_context)
    ids = dict(cluster_id=cluster, context_id=context.id, command_id=waiter.command_id)
    ended = w.command_execution.cancel(**ids).result(timeout=timedelta(seconds=30))
    assert ended.status == compute.CommandStatus.CANCELLED, ended


@check
def a_job_runs_and_each_task_has_an_output(w):
    job = next(w.jobs.list(name="daily-report"))
    assert [other.job_id for other in w.jobs.list(limit=1)][-1] == job.job_id == 9007199254740993
    waiter = w.jobs.run_now(job.job_id, job_parameters={"day": "2026-01-02"})
    states = []
    run = waiter.result(timeout=timedelta(seconds=60), callback=lambda run: states.append(run.state.life_cycle_state))
    assert states[0] == jobs.RunLifeCycleState.PENDING and jobs.RunLifeCycleState.RUNNING in states, states
    assert run.state.result_state == jobs.RunResultState.SUCCESS
    assert run.status.termination_details.code == jobs.TerminationCodeCode.SUCCESS, run.status
    assert [task.task_key for task in run.tasks] == ["extract", "any-rows", "report"]
    assert w.jobs.get_run_output(run.tasks[0].run_id).logs == "extracting 2026-01-02\n"
    assert run.tasks[1].condition_task.outcome == "true"
    expect(BadRequest, lambda: w.jobs.get_run_output(run.run_id))
    assert run.run_id in [other.run_id for other in w.jobs.list_runs(job_id=job.job_id, completed_only=True)]


@check
def a_job_that_fails_is_repaired(w):
    job = next(w.jobs.list(name="nightly-import"))
    run = w.jobs.run_now_and_wait(job.job_id, timeout=timedelta(seconds=60))
    assert run.state.result_state == jobs.RunResultState.FAILED
    results = [task.state.result_state.value for task in run.tasks]
    assert results == ["SUCCESS", "FAILED", "UPSTREAM_FAILED"], results
    told = w.jobs.get_run_output(run.tasks[1].run_id)
    assert told.error == "ValueError: 2 of 3 files are damaged" and "Traceback" in told.error_trace, told
    run = w.jobs.repair_run_and_wait(
        run.run_id, rerun_all_failed_tasks=True, job_parameters={"strict": "false"}, timeout=timedelta(seconds=60)
    )
    assert run.state.result_state == jobs.RunResultState.SUCCESS
    check = [task for task in run.tasks if task.task_key == "check"][-1]
    assert w.jobs.get_run_output(check.run_id).notebook_output.result == "3 files are good"


@check
def tasks_are_submitted_without_a_job(w):
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write("import sys\nprint(sys.argv[1])\n")
        file.flush()
        script = jobs.SparkPythonTask(python_file=f"file:{file.name}", parameters=["hello"])
        task = jobs.SubmitTask(task_key="only", spark_python_task=script)
        run = w.jobs.submit(tasks=[task], idempotency_token="once").result(timeout=timedelta(seconds=60))
        assert w.jobs.submit(tasks=[task], idempotency_token="once").run_id == run.run_id
    assert run.run_type == jobs.RunType.SUBMIT_RUN and run.run_name == "Untitled"
    assert w.jobs.get_run_output(run.run_id).logs == "hello\n"
    w.jobs.cancel_run(run.run_id).result(timeout=timedelta(seconds=30))
    w.jobs.delete_run(run.run_id)
    expect((BadRequest, NotFound), lambda: w.jobs.get_run(run.run_id))


@check
def code_comes_from_files_and_pipelines(w):
    w.files.upload("/Volumes/main/default/files/a.py", io.BytesIO(b"print('of a volume')"), overwrite=True)
    w.dbfs.put("/code/b.py", contents=base64.b64encode(b"print('of DBFS')").decode(), overwrite=True)
    pipeline = next(w.pipelines.list_pipelines(filter="name LIKE 'trips'")).pipeline_id

    def python(key, path):
        return jobs.SubmitTask(task_key=key, spark_python_task=jobs.SparkPythonTask(python_file=path))

    tasks = [
        python("volume", "/Volumes/main/default/files/a.py"),
        python("dbfs", "dbfs:/code/b.py"),
        jobs.SubmitTask(task_key="pipeline", pipeline_task=jobs.PipelineTask(pipeline_id=pipeline)),
    ]
    run = w.jobs.submit(tasks=tasks).result(timeout=timedelta(seconds=60))
    told = [w.jobs.get_run_output(task.run_id).logs for task in run.tasks[:2]]
    assert told == ["of a volume\n", "of DBFS\n"], told
    cause = w.pipelines.list_updates(pipeline).updates[0].cause
    assert cause == pipelines.UpdateInfoCause.JOB_TASK, cause
    w.files.delete("/Volumes/main/default/files/a.py")
    w.dbfs.delete("/code", recursive=True)


@check
def runs_are_exported_and_canceled(w):
    notebook = jobs.NotebookTask("/Shared/import/check", base_parameters={"strict": "false"})
    run = w.jobs.submit(tasks=[jobs.SubmitTask(task_key="only", notebook_task=notebook)])
    run = run.result(timeout=timedelta(seconds=60))
    assert "raise ValueError" in w.jobs.export_run(run.run_id).views[0].content
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write("import time\ntime.sleep(600)\n")
        file.flush()
        script = jobs.SparkPythonTask(python_file=f"file:{file.name}")
        job = w.jobs.create(name="long", tasks=[jobs.Task(task_key="only", spark_python_task=script)]).job_id
        run = w.jobs.run_now(job).run_id
        w.jobs.cancel_all_runs(job_id=job)
        ended = w.jobs.wait_get_run_job_terminated_or_skipped(run, timeout=timedelta(seconds=30))
    assert ended.state.result_state == jobs.RunResultState.CANCELED, ended.state
    w.jobs.delete(job)


@check
def a_job_is_created_changed_and_deleted(w):
    task = jobs.Task(task_key="a", condition_task=jobs.ConditionTask(jobs.ConditionTaskOp.EQUAL_TO, "1", "1"))
    job_id = w.jobs.create(name="made here", tasks=[task]).job_id
    w.jobs.update(job_id, new_settings=jobs.JobSettings(max_concurrent_runs=2))
    settings = w.jobs.get(job_id).settings
    assert (settings.name, settings.max_concurrent_runs) == ("made here", 2), settings
    assert settings.tasks[0].run_if == jobs.RunIf.ALL_SUCCESS
    w.jobs.reset(job_id, new_settings=jobs.JobSettings(name="again"))
    settings = w.jobs.get(job_id).settings
    assert (settings.name, settings.max_concurrent_runs) == ("again", 1) and not settings.tasks, settings
    w.jobs.delete(job_id)
    expect((BadRequest, NotFound), lambda: w.jobs.get(job_id))


@check
def catalogs_and_schemas_are_those_of_sql(w):
    names = [one.name for one in w.catalogs.list()]
    assert names == ["main", "samples", "system"] == [one.name for one in w.catalogs.list(max_results=1)], names
    lab = w.catalogs.create(name="Lab", comment="tests", properties={"a": "b"})
    assert (lab.name, lab.catalog_type, lab.properties) == ("lab", catalog.CatalogType.MANAGED_CATALOG, {"a": "b"}), lab
    assert lab.isolation_mode == catalog.CatalogIsolationMode.OPEN and lab.created_at > 10**12, lab
    expect(BadRequest, lambda: w.catalogs.create(name="lab"))
    raw = w.schemas.create(name="raw", catalog_name="lab")
    assert (raw.full_name, w.schemas.get("lab.raw").schema_id) == ("lab.raw", raw.schema_id), raw
    assert [one.name for one in w.schemas.list("lab")] == ["default", "information_schema", "raw"]
    assert w.schemas.update("lab.raw", comment="c").comment == "c"
    execute(w, "CREATE TABLE lab.raw.t (id BIGINT NOT NULL, price DECIMAL(10,2))")
    expect(BadRequest, lambda: w.schemas.delete("lab.raw"))
    w.catalogs.delete("lab", force=True)
    expect(NotFound, lambda: w.catalogs.get("lab"))
    expect(NotFound, lambda: list(w.schemas.list("lab")))
    assert w.catalogs.update("main", comment="c").comment == w.catalogs.get("main").comment == "c"
    assert [one.metastore_id for one in w.metastores.list()] == [w.metastores.current().metastore_id]
    assert w.metastores.current().metastore_id == w.metastores.summary().metastore_id


@check
def tables_have_their_columns(w):
    execute(w, "CREATE TABLE main.default.orders (id BIGINT NOT NULL, price DECIMAL(10,2), tags ARRAY<STRING>)")
    (table,) = [one for one in w.tables.list("main", "default") if one.name == "orders"]
    assert (table.full_name, table.table_type) == ("main.default.orders", catalog.TableType.MANAGED), table
    table = w.tables.get("main.default.orders")
    types = [(column.name, column.type_name, column.type_text, column.nullable) for column in table.columns]
    assert types[:2] == [
        ("id", catalog.ColumnTypeName.LONG, "bigint", False),
        ("price", catalog.ColumnTypeName.DECIMAL, "decimal(10,2)", True),
    ], types
    assert [column.position for column in table.columns] == [0, 1, 2]
    assert table.data_source_format == catalog.DataSourceFormat.DELTA
    assert "main.default.orders" in [one.full_name for one in w.tables.list_summaries("main")]
    assert w.tables.exists("main.default.orders").table_exists
    w.tables.delete("main.default.orders")
    assert not w.tables.exists("main.default.orders").table_exists
    expect(NotFound, lambda: w.tables.get("main.default.orders"))
    assert list(w.functions.list("main", "default")) == []
    expect(NotFound, lambda: w.functions.get("main.default.gone"))


@check
def functions_are_created_and_deleted(w):
    parameter = catalog.FunctionParameterInfo("x", "int", catalog.ColumnTypeName.INT, 0)
    made = w.functions.create(
        catalog.CreateFunction(
            name="Twice",
            catalog_name="main",
            schema_name="default",
            input_params=catalog.FunctionParameterInfos([parameter]),
            data_type=catalog.ColumnTypeName.INT,
            full_data_type="INT",
            routine_body=catalog.CreateFunctionRoutineBody.SQL,
            routine_definition="2 * x",
            parameter_style=catalog.CreateFunctionParameterStyle.S,
            is_deterministic=True,
            sql_data_access=catalog.CreateFunctionSqlDataAccess.CONTAINS_SQL,
            is_null_call=False,
            security_type=catalog.CreateFunctionSecurityType.DEFINER,
            specific_name="twice",
        )
    )
    assert made.full_name == "main.default.twice" and made.routine_definition == "2 * x", made
    assert [one.full_name for one in w.functions.list("main", "default")] == [made.full_name]
    assert w.functions.get(made.full_name).input_params.parameters == [parameter]
    w.functions.delete(made.full_name)
    expect(NotFound, lambda: w.functions.get(made.full_name))


@check
def a_catalog_goes_with_all_that_is_in_it(w):
    w.catalogs.create(name="lab")
    w.schemas.create(name="raw", catalog_name="lab")
    w.volumes.create("lab", "raw", "files", catalog.VolumeType.MANAGED)
    path = "/Volumes/lab/raw/files/a.txt"
    w.files.upload(path, io.BytesIO(b"x"))
    robot = w.service_principals.create(display_name="reader")
    change = catalog.PermissionsChange(principal=robot.application_id, add=[catalog.Privilege.READ_VOLUME])
    expect(NotFound, lambda: w.grants.update("volume", "lab.raw.none", changes=[change]))
    granted = w.grants.update("volume", "lab.raw.files", changes=[change]).privilege_assignments
    assert [one.principal for one in granted] == [robot.application_id], granted
    w.service_principals.delete(robot.id)
    expect(NotFound, lambda: w.grants.update("volume", "lab.raw.files", changes=[change]))
    expect(BadRequest, lambda: w.schemas.delete("lab.raw"))
    w.schemas.delete("lab.raw", force=True)
    expect(NotFound, lambda: w.volumes.read("lab.raw.files"))
    expect(NotFound, lambda: w.files.get_metadata(path))
    w.catalogs.delete("lab")
    expect(NotFound, lambda: w.catalogs.get("lab"))


@check
def privileges_are_granted_and_inherited(w):
    change = catalog.PermissionsChange(
        principal="users", add=[catalog.Privilege.USE_SCHEMA, catalog.Privilege.SELECT]
    )
    answer = w.grants.update("schema", "main.default", changes=[change])
    granted = {one.principal: one.privileges for one in answer.privilege_assignments}
    assert granted["users"] == [catalog.Privilege.SELECT, catalog.Privilege.USE_SCHEMA], granted
    only = w.grants.get("schema", "main.default", principal="users").privilege_assignments
    assert [one.principal for one in only] == ["users"], only
    effective = w.grants.get_effective("schema", "main.default").privilege_assignments
    inherited = [one for holder in effective for one in holder.privileges if one.inherited_from_name == "main"]
    assert [one.privilege for one in inherited] == [catalog.Privilege.USE_CATALOG], effective
    stranger = catalog.PermissionsChange(principal="eve@example.com", add=[catalog.Privilege.SELECT])
    expect(NotFound, lambda: w.grants.update("schema", "main.default", changes=[stranger]))


@check
def models_have_versions_and_aliases(w):
    (model,) = w.registered_models.list(catalog_name="main", schema_name="default")
    assert w.registered_models.get(model.full_name, include_aliases=True).aliases[0].alias_name == "champion"
    versions = list(w.model_versions.list(model.full_name))
    assert [version.version for version in versions] == [2, 1], versions
    assert all(version.status == catalog.ModelVersionInfoStatus.READY for version in versions)
    assert w.model_versions.update(model.full_name, 1, comment="c").comment == "c"
    assert w.model_versions.get(model.full_name, 1).comment == "c"
    w.registered_models.set_alias(model.full_name, "champion", 1)
    assert w.model_versions.get_by_alias(model.full_name, "champion").version == 1
    w.registered_models.delete_alias(model.full_name, "champion")
    expect(NotFound, lambda: w.model_versions.get_by_alias(model.full_name, "champion"))
    made = w.registered_models.create(catalog_name="main", schema_name="default", name="Forecast")
    assert made.full_name == "main.default.forecast", made
    w.model_versions.delete(model.full_name, 1)
    assert [version.version for version in w.model_versions.list(model.full_name)] == [2]
    assert w.registered_models.update(made.full_name, comment="c").comment == "c"
    w.registered_models.delete(made.full_name)
    expect(NotFound, lambda: w.registered_models.get(made.full_name))


@check
def models_answer_in_their_forms(w):
    names = [endpoint.name for endpoint in w.serving_endpoints.list()]
    assert names == ["databricks-echo-chat", "databricks-echo-embeddings", "double", "echo"], names
    hello = serving.ChatMessage(role=serving.ChatMessageRole.USER, content="hello there")
    answer = w.serving_endpoints.query("databricks-echo-chat", messages=[hello])
    assert answer.choices[0].message.content == "hello there", answer
    assert answer.object == serving.QueryEndpointResponseObject.CHAT_COMPLETION and answer.usage.total_tokens == 4
    answer = w.serving_endpoints.query("databricks-echo-embeddings", input=["a", "b"])
    assert [len(one.embedding) for one in answer.data] == [8, 8], answer
    rows = [{"x": 1}, {"x": 2}]
    assert w.serving_endpoints.query("double", dataframe_records=rows).predictions == [2, 4]
    assert "doubling 2 rows" in w.serving_endpoints.logs("double", "double-1").logs
    assert w.serving_endpoints.build_logs("double", "double-1").logs
    assert b"/invocations" in w.serving_endpoints.get_open_api("double").contents.read()
    tag = serving.EndpointTag(key="team", value="a")
    assert w.serving_endpoints.patch("double", add_tags=[tag]).tags == [tag]
    limit = serving.AiGatewayRateLimit(calls=7, renewal_period=serving.AiGatewayRateLimitRenewalPeriod.MINUTE)
    assert w.serving_endpoints.put_ai_gateway("databricks-echo-chat", rate_limits=[limit]).rate_limits == [limit]
    split = serving.DataframeSplitInput(columns=["x"], data=[[1], [2]])
    assert w.serving_endpoints.query("echo", dataframe_split=split).predictions == rows
    expect(BadRequest, lambda: w.serving_endpoints.query("double", dataframe_records=[{}]))
    expect(NotFound, lambda: w.serving_endpoints.query("nothing", inputs=[]))


@check
def an_endpoint_is_created_and_updated(w):
    def config(name, version):
        entity = serving.ServedEntityInput(entity_name=name, entity_version=version, scale_to_zero_enabled=True)
        return serving.EndpointCoreConfigInput(name="made-here", served_entities=[entity])

    waiter = w.serving_endpoints.create("made-here", config=config("main.models.churn", "3"))
    expect(ResourceAlreadyExists, lambda: w.serving_endpoints.create("made-here"))
    made = waiter.result(timeout=timedelta(seconds=30))
    assert made.state.ready == serving.EndpointStateReady.READY, made.state
    assert made.config.traffic_config.routes[0].traffic_percentage == 100
    entities = config("main.models.churn", "4").served_entities
    waiter = w.serving_endpoints.update_config("made-here", served_entities=entities)
    expect(ResourceConflict, lambda: w.serving_endpoints.update_config("made-here", served_entities=entities))
    assert waiter.result(timeout=timedelta(seconds=30)).config.config_version == 2
    entities = config("sandbox.models.broken", "1").served_entities
    waiter = w.serving_endpoints.update_config("made-here", served_entities=entities)
    expect(OperationFailed, lambda: waiter.result(timeout=timedelta(seconds=30)))
    assert b"request_count_total" in w.serving_endpoints.export_metrics("made-here").contents.read()
    w.serving_endpoints.delete("made-here")
    expect(NotFound, lambda: w.serving_endpoints.get("made-here"))


@check
def permissions_are_replaced_and_added(w):
    warehouse = next(w.warehouses.list()).id
    level = iam.PermissionLevel

    def levels(answer):
        return {
            entry.user_name or entry.group_name: [one.permission_level for one in entry.all_permissions]
            for entry in answer.access_control_list
        }

    analysts = iam.AccessControlRequest(group_name="data-engineers", permission_level=level.CAN_USE)
    added = levels(w.permissions.update("sql/warehouses", warehouse, access_control_list=[analysts]))
    assert added["data-engineers"] == [level.CAN_USE] and added["admins"] == [level.CAN_MANAGE], added
    assert added["ada.sandbox@example.com"] == [level.IS_OWNER], added
    replaced = levels(w.permissions.set("sql/warehouses", warehouse, access_control_list=[]))
    assert replaced == {"admins": [level.CAN_MANAGE]}, replaced
    job = next(w.jobs.list()).job_id
    expect(BadRequest, lambda: w.permissions.set("jobs", str(job), access_control_list=[]))
    known = w.permissions.get_permission_levels("jobs", str(job)).permission_levels
    assert level.CAN_MANAGE_RUN in [one.permission_level for one in known], known
    expect(BadRequest, lambda: w.permissions.get("planets", "7"))


@check
def users_and_groups_change(w):
    assert [user.user_name for user in w.users.list(count=1)] == [user.user_name for user in w.users.list()]
    ada = next(w.users.list(filter='userName eq "ada.sandbox@example.com"'))
    assert w.users.get(ada.id).display_name == "Ada Sandbox" and ada.id == w.current_user.me().id
    user = w.users.create(user_name="new@example.com", display_name="New")
    expect(ResourceConflict, lambda: w.users.create(user_name="new@example.com"))
    robot = w.service_principals.create(display_name="robot")
    assert len(robot.application_id) == 36, robot
    group = w.groups.create(display_name="team", members=[iam.ComplexValue(value=user.id)])
    schemas = [iam.PatchSchema.URN_IETF_PARAMS_SCIM_API_MESSAGES_2_0_PATCH_OP]
    add = iam.Patch(op=iam.PatchOp.ADD, path="members", value=[{"value": robot.id}])
    remove = iam.Patch(op=iam.PatchOp.REMOVE, path=f'members[value eq "{user.id}"]')
    w.groups.patch(group.id, operations=[add, remove], schemas=schemas)
    assert [member.value for member in w.groups.get(group.id).members] == [robot.id]
    assert w.service_principals.get(robot.id).groups[0].display == "team"
    assert robot.id in [one.id for one in w.service_principals.list(filter='displayName eq "robot"')]
    rename = iam.Patch(op=iam.PatchOp.REPLACE, path="displayName", value="renamed")
    w.service_principals.patch(robot.id, operations=[rename], schemas=schemas)
    assert w.service_principals.get(robot.id).display_name == "renamed"
    w.users.patch(user.id, operations=[rename], schemas=schemas)
    assert w.users.get(user.id).display_name == "renamed"
    add.value = [{"value": "5"}]
    expect(NotFound, lambda: w.groups.patch(group.id, operations=[add], schemas=schemas))
    admins = next(w.groups.list(filter='displayName eq "admins"'))
    expect(PermissionDenied, lambda: w.groups.delete(admins.id))
    w.groups.delete(group.id)
    w.service_principals.delete(robot.id)
    w.users.delete(user.id)
    expect(NotFound, lambda: w.users.get(user.id))


@check
def a_model_version_changes_its_stage(w):
    assert [model.name for model in w.model_registry.list_models(max_results=1)] == ["churn", "demand forecast"]
    found = list(w.model_registry.search_models(filter="name LIKE 'chu%'"))
    assert len(found) == 1 and found[0].latest_versions, found
    moved = w.model_registry.transition_stage("churn", "3", "Production", archive_existing_versions=True)
    assert moved.model_version_databricks.current_stage == "Production", moved
    stages = [version.current_stage for version in w.model_registry.search_model_versions(filter="name='churn'")]
    assert stages == ["Archived", "Archived", "Production"], stages
    latest = list(w.model_registry.get_latest_versions("churn", stages=["Production"]))
    assert [version.version for version in latest] == ["3"], latest
    assert w.model_registry.get_model_version_download_uri("churn", "3").artifact_uri
    assert w.model_registry.get_model_version("churn", "3").model_version.version == "3"
    model = w.model_registry.get_model("churn").registered_model_databricks
    assert w.permissions.get("registered-models", model.id).object_id == f"/registered-models/{model.id}"
    expect(NotFound, lambda: w.model_registry.get_model("nothing"))


@check
def a_run_is_recorded(w):
    experiment = w.experiments.create_experiment("/Shared/made-here").experiment_id
    expect(ResourceAlreadyExists, lambda: w.experiments.create_experiment("/Shared/made-here"))
    run = w.experiments.create_run(experiment_id=experiment, run_name="first", start_time=1).run.info.run_id
    w.experiments.log_metric("loss", 0.5, 2, run_id=run, step=1)
    metric = ml.Metric(key="loss", value=0.25, timestamp=3, step=2)
    w.experiments.log_batch(run_id=run, metrics=[metric], params=[ml.Param(key="lr", value="0.1")])
    w.experiments.set_tag("team", "a", run_id=run)
    expect(BadRequest, lambda: w.experiments.log_param("lr", "0.2", run_id=run))
    w.experiments.update_run(run_id=run, status=ml.UpdateRunStatus.FINISHED, end_time=4)
    found = list(w.experiments.search_runs(experiment_ids=[experiment], filter="metrics.loss < 0.3"))
    assert [one.info.run_id for one in found] == [run], found
    assert found[0].data.metrics[0].value == 0.25 and found[0].info.status == ml.RunInfoStatus.FINISHED, found
    names = [one.name for one in w.experiments.search_experiments(max_results=1)]
    assert names == ["/Users/ada.sandbox@example.com/churn", "/Shared/made-here"], names
    assert w.experiments.get_by_name("/Shared/made-here").experiment.experiment_id == experiment
    assert w.experiments.get_experiment(experiment).experiment.name == "/Shared/made-here"
    w.experiments.log_param("depth", "3", run_id=run)
    assert {one.key for one in w.experiments.get_run(run).run.data.params} == {"lr", "depth"}
    expect(NotFound, lambda: w.experiments.get_run("5"))


@check
def notebooks_and_files_go_in_and_come_out(w):
    folder = "/Workspace/Shared/sdk/50%41 \u00fc"
    w.workspace.mkdirs(folder)
    source = b"# Databricks notebook source\nprint(1)\n"
    w.workspace.upload(f"{folder}/report.py", source, format=workspace.ImportFormat.AUTO)
    w.workspace.upload(f"{folder}/data.bin", io.BytesIO(b"\0\xff"), format=workspace.ImportFormat.RAW)
    w.workspace.import_(
        f"{folder}/query",
        content=base64.b64encode(b"SELECT 1").decode(),
        format=workspace.ImportFormat.SOURCE,
        language=workspace.Language.SQL,
    )
    found = {one.path.rsplit("/", 1)[1]: one for one in w.workspace.list("/Shared/sdk", recursive=True)}
    assert set(found) == {"report", "data.bin", "query"}, found
    assert found["report"].language == workspace.Language.PYTHON and found["data.bin"].size == 2, found
    assert w.workspace.get_status(f"{folder}/query").object_id == found["query"].object_id > 2**53
    assert w.workspace.download(f"{folder}/data.bin").read() == b"\0\xff"
    assert w.workspace.download(f"{folder}/report").read() == source
    exported = w.workspace.export(f"{folder}/report", format=workspace.ExportFormat.JUPYTER)
    assert b"print(1)" in base64.b64decode(exported.content)
    expect(ResourceAlreadyExists, lambda: w.workspace.upload(f"{folder}/data.bin", b"x", format=workspace.ImportFormat.RAW))
    w.workspace.upload(f"{folder}/data.bin", b"x", format=workspace.ImportFormat.RAW, overwrite=True)
    expect(NotFound, lambda: w.workspace.upload("/Shared/none/x", b"x", format=workspace.ImportFormat.RAW))
    expect(BadRequest, lambda: w.workspace.delete("/Shared/sdk"))
    w.workspace.delete("/Shared/sdk", recursive=True)
    expect(NotFound, lambda: w.workspace.get_status("/Shared/sdk"))


@check
def a_notebook_of_the_workspace_runs(w):
    source = b"# Databricks notebook source\n# MAGIC %sql\n# MAGIC SELECT 1\n\n# COMMAND ----------\n\ndbutils.notebook.exit('done')\n"
    w.workspace.upload("/Shared/run-me.py", source, format=workspace.ImportFormat.AUTO)
    task = jobs.SubmitTask(task_key="only", notebook_task=jobs.NotebookTask("/Shared/run-me"))
    run = w.jobs.submit(tasks=[task]).result(timeout=timedelta(seconds=60))
    assert w.jobs.get_run_output(run.tasks[0].run_id).notebook_output.result == "done"
    w.workspace.delete("/Shared/run-me")


@check
def secrets_are_stored_and_read(w):
    w.secrets.create_scope("sdk")
    expect(ResourceAlreadyExists, lambda: w.secrets.create_scope("sdk"))
    w.secrets.put_secret("sdk", "text", string_value="s3cr3t \u00fc")
    w.secrets.put_secret("sdk", "bytes", bytes_value=base64.b64encode(b"\0\xff").decode())
    assert [scope.name for scope in w.secrets.list_scopes()] == ["sdk"]
    assert [secret.key for secret in w.secrets.list_secrets("sdk")] == ["bytes", "text"]
    assert w.dbutils.secrets.get("sdk", "text") == "s3cr3t \u00fc"
    assert base64.b64decode(w.secrets.get_secret("sdk", "bytes").value) == b"\0\xff"
    w.secrets.put_acl("sdk", "users", workspace.AclPermission.READ)
    assert w.secrets.get_acl("sdk", "users").permission == workspace.AclPermission.READ
    assert {acl.principal for acl in w.secrets.list_acls("sdk")} == {"users", "ada.sandbox@example.com"}
    w.secrets.delete_acl("sdk", "users")
    w.secrets.delete_secret("sdk", "text")
    expect(NotFound, lambda: w.secrets.get_secret("sdk", "text"))
    w.secrets.delete_scope("sdk")
    expect(NotFound, lambda: list(w.secrets.list_secrets("sdk")))


@check
def a_git_folder_changes_its_branch(w):
    repo = w.repos.create("https://github.com/example/etl.git", "gitHub", path="/Repos/ada.sandbox@example.com/sdk")
    assert repo.branch == "main" and repo.id > 2**53, repo
    assert repo.id in [other.id for other in w.repos.list(path_prefix="/Repos/ada")]
    w.repos.update(repo.id, branch="next")
    changed = w.repos.get(repo.id)
    assert changed.branch == "next" and changed.head_commit_id != repo.head_commit_id, changed
    assert w.workspace.get_status(repo.path).object_type == workspace.ObjectType.REPO
    w.repos.delete(repo.id)
    expect(NotFound, lambda: w.repos.get(repo.id))


@check
def a_git_credential_comes_and_goes(w):
    made = w.git_credentials.create("gitHub", git_username="ada", personal_access_token="s3cr3t")
    assert [one.credential_id for one in w.git_credentials.list()] == [made.credential_id]
    w.git_credentials.delete(made.credential_id)
    assert not list(w.git_credentials.list())


@check
def files_are_uploaded_listed_and_deleted(w):
    root = "/Volumes/main/default/files"
    path = f"{root}/python/100% ü.csv"
    w.files.create_directory(f"{root}/python")
    w.files.upload(path, io.BytesIO(b"a,b\n"), overwrite=False)
    expect(DatabricksError, lambda: w.files.upload(path, io.BytesIO(b"lost"), overwrite=False))
    w.files.upload(path, io.BytesIO(b"a,b\n1,2\n"), overwrite=True)
    assert w.files.download(path).contents.read() == b"a,b\n1,2\n"
    known = w.files.get_metadata(path)
    assert (known.content_length, known.content_type) == (8, "application/octet-stream"), known
    for name in "abcde":
        w.files.upload(f"{root}/python/many/{name}", io.BytesIO(b"x"))
    w.files.get_directory_metadata(f"{root}/python/many")
    listed = list(w.files.list_directory_contents(f"{root}/python", page_size=1))
    assert [entry.name for entry in listed] == ["100% ü.csv", "many"], listed
    assert [entry.is_directory or False for entry in listed] == [False, True], listed
    many = list(w.files.list_directory_contents(f"{root}/python/many", page_size=2))
    assert [entry.name for entry in many] == list("abcde") and many[0].file_size == 1, many
    expect(BadRequest, lambda: w.files.delete_directory(f"{root}/python"))
    for entry in many:
        w.files.delete(entry.path)
    w.files.delete(path)
    w.files.delete_directory(f"{root}/python/many")
    w.files.delete_directory(f"{root}/python")
    expect(NotFound, lambda: w.files.get_directory_metadata(f"{root}/python"))
    expect(NotFound, lambda: w.files.download(path))


@check
def volumes_are_created_changed_and_deleted(w):
    made = w.volumes.create("main", "default", "Python", catalog.VolumeType.MANAGED, comment="made here")
    assert (made.full_name, made.volume_type) == ("main.default.python", catalog.VolumeType.MANAGED), made
    expect(BadRequest, lambda: w.volumes.create("main", "default", "python", catalog.VolumeType.MANAGED))
    names = [volume.full_name for volume in w.volumes.list("main", "default")]
    assert names == ["main.default.files", "main.default.python"], names
    changed = w.volumes.update("main.default.python", new_name="renamed", comment="changed")
    assert (changed.full_name, changed.comment) == ("main.default.renamed", "changed"), changed
    assert w.volumes.read("main.default.renamed").volume_id == made.volume_id
    w.volumes.delete("main.default.renamed")
    expect(NotFound, lambda: w.volumes.read("main.default.renamed"))
    expect(NotFound, lambda: list(w.volumes.list("main", "missing")))


@check
def dbfs_files_are_written_in_blocks(w):
    content = bytes(range(256)) * 10_000
    with w.dbfs.open("/python/long", write=True, overwrite=True) as file:
        file.write(content)
    assert w.dbfs.get_status("/python/long").file_size == len(content)
    with w.dbfs.open("/python/long", read=True) as file:
        assert b"".join(iter(lambda: file.read(700_000), b"")) == content
    w.dbfs.mkdirs("/python/empty")
    assert not list(w.dbfs.list("/python/empty"))
    w.dbfs.delete("/python/empty", recursive=True)
    w.dbfs.put("/python/short", contents=base64.b64encode(b"short").decode())
    expect(DatabricksError, lambda: w.dbfs.put("/python/short", contents=""))
    assert base64.b64decode(w.dbfs.read("/python/short").data) == b"short"
    w.dbfs.move("/python/short", "/python/moved")
    assert [file.path for file in w.dbfs.list("/python")] == ["/python/long", "/python/moved"]
    full = dict(body={"path": "/python"})
    expect(DatabricksError, lambda: w.api_client.do("POST", "/api/2.0/dbfs/delete", **full))
    w.dbfs.delete("/python", recursive=True)
    expect(NotFound, lambda: w.dbfs.get_status("/python"))


def update_states(w, pipeline, update):
    states = []
    while not states or states[-1].value not in ("COMPLETED", "FAILED", "CANCELED"):
        assert len(states) < 1000, states
        states.append(w.pipelines.get_update(pipeline, update).update.state)
        time.sleep(0.02)
    return states


def find_cluster(w, name):
    return next(cluster.cluster_id for cluster in w.clusters.list() if cluster.cluster_name == name)


def execute(w, statement, **options):
    warehouse = next(one for one in w.warehouses.list() if one.name == "Serverless Starter Warehouse")
    options = {"wait_timeout": "30s", **options}
    return w.statement_execution.execute_statement(warehouse_id=warehouse.id, statement=statement, **options)


def expect(kind, function):
    try:
        function()
    except kind:
        return
    raise AssertionError(f"no {kind.__name__}")


def main():
    if len(sys.argv) not in (3, 5):
        sys.exit(__doc__)
    url, token = sys.argv[1:3]
    for name in [name for name in os.environ if name.startswith("DATABRICKS_")]:
        del os.environ[name]
    poll_often()
    count_calls()
    runs = [("personal access token", connect(url, token=token), check) for check in checks]

    def service_principal(w):
        assert w.current_user.me().user_name == sys.argv[3]
        assert len(list(w.clusters.list())) == 3

    if len(sys.argv) == 5:
        client = connect(url, client_id=sys.argv[3], client_secret=sys.argv[4])
        runs.append(("service principal", client, service_principal))

    def wrong_token(w):
        expect(PermissionDenied, w.current_user.me)

    runs.append(("unknown token", connect(url, token="dapi-unknown"), wrong_token))

    passed = failed = 0
    for who, client, function in runs:
        name = f"{who}: {function.__name__.replace('_', ' ')}"
        try:
            function(client)
        except Exception:
            failed += 1
            print(f"FAILED {name}")
            traceback.print_exc(file=sys.stdout)
        else:
            passed += 1
            print(f"ok     {name}")
    print(f"{len(calls)} calls of the SDK succeeded: {', '.join(sorted(calls))}")
    if len(calls) < LEAST_CALLS:
        print(f"FAILED fewer than {LEAST_CALLS} calls of the SDK succeeded")
        failed += 1
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
