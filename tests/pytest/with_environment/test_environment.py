"""With `brick sandbox -- pytest`, the environment is the fixture. `tests/pytest.sh` runs this with another workspace's variables."""

import os

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.compute import Language

FIGURE = """
import matplotlib.pyplot as plt
figure, axes = plt.subplots()
axes.plot([1, 3, 2])
{end}
"""


def run(code):
    workspace, cluster = WorkspaceClient(), os.environ["DATABRICKS_CLUSTER_ID"]
    context = workspace.command_execution.create_and_wait(cluster_id=cluster, language=Language.PYTHON).id
    answer = workspace.command_execution.execute_and_wait(
        cluster_id=cluster, context_id=context, language=Language.PYTHON, command=code
    )
    return answer.results


def test_the_environment_names_the_sandbox():
    workspace = WorkspaceClient()
    assert workspace.config.host.startswith("http://127.0.0.1:")
    assert workspace.current_user.me().user_name == "ada.sandbox@example.com"


def test_another_profile_is_not_reached():
    with pytest.raises(ValueError, match="has no prod profile"):
        WorkspaceClient(profile="prod")
    assert WorkspaceClient(profile="DEFAULT").config.host == os.environ["DATABRICKS_HOST"]


@pytest.mark.parametrize("end", ["", "plt.show()", "display(figure)\nplt.close()", "axes"])
def test_a_figure_is_an_image(end):
    results = run(FIGURE.format(end=end))
    assert results.result_type.value == "image", results
    assert results.file_name.startswith("data:image/png;base64,iVBORw0KGgo")


def test_pandas_comes_and_goes():
    results = run("frame = spark.range(3).toPandas()\ndisplay(frame.assign(half=frame.id / 2))")
    assert results.data == [[0, 0.0], [1, 0.5], [2, 1.0]]
    assert [column["name"] for column in results.schema] == ["id", "half"]
