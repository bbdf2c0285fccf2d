"""Tests of a program that uses a workspace, as its authors would write them."""

from databricks.sdk.service.compute import Language
from databricks.sdk.service.sql import StatementParameterListItem


def test_the_query_finds_trips(workspace):
    warehouse = next(one for one in workspace.warehouses.list() if one.state.value == "RUNNING")
    answer = workspace.statement_execution.execute_statement(
        "SELECT count(*) FROM samples.nyctaxi.trips WHERE pickup_zip = :zip",
        warehouse_id=warehouse.id,
        parameters=[StatementParameterListItem("zip", type="INT", value="10001")],
        wait_timeout="30s",
    )
    assert int(answer.result.data_array[0][0]) > 0


def test_the_code_runs_on_the_cluster(workspace):
    cluster = next(one for one in workspace.clusters.list() if one.state.value == "RUNNING")
    context = workspace.command_execution.create_and_wait(cluster_id=cluster.cluster_id, language=Language.PYTHON).id
    answer = workspace.command_execution.execute_and_wait(
        cluster_id=cluster.cluster_id,
        context_id=context,
        language=Language.PYTHON,
        command="print(spark.range(5).count())",
    )
    assert answer.results.data == "5"
