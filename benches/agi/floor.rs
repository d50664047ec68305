//! The least that can do the job: a bare tokio server that says four lines and listens to the answers.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;

use super::server::{announce, open_files};

/// As many as ours says in an answered call.
const SCRIPT: [&str; 4] =
    ["ANSWER\n", "STREAM FILE \"hello\" \"0123456789*#\"\n", "GET VARIABLE \"CAMPANILE_GO\"\n", "HANGUP\n"];

/// Serves for ever with tokio's usual threads; says on standard output where.
pub fn serve() -> io::Result<()> {
    serve_on(Builder::new_multi_thread())
}

/// The same on one thread.
pub fn serve_on_one() -> io::Result<()> {
    serve_on(Builder::new_current_thread())
}

fn serve_on(mut threads: Builder) -> io::Result<()> {
    threads.enable_all().build()?.block_on(async {
        open_files()?;
        let listener = announce()?;
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(talk(stream));
        }
    })
}

/// A caller who breaks off is nobody's problem.
async fn talk(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut bytes = [0; 2048];
    hear(&mut stream, &mut bytes, b"\n\n").await?;
    for line in SCRIPT {
        stream.write_all(line.as_bytes()).await?;
        hear(&mut stream, &mut bytes, b"\n").await?;
    }
    Ok(())
}

/// Reads up to `end`.
async fn hear(stream: &mut TcpStream, bytes: &mut [u8], end: &[u8]) -> io::Result<()> {
    let mut heard = 0;
    while !bytes[..heard].ends_with(end) {
        match stream.read(&mut bytes[heard..]).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => heard += more,
        }
    }
    Ok(())
}
