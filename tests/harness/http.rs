//! A plain HTTP/1.1 client that sends exactly what it is told, also what no browser would.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(75);

/// A request, not yet sent.
#[derive(Debug, Clone)]
pub struct Request {
    to: Listener,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    announce_length: bool,
}

/// Where a request goes.
#[derive(Debug, Clone)]
enum Listener {
    Port(SocketAddr),
    /// A Unix socket.
    Socket(PathBuf),
}

/// An answer.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// A request with the right `Host`, and nothing else.
    pub fn new(addr: SocketAddr, method: &str, target: &str) -> Self {
        Self::to(Listener::Port(addr), &addr.to_string(), method, target)
    }

    /// The same over a Unix socket.
    pub fn over_socket(path: PathBuf, method: &str, target: &str) -> Self {
        Self::to(Listener::Socket(path), "localhost", method, target)
    }

    fn to(to: Listener, host: &str, method: &str, target: &str) -> Self {
        Self {
            to,
            method: method.to_owned(),
            target: target.to_owned(),
            headers: vec![("Host".to_owned(), host.to_owned())],
            body: None,
            announce_length: true,
        }
    }

    /// Adds a header, even if it is there already.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets a header, or with `None` removes it.
    pub fn replace(mut self, name: &str, value: Option<&str>) -> Self {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        match value {
            Some(value) => self.header(name, value),
            None => self,
        }
    }

    /// Gives the request line another target.
    pub fn target(mut self, target: &str) -> Self {
        self.target = target.to_owned();
        self
    }

    /// A body as it is, without a content type.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Bytes after the head as they are, without announcing their length.
    pub fn raw_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.announce_length = false;
        self.body(body)
    }

    /// A JSON body with its content type.
    pub fn json(self, body: &Value) -> Self {
        self.replace("Content-Type", Some("application/json"))
            .body(body.to_string())
    }

    /// Sends it and reads the whole answer.
    #[track_caller]
    pub fn send(self) -> Response {
        let shown = format!("{} {}", self.method, self.target);
        self.try_send()
            .unwrap_or_else(|error| panic!("{shown}: {error}"))
    }

    /// The same, for servers that may be gone.
    pub fn try_send(self) -> std::io::Result<Response> {
        self.try_send_noting(|| ())
    }

    /// The same; `written` is called once the request is on its way, before its answer is read.
    pub fn try_send_noting(self, written: impl FnOnce()) -> std::io::Result<Response> {
        let mut reader = self.open()?;
        written();
        let (status, headers) = read_head(&mut reader)?;
        let chunked = headers
            .iter()
            .any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let length = headers
            .iter()
            .find(|(name, _)| name == "content-length")
            .and_then(|(_, value)| value.parse().ok());
        let mut body = Vec::new();
        match length {
            Some(length) => {
                body.resize(length, 0);
                reader.read_exact(&mut body)?;
            }
            None if chunked => read_chunks(&mut reader, &mut body)?,
            None => {
                reader.read_to_end(&mut body)?;
            }
        }
        Ok(Response {
            status,
            headers,
            body,
        })
    }

    /// Sends it and hands out the lines of the answer's body as they come, for event streams.
    #[track_caller]
    pub fn stream(self) -> impl Iterator<Item = String> {
        let mut reader = self.open().expect("a connection");
        let (status, _) = read_head(&mut reader).expect("an answer");
        assert_eq!(status, 200);
        // Chunk sizes stand on lines of their own; no event line looks like one.
        reader.lines().map_while(Result::ok)
    }

    fn open(self) -> std::io::Result<BufReader<Box<dyn Read + Send>>> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        if let Some(body) = &self.body
            && self.announce_length
        {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"Connection: close\r\n\r\n");
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        let stream: Box<dyn Read + Send> = match &self.to {
            Listener::Port(addr) => {
                let mut stream = TcpStream::connect_timeout(addr, PATIENCE)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_nodelay(true)?;
                write(&mut stream, &bytes);
                Box::new(stream)
            }
            #[cfg(unix)]
            Listener::Socket(path) => {
                let mut stream = std::os::unix::net::UnixStream::connect(path)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                write(&mut stream, &bytes);
                Box::new(stream)
            }
            #[cfg(not(unix))]
            Listener::Socket(_) => return Err(std::io::ErrorKind::Unsupported.into()),
        };
        Ok(BufReader::new(stream))
    }
}

impl Response {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// `code` of a refusal.
    pub fn code(&self) -> String {
        serde_json::from_slice::<Value>(&self.body)
            .ok()
            .and_then(|body| body["code"].as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

/// A server that refuses early may stop reading; what it said is read all the same.
fn write(stream: &mut impl Write, bytes: &[u8]) {
    if let Err(error) = stream.write_all(bytes) {
        eprintln!("the server stopped reading: {error}");
    }
}

fn read_head(reader: &mut impl BufRead) -> std::io::Result<(u16, Vec<(String, String)>)> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let status =
        status.ok_or_else(|| std::io::Error::other(format!("not an HTTP answer: {line:?}")))?;
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_lowercase(), value.trim().to_owned())),
            None => return Ok((status, headers)),
        }
    }
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> std::io::Result<()> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let size = usize::from_str_radix(line.trim(), 16).map_err(std::io::Error::other)?;
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk)?;
        if size == 0 {
            return Ok(());
        }
        body.extend_from_slice(&chunk[..size]);
    }
}
