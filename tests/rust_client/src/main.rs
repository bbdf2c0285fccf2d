//! What rustbricks shows first: a query.

use rustbricks::{config::Config, models::SqlStatementRequest, services::DatabricksSession};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let warehouse_id = std::env::args().nth(1).expect("the id of a warehouse");
    let session = DatabricksSession::new(Config::new().unwrap()).unwrap();
    let query = SqlStatementRequest {
        statement: "SELECT * FROM range(10)".to_owned(),
        warehouse_id,
        catalog: None,
        schema: None,
        parameters: None,
        row_limit: None,
        byte_limit: None,
        disposition: "INLINE".to_owned(),
        format: "JSON_ARRAY".to_owned(),
        wait_timeout: Some("10s".to_owned()),
        on_wait_timeout: Some("CONTINUE".to_owned()),
    };
    let answer = session.execute_sql_statement(query).await.map_err(|error| format!("{error:?}")).unwrap();
    let shown = format!("{answer:?}");
    assert_eq!(answer.status.expect("a status").state, "SUCCEEDED", "{shown}");
    assert!(shown.contains("\"9\"") && shown.contains("total_row_count: 10"), "{shown}");
    println!("rustbricks: a query");
}
