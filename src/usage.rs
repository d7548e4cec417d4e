//! Consumption statistics of an organization's workspaces.
//!
//! ```no_run
//! # async fn run(user: synerise_auth::WorkspaceUserSession) -> Result<(), Box<dyn std::error::Error>> {
//! use synerise_auth::chrono::NaiveDate;
//! use synerise_auth::usage::UsageQuery;
//!
//! let day = NaiveDate::from_ymd_opt(2025, 5, 29).ok_or("no such day")?;
//! for report in user.new_data_points(&UsageQuery::days(day, day)?).await? {
//!     println!("{:?} events", report.total);
//! }
//! # Ok(()) }
//! ```

use std::collections::BTreeMap;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::bindings::types;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::session::kind::PortalUser;

/// A selection of events to count: by days, and optionally by event types and workspaces.
///
/// ```
/// use synerise_auth::usage::UsageQuery;
/// use synerise_auth::chrono::NaiveDate;
///
/// let day = |day| NaiveDate::from_ymd_opt(2025, 5, day).unwrap();
/// let query = UsageQuery::days(day(29), day(30))?.with_actions(["page.visit"]);
/// assert!(UsageQuery::days(day(30), day(29)).is_err());
/// # Ok::<(), synerise_auth::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageQuery {
    from: NaiveDate,
    to: NaiveDate,
    actions: Vec<String>,
    workspaces: Vec<Uuid>,
}

impl UsageQuery {
    /// Selects all events from the first day to the last one, both included. Days begin and end in UTC.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the last day is before the first.
    pub fn days(from: NaiveDate, to: NaiveDate) -> Result<Self> {
        if to < from {
            return Err(Error::invalid_input(
                "range of days",
                format!("ends on {to}, before it begins on {from}"),
                "swap the days",
            ));
        }
        Ok(Self {
            from,
            to,
            actions: Vec::new(),
            workspaces: Vec::new(),
        })
    }

    /// Counts only these event types.
    #[must_use]
    pub fn with_actions<T: Into<String>>(mut self, actions: impl IntoIterator<Item = T>) -> Self {
        self.actions = actions.into_iter().map(Into::into).collect();
        self
    }

    /// Counts only these workspaces, by their GUIDs.
    #[must_use]
    pub fn with_workspaces(mut self, guids: impl IntoIterator<Item = Uuid>) -> Self {
        self.workspaces = guids.into_iter().collect();
        self
    }

    fn body(&self) -> types::UsageStatsRequest {
        types::UsageStatsRequest {
            from: self.from,
            to: self.to,
            actions: self.actions.clone(),
            bp_guids: self.workspaces.clone(),
        }
    }
}

/// The events of one day.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DailyUsage {
    /// The day, in UTC.
    pub day: Option<NaiveDate>,
    /// The number of events of each type.
    pub events: BTreeMap<String, i64>,
    /// The number of events of other types.
    pub other: Option<i64>,
    /// The total number of events.
    pub total: Option<i64>,
}

/// Events that were added to the database.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewDataPoints {
    /// The events of a day.
    pub daily: Option<DailyUsage>,
    /// The number of events of each type on all days.
    pub events_total: BTreeMap<String, i64>,
    /// The total number of events.
    pub total: Option<i64>,
    /// The number of events of other types.
    pub total_other: Option<i64>,
}

/// Events that are kept in the database.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RetentionDataPoints {
    /// The events of a day.
    pub daily: Option<DailyUsage>,
    /// The average number of events of each type.
    pub events_average: BTreeMap<String, f64>,
    /// The average total number of events.
    pub average: Option<f64>,
    /// The average number of events of other types.
    pub average_other: Option<f64>,
}

impl<K: PortalUser> Session<K> {
    /// Returns how many events were added to the database, by day.
    ///
    /// Operation [`newDataPointsStats`](crate::raw::Client::new_data_points_stats) (`POST /business-profile-service/organizations/usage/stats/newDataPoints`).
    /// Synerise's support has to grant access to it.
    ///
    /// # Errors
    /// Fails like any [`Request`](crate::session::Request).
    pub async fn new_data_points(&self, query: &UsageQuery) -> Result<Vec<NewDataPoints>> {
        let body = query.body();
        let (reports, _) = self.raw().new_data_points_stats(&body).read().await?;
        Ok(reports.into_iter().map(NewDataPoints::from).collect())
    }

    /// Returns how many events are kept in the database, by day.
    ///
    /// Operation [`retentionDataPointsStats`](crate::raw::Client::retention_data_points_stats)
    /// (`POST /business-profile-service/organizations/usage/stats/retentionDataPoints`).
    /// Synerise's support has to grant access to it.
    ///
    /// # Errors
    /// Fails like any [`Request`](crate::session::Request).
    pub async fn retention_data_points(&self, query: &UsageQuery) -> Result<RetentionDataPoints> {
        let body = query.body();
        let (report, _) = self.raw().retention_data_points_stats(&body).read().await?;
        Ok(report.into())
    }
}

impl From<types::DailyUsage> for DailyUsage {
    fn from(raw: types::DailyUsage) -> Self {
        Self {
            day: raw.day,
            events: raw.events,
            other: raw.other,
            total: raw.total,
        }
    }
}

impl From<types::NewDataPointsReport> for NewDataPoints {
    fn from(raw: types::NewDataPointsReport) -> Self {
        Self {
            daily: raw.daily_usage_statistics.map(DailyUsage::from),
            events_total: raw.events_total,
            total: raw.total_all,
            total_other: raw.total_other,
        }
    }
}

impl From<types::RetentionDataPointsReport> for RetentionDataPoints {
    fn from(raw: types::RetentionDataPointsReport) -> Self {
        Self {
            daily: raw.daily_usage_statistics.map(DailyUsage::from),
            events_average: raw.events_average,
            average: raw.average_all,
            average_other: raw.average_other,
        }
    }
}
