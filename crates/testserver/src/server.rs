use std::{
    io::{self, BufReader},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use socket2::{Domain, SockRef, Socket, Type};

use crate::{End, Log, Request, Response};

/// A server on a free port of 127.0.0.1. When it is dropped, it stops listening and closes its connections.
pub struct Server {
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

struct Shared {
    port: u16,
    log: Log,
    handler: Box<dyn Fn(&Request) -> Response + Send + Sync>,
    connections: Mutex<Vec<Weak<TcpStream>>>,
    is_stopping: AtomicBool,
}

impl Server {
    /// Starts a server that answers with what the handler returns. Handlers run in parallel, one for each connection;
    /// if one panics, its connection closes.
    pub fn start(handler: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        Self::start_with_log(&Log::default(), handler)
    }

    /// Starts a server that gives these responses in turn, and the last one from then on.
    ///
    /// # Panics
    /// If there is no response.
    pub fn script(responses: impl IntoIterator<Item = Response>) -> Self {
        let responses: Vec<_> = responses.into_iter().collect();
        assert!(!responses.is_empty(), "a script needs a response");
        Self::start(move |request| responses[request.number.min(responses.len() - 1)].clone())
    }

    /// Like [`start`](Self::start), and records into a log that other servers may share.
    pub fn start_with_log(log: &Log, handler: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let shared = Arc::new(Shared {
            port: listener.local_addr().unwrap().port(),
            log: log.clone(),
            handler: Box::new(handler),
            connections: Mutex::default(),
            is_stopping: AtomicBool::new(false),
        });
        let listening = thread::spawn({
            let shared = shared.clone();
            move || shared.listen(&listener)
        });
        Self { shared, listening: Some(listening) }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.authority())
    }

    /// `127.0.0.1:PORT`
    pub fn authority(&self) -> String {
        format!("127.0.0.1:{}", self.shared.port)
    }

    /// The log of the requests.
    pub fn log(&self) -> &Log {
        &self.shared.log
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Arc<Request>> {
        self.shared.log.requests()
    }

    /// The only request.
    ///
    /// # Panics
    /// If there are none or more.
    #[track_caller]
    pub fn only(&self) -> Arc<Request> {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:#?}");
        requests.remove(0)
    }

    /// The number of connections that clients have opened.
    pub fn connections(&self) -> usize {
        self.shared.connections.lock().unwrap().len()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.is_stopping.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        if TcpStream::connect(self.authority()).is_ok() {
            self.listening.take().map(JoinHandle::join);
        }
        for connection in self.shared.connections.lock().unwrap().iter().filter_map(Weak::upgrade) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn listen(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.is_stopping.load(Ordering::SeqCst) {
                return;
            }
            let Ok(stream) = stream.map(Arc::new) else { continue };
            let mut connections = self.connections.lock().unwrap();
            let index = connections.len();
            connections.push(Arc::downgrade(&stream));
            let shared = self.clone();
            // An error here means that the client has gone or does not speak HTTP: its own test notices.
            thread::spawn(move || shared.serve(&stream, index).ok());
        }
    }

    fn serve(&self, mut stream: &TcpStream, connection: usize) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream);
        let mut is_first = true;
        while let Some(request) = Request::read(&mut reader)? {
            let request =
                Request { authority: stream.local_addr()?.to_string(), connection, is_first, ..request };
            is_first = false;
            let request = self.log.push(request);
            let response = (self.handler)(&request);
            response.write(&mut stream, &request)?;
            match response.end {
                End::KeepAlive if !response.closes() && request.header("connection") != Some("close") => {}
                End::KeepAlive | End::Close => return Ok(()),
                // Takes effect when the connection is closed, which is at once.
                End::Reset => return SockRef::from(stream).set_linger(Some(Duration::ZERO)),
                End::Stall => return io::copy(&mut reader, &mut io::sink()).map(drop),
            }
        }
        Ok(())
    }
}

/// A port that refuses connections. It stays reserved until this is dropped, so that no other server gets it meanwhile.
pub struct ClosedPort(Socket);

impl ClosedPort {
    /// Binds to a free port of 127.0.0.1 without listening.
    pub fn reserve() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        Self(socket)
    }

    /// `127.0.0.1:PORT`
    pub fn authority(&self) -> String {
        self.0.local_addr().unwrap().as_socket().unwrap().to_string()
    }
}
