//! An X server without a screen.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt, EventMask, ImageFormat, MapState, Window,
};
use x11rb::rust_connection::RustConnection;

/// Every fourth pixel of a window in both directions.
pub(crate) struct Frame {
    pixels: Vec<[u8; 3]>,
}

impl Frame {
    /// The share of pixels that differ.
    pub(crate) fn difference(&self, other: &Self) -> f64 {
        if self.pixels.len() != other.pixels.len() || self.pixels.is_empty() {
            return 1.0;
        }
        let pairs = self.pixels.iter().zip(&other.pixels);
        pairs.filter(|(one, two)| one != two).count() as f64 / self.pixels.len() as f64
    }
}

/// Ends with it.
pub(crate) struct Display {
    server: Child,
    name: String,
}

impl Display {
    /// Starts one on the first free number.
    pub(crate) fn start() -> Self {
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1280x800x24",
                "-nolisten",
                "tcp",
                "-noreset",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb starts");
        let mut number = String::new();
        let stdout = server.stdout.take().expect("a pipe");
        BufReader::new(stdout)
            .read_line(&mut number)
            .expect("the display's number");
        assert!(!number.trim().is_empty(), "Xvfb ended early");
        Self {
            server,
            name: format!(":{}", number.trim()),
        }
    }

    /// For `DISPLAY`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The window with this title that can be seen.
    pub(crate) fn window(&self, title: &str) -> Option<Window> {
        let (connection, root) = self.connect();
        let name = atom(&connection, "_NET_WM_NAME");
        let tree = connection.query_tree(root).ok()?.reply().ok()?;
        tree.children.into_iter().find(|&window| {
            // Any of them may be gone by the time it is asked.
            let mapped = connection
                .get_window_attributes(window)
                .ok()
                .and_then(|cookie| cookie.reply().ok());
            let named = connection.get_property(false, window, name, AtomEnum::ANY, 0, 64);
            let named = named.ok().and_then(|cookie| cookie.reply().ok());
            mapped.is_some_and(|window| window.map_state == MapState::VIEWABLE)
                && named.is_some_and(|name| name.value == title.as_bytes())
        })
    }

    /// What a window shows.
    pub(crate) fn frame(&self, window: Window) -> Option<Frame> {
        let (connection, _) = self.connect();
        let size = connection.get_geometry(window).ok()?.reply().ok()?;
        let image = connection
            .get_image(
                ImageFormat::Z_PIXMAP,
                window,
                0,
                0,
                size.width,
                size.height,
                !0,
            )
            .ok()?
            .reply()
            .ok()?;
        let row = usize::from(size.width) * 4;
        let pixels = image
            .data
            .chunks_exact(row)
            .step_by(4)
            .flat_map(|row| row.chunks_exact(4).step_by(4))
            .map(|pixel| [pixel[0], pixel[1], pixel[2]])
            .collect();
        Some(Frame { pixels })
    }

    /// Asks a window to close, as a window manager does.
    pub(crate) fn close(&self, window: Window) {
        let (connection, _) = self.connect();
        let (protocols, delete) = (
            atom(&connection, "WM_PROTOCOLS"),
            atom(&connection, "WM_DELETE_WINDOW"),
        );
        let message = ClientMessageEvent::new(
            32,
            window,
            protocols,
            [delete, x11rb::CURRENT_TIME, 0, 0, 0],
        );
        let sent = connection
            .send_event(false, window, EventMask::NO_EVENT, message)
            .expect("a request");
        sent.check().expect("the window is there");
    }

    pub(super) fn connect(&self) -> (RustConnection, Window) {
        let (connection, screen) = x11rb::connect(Some(&self.name)).expect("the display");
        let root = connection.setup().roots[screen].root;
        (connection, root)
    }
}

pub(super) fn atom(connection: &RustConnection, name: &str) -> u32 {
    let cookie = connection
        .intern_atom(false, name.as_bytes())
        .expect("a request");
    cookie.reply().expect("an atom").atom
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
