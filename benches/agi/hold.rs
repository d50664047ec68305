//! Sessions that are held: connected, with a command that is not answered.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStdin, Command, Stdio};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// As many as one process may well hold.
const EACH: usize = 10_000;
/// In place of a length: no further environment.
const END: u32 = u32::MAX;

/// Processes that hold sessions of one server; they are let go with this value.
pub struct Held(Vec<(Child, Option<ChildStdin>)>);

impl Held {
    /// Holds one session for each environment.
    pub fn new(server: SocketAddr, environments: &[String]) -> Self {
        let start = |share: &[String]| {
            let mut input = Vec::new();
            for environment in share {
                input.extend(u32::try_from(environment.len()).unwrap_or(0).to_be_bytes());
                input.extend(environment.as_bytes());
            }
            input.extend(END.to_be_bytes());
            start(&["hold", &server.to_string()], &input, share.len())
        };
        Self(fine(environments.chunks(EACH).map(start).collect()))
    }

    /// Connections that say nothing; each that is closed comes again at once.
    pub fn renewing(server: SocketAddr, count: usize) -> Self {
        let all = vec![(); count];
        let start = |share: &[()]| start(&["renew", &server.to_string(), &share.len().to_string()], &[], share.len());
        Self(fine(all.chunks(EACH).map(start).collect()))
    }
}

fn start(role: &[&str], input: &[u8], count: usize) -> io::Result<(Child, Option<ChildStdin>)> {
    let this = std::env::current_exe()?;
    let mut child = Command::new(this).args(role).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut kept = child.stdin.take();
    if let Some(stdin) = &mut kept {
        stdin.write_all(input)?;
    }
    let told = child.stdout.take().and_then(|out| BufReader::new(out).lines().next());
    assert_eq!(told.transpose()?, Some(count.to_string()), "all are connected");
    Ok((child, kept))
}

fn fine<T>(held: io::Result<T>) -> T {
    held.unwrap_or_else(|e| panic!("hold sessions: {e}"))
}

impl Drop for Held {
    fn drop(&mut self) {
        for (child, orders) in &mut self.0 {
            drop(orders.take());
            let _ = child.wait();
        }
    }
}

/// The holding process: environments on standard input, and when all are held their number on standard
/// output; ends when standard input does.
pub fn hold(server: SocketAddr) -> io::Result<()> {
    let mut input = io::stdin().lock();
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        super::server::open_files()?;
        let mut held = Vec::new();
        while let Some(environment) = read_one(&mut input)? {
            let mut stream = connect(server, held.len()).await;
            stream.write_all(&environment).await?;
            let heard = stream.read(&mut [0; 1024]).await?;
            assert_ne!(heard, 0, "turned away");
            held.push(stream);
        }
        println!("{}", held.len());
        io::stdout().flush()?;
        input.read_to_end(&mut vec![])?;
        Ok(())
    })
}

/// The renewing process: like the holding one, of `count` silent connections.
pub fn renew(server: SocketAddr, count: usize) -> io::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        super::server::open_files()?;
        for number in 0..count {
            let mut stream = connect(server, number).await;
            tokio::spawn(async move {
                loop {
                    // Being turned out is what it is here for.
                    let _ = stream.read(&mut [0; 16]).await;
                    stream = connect(server, number).await;
                }
            });
        }
        println!("{count}");
        io::stdout().flush()?;
        let (ended, end) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let _ = io::stdin().read_to_end(&mut vec![]);
            ended.send(())
        });
        let _ = end.await;
        Ok(())
    })
}

/// Connects from one of many addresses: each has its own ports.
async fn connect(server: SocketAddr, number: usize) -> TcpStream {
    let low = u8::try_from(2 + number % 200).unwrap_or(2);
    let from = SocketAddr::from((Ipv4Addr::new(127, 0, 0, low), 0));
    let connected = async {
        let socket = TcpSocket::new_v4()?;
        socket.bind(from)?;
        let stream = socket.connect(server).await?;
        stream.set_nodelay(true)?;
        Ok::<_, io::Error>(stream)
    };
    connected.await.unwrap_or_else(|e| panic!("connect {from} to {server}: {e}"))
}

fn read_one(input: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length == END {
        return Ok(None);
    }
    let mut environment = vec![0; length as usize];
    input.read_exact(&mut environment)?;
    Ok(Some(environment))
}
