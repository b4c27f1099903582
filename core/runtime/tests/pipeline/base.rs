//! The life of a component that has none: nothing to open, to watch or to drain. What components of tests and benches
//! have in common; what sets each apart stands beside it.

/// Gives a type the life of a component: `component!(Type, "plugin", name)` and, where closing it matters, what to do
/// then. `name` is a function from the component to its name.
macro_rules! component {
    ($type:ty, $plugin:literal, $name:expr) => {
        component!($type, $plugin, $name, |_| ());
    };
    ($type:ty, $plugin:literal, $name:expr, $closed:expr) => {
        impl mfn_runtime::component::Component for $type {
            fn name(&self) -> &str {
                let name: fn(&$type) -> &str = $name;
                name(self)
            }
            fn plugin(&self) -> &str {
                $plugin
            }
            fn open(&self) -> mfn_runtime::component::Result<()> {
                Ok(())
            }
            fn health(&self) -> mfn_plugin::value::Health {
                mfn_plugin::value::Health::ready()
            }
            fn check(&self) -> mfn_runtime::component::Result<()> {
                Ok(())
            }
            fn endpoints(&self) -> mfn_runtime::component::Result<Vec<mfn_plugin::value::Endpoint>> {
                Ok(Vec::new())
            }
            fn drain(
                &self,
                _: std::time::Duration,
            ) -> mfn_runtime::component::Result<mfn_plugin::value::Drained> {
                Ok(mfn_plugin::value::Drained::default())
            }
            fn close(&self) -> mfn_runtime::component::Result<()> {
                let closed: fn(&$type) = $closed;
                closed(self);
                Ok(())
            }
        }
    };
}
