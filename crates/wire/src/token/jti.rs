/// How many numbers back a late request may be; more than ever run at once on one connection.
const WIDTH: u64 = 4096;

/// The numbers used on one connection: a sliding window of 4096 below the highest.
///
/// Requests on a connection overtake one another, so order cannot be demanded; each number may be
/// used once, and what is too old to be known is refused.
#[derive(Clone)]
pub struct JtiWindow {
    /// The highest number accepted; nothing before the first.
    highest: Option<u64>,
    /// One bit for each of the last 4096 numbers, at the number modulo 4096.
    used: [u64; (WIDTH / 64) as usize],
}

/// Why a number was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JtiError {
    /// Used before on this connection. Likely cause: a replay.
    #[error("the token was used before on this connection")]
    Repeated,
    /// More than 4095 behind the highest, so no longer known. Likely cause: a replay, or a request
    /// held back for very long.
    #[error("the token is too far behind the others on this connection")]
    TooOld,
}

impl Default for JtiWindow {
    fn default() -> Self {
        Self::new()
    }
}

impl JtiWindow {
    /// The window of a new connection.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            highest: None,
            used: [0; (WIDTH / 64) as usize],
        }
    }

    /// Uses a number up.
    ///
    /// # Errors
    /// [`JtiError`]; the window is then unchanged.
    pub fn accept(&mut self, number: u64) -> Result<(), JtiError> {
        match self.highest {
            Some(highest) if number <= highest => {
                if highest - number >= WIDTH {
                    return Err(JtiError::TooOld);
                }
                if self.is_used(number) {
                    return Err(JtiError::Repeated);
                }
            }
            Some(highest) => {
                // Bits of the numbers that now leave the window belong to the ones that enter.
                if number - highest >= WIDTH {
                    self.used.fill(0);
                } else {
                    (highest + 1..=number).for_each(|entering| self.set(entering, false));
                }
                self.highest = Some(number);
            }
            None => self.highest = Some(number),
        }
        self.set(number, true);
        Ok(())
    }

    fn is_used(&self, number: u64) -> bool {
        let (word, bit) = place(number);
        self.used.get(word).is_some_and(|word| word & bit != 0)
    }

    fn set(&mut self, number: u64, used: bool) {
        let (word, bit) = place(number);
        if let Some(word) = self.used.get_mut(word) {
            *word = if used { *word | bit } else { *word & !bit };
        }
    }
}

fn place(number: u64) -> (usize, u64) {
    ((number % WIDTH / 64) as usize, 1 << (number % 64))
}

impl std::fmt::Debug for JtiWindow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JtiWindow(highest {:?})", self.highest)
    }
}
