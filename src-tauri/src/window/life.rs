//! The window's life as a state machine: what happens to it, and what is to be done then. It knows
//! no window and no clock; [`super`] does what it says.

/// What to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Page {
    /// What is shown already; the first page in a new window.
    Last,
    /// This page, such as `/pair`.
    At(String),
}

/// The window's life.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Life {
    /// Counts the windows, so that a late clock is not taken for the present one's.
    made: u64,
    stage: Stage,
}

/// Where it is in its life.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Stage {
    /// There is none, and nothing of a web view is in memory.
    #[default]
    Freed,
    /// It has been made; its page has not come up.
    Opening {
        /// Asked for meanwhile.
        then: Option<String>,
    },
    /// Its page is up.
    Shown,
    /// It is being taken down.
    Closing {
        /// Asked for meanwhile: another is made when this one is gone.
        then: Option<Page>,
    },
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Happening {
    /// Somebody wants to see it.
    Asked(Page),
    /// Its page is up: it has asked for events.
    PageUp,
    /// So long after it was made, the page should be up.
    Overdue { number: u64 },
    /// It could not be made.
    NotMade,
    /// The person closes it. `reachable`: without it there is another way back in.
    CloseAsked { reachable: bool },
    /// It is gone.
    Destroyed,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    /// Make it, with this page; say [`Happening::Overdue`] with this number in good time.
    Make { page: Page, number: u64 },
    /// Bring it to the front.
    Raise,
    /// Have the page show this.
    Go(String),
    /// Let it be closed.
    LetGo,
    /// Keep it, out of the way.
    PutDown,
    /// Say that its page does not come up.
    Explain,
}

impl Life {
    /// What to do about what happens; the state is the one after it.
    pub(super) fn on(&mut self, happening: Happening) -> Vec<Deed> {
        use Happening::{Asked, CloseAsked, Destroyed, NotMade, Overdue, PageUp};
        match (&mut self.stage, happening) {
            (Stage::Freed, Asked(page)) => self.make(page),
            (Stage::Freed, _) => vec![],

            (Stage::Opening { then }, Asked(page)) => {
                if let Page::At(path) = page {
                    *then = Some(path);
                }
                vec![Deed::Raise]
            }
            (Stage::Opening { then }, PageUp) => {
                let deeds = then.take().map(Deed::Go).into_iter().collect();
                self.stage = Stage::Shown;
                deeds
            }
            (Stage::Opening { .. }, Overdue { number }) if number == self.made => {
                vec![Deed::Explain]
            }
            (Stage::Opening { .. }, NotMade) => {
                self.stage = Stage::Freed;
                vec![Deed::Explain]
            }

            (Stage::Shown, Asked(Page::At(path))) => vec![Deed::Go(path), Deed::Raise],
            (Stage::Shown, Asked(Page::Last)) => vec![Deed::Raise],

            (Stage::Opening { .. } | Stage::Shown, CloseAsked { reachable: true }) => {
                self.stage = Stage::Closing { then: None };
                vec![Deed::LetGo]
            }
            (Stage::Opening { .. } | Stage::Shown, CloseAsked { reachable: false }) => {
                vec![Deed::PutDown]
            }
            (Stage::Opening { .. } | Stage::Shown, Destroyed) => {
                self.stage = Stage::Freed;
                vec![]
            }

            (Stage::Closing { then }, Asked(page)) => {
                // A page that was asked for is not forgotten for one that is not named.
                if then.is_none() || page != Page::Last {
                    *then = Some(page);
                }
                vec![]
            }
            (Stage::Closing { then }, Destroyed) => match then.take() {
                Some(page) => self.make(page),
                None => {
                    self.stage = Stage::Freed;
                    vec![]
                }
            },
            (Stage::Closing { .. }, CloseAsked { .. }) => vec![Deed::LetGo],

            (_, PageUp | Overdue { .. } | NotMade) => vec![],
        }
    }

