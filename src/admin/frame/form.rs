//! A form as it was sent, and what is wrong with it.
//!
//! A page that refuses a form shows it again, with the values as typed and each complaint beside
//! its field. So values and complaints travel together, and a field that cannot be read is a
//! complaint, never a panic.

use std::collections::HashSet;

use crate::domain::input::parse_number;
use crate::domain::money::{Change, Discount, Money, Rate, with_point};
use crate::domain::pricing::Rule;
use crate::domain::refusal::{OperatorRefusal, OrderRefusal, Refusal};

/// Fields by name, in the order in which they came, and complaints by field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form {
    fields: Vec<(String, String)>,
    complaints: Vec<(String, String)>,
}

/// Rows that can be selected and worked on at once.
const SELECTED_MAX: usize = 1000;

/// Fields that belong to the machinery and are never shown again.
const HIDDEN: [&str; 5] = ["csrf", "proof", "confirmed", "typed", "looked"];

impl Form {
    /// Reads `name=value&…`. What is not that has no fields.
    pub(crate) fn parse(text: &[u8]) -> Self {
        let fields = serde_html_form::from_bytes(text).unwrap_or_default();
        Self { fields, complaints: Vec::new() }
    }

    /// A form filled in by us.
    pub(crate) fn filled<const N: usize>(values: [(&str, String); N]) -> Self {
        let fields = values.map(|(name, value)| (name.to_owned(), value)).into();
        Self { fields, complaints: Vec::new() }
    }

    /// The value as it was typed; nothing where there is none.
    pub(crate) fn raw(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The value without blanks around it.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// The value without blanks around it, cut to so many characters: what a list looks for.
    pub(crate) fn text(&self, name: &str, length_max: usize) -> String {
        self.get(name).chars().take(length_max).collect()
    }

    /// The numbers of a field that may come several times: selected rows. At most a thousand, each
    /// once, in the order in which they came.
    pub(crate) fn selected(&self, name: &str) -> Vec<i64> {
        let of_name = self.fields.iter().filter(|(known, _)| known == name);
        let ids = of_name.filter_map(|(_, value)| value.trim().parse().ok()).take(SELECTED_MAX);
        let mut seen = HashSet::new();
        ids.filter(|id| seen.insert(*id)).collect()
    }

    /// The values of a field that may come several times, in the order in which they came.
    pub(crate) fn each<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.all().filter(move |(known, _)| *known == name).map(|(_, value)| value.trim())
    }

    /// Everything a page that asks once more has to send along.
    pub(crate) fn carried(&self) -> Vec<(&str, &str)> {
        self.all().filter(|(name, _)| !HIDDEN.contains(name)).collect()
    }

    /// An amount that may be left out, which then is none.
    pub(crate) fn amount_or_none(&mut self, name: &str) -> Money {
        if self.get(name).is_empty() { Money::ZERO } else { self.amount(name) }
    }

    /// How a cost becomes a rate: `percent`, `fixed`, `step`, `profit`.
    pub(crate) fn rule(&mut self) -> Rule {
        let percent = Rule::parse_percent(&self.figure("percent"));
        let complaint = "Enter a percentage from 0 to 1000, such as 30 or 12.5";
        let percent_bp = self.or_refuse("percent", percent, complaint).unwrap_or_default();
        let fixed = self.amount_or_none("fixed");
        let (step, profit) = (self.amount_or_none("step"), self.amount_or_none("profit"));
        Rule { percent_bp, fixed, step, profit }
    }

    /// Everything that was sent, in order.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Forgets a field.
    pub(super) fn remove(&mut self, name: &str) {
        self.fields.retain(|(known, _)| known != name);
    }

