//! The listening socket.

use std::io;
use std::net::SocketAddr;

use listenfd::ListenFd;
use tokio::net::{TcpListener, TcpSocket};

/// How many connections may wait to be accepted. A connection that the kernel drops is tried again
/// by Asterisk's kernel after 1 s, too late for its call, and given up by Asterisk after 2 s.
pub const BACKLOG: u32 = 4096;

/// Why there is no listening socket.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// FastAGI knows no passwords (asterisk.md 9), so only this machine may speak to us.
    #[error("{0} is not a loopback address; FastAGI has no authentication, so only 127.0.0.0/8 and ::1 will do")]
    NotLoopback(SocketAddr),
    /// Somebody listens there already.
    #[error(
        "another program listens on {0} already, perhaps another campanile-agi; it was left alone: end it first, or choose another `agi_listen`"
    )]
    Taken(SocketAddr),
    /// The system said no.
    #[error("listen on {address}")]
    Io {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// Listens on a loopback address.
pub fn listen(address: SocketAddr) -> Result<TcpListener, ListenError> {
    if !address.ip().is_loopback() {
        return Err(ListenError::NotLoopback(address));
    }
    bind(address).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ListenError::Taken(address),
        _ => ListenError::Io { address, source },
    })
}

/// The socket that systemd opened, if it is the one that `address` means. It outlives this process, so
/// that nobody is refused while we restart.
pub fn inherit(mut sockets: ListenFd, address: SocketAddr) -> io::Result<Option<TcpListener>> {
    if !address.ip().is_loopback() {
        return Ok(None);
    }
    let Some(listener) = sockets.take_tcp_listener(0)? else { return Ok(None) };
    let inherited = listener.local_addr()?;
    if inherited != address {
        log::warn!("campanile-agi.socket listens on {inherited}, but agi_listen is {address}: change its ListenStream");
        return Ok(None);
    }
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener).map(Some)
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart must not wait for the old connections to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
