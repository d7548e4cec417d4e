//! Faults, as a client meets them.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use synerise_auth_emulator::Fault;

use crate::caller::{CURRENT, Caller, WORKSPACE_LOGIN, start_time};

impl Caller {
    fn login_request(&self) -> reqwest::RequestBuilder {
        let body = json!({ "apiKey": self.emulator.workspace().workspace_api_key });
        self.request(Method::POST, WORKSPACE_LOGIN).json(&body)
    }
}

#[tokio::test]
async fn each_request_takes_a_step_and_later_ones_the_permanent_fault() {
    let caller = Caller::start().await;
    let faults = caller.emulator.faults();
    faults
        .on("workspaceLogin")
        .then(Fault::status(500))
        .then(Fault::none())
        .always(Fault::status(503));
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(caller.workspace_login().await.status);
    }
    assert_eq!(statuses, [500, 200, 503, 503]);
    assert_eq!(
        caller.emulator.count("workspaceLogin"),
        4,
        "requests with a fault count"
    );
    faults.on("workspaceLogin").clear();
    assert_eq!(caller.workspace_login().await.status, 200);
    faults.on("workspaceLogin").always(Fault::status(500));
    faults.clear();
    assert_eq!(caller.workspace_login().await.status, 200);
}

#[tokio::test]
async fn a_fault_is_for_its_operation_alone() {
    let caller = Caller::start().await;
    caller
        .emulator
        .faults()
        .on("getCurrentWorkspace")
        .always(Fault::status(500));
    let login = caller.workspace_login().await;
    assert_eq!(login.status, 200);
    assert_eq!(caller.get_status(CURRENT, &login.token()).await, 500);
}

#[tokio::test]
async fn a_status_comes_with_the_documented_body_and_retry_after() {
    let caller = Caller::start().await;
    let login = caller.emulator.faults().on("workspaceLogin");
    login
        .then(Fault::status(429).retry_after(Duration::from_secs(7)))
        .then(Fault::status(503).retry_at(start_time()));
    let limited = caller.workspace_login().await;
    assert_eq!(
        (limited.status, limited.headers["retry-after"].to_str().unwrap()),
        (429, "7")
    );
    assert_eq!(
        (&limited.body["status"], &limited.body["path"]),
        (&json!(429), &json!(WORKSPACE_LOGIN))
    );
    let overloaded = caller.workspace_login().await;
    assert_eq!(
        overloaded.headers["retry-after"].to_str().unwrap(),
        "Thu, 01 Jan 2026 00:00:00 GMT"
    );
}

#[tokio::test]
async fn a_gate_holds_requests_until_it_is_released() {
    let caller = Caller::start().await;
    let gate = caller.emulator.faults().on("workspaceLogin").hold();
    let first = tokio::spawn(caller.login_request().send());
    let second = tokio::spawn(caller.login_request().send());
    gate.wait_for(2).await;
    assert_eq!(gate.arrived(), 2);
    assert_eq!(
        caller.emulator.tokens_issued(),
        0,
        "held requests have no effect yet"
    );
    assert!(
        caller
            .emulator
            .requests()
            .iter()
            .all(|request| request.status.is_none() && request.body.is_some())
    );
    gate.release();
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    assert_eq!(second.await.unwrap().unwrap().status(), 200);
    assert_eq!(
        caller.workspace_login().await.status,
        200,
        "an open gate stays open"
    );
}

