//! A listener that can refuse connections for a while, as a service does that restarts.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::serve::Listener;
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
        drop(self.listener.take());
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
