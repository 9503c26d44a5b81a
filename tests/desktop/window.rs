//! The real window, driven by clicks over the WebDriver protocol.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};

use crate::desk::{Desk, app_program};
use crate::harness::wait;
use crate::harness::webdriver::{ELEMENT, Session};

/// Longest wait for something to appear.
const PATIENCE: Duration = Duration::from_secs(60);

/// An app that was started for its window, and what drives it.
pub(crate) struct Window {
    /// Ends the app as well; it may have quit by itself, and the driver with it.
    session: Session,
    /// What was clicked and typed, in order.
    done: Vec<String>,
}

impl Window {
    /// Starts the app on this desktop with its window shown.
    pub(crate) fn open<const N: usize>(desk: &Desk, arguments: [&str; N]) -> Self {
        let mut driver: Command = desk.command(Path::new("WebKitWebDriver"));
        driver.env("TAURI_WEBVIEW_AUTOMATION", "true");
        let mut all = desk.arguments();
        all.extend(arguments.map(str::to_owned));
        let options = json!({ "binary": app_program(), "args": all });
        Self {
            session: Session::start(driver, &json!({ "webkitgtk:browserOptions": options })),
            done: Vec::new(),
        }
    }

    /// Clicks the button, tab or link with this text.
    pub(crate) fn click(&mut self, text: &str) {
        let path =
            format!("//*[self::button or self::a][normalize-space()={text:?} and not(@disabled)]");
        self.act(&format!("click {text}"), &path, "click", &json!({}));
    }

    /// Clicks the choice with this title, beside which more is said.
    pub(crate) fn choose(&mut self, title: &str) {
        let path = format!("//*[self::button or self::a][.//strong[normalize-space()={title:?}]]");
        self.act(&format!("click {title}"), &path, "click", &json!({}));
    }

    /// Goes to a page by its name at the side, which may have a number beside it.
    pub(crate) fn go_to(&mut self, name: &str) {
        let path = format!("//nav//a[starts-with(normalize-space(), {name:?})]");
        self.act(&format!("click {name}"), &path, "click", &json!({}));
    }

    /// What was clicked and typed so far, in order.
    pub(crate) fn log(&self) -> &[String] {
        &self.done
    }

    /// The same for a click that ends the app, so that its answer may never come.
    pub(crate) fn click_goodbye(self, text: &str) {
        let element = self.wait_for(&format!("//button[normalize-space()={text:?}]"));
        let _ = self
            .session
            .ask("POST", &format!("/element/{element}/click"), &json!({}));
    }

    /// Types into the field with this label.
    pub(crate) fn fill(&mut self, label: &str, text: &str) {
        let path = format!(
            "//*[@aria-label={label:?}] | //*[@id=//label[normalize-space()={label:?}]/@for]"
        );
        self.act(
            &format!("type into {label}"),
            &path,
            "value",
            &json!({ "text": text }),
        );
    }

    /// Types into what has the focus.
    pub(crate) fn type_where_the_focus_is(&mut self, text: &str) {
        self.done.push("type".to_owned());
        let focused = self
            .session
            .ask("GET", "/element/active", &Value::Null)
            .expect("something has the focus");
        let element = focused[ELEMENT].as_str().expect("its id");
        let typed = json!({ "text": text });
        self.session
            .ask("POST", &format!("/element/{element}/value"), &typed)
            .expect("it takes text");
    }

    /// Waits for an element with this test id and gives its text.
    pub(crate) fn text_of(&self, test_id: &str) -> String {
        let element = self.wait_for(&format!("//*[@data-testid={test_id:?}]"));
        let text = self
            .session
            .ask("GET", &format!("/element/{element}/text"), &Value::Null)
            .expect("its text");
        text.as_str().expect("text").to_owned()
    }

    /// Waits until this text is somewhere on the page.
    pub(crate) fn shows(&self, text: &str) {
        self.wait_for(&format!("//body//*[contains(normalize-space(), {text:?})]"));
    }

    /// Waits for what an XPath expression finds.
    pub(crate) fn has(&self, path: &str) {
        self.wait_for(path);
    }

    /// What a script gives back. It ends with `return`.
    pub(crate) fn evaluate(&self, script: &str) -> Value {
        self.session.evaluate(script)
    }

    /// The same for a script that calls the last of its arguments with its result.
    pub(crate) fn evaluate_async(&self, script: &str) -> Value {
        self.session.evaluate_async(script)
    }

    /// Keeps a picture in the directory that `TIELINE_SHOTS` names, if it does.
    pub(crate) fn picture(&self, name: &str) {
        let Some(directory) = std::env::var_os("TIELINE_SHOTS").map(PathBuf::from) else {
            return;
        };
        let encoded = self
            .session
            .ask("GET", "/screenshot", &Value::Null)
            .expect("a picture");
        let encoded = encoded.as_str().expect("a picture in base64");
        let png = base64::engine::general_purpose::STANDARD
            .decode(encoded)
            .expect("a picture");
        std::fs::create_dir_all(&directory).expect("the directory");
        std::fs::write(directory.join(format!("{name}.png")), png).expect("the picture is kept");
    }

    /// Finds it and acts on it; the page may replace it between the two.
    fn act(&mut self, what: &str, path: &str, action: &str, with: &Value) {
        self.done.push(what.to_owned());
        wait::until(what, PATIENCE, || {
            let element = self.find(path)?;
            self.session
                .ask("POST", &format!("/element/{element}/{action}"), with)
                .ok()
        });
    }

    fn wait_for(&self, path: &str) -> String {
        let given_up = Instant::now() + PATIENCE;
        wait::until(path, PATIENCE * 2, || {
            let found = self.find(path);
            if found.is_none() && Instant::now() > given_up {
                let page = self.evaluate("return document.body.innerText");
                let page = page.as_str().unwrap_or_default();
                panic!(
                    "{path} did not appear after {:?}. The page says:\n{page}",
                    self.done
                );
            }
            found
        })
    }

    fn find(&self, path: &str) -> Option<String> {
        let found = self
            .session
            .ask(
                "POST",
                "/element",
                &json!({ "using": "xpath", "value": path }),
            )
            .ok()?;
        found[ELEMENT].as_str().map(str::to_owned)
    }
}
