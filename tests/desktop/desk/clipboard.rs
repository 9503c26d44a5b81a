//! The clipboard of a display as another program uses it.

use std::time::Duration;

use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt, CreateWindowAux, EventMask, PropMode, SELECTION_NOTIFY_EVENT,
    SelectionNotifyEvent, SelectionRequestEvent, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use super::display::{Display, atom};
use crate::harness::wait;

/// The clipboard's owner is another program.
const PATIENCE: Duration = Duration::from_secs(10);

impl Display {
    /// The text on the clipboard as another program gets it, empty if there is none.
    pub(crate) fn clipboard(&self) -> String {
        let (connection, window) = self.hidden_window();
        let [clipboard, utf8, property] =
            ["CLIPBOARD", "UTF8_STRING", "TIELINE_TEST"].map(|name| atom(&connection, name));
        connection
            .convert_selection(window, clipboard, utf8, property, x11rb::CURRENT_TIME)
            .expect("the request");
        connection.flush().expect("the request is sent");
        let answered =
            wait::until(
                "an answer of the clipboard's owner",
                PATIENCE,
                || match connection.poll_for_event().expect("an event") {
                    Some(Event::SelectionNotify(answer)) => Some(answer.property != x11rb::NONE),
                    _ => None,
                },
            );
        if !answered {
            return String::new();
        }
        let cookie = connection
            .get_property(true, window, property, AtomEnum::ANY, 0, 1 << 20)
            .expect("a request");
        String::from_utf8(cookie.reply().expect("the text").value).expect("text in UTF-8")
    }

    /// Puts text on the clipboard, and hands it out until somebody else puts something there, or
    /// the display ends.
    pub(crate) fn put_on_clipboard(&self, text: &str) {
        let (connection, window) = self.hidden_window();
        let clipboard = atom(&connection, "CLIPBOARD");
        connection
            .set_selection_owner(window, clipboard, x11rb::CURRENT_TIME)
            .expect("a request")
            .check()
            .expect("the clipboard is ours");
        let text = text.to_owned();
        std::thread::spawn(move || {
            while let Ok(event) = connection.wait_for_event() {
                match event {
                    Event::SelectionRequest(request) => hand_out(&connection, &request, &text),
                    Event::SelectionClear(_) => return,
                    _ => {}
                }
            }
        });
    }

    fn hidden_window(&self) -> (RustConnection, Window) {
        let (connection, root) = self.connect();
        let window = connection.generate_id().expect("an id");
        connection
            .create_window(
                0,
                window,
                root,
                0,
                0,
                1,
                1,
                0,
                WindowClass::INPUT_ONLY,
                0,
                &CreateWindowAux::new(),
            )
            .expect("a window");
        (connection, window)
    }
}

/// Answers one request for the text, as ICCCM section 2.2 says.
fn hand_out(connection: &RustConnection, request: &SelectionRequestEvent, text: &str) {
    let [utf8, targets] = ["UTF8_STRING", "TARGETS"].map(|name| atom(connection, name));
    let property = request.property;
    let written = if request.target == targets {
        connection.change_property32(
            PropMode::REPLACE,
            request.requestor,
            property,
            AtomEnum::ATOM,
            &[targets, utf8],
        )
    } else {
        connection.change_property8(
            PropMode::REPLACE,
            request.requestor,
            property,
            utf8,
            text.as_bytes(),
        )
    };
    let answer = SelectionNotifyEvent {
        response_type: SELECTION_NOTIFY_EVENT,
        sequence: 0,
        time: request.time,
        requestor: request.requestor,
        selection: request.selection,
        target: request.target,
        property: match (&written, request.target) {
            (Ok(_), target) if target == utf8 || target == targets => property,
            _ => x11rb::NONE,
        },
    };
    // Who asked may be gone by now.
    let _ = connection.send_event(false, request.requestor, EventMask::NO_EVENT, answer);
    let _ = connection.flush();
}
