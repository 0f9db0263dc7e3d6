//! The channels that are set up, each with what opens it.

use super::super::http::Reach;
use super::mail::Mail;
use super::message::Message;
use super::telegram::Telegram;
use crate::domain::alert::{self, ChannelKind, MailTls, SecretName};
use crate::domain::setting::Setting;
use crate::secret::{Sealer, Secret};
use crate::store::{Read, Result, secrets, settings, together};

/// Where servers are and whom we trust. Tests have one of their own.
#[derive(Clone, Debug)]
pub struct World {
    /// Where Telegram takes messages of bots, without a slash at the end.
    pub telegram: String,
    pub reach: Reach,
    /// What is free on the disk, where nobody looks.
    pub free_bytes: Option<u64>,
}

impl Default for World {
    fn default() -> Self {
        let telegram = "https://api.telegram.org".to_owned();
        Self { telegram, reach: Reach::default(), free_bytes: None }
    }
}

/// A way to the operator that is set up.
pub struct Channel(Kind);

enum Kind {
    Mail(Mail),
    Telegram(Telegram),
    /// What opens it cannot be read with our key file.
    Sealed(ChannelKind),
}

impl Channel {
    /// Which one it is.
    pub fn kind(&self) -> ChannelKind {
        match &self.0 {
            Kind::Mail(_) => ChannelKind::Mail,
            Kind::Telegram(_) => ChannelKind::Telegram,
            Kind::Sealed(kind) => *kind,
        }
    }

    /// Hands a message over, or says in a sentence why it was not taken. Takes a minute at most.
    ///
    /// # Errors
    /// Where it was not taken, or nobody knows. Nothing of a secret is in the sentence.
    pub fn tell(&self, message: &Message, world: &World) -> std::result::Result<(), String> {
        match &self.0 {
            Kind::Mail(mail) => mail.send(message, &world.reach),
            Kind::Telegram(telegram) => telegram.send(message, world),
            Kind::Sealed(kind) => {
                let what = match kind {
                    ChannelKind::Mail => "password",
                    ChannelKind::Telegram => "token",
                };
                Err(format!("The {what} cannot be read with the key file of the panel: enter it"))
            }
        }
    }
}

/// What is known of a secret.
enum Known {
    None,
    Unreadable,
    Some(Secret),
}

fn secret(db: &Read<'_>, sealer: &Sealer, name: SecretName) -> Result<Known> {
    let Some(sealed) = secrets::find(db, name)? else { return Ok(Known::None) };
    let plain = sealer.unseal(&secrets::seal_place(name), &sealed);
    let plain = plain.and_then(|plain| String::from_utf8(plain).ok());
    Ok(plain.map_or(Known::Unreadable, |plain| Known::Some(Secret::new(plain))))
}

/// All channels that are set up.
///
/// # Errors
/// A fault of the database.
pub fn read(db: &Read<'_>, sealer: &Sealer) -> Result<Vec<Channel>> {
    let (mail, telegram) = together!(db: read_mail(db, sealer), read_telegram(db, sealer));
    Ok([mail, telegram].into_iter().flatten().map(Channel).collect())
}

fn read_mail(db: &Read<'_>, sealer: &Sealer) -> Result<Option<Kind>> {
    let get = |setting| settings::get(db, setting);
    // The settings are few, so all of them are asked for.
    db.ahead(&[&|db| db.each(Setting::ALL, |db, it| settings::get(db, *it)).map(drop)])?;
    let (host, from, to) =
        (get(Setting::MailHost)?, get(Setting::MailFrom)?, get(Setting::MailTo)?);
    let user = get(Setting::MailUser)?;
    if host.is_empty() || from.is_empty() || to.is_empty() {
        return Ok(None);
    }
    let password = match secret(db, sealer, SecretName::MailPassword)? {
        Known::Unreadable if !user.is_empty() => {
            return Ok(Some(Kind::Sealed(ChannelKind::Mail)));
        }
        Known::None | Known::Unreadable => None,
        Known::Some(password) => Some(password),
    };
    Ok(Some(Kind::Mail(Mail {
        host,
        port: get(Setting::MailPort)?.parse().unwrap_or_default(),
        tls: MailTls::from_stored(&get(Setting::MailTls)?).unwrap_or(MailTls::Implicit),
        user,
        password,
        from,
        to: alert::addresses(&to).unwrap_or_default().into_iter().map(str::to_owned).collect(),
    })))
}

fn read_telegram(db: &Read<'_>, sealer: &Sealer) -> Result<Option<Kind>> {
    let chat = settings::get(db, Setting::TelegramChat)?;
    if chat.is_empty() {
        return Ok(None);
    }
    Ok(match secret(db, sealer, SecretName::TelegramToken)? {
        Known::None => None,
        Known::Unreadable => Some(Kind::Sealed(ChannelKind::Telegram)),
        Known::Some(token) => Some(Kind::Telegram(Telegram { chat, token })),
    })
}
