//! Collects what is traced in a test.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::support::see_all_threads;

/// The fields of an event or span, printed.
pub(super) type Fields = BTreeMap<String, String>;

/// An event, or a span that has ended.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) target: String,
    pub(super) level: String,
    /// A span's name.
    pub(super) name: String,
    pub(super) fields: Fields,
    /// The names of the fields that it may have.
    pub(super) declared: Vec<String>,
    /// The name of the span around it.
    pub(super) parent: Option<String>,
}

impl Seen {
    fn new(metadata: &Metadata<'_>, parent: Option<&'static str>) -> Self {
        Self {
            target: metadata.target().to_owned(),
            level: metadata.level().to_string(),
            name: metadata.name().to_owned(),
            fields: Fields::new(),
            declared: metadata
                .fields()
                .iter()
                .map(|field| field.name().to_owned())
                .collect(),
            parent: parent.map(str::to_owned),
        }
    }

    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    pub(super) fn message(&self) -> &str {
        self.field("message").unwrap_or_default()
    }
}

#[derive(Debug, Default)]
struct All {
    events: Vec<Seen>,
    spans: Vec<Seen>,
}

/// Everything that this crate traced since it was created, on this thread.
pub(super) struct Collected {
    all: Arc<Mutex<All>>,
    _guard: DefaultGuard,
}

impl Collected {
    pub(super) fn start() -> Self {
        see_all_threads();
        let all: Arc<Mutex<All>> = Arc::default();
        let layer = Collector(Arc::clone(&all));
        let subscriber = tracing_subscriber::registry().with(layer);
        Self {
            all,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    pub(super) fn events(&self) -> Vec<Seen> {
        self.all.lock().unwrap().events.clone()
    }

    /// The spans that have ended, in that order.
    pub(super) fn spans(&self, name: &str) -> Vec<Seen> {
        let all = self.all.lock().unwrap();
        all.spans
            .iter()
            .filter(|span| span.name == name)
            .cloned()
            .collect()
    }

    /// The event whose message begins so.
    pub(super) fn event(&self, message: &str) -> Seen {
        let events = self.events();
        let found = events.iter().find(|event| event.message().starts_with(message));
        found
            .unwrap_or_else(|| panic!("no {message:?} in {events:#?}"))
            .clone()
    }

    pub(super) fn everything(&self) -> Vec<Seen> {
        let all = self.all.lock().unwrap();
        all.events.iter().chain(&all.spans).cloned().collect()
    }
}

struct Collector(Arc<Mutex<All>>);

struct Printer<'a>(&'a mut Fields);

impl Visit for Printer<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Collector {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        let mut seen = Seen::new(attributes.metadata(), span.parent().map(|parent| parent.name()));
        attributes.record(&mut Printer(&mut seen.fields));
        span.extensions_mut().insert(seen);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        let mut extensions = span.extensions_mut();
        values.record(&mut Printer(&mut extensions.get_mut::<Seen>().unwrap().fields));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if !event.metadata().target().starts_with("synerise_auth") {
            return;
        }
        let parent = context.event_span(event).map(|span| span.name());
        let mut seen = Seen::new(event.metadata(), parent);
        event.record(&mut Printer(&mut seen.fields));
        self.0.lock().unwrap().events.push(seen);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).unwrap();
        let seen = span.extensions_mut().remove::<Seen>();
        if let Some(seen) = seen.filter(|seen| seen.target.starts_with("synerise_auth")) {
            self.0.lock().unwrap().spans.push(seen);
        }
    }
}
