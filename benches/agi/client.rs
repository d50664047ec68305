//! Asterisk's side. Its processor time is not counted.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use campanile_bench::wall_clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Handle;

/// What one session was to its caller.
#[derive(Debug, Clone, Copy)]
pub struct Heard {
    /// From when it was to begin to its end.
    pub took: Duration,
    pub commands: u32,
}

/// The environment of a real Asterisk.
pub fn environment(script: &str, ticket: &str) -> String {
    format!(
        "agi_network: yes\nagi_network_script: {script}\nagi_request: agi://127.0.0.1:4573/{script}\n\
         agi_channel: Local/dial@campanile-dial-00000001;2\nagi_language: en\nagi_type: Local\n\
         agi_uniqueid: 1700000000.1\nagi_version: 22.10.1\nagi_callerid: unknown\nagi_calleridname: unknown\n\
         agi_callingpres: 0\nagi_callingani2: 0\nagi_callington: 0\nagi_callingtns: 0\nagi_dnid: unknown\n\
         agi_rdnis: unknown\nagi_context: campanile-dial\nagi_extension: dial\nagi_priority: 6\n\
         agi_enhanced: 0.0\nagi_accountcode: \nagi_threadid: 140000000000000\nagi_arg_1: {ticket}\n\n"
    )
}

/// Connects from one of many addresses: each has its own ports.
pub async fn connect(server: SocketAddr, number: usize) -> TcpStream {
    let low = u8::try_from(2 + number % 200).unwrap_or(2);
    let from = SocketAddr::from((Ipv4Addr::new(127, 0, 0, low), 0));
    let connected = async {
        let socket = TcpSocket::new_v4()?;
        socket.bind(from)?;
        let stream = socket.connect(server).await?;
        stream.set_nodelay(true)?;
        Ok::<_, std::io::Error>(stream)
    };
    connected.await.unwrap_or_else(|e| panic!("connect {from} to {server}: {e}"))
}

/// One whole session; gives how many commands came.
async fn session(server: SocketAddr, number: usize, environment: &str) -> u32 {
    let mut stream = connect(server, number).await;
    let mut bytes = [0; 1024];
    let mut commands = 0;
    let mut say = environment.as_bytes();
    loop {
        stream.write_all(say).await.unwrap_or_else(|e| panic!("say to {server}: {e}"));
        match stream.read(&mut bytes).await {
            Ok(0) => return commands,
            Ok(_) => commands += 1,
            Err(e) => panic!("hear {server}: {e}"),
        }
        say = b"200 result=0 endpos=8000\n";
    }
}

/// All of these, `at_once` at a time, each beginning as soon as one ends.
pub async fn in_turn(server: SocketAddr, environments: Arc<Vec<String>>, at_once: usize) -> Vec<Heard> {
    let next = Arc::new(AtomicUsize::new(0));
    let caller = || {
        let (next, environments) = (Arc::clone(&next), Arc::clone(&environments));
        tokio::spawn(async move {
            let mut heard = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(environment) = environments.get(number) else { return heard };
                let began = wall_clock();
                let commands = session(server, number, environment).await;
                heard.push(Heard { took: began.elapsed(), commands });
            }
        })
    };
    let callers: Vec<_> = (0..at_once).map(|_| caller()).collect();
    all(callers).await.concat()
}

/// Each at its instant, given from the beginning, whether the ones before have ended or not. To be called
/// from a thread of its own: a runtime's timer rounds up to milliseconds.
pub fn at_their_time(runtime: &Handle, server: SocketAddr, calls: Vec<(Duration, String)>) -> Vec<Heard> {
    let began = wall_clock();
    let begin = |(number, (at, environment)): (usize, (Duration, String))| {
        std::thread::sleep(at.saturating_sub(began.elapsed()));
        runtime.spawn(async move {
            let commands = session(server, number, &environment).await;
            Heard { took: began.elapsed() - at, commands }
        })
    };
    let callers: Vec<_> = calls.into_iter().enumerate().map(begin).collect();
    runtime.block_on(all(callers))
}

/// Arrivals at random, `per_second` on average.
pub fn arrivals(count: usize, per_second: f64) -> impl Iterator<Item = Duration> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut at = 0.0;
    std::iter::repeat_with(move || {
        // xorshift64*; its upper bits are good enough for a logarithm.
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let bits = u32::try_from(state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32).unwrap_or(1);
        at -= f64::ln((f64::from(bits) + 1.0) / 4_294_967_296.0) / per_second;
        Duration::from_secs_f64(at)
    })
    .take(count)
}

async fn all<T>(tasks: Vec<tokio::task::JoinHandle<T>>) -> Vec<T> {
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        results.push(task.await.unwrap_or_else(|e| panic!("a caller: {e}")));
    }
    results
}