#[tokio::test]
async fn clearing_the_faults_opens_the_gates() {
    let caller = Caller::start().await;
    let gate = caller.emulator.faults().on("workspaceLogin").hold();
    let held = tokio::spawn(caller.login_request().send());
    gate.wait_for(1).await;
    caller.emulator.faults().clear();
    assert_eq!(held.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn a_delay_ends_by_the_emulators_clock() {
    let caller = Caller::start().await;
    caller
        .emulator
        .faults()
        .on("workspaceLogin")
        .always(Fault::none().delayed(Duration::from_secs(30)));
    let late = tokio::spawn(caller.login_request().send());
    caller.emulator.clock().wait_for_delays(1).await;
    caller.emulator.clock().advance(Duration::from_secs(29));
    caller.emulator.clock().wait_for_delays(1).await;
    assert_eq!(caller.emulator.tokens_issued(), 0, "one second too early");
    caller.emulator.clock().advance(Duration::from_secs(1));
    assert_eq!(late.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn a_hanging_request_gets_no_response() {
    let caller = Caller::start().await;
    caller.emulator.faults().on("workspaceLogin").then(Fault::hang());
    let timeout = caller
        .login_request()
        .timeout(Duration::from_millis(50))
        .send()
        .await
        .unwrap_err();
    assert!(timeout.is_timeout());
    assert_eq!(
        (
            caller.emulator.count("workspaceLogin"),
            caller.emulator.tokens_issued()
        ),
        (1, 0)
    );
    assert_eq!(caller.emulator.requests()[0].status, None);
}

#[tokio::test]
async fn a_reset_comes_before_any_answer_and_without_effect() {
    let caller = Caller::start().await;
    caller
        .emulator
        .faults()
        .on("workspaceLogin")
        .always(Fault::reset());
    let error = caller.login_request().send().await.unwrap_err();
    assert!(error.is_request(), "{error:?}");
    assert_eq!(caller.emulator.tokens_issued(), 0);
}

#[tokio::test]
async fn a_body_ends_early_after_the_request_took_effect() {
    let caller = Caller::start().await;
    for (effects, fault) in [
        Fault::reset_before_body(),
        Fault::reset_in_body(),
        Fault::truncated_body(),
    ]
    .into_iter()
    .enumerate()
    {
        let shown = format!("{fault:?}");
        caller.emulator.faults().on("workspaceLogin").then(fault);
        let response = caller.login_request().send().await.unwrap();
        assert_eq!(response.status(), 200, "{shown}");
        assert!(response.content_length().unwrap() > 0, "{shown}");
        assert!(response.text().await.is_err(), "{shown}");
        assert_eq!(caller.emulator.tokens_issued(), effects as u64 + 1, "{shown}");
    }
    assert_eq!(
        caller.workspace_login().await.status,
        200,
        "a new connection works"
    );
}

#[tokio::test]
async fn a_reset_is_a_reset_and_a_truncated_body_is_a_close() {
    let caller = Caller::start().await;
    let ends_with = |fault: Fault| {
        caller.emulator.faults().on("getPublicKey").then(fault);
        let mut stream = TcpStream::connect(caller.emulator.address()).unwrap();
        stream
            .write_all(b"GET /v4/public.pem HTTP/1.1\r\nhost: emulator\r\n\r\n")
            .unwrap();
        stream.read_to_end(&mut Vec::new()).map_err(|error| error.kind())
    };
    for fault in [Fault::reset(), Fault::reset_before_body(), Fault::reset_in_body()] {
        let shown = format!("{fault:?}");
        assert_eq!(ends_with(fault), Err(ErrorKind::ConnectionReset), "{shown}");
    }
    assert!(ends_with(Fault::truncated_body()).is_ok());
}

#[tokio::test]
async fn half_of_a_truncated_body_arrives() {
    let caller = Caller::start().await;
    caller
        .emulator
        .faults()
        .on("workspaceLogin")
        .then(Fault::truncated_body());
    let mut response = caller.login_request().send().await.unwrap();
    let announced = response.content_length().unwrap();
    let mut received = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        received += chunk.len() as u64;
    }
    assert_eq!(received, announced / 2);
}

#[tokio::test]
async fn an_oversized_body_has_its_length_but_no_content_length() {
    let caller = Caller::start().await;
    caller
        .emulator
        .faults()
        .on("workspaceLogin")
        .then(Fault::oversized_body(1_000_000));
    let response = caller.login_request().send().await.unwrap();
    assert_eq!(response.content_length(), None);
    let text = response.text().await.unwrap();
    assert_eq!(text.len(), 1_000_000);
    assert!(serde_json::from_str::<serde_json::Value>(&text).unwrap()["token"].is_string());
}

#[tokio::test]
async fn an_endless_body_ends_when_the_client_leaves() {
    let caller = Caller::start().await;
    caller
        .emulator
        .faults()
        .on("workspaceLogin")
        .then(Fault::oversized_body(u64::MAX));
    let mut response = caller.login_request().send().await.unwrap();
    assert!(response.chunk().await.unwrap().is_some());
    drop(response);
    assert_eq!(caller.workspace_login().await.status, 200);
}

#[tokio::test]
async fn a_slow_body_is_sent_by_the_clock() {
    let caller = Caller::start().await;
    caller
        .emulator
        .faults()
        .on("getPublicKey")
        .then(Fault::slow_body(Duration::from_secs(1)));
    let response = caller
        .request(Method::GET, "/v4/public.pem")
        .send()
        .await
        .unwrap();
    let body = tokio::spawn(response.text());
    for _ in 0..caller.emulator.public_key_pem().len() {
        caller.emulator.clock().wait_for_delays(1).await;
        caller.emulator.clock().advance(Duration::from_secs(1));
    }
    assert_eq!(body.await.unwrap().unwrap(), caller.emulator.public_key_pem());
}

#[tokio::test]
async fn a_fault_can_send_another_body() {
    let caller = Caller::start().await;
    caller
        .emulator
        .faults()
        .on("workspaceLogin")
        .then(Fault::html())
        .then(Fault::wrong_shape())
        .then(Fault::json(&json!({ "token": "opaque" })))
        .then(
            Fault::json(&json!({ "message": "no" }))
                .with_status(418)
                .header("x-odd", "yes"),
        )
        .then(Fault::body(200, "application/json", "{\"token\": "));
    let html = caller.workspace_login().await;
    assert!(
        html.status == 200
            && html.headers["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/html")
    );
    assert_eq!(caller.workspace_login().await.body.get("token"), None);
    assert_eq!(caller.workspace_login().await.token(), "opaque");
    let odd = caller.workspace_login().await;
    assert_eq!((odd.status, odd.headers["x-odd"].to_str().unwrap()), (418, "yes"));
    assert_eq!(caller.workspace_login().await.text, "{\"token\": ");
}

#[tokio::test]
async fn the_date_header_can_be_the_clocks_another_or_none() {
    let caller = Caller::start().await;
    let date = |reply: &crate::caller::Reply| {
        let dates: Vec<_> = reply
            .headers
            .get_all("date")
            .iter()
            .map(|date| date.to_str().unwrap().to_owned())
            .collect();
        assert!(dates.len() <= 1, "{dates:?}");
        dates.into_iter().next()
    };
    assert_eq!(
        date(&caller.workspace_login().await).unwrap(),
        "Thu, 01 Jan 2026 00:00:00 GMT"
    );
    caller.emulator.clock().advance(Duration::from_secs(86_400));
    assert_eq!(
        date(&caller.workspace_login().await).unwrap(),
        "Fri, 02 Jan 2026 00:00:00 GMT"
    );
    let login = caller.emulator.faults().on("workspaceLogin");
    login
        .then(Fault::none().without_date())
        .then(Fault::none().date(start_time()))
        .then(Fault::none().date_header("soon"));
    assert_eq!(date(&caller.workspace_login().await), None);
    assert_eq!(
        date(&caller.workspace_login().await).unwrap(),
        "Thu, 01 Jan 2026 00:00:00 GMT"
    );
    assert_eq!(date(&caller.workspace_login().await).unwrap(), "soon");
}

#[tokio::test]
#[should_panic(expected = "\"workspaceLogIn\" is not an operation")]
async fn a_misspelt_operation_panics() {
    let caller = Caller::start().await;
    caller
        .emulator
        .faults()
        .on("workspaceLogIn")
        .always(Fault::hang());
}
