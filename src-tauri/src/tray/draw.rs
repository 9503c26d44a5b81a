//! From entries to the platform's menu, and from one menu to the next without replacing it where
//! only words and marks change: a menu that is open stays open.

use tauri::menu::{
    CheckMenuItem, CheckMenuItemBuilder, IsMenuItem, Menu, MenuBuilder, MenuItem, MenuItemBuilder,
    PredefinedMenuItem, Submenu, SubmenuBuilder,
};
use tauri::{AppHandle, Runtime};

use super::menu::Entry;

/// A menu, and the handles that change its lines.
pub(super) struct Drawn<R: Runtime> {
    pub(super) menu: Menu<R>,
    lines: Vec<Line<R>>,
}

/// A line of the platform's menu.
enum Line<R: Runtime> {
    Plain(MenuItem<R>),
    Choice(CheckMenuItem<R>),
    More(Submenu<R>, Vec<Self>),
    Separator(PredefinedMenuItem<R>),
}

impl<R: Runtime> Drawn<R> {
    pub(super) fn new(app: &AppHandle<R>, entries: &[Entry]) -> tauri::Result<Self> {
        let lines = lines(app, entries)?;
        let mut menu = MenuBuilder::new(app);
        for line in &lines {
            menu = menu.item(line.item());
        }
        Ok(Self {
            menu: menu.build()?,
            lines,
        })
    }

    /// Makes the lines say what `entries` say. They must be [`alike`] those the menu was made from.
    pub(super) fn update(&self, entries: &[Entry]) -> tauri::Result<()> {
        update(&self.lines, entries)
    }
}

/// Whether a menu of `new` is one of `old` with other words and marks.
pub(super) fn alike(old: &[Entry], new: &[Entry]) -> bool {
    old.len() == new.len()
        && old.iter().zip(new).all(|pair| match pair {
            (Entry::Action { action: a, .. }, Entry::Action { action: b, .. })
            | (Entry::Choice { action: a, .. }, Entry::Choice { action: b, .. }) => a == b,
            (
                Entry::More {
                    menu: a,
                    label: old,
                },
                Entry::More {
                    menu: b,
                    label: new,
                },
            ) => {
                // GTK keeps the name that such a line was made with.
                alike(a, b) && (old == new || !cfg!(target_os = "linux"))
            }
            (Entry::Words(_), Entry::Words(_)) | (Entry::Separator, Entry::Separator) => true,
            _ => false,
        })
}

impl<R: Runtime> Line<R> {
    fn item(&self) -> &dyn IsMenuItem<R> {
        match self {
            Self::Plain(item) => item,
            Self::Choice(item) => item,
            Self::More(menu, _) => menu,
            Self::Separator(item) => item,
        }
    }
}

fn lines<R: Runtime>(app: &AppHandle<R>, entries: &[Entry]) -> tauri::Result<Vec<Line<R>>> {
    entries.iter().map(|entry| line(app, entry)).collect()
}

fn line<R: Runtime>(app: &AppHandle<R>, entry: &Entry) -> tauri::Result<Line<R>> {
    Ok(match entry {
        Entry::Action { action, label } => {
            Line::Plain(MenuItemBuilder::with_id(action.id(), plain(label)).build(app)?)
        }
        Entry::Choice {
            action,
            label,
            chosen,
        } => {
            let item = CheckMenuItemBuilder::with_id(action.id(), plain(label)).checked(*chosen);
            Line::Choice(item.build(app)?)
        }
        Entry::Words(words) => {
            let item = MenuItemBuilder::new(plain(words)).enabled(false);
            Line::Plain(item.build(app)?)
        }
        Entry::More { label, menu } => {
            let inside = lines(app, menu)?;
            let mut builder = SubmenuBuilder::new(app, plain(label));
            for line in &inside {
                builder = builder.item(line.item());
            }
            Line::More(builder.build()?, inside)
        }
        Entry::Separator => Line::Separator(PredefinedMenuItem::separator(app)?),
    })
}

fn update<R: Runtime>(lines: &[Line<R>], entries: &[Entry]) -> tauri::Result<()> {
    for (line, entry) in lines.iter().zip(entries) {
        match (line, entry) {
            (Line::Plain(item), Entry::Action { label: text, .. } | Entry::Words(text)) => {
                set_text(text, || item.text(), |text| item.set_text(text))?;
            }
            (Line::Choice(item), Entry::Choice { label, chosen, .. }) => {
                set_text(label, || item.text(), |text| item.set_text(text))?;
                // A click has moved the mark already, wherever it belongs.
                if item.is_checked()? != *chosen {
                    item.set_checked(*chosen)?;
                }
            }
            (Line::More(menu, inside), Entry::More { label, menu: new }) => {
                set_text(label, || menu.text(), |text| menu.set_text(text))?;
                update(inside, new)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Sets a text where it is another one, so that the panel hears of changes only.
fn set_text(
    text: &str,
    now: impl FnOnce() -> tauri::Result<String>,
    set: impl FnOnce(String) -> tauri::Result<()>,
) -> tauri::Result<()> {
    let wanted = plain(text);
    if now()? == wanted {
        Ok(())
    } else {
        set(wanted)
    }
}

/// A label in which `&` is itself, and marks no keyboard shortcut.
fn plain(label: &str) -> String {
    label.replace('&', "&&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tray::menu::Action;

    fn action(action: Action, label: &str) -> Entry {
        Entry::Action {
            action,
            label: label.to_owned(),
        }
    }

    #[test]
    fn other_words_keep_the_menu_and_other_lines_replace_it() {
        let menu = |words: &str, inside: Vec<Entry>| {
            vec![
                Entry::Words(words.to_owned()),
                Entry::More {
                    label: "more".to_owned(),
                    menu: inside,
                },
            ]
        };
        let old = menu("a", vec![action(Action::Open, "Open")]);
        assert!(alike(&old, &menu("b", vec![action(Action::Open, "Show")])));
        assert!(!alike(&old, &menu("a", vec![action(Action::Quit, "Open")])));
        assert!(!alike(&old, &menu("a", vec![])));
        assert!(!alike(&old, &old[..1]));
        assert!(!alike(&old, &[Entry::Separator, Entry::Separator]));
    }
}
