//! Asterisk's side of a FastAGI connection.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Long enough for any machine; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Asterisk {
    stream: TcpStream,
    /// How many bytes go into one segment.
    segment: usize,
}

impl Asterisk {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, segment: usize::MAX }
    }

    /// A connection that asks for `script` as the dialplan does.
    pub async fn call(address: SocketAddr, script: &str, args: &[&str]) -> Self {
        let mut asterisk = Self::connect(address).await;
        asterisk.say(&environment(script, args)).await;
        asterisk
    }

    /// From here on each byte goes alone.
    pub fn byte_by_byte(mut self) -> Self {
        self.segment = 1;
        self
    }

    pub async fn say(&mut self, text: &str) {
        for segment in text.as_bytes().chunks(self.segment) {
            self.stream.write_all(segment).await.unwrap();
        }
    }

    /// Says what the other side may refuse to hear to its end.
    pub async fn shout(&mut self, bytes: &[u8]) {
        // The refusal is what the test looks at, by `closed`.
        let _ = self.stream.write_all(bytes).await;
    }

    /// The next command, whole and alone.
    #[track_caller]
    pub fn hears(&mut self, expected: &str) -> impl Future<Output = ()> {
        let expected = format!("{expected}\n");
        async move {
            let mut bytes = vec![0; 4096];
            let read = timeout(PATIENCE, self.stream.read(&mut bytes)).await.expect("no command").unwrap();
            assert_eq!(String::from_utf8_lossy(&bytes[..read]), expected);
        }
    }

    /// Hears a ping's answer, whatever it says of sessions, and replies.
    pub async fn ponged(&mut self, reply: &str) {
        let mut bytes = vec![0; 4096];
        let read = timeout(PATIENCE, self.stream.read(&mut bytes)).await.expect("no command").unwrap();
        let said = String::from_utf8_lossy(&bytes[..read]);
        let version = concat!(r#"SET VARIABLE "CAMPANILE_PONG" ""#, env!("CARGO_PKG_VERSION"), " sessions ");
        assert!(said.starts_with(version) && said.ends_with("\"\n"), "{said:?}");
        self.say(reply).await;
    }

    /// Hears a command and answers it.
    pub async fn answers(&mut self, command: &str, reply: &str) {
        self.hears(command).await;
        self.say(&format!("{reply}\n")).await;
    }

    /// The other side closes, and says nothing before it.
    pub async fn closed(mut self) {
        let mut bytes = vec![0; 4096];
        match timeout(PATIENCE, self.stream.read(&mut bytes)).await.expect("still open") {
            Ok(read) => assert_eq!(String::from_utf8_lossy(&bytes[..read]), ""),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
        }
    }

    /// The other side closes, perhaps after a probe that it sent before it heard of the hang-up.
    pub async fn closed_but_for_a_probe(mut self) {
        let mut bytes = vec![];
        let rest = timeout(PATIENCE, self.stream.read_to_end(&mut bytes)).await.expect("still open");
        assert!(rest.is_ok() && (bytes.is_empty() || bytes == b"NOOP\n"), "{rest:?} {bytes:?}");
    }

    /// The next command as it is; `None` when the other side closed.
    pub async fn next_command(&mut self) -> Option<String> {
        let mut bytes = vec![0; 4096];
        let read = timeout(PATIENCE, self.stream.read(&mut bytes)).await.expect("no command").unwrap_or(0);
        (read > 0).then(|| String::from_utf8_lossy(&bytes[..read]).into_owned())
    }

    /// Says a byte every few milliseconds until the other side closes, which it does before the end.
    pub async fn drips(mut self, text: &str) {
        let mut heard = [0; 1];
        for byte in text.as_bytes() {
            if self.stream.write_all(&[*byte]).await.is_err() {
                return;
            }
            match timeout(Duration::from_millis(3), self.stream.read(&mut heard)).await {
                Ok(Ok(0) | Err(_)) => return,
                Ok(Ok(_)) => panic!("it said something"),
                Err(_) => {}
            }
        }
        panic!("it listened to the end");
    }

    /// Gone without a word, as a process that was killed with unread data.
    pub fn breaks(self) {
        self.stream.set_zero_linger().unwrap();
    }

    /// No more from us, but we still listen.
    pub async fn ends(&mut self) {
        self.stream.shutdown().await.unwrap();
    }
}

pub fn environment(script: &str, args: &[&str]) -> String {
    let mut block = format!(
        "agi_network: yes\nagi_network_script: {script}\nagi_request: agi://127.0.0.1:4573/{script}\n\
         agi_channel: Local/dial@campanile-dial-00000001;2\nagi_version: 22.10.1\nagi_callerid: unknown\n"
    );
    for (index, arg) in args.iter().enumerate() {
        block.push_str(&format!("agi_arg_{}: {arg}\n", index + 1));
    }
    block.push('\n');
    block
}
