//! Sessions that are held: connected, with a command that is not answered.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::connect;

/// As many as one process may well hold.
const EACH: usize = 10_000;

/// Processes that hold sessions of one server; they are let go with this value.
pub struct Held(Vec<(Child, Option<ChildStdin>)>);

impl Held {
    /// Holds one session for each environment; an empty one says nothing at all.
    pub fn new(server: SocketAddr, environments: &[String]) -> Self {
        let this = std::env::current_exe().unwrap_or_else(|e| panic!("this program: {e}"));
        let start = |share: &[String]| {
            let mut child = Command::new(&this)
                .args(["hold", &server.to_string()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()?;
            let mut orders = child.stdin.take();
            if let Some(orders) = &mut orders {
                for environment in share {
                    orders.write_all(&u32::try_from(environment.len()).unwrap_or(0).to_be_bytes())?;
                    orders.write_all(environment.as_bytes())?;
                }
                orders.write_all(&u32::MAX.to_be_bytes())?;
            }
            let told = child.stdout.take().and_then(|out| BufReader::new(out).lines().next());
            assert_eq!(told.transpose()?, Some(share.len().to_string()), "all are held");
            Ok::<_, io::Error>((child, orders))
        };
        let holders = environments.chunks(EACH).map(start).collect::<Result<_, _>>();
        Self(holders.unwrap_or_else(|e| panic!("hold sessions: {e}")))
    }
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
        crate::server::open_files()?;
        let mut held = Vec::new();
        while let Some(environment) = read_one(&mut input)? {
            let mut stream = connect(server, held.len()).await;
            if !environment.is_empty() {
                stream.write_all(&environment).await?;
                let heard = stream.read(&mut [0; 1024]).await?;
                assert_ne!(heard, 0, "turned away");
            }
            held.push(stream);
        }
        println!("{}", held.len());
        io::stdout().flush()?;
        input.read_to_end(&mut vec![])?;
        Ok(())
    })
}

fn read_one(input: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length == u32::MAX {
        return Ok(None);
    }
    let mut environment = vec![0; length as usize];
    input.read_exact(&mut environment)?;
    Ok(Some(environment))
}
