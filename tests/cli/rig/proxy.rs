//! A proxy in front of the registry that counts what is asked for and breaks what it is told to break.

use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::http::read_head;

/// What to do to the answers for blobs.
#[derive(Clone, Default)]
pub(crate) struct Faults {
    /// Hang up after so many bytes of a blob's body, this many times.
    pub(crate) cut_after: Option<usize>,
    pub(crate) cuts: usize,
    /// Answer 503 to this many requests, of whatever kind.
    pub(crate) busy: usize,
    /// Wait so long before each 16 KiB of a blob.
    pub(crate) pause: Duration,
    /// Flip a bit in the body of every blob.
    pub(crate) corrupt: bool,
}

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) range: Option<String>,
}

struct State {
    faults: Mutex<Faults>,
    requests: Mutex<Vec<Request>>,
    upstream: String,
}

/// Lives until the test process ends; a test makes its own.
pub(crate) struct Proxy {
    pub(crate) address: String,
    state: Arc<State>,
}

impl Proxy {
    pub(crate) fn start(upstream: &str, faults: Faults) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state =
            State { faults: Mutex::new(faults), requests: Mutex::default(), upstream: upstream.into() };
        let state = Arc::new(state);
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // A client that was killed or cut off is what the tests are about.
                std::thread::spawn(move || drop(serve(&client, &state)));
            }
        });
        Self { address, state }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state.requests.lock().unwrap().clone()
    }

    /// The GETs of blobs whose path contains `part`.
    pub(crate) fn blob_fetches(&self, part: &str) -> Vec<Request> {
        let wanted = |request: &Request| {
            request.method == "GET" && request.path.contains("/blobs/") && request.path.contains(part)
        };
        self.requests().into_iter().filter(wanted).collect()
    }
}

fn serve(client: &TcpStream, state: &State) -> std::io::Result<()> {
    let head = read_head(&mut BufReader::new(client))?;
    let request = parse(&head);
    state.requests.lock().unwrap().push(request.clone());
    let mut client = client;
    if take(&mut state.faults.lock().unwrap().busy) {
        let answer = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        return client.write_all(answer.as_bytes());
    }
    let mut upstream = TcpStream::connect(&state.upstream)?;
    upstream.write_all(forwarded(&head).as_bytes())?;
    let mut answer = BufReader::new(upstream);
    let head = read_head(&mut answer)?;
    client.write_all(closing(&head).as_bytes())?;
    if !request.path.contains("/blobs/") || request.method != "GET" {
        return std::io::copy(&mut answer, &mut client).map(drop);
    }
    blob(answer, client, state)
}

fn take(count: &mut usize) -> bool {
    let any = *count > 0;
    *count = count.saturating_sub(1);
    any
}

fn blob(mut from: impl Read, mut to: impl Write, state: &State) -> std::io::Result<()> {
    let (faults, cut) = {
        let mut shared = state.faults.lock().unwrap();
        let cut = shared.cut_after.filter(|_| take(&mut shared.cuts));
        (shared.clone(), cut)
    };
    let (mut sent, mut buffer) = (0, [0; 16 * 1024]);
    loop {
        let room = cut.map_or(buffer.len(), |cut| buffer.len().min(cut - sent));
        let length = from.read(&mut buffer[..room])?;
        if length == 0 {
            return Ok(());
        }
        if faults.corrupt {
            buffer[length / 2] ^= 1;
        }
        std::thread::sleep(faults.pause);
        to.write_all(&buffer[..length])?;
        sent += length;
    }
}

fn parse(head: &str) -> Request {
    let mut words = head.split(' ');
    let method = words.next().unwrap_or_default().to_owned();
    let path = words.next().unwrap_or_default().to_owned();
    let range = header(head, "range").map(str::to_owned);
    Request { method, path, range }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// The request as the registry gets it: one a connection. It may come without a body, as pulls do.
fn forwarded(head: &str) -> String {
    closing(head)
}

/// The head with `Connection: close` in place of whatever was said about the connection.
fn closing(head: &str) -> String {
    let kept =
        head.lines().filter(|line| !line.is_empty() && !line.to_lowercase().starts_with("connection:"));
    let lines: Vec<_> = kept.chain(["Connection: close"]).collect();
    format!("{}\r\n\r\n", lines.join("\r\n"))
}
