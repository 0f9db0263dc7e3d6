//! Buying: the one call that costs money and must not be made twice.

use super::Client;
use super::request::Fields;
use crate::delivery::outcome::{self, Sent};
use crate::domain::input::Input;
use crate::domain::outcome::Outcome;
use crate::domain::service::ServiceKind;

/// What is bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// Their number of the service.
    pub service: String,
    pub kind: ServiceKind,
    pub link: String,
    pub quantity: i64,
    /// What the customer filled in besides.
    pub inputs: Vec<(Input, String)>,
    /// Our own id for it, by which a Panelite buys once and can be asked.
    pub own_id: Option<String>,
}

impl Purchase {
    /// The fields that its kind asks for; a drip-feed is never theirs.
    fn fields(&self) -> Fields {
        let mut fields = Fields::none().with("service", self.service.as_str());
        let asked = self.kind.required().iter().chain(self.kind.optional());
        for &input in asked {
            let value = if input == self.kind.link() {
                Some(self.link.clone())
            } else if input == Input::Quantity {
                Some(self.quantity.to_string())
            } else {
                self.input(input).map(str::to_owned)
            };
            if let Some(value) = value {
                fields = fields.with(input.as_str(), value);
            }
        }
        match &self.own_id {
            Some(id) => fields.with("custom_id", id.as_str()).with("request_id", id.as_str()),
            None => fields,
        }
    }

    fn input(&self, input: Input) -> Option<&str> {
        self.inputs.iter().find(|(it, _)| *it == input).map(|(_, text)| text.as_str())
    }
}

impl Client {
    /// Buys once and says what became of it. The caller has told the file before.
    pub fn add(&self, purchase: &Purchase) -> Outcome {
        let mut question = self.question("add", purchase.fields());
        question.is_reading = false;
        let asked = self.post(&question);
        let inputs = purchase.inputs.iter().map(|(_, text)| text.as_str());
        let own: Vec<&str> = [purchase.link.as_str()].into_iter().chain(inputs).collect();
        let has_ids = purchase.own_id.is_some();
        let sent = Sent { own: &own, has_ids, mask: self.mask() };
        let outcome = outcome::read(&asked.result, &sent);
        let (word, is_answered) = match &outcome {
            Outcome::Accepted { .. } => ("accepted", true),
            Outcome::Refused { .. } => ("refused", true),
            Outcome::NotSent { .. } => ("not sent", false),
            Outcome::Busy { .. } => ("busy", true),
            Outcome::Unknown { .. } => ("unknown", false),
        };
        self.record(&question, &asked, word, is_answered);
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::provider::Dialect;

    /// The form of a purchase whose customer filled in everything there is.
    fn form(kind: ServiceKind) -> String {
        let texts = Input::ALL.iter().map(|input| (*input, format!("<{input}>")));
        let purchase = Purchase {
            service: "7".to_owned(),
            kind,
            link: "L".to_owned(),
            quantity: 10,
            inputs: texts.collect(),
            own_id: None,
        };
        let form = purchase.fields().write(Dialect::Form, "k", "add");
        form.replace("%3C", "<").replace("%3E", ">").replace("key=k&action=add&service=7&", "")
    }

    #[test]
    fn each_kind_sends_what_it_asks_for() {
        let table = [
            (ServiceKind::Default, "link=L&quantity=10"),
            (ServiceKind::Package, "link=L"),
            (ServiceKind::Seo, "link=L&quantity=10&keywords=<keywords>"),
            (ServiceKind::CustomComments, "link=L&comments=<comments>"),
            (ServiceKind::MentionsCustomList, "link=L&usernames=<usernames>"),
            (ServiceKind::CommentReplies, "link=L&username=<username>&comments=<comments>"),
            (ServiceKind::Poll, "link=L&quantity=10&answer_number=<answer_number>"),
            (
                ServiceKind::Subscriptions,
                "username=L&min=<min>&max=<max>&delay=<delay>&posts=<posts>&old_posts=<old_posts>\
                 &expiry=<expiry>",
            ),
        ];
        for (kind, fields) in table {
            assert_eq!(form(kind), fields, "{kind}");
        }
        for kind in ServiceKind::ALL {
            assert!(!form(*kind).contains("runs") && !form(*kind).contains("interval"), "{kind}");
        }
    }

    #[test]
    fn our_own_id_goes_under_both_names() {
        let purchase = Purchase {
            service: "x-1".to_owned(),
            kind: ServiceKind::Package,
            link: "L".to_owned(),
            quantity: 1,
            inputs: Vec::new(),
            own_id: Some("ID".to_owned()),
        };
        let json = purchase.fields().write(Dialect::Json, "k", "add");
        let ids = r#""service":"x-1","link":"L","custom_id":"ID","request_id":"ID"}"#;
        assert!(json.ends_with(ids), "{json}");
    }
}
