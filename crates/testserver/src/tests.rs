use std::{
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::TcpStream,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake},
    thread,
    time::{Duration, Instant},
};

use crate::{ClosedPort, End, Gate, Log, Response, Server};

const GET: &str = "GET /a?b=c HTTP/1.1\r\nX-One: 1\r\n\r\n";

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.authority()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// All that comes until the server closes the connection.
fn exchange(server: &Server, request: &str) -> std::io::Result<String> {
    let mut stream = connect(server);
    stream.write_all(request.as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text).map(|_| text)
}

#[test]
fn connections_are_kept_and_requests_recorded() {
    let server = Server::start(|request| Response::json(request.body.clone()).with_header("x-a", "b"));
    let mut stream = connect(&server);
    let chunked = "PUT /d HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n";
    let plain = "POST /e HTTP/1.1\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    stream.write_all(format!("{GET}HEAD / HTTP/1.1\r\n\r\n{chunked}{plain}").as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let head = "HTTP/1.1 200 \r\ncontent-type: application/json\r\nx-a: b\r\ncontent-length: ";
    assert_eq!(
        text,
        format!("{head}0\r\n\r\n{head}0\r\n\r\n{head}19\r\n\r\nabc0123456789abcdef{head}2\r\n\r\n{{}}")
    );
    let requests = server.requests();
    assert_eq!(requests[0].line(), "GET /a?b=c");
    assert_eq!(
        (requests[0].path(), requests[0].query(), requests[0].header("x-one")),
        ("/a", "b=c", Some("1"))
    );
    assert_eq!(requests.iter().map(|r| (r.number, r.is_first)).next_back(), Some((3, false)));
    assert!(requests[0].is_first && requests[0].authority == server.authority());
    exchange(&server, plain).unwrap();
    assert_eq!(
        (server.connections(), server.requests()[4].connection, server.requests()[4].is_first),
        (2, 1, true)
    );
}

#[test]
fn a_script_repeats_its_last_response() {
    let close = |status| Response::new(status).with_header("Connection", "close");
    let server =
        Server::script([close(503), close(204).with_body("none"), close(200).with_body("a").with_body("b")]);
    let answers: Vec<_> = (0..4).map(|_| exchange(&server, GET).unwrap()).collect();
    assert_eq!(answers[0], "HTTP/1.1 503 \r\nConnection: close\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(answers[1], "HTTP/1.1 204 \r\nConnection: close\r\n\r\n");
    assert!(answers[2].ends_with("content-length: 2\r\n\r\nab") && answers[3] == answers[2], "{answers:?}");
}

#[test]
fn bodies_are_chunked_cut_and_replaced() {
    let whole = Response::new(200).with_body("abc").with_body("").with_body("defg");
    let server = Server::script([
        whole.clone().chunked().with_end(End::Close),
        whole.clone().chunked().cut(5, End::Close),
        whole.clone().cut(4, End::Close),
        whole.with_header("Content-Length", "99").with_end(End::Close),
        Response::raw("SSH-2.0-x\r\n"),
        Response::none(End::Close),
    ]);
    for expected in [
        "HTTP/1.1 200 \r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n",
        "HTTP/1.1 200 \r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\nde",
        "HTTP/1.1 200 \r\ncontent-length: 7\r\n\r\nabcd",
        "HTTP/1.1 200 \r\nContent-Length: 99\r\n\r\nabcdefg",
        "SSH-2.0-x\r\n",
        "",
    ] {
        assert_eq!(exchange(&server, GET).unwrap(), expected);
    }
}

#[test]
fn a_reset_is_one_and_a_stall_lasts() {
    let server =
        Server::script([Response::none(End::Reset), Response::new(200).with_body("abc").cut(1, End::Stall)]);
    assert_eq!(exchange(&server, GET).unwrap_err().kind(), ErrorKind::ConnectionReset);
    let mut reader = BufReader::new(connect(&server));
    reader.get_mut().write_all(GET.as_bytes()).unwrap();
    let mut text = Vec::new();
    reader.read_until(b'a', &mut text).unwrap();
    reader.get_mut().set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert!(matches!(reader.fill_buf().unwrap_err().kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
    // A client that waits for a server that is gone notices.
    let authority = server.authority();
    drop(server);
    reader.get_mut().set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(reader.fill_buf().unwrap(), b"");
    assert!(TcpStream::connect(authority).is_err());
}

#[test]
fn a_client_that_does_not_speak_http_and_a_handler_that_panics_end_one_connection() {
    let server = Server::start(|request| {
        assert_ne!(request.path(), "/panic", "expected by this test");
        Response::new(200).with_end(End::Close)
    });
    // What was not read may turn the close into a reset.
    assert!(exchange(&server, "\u{16}\u{3}\u{1}\n\n").unwrap_or_default().is_empty());
    assert!(server.requests().is_empty());
    assert_eq!(exchange(&server, "GET /panic HTTP/1.1\r\n\r\n").unwrap(), "");
    assert!(exchange(&server, GET).unwrap().starts_with("HTTP/1.1 200 "));
    assert_eq!((server.connections(), server.requests().len()), (3, 2));
}

#[test]
fn a_gate_holds_handlers_back_and_servers_share_a_log() {
    let (gate, log) = (Gate::default(), Log::default());
    let start = |gate: Gate| {
        Server::start_with_log(&log, move |_| {
            gate.pass();
            Response::new(200).with_end(End::Close)
        })
    };
    let servers = [start(gate.clone()), start(gate.clone())];
    thread::scope(|scope| {
        let clients = servers.each_ref().map(|server| scope.spawn(|| exchange(server, GET).unwrap()));
        log.block_until(|requests| requests.len() == 2);
        assert!(clients.iter().all(|client| !client.is_finished()));
        gate.open(2);
        for client in clients {
            assert!(client.join().unwrap().starts_with("HTTP/1.1 200 "));
        }
    });
    for server in &servers {
        assert_eq!(log.requests().iter().filter(|r| r.authority == server.authority()).count(), 1);
    }
}

#[test]
fn a_task_that_waits_for_requests_is_woken() {
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let server = Server::start(|_| Response::none(End::Close));
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = count.clone().into();
    let mut context = Context::from_waker(&waker);
    let mut arrived = pin!(server.log().arrived(1));
    assert_eq!(arrived.as_mut().poll(&mut context), Poll::Pending);
    exchange(&server, GET).unwrap();
    assert_eq!(count.0.load(Ordering::SeqCst), 1);
    assert_eq!(arrived.poll(&mut context), Poll::Ready(()));
}

#[test]
fn a_pace_is_kept_and_a_closed_port_refuses() {
    let body = vec![b'x'; 200_000];
    let response = Response::new(200).with_body(body).with_pace(1e6).with_end(End::Close);
    let server = Server::script([response]);
    let start = Instant::now();
    assert!(exchange(&server, GET).unwrap().len() > 200_000);
    assert!(start.elapsed() >= Duration::from_millis(200));
    let closed = ClosedPort::reserve();
    assert_eq!(TcpStream::connect(closed.authority()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}
