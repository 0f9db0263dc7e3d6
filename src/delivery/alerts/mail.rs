//! Mail by SMTP, over TLS or not at all.
//!
//! The library waits for each answer alone, so the whole is bounded here: it works on a thread of
//! its own, which is left behind where it takes too long.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime};

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{SmtpTransport, Transport as _};

use super::super::http::{Reach, tls_flaw};
use super::super::mask::{Mask, excerpt};
use super::message::Message;
use crate::domain::alert::MailTls;
use crate::secret::{self, Secret};

/// For each answer of the server.
const ANSWER_TIME: Duration = Duration::from_secs(15);
const WHOLE_TIME: Duration = Duration::from_secs(60);
const FLAW_LENGTH_MAX: usize = 300;

/// A mail server, and who writes to whom.
#[derive(Clone)]
pub(super) struct Mail {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: MailTls,
    /// Empty where nobody logs in.
    pub(super) user: String,
    pub(super) password: Option<Secret>,
    pub(super) from: String,
    pub(super) to: Vec<String>,
}

impl Mail {
    /// Hands a message to the server, for all who are to get it.
    pub(super) fn send(&self, message: &Message, reach: &Reach) -> Result<(), String> {
        let letter = self.letter(message)?;
        let transport = self.transport(reach).map_err(|error| self.flaw(&error))?;
        let (mail, (sender, receiver)) = (self.clone(), mpsc::sync_channel(1));
        let work = move || {
            let sent = transport.send(&letter).map(|_| ()).map_err(|error| mail.flaw(&error));
            sender.send(sent).ok();
        };
        let spawned = thread::Builder::new().name("mail".to_owned()).spawn(work);
        spawned.map_err(|error| format!("No thread for mail: {error}"))?;
        let late = || Err("The mail server does not answer in time".to_owned());
        receiver.recv_timeout(WHOLE_TIME).unwrap_or_else(|_| late())
    }

    fn letter(&self, message: &Message) -> Result<lettre::Message, String> {
        let mailbox = |text: &str| text.parse::<Mailbox>().map_err(|_| not_an_address(text));
        let seconds = u64::try_from(message.at.0).unwrap_or_default();
        let mut letter = lettre::Message::builder()
            .from(mailbox(&self.from)?)
            .date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
            .message_id(Some(format!("<{}@{}>", secret::new_token(26).expose(), self.domain())))
            .subject(message.subject.as_str())
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            letter = letter.to(mailbox(to)?);
        }
        letter.body(message.text.clone()).map_err(|error| error.to_string())
    }

    fn transport(&self, reach: &Reach) -> Result<SmtpTransport, smtp::Error> {
        let mut parameters = TlsParameters::builder(self.host.clone());
        if let Some(root) = &reach.root {
            parameters = parameters
                .certificate_store(CertificateStore::None)
                .add_root_certificate(Certificate::from_der(root.clone())?);
        }
        let parameters = parameters.build()?;
        let tls = match self.tls {
            MailTls::Implicit => Tls::Wrapper(parameters),
            MailTls::StartTls => Tls::Required(parameters),
        };
        let mut transport = SmtpTransport::builder_dangerous(&self.host)
            .port(self.port)
            .tls(tls)
            .hello_name(ClientId::Domain(self.domain().to_owned()))
            .timeout(Some(ANSWER_TIME));
        if !self.user.is_empty() {
            let password = self.password.as_ref().map_or("", Secret::expose).to_owned();
            transport = transport.credentials(Credentials::new(self.user.clone(), password));
        }
        Ok(transport.build())
    }

    fn domain(&self) -> &str {
        self.from.rsplit_once('@').map_or("localhost", |(_, domain)| domain)
    }

    /// What went wrong, for an operator, without the password.
    fn flaw(&self, error: &smtp::Error) -> String {
        let source = std::error::Error::source(error);
        let said = source.map_or_else(|| error.to_string(), ToString::to_string);
        // A handshake that fails comes as a failure of the connection.
        let io = source.and_then(|it| it.downcast_ref::<std::io::Error>());
        let tls = io.and_then(std::io::Error::get_ref).and_then(|it| it.downcast_ref());
        let text = match error.status() {
            Some(code) => format!("The mail server says: {code} {said}"),
            None if error.is_timeout() => "The mail server does not answer in time".to_owned(),
            None => match tls {
                Some(flaw) => format!("TLS failed: {}", tls_flaw(flaw)),
                None if error.is_tls() => format!("TLS failed: {said}"),
                None => format!("The mail server cannot be used: {said}"),
            },
        };
        match &self.password {
            Some(password) => Mask::new(password).excerpt(&text, FLAW_LENGTH_MAX),
            None => excerpt(&text, FLAW_LENGTH_MAX),
        }
    }
}

fn not_an_address(text: &str) -> String {
    format!("{text} is not an address for mail")
}
