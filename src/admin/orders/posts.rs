//! Posts of a subscription of which the provider does not say how much was bought: a person does.

use crate::admin::frame::answer::Answer;
use crate::admin::frame::ask::Ask;
use crate::admin::frame::cx::Cx;
use crate::admin::frame::figure::grouped;
use crate::admin::frame::shell::Toast;
use crate::commands::posts::BuyPost;
use crate::domain::OrderId;
use crate::domain::refusal::OperatorRefusal;

/// Charges a post as what the person says it is. Asks first.
pub(crate) async fn buy(cx: &mut Cx) -> Answer {
    let subscription = OrderId(cx.path_id("id")?);
    let their_id = cx.form.get("their_id").to_owned();
    let units = cx.form.number("units").ok_or(OperatorRefusal::BadLimits)?;
    cx.confirm(Ask {
        title: format!("Charge post {their_id} of order {subscription}?"),
        facts: vec![("Quantity".to_owned(), grouped(units))],
        verb: "Charge the post".to_owned(),
        ..Ask::default()
    })?;
    let actor = cx.actor()?;
    let post = their_id.clone();
    let bought = cx.write(BuyPost { actor, subscription, their_id: post, units }).await?;
    let text = match bought {
        Some(order) => format!("Post {their_id} is order {order}"),
        None => format!("Post {their_id} cannot be paid; the provider is asked to cancel"),
    };
    cx.go(&format!("/admin/orders/{subscription}"), Toast::new(text))
}
