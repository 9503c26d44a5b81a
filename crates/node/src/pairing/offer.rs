//! What this node gives of itself, ready to be pasted on another machine.

use tieline_wire::card::Card;
use tieline_wire::name::Alias;
use tieline_wire::problem::{Code, Problem};

use crate::model::SwapOffer;
use crate::node::Node;

impl Node {
    /// This node's card in every form that another machine takes.
    ///
    /// # Errors
    /// `CARD_INVALID` where the node's name or addresses do not fit into a card.
    pub fn swap_offer(&self) -> Result<SwapOffer, Problem> {
        let card = self.card()?;
        let pem = card.to_pem();
        Ok(SwapOffer {
            card: String::from_utf8(card.to_json())
                .map_err(|error| Problem::new(Code::Internal).because(error.to_string()))?,
            parts: parts(&card),
            command: command(&card, &pem),
            peers_json: self.abtars_paste(None)?,
            file_name: format!("{}.card", Alias::suggest(&card.name).as_str()),
            fingerprint: card.fingerprint.into(),
            pem,
        })
    }
}

fn parts(card: &Card) -> String {
    let mut text = format!("name: {}\n", card.name);
    for address in &card.addresses {
        text.push_str(&format!("host: {address}\n"));
    }
    text.push_str(&format!(
        "fingerprint: {}\nkey: {}\n",
        card.fingerprint,
        card.verify_key.to_base64()
    ));
    text
}

/// For a POSIX shell. The name in a card is anything its owner typed, so it goes in quoted.
fn command(card: &Card, pem: &str) -> String {
    let name = Alias::suggest(&card.name);
    format!(
        "tieline peers add - --name {} <<'CARD'\n{}CARD",
        name.as_str(),
        pem
    )
}
