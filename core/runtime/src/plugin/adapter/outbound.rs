//! A plugin's publisher, transport and exporter as the runtime's traits.

use std::time::Duration;

use abi_stable::std_types::RBox;
use mfn_plugin::{
    abi::{
        SExporter_TO, SHeaderView, SPublisher_TO, SRecordView, STransport_TO, duration_ms, header_views,
        list_headers,
    },
    room::Room,
    value::{Cursor, ErrorClass, PublishContext, PublisherTraits, RecordResult, RecordView},
};

use super::{Instance, delegate_component};
use crate::component::{Exporter, Publisher, Result, Transport};

macro_rules! adapter {
    ($adapter:ident, $object:ident $(, $list:ident: $of:ty)*) => {
        pub(super) struct $adapter {
            instance: Instance,
            object: $object<'static, RBox<()>>,
            $($list: Room<$of>,)*
        }

        impl $adapter {
            pub(super) fn new(instance: Instance, object: $object<'static, RBox<()>>) -> Self {
                Self { instance, object, $($list: Room::default(),)* }
            }
        }

        delegate_component!($adapter);
    };
}

adapter!(PublisherAdapter, SPublisher_TO, views: SRecordView<'static>, headers: SHeaderView<'static>);
adapter!(TransportAdapter, STransport_TO);
adapter!(ExporterAdapter, SExporter_TO);

impl Publisher for PublisherAdapter {
    fn traits(&self) -> Result<PublisherTraits> {
        self.instance.call("traits", || self.object.traits()).map(PublisherTraits::from)
    }

    fn publish(&self, records: &[RecordView<'_>], context: PublishContext) -> Result<Vec<RecordResult>> {
        let mut headers = self.headers.take();
        list_headers(records, &mut headers);
        let mut left = headers.as_slice();
        let mut lent = self.views.take();
        lent.extend(records.iter().map(|record| {
            let (own, others) = left.split_at(record.headers.len());
            left = others;
            SRecordView::new(record, own)
        }));
        let answers = self.instance.call("publish", || {
            self.object.publish(lent.as_slice().into(), context.attempt, duration_ms(context.timeout))
        });
        self.views.put(lent);
        self.headers.put(headers);
        let answers = answers?;
        if answers.len() != records.len() {
            let message = format!(
                "{} answers for {} records; perhaps they were delivered",
                answers.len(),
                records.len()
            );
            return Err(self.instance.breach("publish", ErrorClass::Unknown, message));
        }
        Ok(answers.into_iter().map(RecordResult::from).collect())
    }

    fn flush(&self, timeout: Duration) -> Result<()> {
        self.instance.call("flush", || self.object.flush(duration_ms(timeout)))
    }
}

impl Transport for TransportAdapter {
    fn publish(&self, topic: &str, event: &RecordView<'_>) -> Result<Cursor> {
        let headers = header_views(std::slice::from_ref(event));
        let lent = SRecordView::new(event, &headers);
        self.instance.call("publish", || self.object.publish(topic.into(), lent)).map(Cursor::from)
    }
}

impl Exporter for ExporterAdapter {
    fn flush(&self, timeout: Duration) -> Result<()> {
        self.instance.call("flush", || self.object.flush(duration_ms(timeout)))
    }
}
