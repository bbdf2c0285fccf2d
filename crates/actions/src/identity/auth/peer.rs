//! Who is at the other end of a loopback connection, where the system tells.

use std::net::SocketAddr;

/// Whether a connection of this machine belongs to another user. The administrator counts as none: forwarded
/// connections are theirs. Where it isn't known, such as across containers, the answer is no.
#[cfg(target_os = "linux")]
pub(super) fn is_other_user(peer: SocketAddr, own: SocketAddr) -> bool {
    /// Users of other namespaces have this id.
    const UNKNOWN: u32 = 65_534;
    let table = if peer.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    let connections = std::fs::read_to_string(table).unwrap_or_default();
    let owner = owner(&connections, peer, own);
    owner.is_some_and(|id| ![0, UNKNOWN, rustix::process::geteuid().as_raw()].contains(&id))
}

/// Only Linux tells every program.
#[cfg(not(target_os = "linux"))]
pub(super) fn is_other_user(_: SocketAddr, _: SocketAddr) -> bool {
    false
}

/// The owner of the connection from `peer` to `own`. Each line has a number, both addresses, and the user in the eighth
/// place.
#[cfg(target_os = "linux")]
fn owner(connections: &str, peer: SocketAddr, own: SocketAddr) -> Option<u32> {
    let (peer, own) = (written(peer), written(own));
    connections.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let is_it = words.next() == Some(&*peer) && words.next() == Some(&*own);
        if is_it { words.nth(4)?.parse().ok() } else { None }
    })
}

/// An address as the kernel writes it: in words of this machine's order of bytes.
#[cfg(target_os = "linux")]
fn written(address: SocketAddr) -> String {
    let words = |bytes: &[u8]| {
        let words = bytes.chunks_exact(4).filter_map(|word| Some(u32::from_ne_bytes(word.try_into().ok()?)));
        words.map(|word| format!("{word:08X}")).collect::<String>()
    };
    let ip = match address {
        SocketAddr::V4(v4) => words(&v4.ip().octets()),
        SocketAddr::V6(v6) => words(&v6.ip().octets()),
    };
    format!("{ip}:{:04X}", address.port())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn our_own_connections_are_ours() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (stream, peer) = listener.accept().unwrap();
            let own = stream.local_addr().unwrap();
            let table = if peer.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
            let table = std::fs::read_to_string(table).unwrap();
            assert_eq!(owner(&table, peer, own), Some(rustix::process::geteuid().as_raw()), "{address}");
            assert!(!is_other_user(peer, own));
        }
    }

    #[test]
    fn another_users_connection_is_recognized() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                     0: 0100007F:D431 0100007F:1F54 01 00000000:00000000 00:00000000 00000000 4321 0 1 1 0\n";
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        if cfg!(target_endian = "little") {
            assert_eq!(owner(table, address(0xD431), address(8020)), Some(4321));
        }
        assert_eq!(owner(table, address(1), address(8020)), None);
    }
}
