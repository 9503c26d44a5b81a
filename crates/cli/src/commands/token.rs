//! `tieline token`.

use serde_json::Value;
use tieline_wire::problem::{Code, Problem};

use super::{Context, DONE, Outcome};

pub(crate) async fn run(context: &Context) -> Outcome {
    let answer: Value = context.client.get("/control/token").await?;
    if context.output.is_json() {
        context.output.object(&answer);
        return DONE;
    }
    match answer.get("token").and_then(Value::as_str) {
        Some(token) => {
            context.output.line(token);
            DONE
        }
        None => Err(Problem::new(Code::Internal).because("The node's answer holds no token.")),
    }
}