    fn make(&mut self, page: Page) -> Vec<Deed> {
        self.made += 1;
        self.stage = Stage::Opening { then: None };
        vec![Deed::Make {
            page,
            number: self.made,
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str) -> Page {
        Page::At(path.to_owned())
    }

    fn after(happenings: &[Happening]) -> Life {
        let mut life = Life::default();
        for happening in happenings {
            life.on(happening.clone());
        }
        life
    }

    const ASKED: Happening = Happening::Asked(Page::Last);
    const CLOSED: Happening = Happening::CloseAsked { reachable: true };

    #[test]
    fn it_is_made_when_it_is_wanted_and_freed_when_it_is_closed() {
        let mut life = Life::default();
        let made = life.on(Happening::Asked(at("/pair")));
        assert!(matches!(&made[..], [Deed::Make { page, .. }] if *page == at("/pair")));
        assert_eq!(life.on(Happening::PageUp), []);
        assert_eq!(life.on(CLOSED), [Deed::LetGo]);
        assert_eq!(life.on(Happening::Destroyed), []);
        assert_eq!(life.stage, Stage::Freed);
    }

    #[test]
    fn a_page_that_is_asked_for_early_is_shown_once_there_is_one() {
        let mut life = after(&[ASKED]);
        assert_eq!(life.on(Happening::Asked(at("/peers/a"))), [Deed::Raise]);
        assert_eq!(life.on(Happening::Asked(at("/pair"))), [Deed::Raise]);
        assert_eq!(life.on(ASKED), [Deed::Raise]);
        assert_eq!(life.on(Happening::PageUp), [Deed::Go("/pair".to_owned())]);
        let again = life.on(Happening::Asked(at("/peers")));
        assert_eq!(again, [Deed::Go("/peers".to_owned()), Deed::Raise]);
        assert_eq!(life.on(ASKED), [Deed::Raise]);
    }

    #[test]
    fn without_another_way_back_in_it_is_put_down_instead() {
        let stay = Happening::CloseAsked { reachable: false };
        let mut life = after(&[ASKED, Happening::PageUp]);
        let before = life.clone();
        assert_eq!(life.on(stay), [Deed::PutDown]);
        assert_eq!(life, before);
    }

    #[test]
    fn one_that_is_wanted_while_it_goes_is_made_anew() {
        let mut life = after(&[ASKED, Happening::PageUp, CLOSED]);
        assert_eq!(life.on(Happening::Asked(at("/pair"))), []);
        assert_eq!(life.on(ASKED), []);
        let made = life.on(Happening::Destroyed);
        assert!(
            matches!(&made[..], [Deed::Make { page, number: 2 }] if *page == at("/pair")),
            "{made:?}"
        );
    }

    #[test]
    fn a_page_that_never_comes_up_is_explained_and_may_still_come() {
        let mut life = after(&[ASKED]);
        let overdue = Happening::Overdue { number: 1 };
        assert_eq!(life.on(overdue.clone()), [Deed::Explain]);
        assert_eq!(life.on(Happening::PageUp), []);
        assert_eq!(life.on(overdue), [], "it came in time");
        // The clock of the window before says nothing about this one.
        let mut second = after(&[ASKED, CLOSED, ASKED, Happening::Destroyed]);
        assert_eq!(second.on(Happening::Overdue { number: 1 }), []);
        assert_eq!(second.on(Happening::Overdue { number: 2 }), [Deed::Explain]);
    }

    #[test]
    fn one_that_cannot_be_made_is_explained_and_can_be_tried_again() {
        let mut life = after(&[ASKED]);
        assert_eq!(life.on(Happening::NotMade), [Deed::Explain]);
        assert_eq!(life.stage, Stage::Freed);
        assert!(matches!(&life.on(ASKED)[..], [Deed::Make { .. }]));
    }

    #[test]
    fn whatever_happens_in_whatever_order_it_can_always_be_opened() {
        let all = [
            ASKED,
            Happening::Asked(at("/pair")),
            Happening::PageUp,
            Happening::Overdue { number: 1 },
            Happening::NotMade,
            CLOSED,
            Happening::CloseAsked { reachable: false },
            Happening::Destroyed,
        ];
        let mut lives = vec![Life::default()];
        for _ in 0..5 {
            lives = lives
                .into_iter()
                .flat_map(|life| {
                    all.iter().map(move |happening| {
                        let mut life = life.clone();
                        life.on(happening.clone());
                        life
                    })
                })
                .collect();
            lives.dedup();
        }
        for mut life in lives {
            let mut deeds = life.on(ASKED);
            if matches!(life.stage, Stage::Closing { .. }) {
                deeds = life.on(Happening::Destroyed);
            }
            assert!(
                matches!(&deeds[..], [Deed::Raise] | [Deed::Make { .. }]),
                "{life:?}: {deeds:?}"
            );
        }
    }
}
