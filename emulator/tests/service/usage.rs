//! Consumption statistics.

use serde_json::json;

use synerise_auth_emulator::Emulator;

use crate::caller::Caller;

const NEW: &str = "/business-profile-service/organizations/usage/stats/newDataPoints";
const RETAINED: &str = "/business-profile-service/organizations/usage/stats/retentionDataPoints";

async fn with_events() -> (Caller, String) {
    let caller = Caller::start().await;
    caller.emulator.record_events("2025-05-29", "page.context", 3);
    caller.emulator.record_events("2025-05-30", "page.context", 1);
    caller.emulator.record_events("2025-05-30", "product.view", 5);
    let token = caller.user_token().await;
    (caller, token)
}

#[tokio::test]
async fn new_data_points_have_one_element_per_day() {
    let (caller, token) = with_events().await;
    let report = caller
        .post(NEW, &token, &json!({ "from": "2025-05-29", "to": "2025-05-30" }))
        .await;
    let totals = json!({ "page.context": 4, "product.view": 5 });
    let day = |day: &str, events: serde_json::Value, total: u64| {
        json!({
            "dailyUsageStatistics": { "day": day, "events": events, "other": 0, "total": total },
            "eventsTotal": totals, "totalAll": 9, "totalOther": 0,
        })
    };
    let first = day("2025-05-29", json!({ "page.context": 3 }), 3);
    let second = day("2025-05-30", json!({ "page.context": 1, "product.view": 5 }), 6);
    assert_eq!(report.body, json!([first, second]));
}

#[tokio::test]
async fn retained_data_points_are_an_object_with_averages() {
    let (caller, token) = with_events().await;
    let body = json!({ "from": "2025-05-29", "to": "2025-05-30", "actions": ["page.context"] });
    let report = caller.post(RETAINED, &token, &body).await;
    assert_eq!(
        report.body["dailyUsageStatistics"]["total"], 4,
        "every retained event of the requested actions"
    );
    assert_eq!(
        (
            &report.body["eventsAverage"]["page.context"],
            &report.body["averageAll"]
        ),
        (&json!(3.5), &json!(3.5))
    );
}

#[tokio::test]
async fn statistics_are_limited_to_workspaces_of_the_user() {
    let (caller, token) = with_events().await;
    let ask = async |guid: &str| {
        caller
            .post(
                NEW,
                &token,
                &json!({ "from": "2025-05-29", "to": "2025-05-29", "bpGuids": [guid] }),
            )
            .await
    };
    let second = caller.emulator.add_workspace("Second");
    assert_eq!(
        ask(&caller.emulator.workspace().guid).await.body[0]["totalAll"],
        3
    );
    assert_eq!(ask(&second.guid).await.body[0]["totalAll"], 0);
    assert_eq!(ask("00000000-0000-4000-8000-000000000000").await.status, 403);
    assert_eq!(ask("not-a-guid").await.status, 400);
}

#[tokio::test]
async fn an_invalid_range_is_refused() {
    let (caller, token) = with_events().await;
    for path in [NEW, RETAINED] {
        for (from, to, field) in [
            ("2025-05-30", "2025-05-29", "to"),
            ("2025-02-30", "2025-03-01", "from"),
            ("yesterday", "2025-05-29", "from"),
            ("2020-01-01", "2025-01-01", "to"),
        ] {
            let refused = caller
                .post(path, &token, &json!({ "from": from, "to": to }))
                .await;
            assert_eq!((refused.status, refused.field()), (400, field), "{from} {to}");
        }
        assert_eq!(
            caller
                .post_status(path, &token, &json!({ "from": "2025-05-29" }))
                .await,
            400
        );
    }
}

#[tokio::test]
async fn statistics_are_for_users() {
    let caller = Caller::start().await;
    let body = json!({ "from": "2025-05-29", "to": "2025-05-30" });
    let (workspace, operator) = (caller.workspace_token().await, caller.operator_token().await);
    for path in [NEW, RETAINED] {
        assert_eq!(caller.post_status(path, &operator, &body).await, 200, "{path}");
        let refused = caller.post(path, &workspace, &body).await;
        assert_eq!(
            (refused.status, &refused.body["error"]),
            (403, &json!("Forbidden")),
            "{path}"
        );
        assert_eq!(caller.post_openly_status(path, &body).await, 401, "{path}");
    }
}

#[tokio::test]
async fn every_date_of_the_calendar_is_understood() {
    let (caller, token) = with_events().await;
    for day in [
        "0000-02-29",
        "0999-12-31",
        "1000-12-31",
        "1582-10-10",
        "1969-12-31",
        "9999-12-31",
    ] {
        caller.emulator.record_events(day, "page.visit", 2);
        let range = json!({ "from": day, "to": day });
        let report = caller.post(NEW, &token, &range).await;
        assert_eq!(
            (report.status, &report.body[0]["totalAll"]),
            (200, &json!(2)),
            "{day}"
        );
        assert_eq!(caller.post_status(RETAINED, &token, &range).await, 200, "{day}");
    }
    let range = json!({ "from": "1000-12-30", "to": "1001-01-02" });
    let report = caller.post(NEW, &token, &range).await;
    assert_eq!(report.body.as_array().unwrap().len(), 4);
    assert_eq!(report.body[2]["dailyUsageStatistics"]["day"], "1001-01-01");
}

#[tokio::test]
async fn a_date_that_does_not_exist_is_refused() {
    let (caller, token) = with_events().await;
    for day in [
        "1900-02-29",
        "+999-01-01",
        "10000-01-01",
        "2025-5-29",
        "2025-05-29T00:00:00Z",
    ] {
        for path in [NEW, RETAINED] {
            let refused = caller
                .post(path, &token, &json!({ "from": day, "to": "2025-05-29" }))
                .await;
            assert_eq!((refused.status, refused.field()), (400, "from"), "{day}");
        }
    }
}

#[tokio::test]
#[should_panic(expected = "\"2025-5-29\" is not a date")]
async fn events_of_a_day_that_no_report_can_show_are_refused() {
    let emulator = Emulator::start().await.unwrap();
    emulator.record_events("2025-5-29", "page.visit", 1);
}