    /// Whether the field was sent.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(known, _)| known == name)
    }

    /// Sets a field that a page which asks once more is to send along.
    pub(crate) fn put(&mut self, name: &str, value: impl ToString) {
        self.remove(name);
        self.fields.push((name.to_owned(), value.to_string()));
    }

    /// Complains about a field; the first complaint about it stays.
    pub(crate) fn refuse(&mut self, name: &str, complaint: impl ToString) {
        if self.error(name).is_none() {
            self.complaints.push((name.to_owned(), complaint.to_string()));
        }
    }

    /// Complains where the field belongs that the refusal is about.
    pub(crate) fn refuse_by(&mut self, refusal: &Refusal) {
        self.refuse(field_of(refusal), refusal);
    }

    /// The complaint about a field.
    pub(crate) fn error(&self, name: &str) -> Option<&str> {
        self.complaints.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    /// All complaints, for the summary above the form.
    pub(crate) fn errors(&self) -> &[(String, String)] {
        &self.complaints
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn is_sound(&self) -> bool {
        self.complaints.is_empty()
    }

    /// A field that must be filled in.
    pub(crate) fn required(&mut self, name: &str, complaint: &str) -> String {
        let value = self.get(name).to_owned();
        if value.is_empty() {
            self.refuse(name, complaint);
        }
        value
    }

    /// A figure as people type it or copy it from a page: without the blanks between thousands, and
    /// with a point for a decimal comma.
    fn figure(&self, name: &str) -> String {
        let bare: String = self.get(name).chars().filter(|c| !c.is_whitespace()).collect();
        with_point(&bare).unwrap_or(bare)
    }

    /// An amount without a sign.
    pub(crate) fn amount(&mut self, name: &str) -> Money {
        let amount = Money::parse(&self.figure(name));
        self.or_refuse(name, amount, "Enter an amount, such as 10 or 2.50").unwrap_or_default()
    }

    /// A rate.
    pub(crate) fn rate(&mut self, name: &str) -> Option<Rate> {
        let rate = Rate::parse(&self.figure(name));
        self.or_refuse(name, rate, "Enter a rate, such as 2.50, with at most six decimals")
    }

    /// A percentage from 0 to 100.
    pub(crate) fn discount(&mut self, name: &str) -> Discount {
        let discount = Discount::parse(&self.figure(name));
        let complaint = "Enter a percentage from 0 to 100, such as 12.5";
        self.or_refuse(name, discount, complaint).unwrap_or_default()
    }

    /// By how much rates change.
    pub(crate) fn change(&mut self, name: &str) -> Option<Change> {
        let change = Change::parse(&self.figure(name));
        self.or_refuse(name, change, "Enter a percentage, such as +10 or -5, at most +1000")
    }

    /// A limit of a quantity.
    pub(crate) fn limit(&mut self, name: &str) -> i64 {
        let limit = parse_number(&self.figure(name)).filter(|limit| *limit > 0);
        let complaint = "Enter a whole number from 1 to 1000000000";
        self.or_refuse(name, limit, complaint).unwrap_or_default()
    }

    /// Whether a box is checked.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name) == "1"
    }

    /// A number by which something is named.
    pub(crate) fn id(&mut self, name: &str, complaint: &str) -> i64 {
        let id = self.get(name).trim_start_matches('#').parse().ok().filter(|id| *id > 0);
        self.or_refuse(name, id, complaint).unwrap_or_default()
    }

    /// A whole number that may be left out.
    pub(crate) fn number(&mut self, name: &str) -> Option<i64> {
        let text = self.get(name);
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| is_number);
        if text.is_empty() {
            return None;
        }
        self.or_refuse(name, number, "Enter a whole number")
    }

    fn or_refuse<T>(&mut self, name: &str, value: Option<T>, complaint: &str) -> Option<T> {
        if value.is_none() {
            self.refuse(name, complaint);
        }
        value
    }
}

/// The field that most forms have for what a refusal is about. One that is about no field stands
/// above the form, under the empty name.
const fn field_of(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Order(refusal) => field_of_order(*refusal),
        Refusal::Operator(refusal) => field_of_operator(refusal),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all others are about no field")]
const fn field_of_order(refusal: OrderRefusal) -> &'static str {
    match refusal {
        OrderRefusal::InsufficientFunds => "amount",
        OrderRefusal::ServiceNotFound | OrderRefusal::ServiceUnavailable => "service",
        _ => "",
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all others are about no field")]
const fn field_of_operator(refusal: &OperatorRefusal) -> &'static str {
    use OperatorRefusal as No;

    match refusal {
        No::NameTaken | No::BadName | No::BadServiceName | No::CategoryTaken => "name",
        No::BadLabel => "label",
        No::AmountTooLarge | No::AmountIsZero => "amount",
        No::BelowCreditLimit => "credit_limit",
        No::NoteMissing | No::NoteTooLong => "note",
        No::BadPassword | No::CommonPassword => "password",
        No::WrongCode => "code",
        No::BadCategoryName => "category",
        No::BadLimits | No::MinAboveMax => "min",
        No::BadRefillDays => "refill_days",
        No::RemainsAbove(_) | No::RemainsForPartial(_) => "remains",
        No::KindWithoutDripFeed => "dripfeed",
        No::KindIsFixed => "kind",
        No::RateTooHigh | No::RatesChanged => "percent",
        No::CategoryNotFound => "to",
        No::CurrencyIsFixed => "currency",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_complaints_travel_together() {
        let mut form = Form::parse(b"name=+ann+&id=1&id=2&id=1&csrf=x&amount=1e3&%C3");
        assert_eq!((form.get("name"), form.raw("name")), ("ann", " ann "));
        assert_eq!(form.selected("id"), [1, 2]);
        assert_eq!(form.carried().len(), 6);
        assert_eq!(form.amount("amount"), Money::ZERO);
        form.refuse("amount", "a second complaint");
        assert_eq!(form.errors().len(), 1);
        assert!(form.error("amount").unwrap().starts_with("Enter an amount"));
        assert!(form.error("name").is_none() && !form.is_sound());
    }

    #[test]
    fn figures_are_read_as_people_type_them() {
        for (typed, amount) in
            [("1,20", Some("1.20")), ("1\u{202f}218.86", Some("1218.86")), ("1,200", None)]
        {
            let mut form = Form::filled([("amount", typed.to_owned())]);
            let rate = form.rate("amount").map(|rate| rate.to_string());
            assert_eq!(rate.as_deref(), amount, "{typed}");
            assert_eq!(form.amount("amount").to_string(), amount.unwrap_or("0.00"), "{typed}");
        }
        let mut form = Form::filled([("max", "10\u{202f}000".to_owned()), ("by", "-2,5 %".into())]);
        assert_eq!((form.limit("max"), form.change("by")), (10_000, Change::parse("-2.5")));
    }
}
