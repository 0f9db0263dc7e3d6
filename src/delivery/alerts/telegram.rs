//! Messages of a Telegram bot. Its token is a part of the address by their design, so the address
//! is put together here alone and neither kept nor logged.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::http::{Agent, Request};
use super::super::mask::Mask;
use super::channels::World;
use super::message::Message;
use crate::secret::Secret;

const TIME: Duration = Duration::from_secs(30);
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Telegram takes 4096.
const TEXT_LENGTH_MAX: usize = 4000;
const FLAW_LENGTH_MAX: usize = 300;

/// A bot, and the chat it writes to.
pub(super) struct Telegram {
    pub(super) chat: String,
    pub(super) token: Secret,
}

#[derive(Serialize)]
struct Body<'a> {
    chat_id: &'a str,
    text: &'a str,
    disable_web_page_preview: bool,
}

#[derive(Deserialize)]
struct Said {
    ok: bool,
    #[serde(default)]
    description: String,
}

impl Telegram {
    /// Posts a message.
    pub(super) fn send(&self, message: &Message, world: &World) -> Result<(), String> {
        let text = format!("{}\n\n{}", message.subject, message.text);
        let text: String = text.chars().take(TEXT_LENGTH_MAX).collect();
        let body = Body { chat_id: &self.chat, text: &text, disable_web_page_preview: true };
        let body = serde_json::to_vec(&body).map_err(|error| error.to_string())?;
        let url = format!("{}/bot{}/sendMessage", world.telegram, self.token.expose());
        let request = Request {
            url: &url,
            content_type: "application/json",
            body: &body,
            timeout: TIME,
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        let flaw = |text: &str| Mask::new(&self.token).excerpt(text, FLAW_LENGTH_MAX);
        let answer = Agent::for_orders(&world.reach).post(&request);
        let answer = answer.map_err(|failure| flaw(&failure.to_string()))?;
        match serde_json::from_slice::<Said>(&answer.body) {
            Ok(said) if said.ok && answer.status == 200 => Ok(()),
            Ok(said) => {
                Err(flaw(&format!("Telegram says: {} (HTTP {})", said.description, answer.status)))
            }
            Err(_) => Err(format!("Telegram gives no valid answer (HTTP {})", answer.status)),
        }
    }
}
