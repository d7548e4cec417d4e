//! The published key over HTTP: fetched once, shared, fetched again for a rotation, kept through an outage.
