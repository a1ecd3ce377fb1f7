//! What the door says of itself is what it does: every answer of these tests is compared with it.

use super::*;
use serde_json::Value;
use std::collections::BTreeSet;

/// The document, by whose word [`Door::send`] measures each answer, and the path that the door is below.
pub(crate) struct Description {
    document: Value,
    base_path: String,
}

impl Description {
    pub(crate) async fn of(function: &TestFunction, base_path: &str) -> Self {
        let request = Request::get(format!("{base_path}/openapi.json"));
        let reply = function.send(request.body(Body::empty()).unwrap()).await;
        Self {
            document: reply.json(),
            base_path: base_path.to_owned(),
        }
    }

    /// Panics where the answer to a described call isn't a described one.
    pub(crate) fn check(&self, method: &str, path: &str, reply: &TestReply) {
        let Some(call) = self.call(method, path) else {
            return;
        };
        let status = reply.status.as_u16().to_string();
        let what = format!("{status} to {method} {path}, openapi.json");
        let response = call["responses"].get(&status);
        let response = response.unwrap_or_else(|| panic!("{what} lacks the status"));
        let content_type = reply.header("content-type").split(';').next().unwrap();
        if reply.body.is_empty() || path.starts_with("/assets/") {
            return;
        }
        let content = response["content"].get(content_type);
        let content = content.unwrap_or_else(|| panic!("{what} lacks {content_type}"));
        if content_type == "application/problem+json" {
            let code = &reply.json()["code"];
            let codes = content["schema"]["properties"]["code"]["enum"]
                .as_array()
                .unwrap();
            assert!(codes.contains(code), "{what} lacks {code}");
        }
    }

    fn call(&self, method: &str, path: &str) -> Option<&Value> {
        let method = if method == "HEAD" { "GET" } else { method };
        let path = path.split('?').next()?.strip_prefix(&self.base_path)?;
        let paths = self.document["paths"].as_object()?;
        let (_, calls) = paths
            .get_key_value(path)
            .or_else(|| paths.iter().find(|(template, _)| fits(template, path)))?;
        calls.get(method.to_lowercase())
    }
}

/// Whether `/jobs/{id}` stands for the path.
fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(path).all(|(expected, given)| {
            *expected == given || (expected.starts_with('{') && !given.is_empty())
        })
}

#[tokio::test]
async fn every_described_path_knows_the_methods_it_says_and_no_others() {
    let door = Door::new().await;
    let document = door.get("/openapi.json").await.json();
    for (path, calls) in document["paths"].as_object().unwrap() {
        let mut described: BTreeSet<String> = calls
            .as_object()
            .unwrap()
            .keys()
            .map(|method| method.to_uppercase())
            .collect();
        if described.contains("GET") {
            described.insert("HEAD".into());
        }
        let lost = door.request("BREW", &path.replace(['{', '}'], ""));
        let reply = door.send(lost, ()).await;
        assert_eq!(reply.problem_code(), "method-not-allowed", "{path}");
        let known: BTreeSet<String> = reply
            .header("allow")
            .split(',')
            .map(|method| method.trim().to_owned())
            .collect();
        assert_eq!(known, described, "{path}");
    }
}

/// axum lists a router's paths nowhere but in its `Debug`.
#[tokio::test]
async fn every_path_of_the_router_is_described() {
    let door = Door::new().await;
    let document = door.get("/openapi.json").await.json();
    let described: BTreeSet<&str> = document["paths"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let debug = format!("{:?}", door.router);
    let known: BTreeSet<&str> = debug
        .split('"')
        .filter(|text| text.starts_with('/') && !text.contains("*"))
        .collect();
    assert!(
        known.contains("/jobs/{id}"),
        "axum says it otherwise now: {debug}"
    );
    assert_eq!(known, described);
}

#[tokio::test]
async fn the_description_is_openapi_and_says_where_the_door_is() {
    let door = Door::with(&["--base-path", "/decant"]).await;
    let document = door.get("/decant/openapi.json").await.json();
    assert_eq!(
        (&document["openapi"], &document["servers"][0]["url"]),
        (&"3.1.0".into(), &"/decant".into())
    );
    let text = document.to_string();
    assert!(!text.contains("x-errors"));
    let refers = text
        .split("#/components/schemas/")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap());
    for schema in refers {
        assert!(
            document["components"]["schemas"].get(schema).is_some(),
            "there is no {schema}"
        );
    }
}

#[tokio::test]
async fn whoever_needs_a_token_may_come_with_a_session() {
    let door = Door::new().await;
    let document = door.get("/openapi.json").await.json();
    assert_eq!(
        document["paths"]["/jobs"]["get"]["security"],
        serde_json::json!([{"bearer": []}, {"session": []}])
    );
    let upload = &document["paths"]["/upload"]["post"];
    assert_eq!(
        upload["security"],
        serde_json::json!([{"bearer": []}, {"session": [], "csrf": []}])
    );
    assert!(upload["responses"]["403"].to_string().contains("csrf"));
}
