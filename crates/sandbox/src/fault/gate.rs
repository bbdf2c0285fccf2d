//! A listener that can refuse connections for a while, as a service does that restarts.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use axum::serve::Listener;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;
/// How long a request waits for the listener to close. It closes at once.
const CLOSING: Duration = Duration::from_secs(1);
/// Between two attempts to listen again, or to accept a connection.
const PAUSE: Duration = Duration::from_millis(20);

/// Closes a [`GatedListener`].
#[derive(Debug)]
pub(crate) struct Gate {
    closed_until: watch::Sender<Option<Instant>>,
    closed: watch::Sender<bool>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self { closed_until: watch::Sender::new(None), closed: watch::Sender::new(false) }
    }

    /// Refuses new connections from now on until the time has passed. Returns once they are refused.
    pub(crate) async fn refuse(&self, time: Duration) {
        // A moment too far away to be counted never comes.
        let far = Duration::from_secs(365 * 24 * 3600);
        let until = Instant::now() + time.min(far);
        self.closed_until.send_modify(|known| *known = Some(known.map_or(until, |known| known.max(until))));
        let mut closed = self.closed.subscribe();
        let _ = tokio::time::timeout(CLOSING, closed.wait_for(|closed| *closed)).await;
    }

    /// A listener behind this gate.
    pub(crate) fn guard(&self, listener: TcpListener) -> io::Result<GatedListener> {
        Ok(GatedListener {
            address: listener.local_addr()?,
            listener: Some(listener),
            closed_until: self.closed_until.subscribe(),
            closed: self.closed.clone(),
        })
    }
}

/// A listener whose [`Gate`] can be closed.
pub(crate) struct GatedListener {
    address: SocketAddr,
    /// `None` only while connections are refused.
    listener: Option<TcpListener>,
    closed_until: watch::Receiver<Option<Instant>>,
    closed: watch::Sender<bool>,
}

impl GatedListener {
    /// Closes the socket until the moment has come, and listens again on the same port.
    async fn refuse(&mut self) {
        if let Some(listener) = self.listener.take() {
            // A child that is being started has a copy of the socket, which would accept connections until the child's own
            // program is loaded. Some systems can't shut a listener down, so an error is ignored.
            let _ = SockRef::from(&listener).shutdown(Shutdown::Both);
        }
        // Bound, but not listening: connections are refused, and no other program gets the port meanwhile.
        let mut held = self.bind();
        self.closed.send_replace(true);
        loop {
            let until = *self.closed_until.borrow_and_update();
            match until.filter(|until| *until > Instant::now()) {
                Some(until) => tokio::time::sleep_until(until).await,
                None => break,
            }
        }
        while self.listener.is_none() {
            match held.and_then(|socket| socket.listen(BACKLOG)) {
                Ok(listener) => self.listener = Some(listener),
                Err(error) => {
                    tracing::warn!(%error, address = %self.address, "cannot listen again yet");
                    tokio::time::sleep(PAUSE).await;
                }
            }
            held = if self.listener.is_none() { self.bind() } else { break };
        }
        self.closed.send_replace(false);
    }

    fn bind(&self) -> io::Result<TcpSocket> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(self.address)?;
        Ok(socket)
    }
}

impl Listener for GatedListener {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            let closed = self.closed_until.borrow().is_some_and(|until| until > Instant::now());
            let Some(listener) = self.listener.as_ref().filter(|_| !closed) else {
                self.refuse().await;
                continue;
            };
            tokio::select! {
                biased;
                changed = self.closed_until.changed() => {
                    if changed.is_err() {
                        // The gate is gone, and so is the sandbox.
                        std::future::pending::<()>().await;
                    }
                }
                accepted = listener.accept() => match accepted {
                    Ok(accepted) => return accepted,
                    Err(error) => {
                        tracing::debug!(%error, "cannot accept a connection");
                        tokio::time::sleep(PAUSE).await;
                    }
                },
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::io::ErrorKind;
    use std::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_copy_of_the_socket_accepts_nothing_while_it_refuses() {
        let (gate, listener) = (Gate::new(), std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap());
        // The copy that a child has until it runs its own program.
        let copy = listener.try_clone().unwrap();
        listener.set_nonblocking(true).unwrap();
        let mut guarded = gate.guard(TcpListener::from_std(listener).unwrap()).unwrap();
        let address = Listener::local_addr(&guarded).unwrap();
        let serving = tokio::spawn(async move {
            loop {
                guarded.accept().await;
            }
        });
        gate.refuse(Duration::from_secs(3600)).await;
        let connect = || std::net::TcpStream::connect(address);
        assert_eq!(connect().unwrap_err().kind(), ErrorKind::ConnectionRefused);
        tokio::time::sleep(Duration::from_secs(3600)).await;
        let since = Instant::now();
        while connect().is_err() {
            assert!(since.elapsed() < Duration::from_secs(30), "it listens again");
            tokio::time::sleep(PAUSE).await;
        }
        serving.abort();
        drop(copy);
    }
}
