//! A way to a port that takes its time.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

/// Passes what comes to `from` on to `to`, each connection after a delay; for the life of the test.
pub fn open(from: u16, to: u16, delay: Duration) {
    let listener = TcpListener::bind(("127.0.0.1", from)).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || pass_on(stream, to, delay));
        }
    });
}

fn pass_on(near: TcpStream, to: u16, delay: Duration) {
    // Nothing is ever sent: it is a clock that can be waited on.
    let (_held, never) = mpsc::channel::<()>();
    let _waited = never.recv_timeout(delay);
    let Ok(far) = TcpStream::connect(("127.0.0.1", to)) else { return };
    near.set_nodelay(true).unwrap();
    far.set_nodelay(true).unwrap();
    let (near_end, far_end) = (near.try_clone().unwrap(), far.try_clone().unwrap());
    std::thread::spawn(move || copy(near_end, far_end));
    copy(far, near);
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    // Either may break off as it likes.
    let _copied = io::copy(&mut from, &mut to);
    let _closed = to.shutdown(Shutdown::Write);
}
