//! Consumption statistics.
//!
//! What the counters called "other" mean is not documented: here they are 0. The first report has one element per day, each
//! with the totals of the whole range. The second has the last day and the averages.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::calendar::Day;
use crate::consumer::{Consumer, WorkspaceId};
use crate::errors::ApiError;
use crate::request_context::{ApiResponse, RequestContext};

/// The longest range of a report, in days.
const LONGEST_RANGE: usize = 366;

type Counts = BTreeMap<String, u64>;

/// `newDataPointsStats`: an array with one element per day.
pub(crate) fn new_data_points(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let (days, workspaces) = requested_range(context)?;
    let by_day: Vec<Counts> = days
        .iter()
        .map(|day| events_on(context, &workspaces, |event| event == day))
        .collect();
    let mut totals = Counts::new();
    for (action, count) in by_day.iter().flatten() {
        *totals.entry(action.clone()).or_default() += count;
    }
    let report = days.iter().zip(&by_day).map(|(day, events)| {
        json!({
            "dailyUsageStatistics": statistics(day, events),
            "eventsTotal": totals,
            "totalAll": totals.values().sum::<u64>(),
            "totalOther": 0,
        })
    });
    Ok(ApiResponse::json(&report.collect()))
}

/// `retentionDataPointsStats`: one object.
pub(crate) fn retention_data_points(context: &mut RequestContext<'_>) -> Result<ApiResponse, ApiError> {
    let (days, workspaces) = requested_range(context)?;
    // Events are retained forever, so a day has all that were added until then. Dates in this form sort as text.
    let by_day: Vec<Counts> = days
        .iter()
        .map(|day| events_on(context, &workspaces, |event| event <= day.as_str()))
        .collect();
    let mut averages = BTreeMap::new();
    #[expect(
        clippy::cast_precision_loss,
        reason = "an average need not be exact beyond 2^53 events"
    )]
    for (action, count) in by_day.iter().flatten() {
        *averages.entry(action.clone()).or_insert(0.0) += *count as f64 / days.len() as f64;
    }
    let (last_day, last_events) = days
        .last()
        .zip(by_day.last())
        .ok_or_else(|| ApiError::bad_request("The range has no days"))?;
    Ok(ApiResponse::json(&json!({
        "dailyUsageStatistics": statistics(last_day, last_events),
        "eventsAverage": averages,
        "averageAll": averages.values().sum::<f64>(),
        "averageOther": 0.0,
    })))
}

fn statistics(day: &str, events: &Counts) -> Value {
    json!({ "day": day, "events": events, "other": 0, "total": events.values().sum::<u64>() })
}

/// Events of the workspaces on matching days, limited to the body's `actions` if it has any.
fn events_on(context: &RequestContext<'_>, workspaces: &[WorkspaceId], is: impl Fn(&str) -> bool) -> Counts {
    let wanted: Option<Vec<&str>> = context
        .body
        .get("actions")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect());
    let mut counts = Counts::new();
    for workspace in workspaces {
        for (_, events) in context.state.workspaces[*workspace]
            .events
            .iter()
            .filter(|(day, _)| is(day))
        {
            for (action, count) in events {
                if wanted
                    .as_ref()
                    .is_none_or(|wanted| wanted.contains(&action.as_str()))
                {
                    *counts.entry(action.clone()).or_default() += count;
                }
            }
        }
    }
    counts
}

/// The days and the workspaces of the request.
fn requested_range(context: &RequestContext<'_>) -> Result<(Vec<String>, Vec<WorkspaceId>), ApiError> {
    let from = day_of(context, "from")?;
    let to = day_of(context, "to")?;
    if to < from {
        return Err(
            ApiError::bad_request("The range ends before it starts").with_field("to", "is before from")
        );
    }
    let days: Vec<String> = std::iter::successors(Some(from), |day| day.next())
        .take_while(|day| *day <= to)
        .take(LONGEST_RANGE + 1)
        .map(|day| day.to_string())
        .collect();
    if days.len() > LONGEST_RANGE {
        return Err(ApiError::bad_request("The range is too long")
            .with_field("to", "is more than 366 days after from"));
    }
    let Some(Consumer::User { user, .. }) = context.consumer else {
        return Err(ApiError::forbidden("The token does not belong to a user"));
    };
    let own = &context.state.users[user].workspaces;
    let Some(guids) = context.body.get("bpGuids").and_then(Value::as_array) else {
        return Ok((days, own.clone()));
    };
    let find = |guid: &Value| {
        let guid = guid.as_str().unwrap_or_default();
        own.iter()
            .copied()
            .find(|id| context.state.workspaces[*id].guid.eq_ignore_ascii_case(guid))
    };
    let workspaces: Option<Vec<_>> = guids.iter().map(find).collect();
    let workspaces =
        workspaces.ok_or_else(|| ApiError::forbidden("A workspace of bpGuids is not the user's"))?;
    Ok((days, workspaces))
}

fn day_of(context: &RequestContext<'_>, field: &str) -> Result<Day, ApiError> {
    Day::parse(context.text(field)).ok_or_else(|| {
        ApiError::bad_request("The range is not valid").with_field(field, "is not a date like 2025-05-29")
    })
}
